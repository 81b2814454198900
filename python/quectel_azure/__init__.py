"""Connects a Quectel cellular module to Azure IoT Hub over the module's own TLS and MQTT.

* :class:`Client`: connect, publish, receive, disconnect; it blocks while it works.
* :mod:`quectel_azure.aio`: the same for asyncio.
* :mod:`quectel_azure.sim`: a simulated module and a local hub, for trying and testing without hardware and without Azure.
* :mod:`quectel_azure.errors`: the exceptions; each says what the module said and what to do.
* :mod:`quectel_azure.sas`: shared access signatures.
* :mod:`quectel_azure.doctor`: says why a connection failed, from the log of it.

With pytest, the fixtures ``iot_hub``, ``quectel_module`` and ``quectel_client`` are there by themselves.
"""

from __future__ import annotations

from importlib.metadata import version as _version

from ._settings import Timeouts
from .client import Client
from .errors import (
    ApiMisuse,
    AuthError,
    ModemError,
    ModemTimeout,
    MqttError,
    PortError,
    QuectelAzureError,
)
from .messages import (
    Event,
    LineReceived,
    LineSent,
    Message,
    ModuleInfo,
    StepBegun,
    UrcReceived,
    WarningRaised,
)

__all__ = [
    "ApiMisuse",
    "AuthError",
    "Client",
    "Event",
    "LineReceived",
    "LineSent",
    "Message",
    "ModemError",
    "ModemTimeout",
    "ModuleInfo",
    "MqttError",
    "PortError",
    "QuectelAzureError",
    "StepBegun",
    "Timeouts",
    "UrcReceived",
    "WarningRaised",
    "__version__",
]

__version__ = _version("quectel-azure")
