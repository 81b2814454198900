"""Fixtures for pytest; they are there as soon as the package is installed.

``iot_hub``
    A local hub, one for the whole run, with the devices ``device-1`` (symmetric key) and ``device-x509`` (certificate).
``quectel_module``
    A simulated module whose network leads to ``iot_hub``, a new one for each test. A test chooses another one with
    ``@pytest.mark.quectel(model="ec25", firmware=…, …)``, which takes what :class:`quectel_azure.sim.SimulatedModule` does.
``quectel_client``
    A client of ``device-1`` over ``quectel_module``, connected, and disconnected at the end of the test.

::

    def test_telemetry(quectel_client, iot_hub):
        quectel_client.publish(b"21.5")
        assert iot_hub.wait_for_telemetry(device_id="device-1").payload == b"21.5"
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .client import Client
from .sim import LocalHub, SimulatedModule

__all__ = ["iot_hub", "quectel_client", "quectel_module"]


def pytest_configure(config: pytest.Config) -> None:
    """Makes the marker known."""
    config.addinivalue_line(
        "markers", "quectel(**options): what the fixture quectel_module gives to quectel_azure.sim.SimulatedModule"
    )


@pytest.fixture(scope="session")
def iot_hub() -> Iterator[LocalHub]:
    """A local hub with the devices ``device-1`` (symmetric key) and ``device-x509`` (certificate)."""
    with LocalHub(devices=["device-1"], x509_devices=["device-x509"]) as hub:
        yield hub


@pytest.fixture
def quectel_module(request: pytest.FixtureRequest, iot_hub: LocalHub) -> Iterator[SimulatedModule]:
    """A simulated module whose network leads to the local hub; ``@pytest.mark.quectel(…)`` sets its options."""
    options: dict[str, Any] = {"hosts": iot_hub.hosts}
    # The marker nearest to the test wins.
    for marker in reversed(list(request.node.iter_markers("quectel"))):
        options.update(marker.kwargs)
    with SimulatedModule(**options) as module:
        yield module


@pytest.fixture
def quectel_client(quectel_module: SimulatedModule, iot_hub: LocalHub) -> Iterator[Client]:
    """A connected client of ``device-1`` over the simulated module."""
    with Client(
        port=quectel_module.port, connection_string=iot_hub.connection_string("device-1"), ca=iot_hub.ca_pem
    ) as client:
        yield client
