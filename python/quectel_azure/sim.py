"""A simulated module and a local hub: everything but the radio, in this process.

The module speaks AT commands on one side and real TLS and MQTT on the other; the hub checks credentials, user names and
topics as IoT Hub does, and says why it refuses something. Both listen on this computer only.

>>> from quectel_azure import Client
>>> with LocalHub() as hub, SimulatedModule(model="ec25", hosts=hub.hosts) as module:
...     with Client(port=module.port, connection_string=hub.connection_string(), ca=hub.ca_pem) as client:
...         hub.send(b"switch on", properties={"lamp": "kitchen"})
...         print(client.receive(timeout_s=10.0))
1
Message(payload=b'switch on', properties={'lamp': 'kitchen'}, system_properties={...}, topic='...')
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Literal

from . import _native
from ._native import SimulatedPort
from ._settings import HubSettings, ModuleSettings
from .errors import ApiMisuse
from .messages import Message, _split

__all__ = [
    "DeviceCertificate",
    "LocalHub",
    "Refusal",
    "SimulatedModule",
    "SimulatedPort",
    "Telemetry",
]


class SimulatedModule:
    """A simulated module that is switched on, until it is closed or the ``with`` block ends.

    >>> with SimulatedModule(model="bg96", transport="tcp") as module:
    ...     print(module.model, module.port)
    BG96 tcp:127.0.0.1:...

    Args:
        model: such as ``bg96``, ``bg95``, ``ec21``, ``ec25`` or ``ec200u``.
        firmware: a revision, such as ``BG96MAR02A07M1G``; the usual one unless given.
        transport: how its AT port is reached: ``in-process`` by clients of this process, ``tcp`` and ``pty`` by any
            program; ``pty`` not on Windows.
        hosts: the hosts of its network, as ``name:port`` or ``name``, and the addresses that they lead to. There are no
            others, but loopback addresses; :attr:`LocalHub.hosts` is such a table.
        sim: the SIM card.
        sim_pin: the PIN that the SIM asks for, if it does.
        registers: whether the network takes it.
        has_clock: whether the network tells the time; without, it is 1980.
        apns: the access points of the network; none means any.
        timing: ``fast``, or ``realistic`` with the times of hardware.
        boots: whether it is just being switched on, so that the boot messages come.
        folder: keeps its files and settings over several runs.
        seed: everything that looks random follows from this.

    Raises:
        ApiMisuse: an argument cannot be; for models and firmware, the message names those that exist.
    """

    def __init__(
        self,
        *,
        model: str = "bg96",
        firmware: str | None = None,
        transport: Literal["in-process", "tcp", "pty"] = "in-process",
        hosts: Mapping[str, str] | None = None,
        sim: Literal["ready", "absent", "failure"] = "ready",
        sim_pin: str | None = None,
        registers: bool = True,
        has_clock: bool = True,
        apns: Sequence[str] = (),
        timing: Literal["fast", "realistic"] = "fast",
        boots: bool = True,
        folder: str | PathLike[str] | None = None,
        seed: int = 1,
    ) -> None:
        settings = ModuleSettings(
            model=model,
            firmware=firmware,
            transport=transport,
            hosts=list(hosts.items()) if hosts else [],
            sim=sim,
            sim_pin=sim_pin,
            registers=registers,
            has_clock=has_clock,
            apns=list(apns),
            timing=timing,
            boots=boots,
            folder=None if folder is None else Path(folder),
            seed=seed,
        )
        self._native = _native.SimulatedModule(settings)

    @property
    def port(self) -> str | SimulatedPort:
        """What a client's ``port`` is set to; a text, unless it is ``in-process``."""
        return self._native.port

    @property
    def model(self) -> str:
        """Its model, as ``ATI`` gives it."""
        return self._native.model

    @property
    def firmware(self) -> str:
        """Its firmware revision."""
        return self._native.firmware

    @property
    def is_connected(self) -> bool:
        """Whether one of its MQTT clients is connected."""
        return self._native.is_connected

    def files(self) -> dict[str, int]:
        """Its files, with their storage such as ``UFS:``, and their sizes in bytes."""
        return dict(self._native.files())

    def read_file(self, name: str) -> bytes | None:
        """The content of a file; ``None`` if there is no such file."""
        return self._native.read_file(name)

    def raise_urc(self, line: str) -> None:
        """Sends an unsolicited result code, such as ``+QIURC: "pdpdeact",1``."""
        self._native.raise_urc(line)

    def set_signal(self, rssi: int) -> None:
        """Sets ``<rssi>`` of ``AT+CSQ``: 0 to 31, 99 for unknown."""
        self._native.set_signal(rssi)

    def set_sim(self, state: Literal["ready", "absent", "failure"], *, pin: str | None = None) -> None:
        """Takes the SIM out, or puts another one in, which may ask for a PIN."""
        self._native.set_sim(state, pin)

    def set_registration(self, state: Literal["idle", "home", "searching", "denied", "roaming"]) -> None:
        """Changes the registration; losing it takes all connections away."""
        self._native.set_registration(state)

    def drop_pdp(self, context: int = 1) -> None:
        """The network takes a PDP context away, and the connections over it."""
        self._native.drop_pdp(context)

    def close(self) -> None:
        """Switches it off: its connections and its port close."""
        self._native.close()

    def __enter__(self) -> SimulatedModule:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<SimulatedModule {self.model} {self.firmware} at {self.port!r}>"


@dataclass(frozen=True)
class Telemetry(Message):
    """A message as it arrived at the hub."""

    device_id: str = ""
    """Who sent it."""
    qos: int = 1
    """Quality of service it was sent with, 0 or 1."""


@dataclass(frozen=True)
class DeviceCertificate:
    """A client certificate and its key."""

    certificate: bytes
    """The certificate, PEM."""
    private_key: bytes
    """Its key, PEM."""

    def __repr__(self) -> str:
        return f"DeviceCertificate(certificate=<{len(self.certificate)} bytes>, private_key=***)"


@dataclass(frozen=True)
class Refusal:
    """A connection that the hub refused."""

    client_id: str | None
    """Client id, if the connection came so far."""
    server_name: str | None
    """Host name that the TLS handshake asked for (SNI), if it did."""
    code: str
    """Why, in kebab-case."""
    text: str
    """Why, what was expected and what to do; the real hub does not say it."""


class LocalHub:
    """A running IoT Hub on this computer, until it is closed or the ``with`` block ends.

    >>> with LocalHub(devices=["cellar", "attic"]) as hub:
    ...     print(hub.connection_string("attic").split(";")[1])
    DeviceId=attic

    Args:
        host_name: its name, in user names, tokens and its certificate.
        devices: ids of devices with a symmetric key; keys are made.
        x509_devices: ids of devices with a self-signed certificate, which is made.
        require_sni: whether a TLS handshake without the host's name is refused; old firmware cannot send it, and hubs
            with a classic name take it.
        listen: address and port; port 0 takes a free one.

    Raises:
        ApiMisuse: an argument cannot be.
        QuectelAzureError: the address is in use.
    """

    def __init__(
        self,
        *,
        host_name: str = "local-hub.azure-devices.net",
        devices: Sequence[str] = ("device-1",),
        x509_devices: Sequence[str] = (),
        require_sni: bool = False,
        listen: str = "127.0.0.1:0",
    ) -> None:
        if isinstance(devices, str) or isinstance(x509_devices, str):
            raise ApiMisuse("devices is a list of device ids, not one text", "invalid-value")
        settings = HubSettings(
            host_name=host_name,
            devices=list(devices),
            x509_devices=list(x509_devices),
            require_sni=require_sni,
            listen=listen,
        )
        self._host_name = host_name
        self._devices = [*devices, *x509_devices]
        self._native = _native.LocalHub(settings)

    @property
    def host_name(self) -> str:
        """Its name."""
        return self._host_name

    @property
    def address(self) -> str:
        """Where it listens, as ``ADDRESS:PORT``."""
        return self._native.address

    @property
    def hosts(self) -> dict[str, str]:
        """The table that leads a simulated module here."""
        return {self.host_name: self.address}

    @property
    def ca_pem(self) -> bytes:
        """Its root certificate, PEM: what a device must trust."""
        return self._native.ca_pem

    def connection_string(self, device_id: str | None = None) -> str:
        """The connection string of a device; of the first one unless named. It holds the device's key.

        Raises:
            ApiMisuse: there is no such device.
        """
        return self._native.connection_string(self._device(device_id))

    def certificate(self, device_id: str | None = None) -> DeviceCertificate:
        """Certificate and key of a device of ``x509_devices``; of the first device unless named.

        Raises:
            ApiMisuse: there is no such device, or it has a symmetric key.
        """
        return DeviceCertificate(*self._native.certificate(self._device(device_id)))

    def wait_for_telemetry(self, *, device_id: str | None = None, timeout_s: float = 10.0) -> Telemetry:
        """The next message that was not returned yet, of this device or of any.

        Raises:
            TimeoutError: none came within ``timeout_s`` seconds.
        """
        arrived = self._native.wait_for_telemetry(timeout_s, device_id)
        if arrived is None:
            refused = "".join(f"\nrefused {refusal.client_id}: {refusal.text}" for refusal in self.refused())
            raise TimeoutError(f"no telemetry arrived at {self.host_name} in {timeout_s} s{refused}")
        sender, payload, properties, topic, qos = arrived
        application, system = _split(properties)
        return Telemetry(payload, application, system, topic, sender, qos)

    def send(
        self, payload: bytes, *, device_id: str | None = None, properties: Mapping[str, str] | None = None
    ) -> int:
        """Sends a message to a device, the first one unless named, and returns its sequence number.

        It waits in the hub for an hour while the device is away. Names of system properties begin with ``$.``.

        Raises:
            ApiMisuse: there is no such device, or 50 messages wait already.
        """
        return self._native.send(self._device(device_id), payload, list(properties.items()) if properties else [])

    def drop_connection(self, device_id: str | None = None) -> None:
        """Drops the connection of a device, the first one unless named, without a word.

        Raises:
            ApiMisuse: there is no such device.
        """
        self._native.drop_connection(self._device(device_id))

    def refused(self) -> list[Refusal]:
        """The connections that it refused so far, and why."""
        return [Refusal(*refusal) for refusal in self._native.refused()]

    def close(self) -> None:
        """Ends all connections and stops."""
        self._native.close()

    def __enter__(self) -> LocalHub:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<LocalHub {self.host_name} at {self.address}>"

    def _device(self, device_id: str | None) -> str:
        if device_id is not None:
            return device_id
        if not self._devices:
            raise ApiMisuse("the hub has no device", "unknown-device")
        return self._devices[0]
