"""The blocking client."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from os import PathLike
from types import TracebackType
from typing import Any, Literal

from . import _native
from ._native import SimulatedPort
from ._settings import Settings, Timeouts
from .messages import Event, Message, ModuleInfo, _event, _split

__all__ = ["Client"]


class Client:
    """Connects a Quectel module to Azure IoT Hub, publishes and receives.

    In a ``with`` block it connects at the beginning and disconnects at the end:

    >>> from quectel_azure.sim import LocalHub, SimulatedModule
    >>> with LocalHub() as hub, SimulatedModule(hosts=hub.hosts) as module:
    ...     with Client(port=module.port, connection_string=hub.connection_string(), ca=hub.ca_pem) as client:
    ...         client.publish(b'{"temperature": 21.5}', content_type="application/json")
    ...     print(hub.wait_for_telemetry().text())
    1
    {"temperature": 21.5}

    Making one only checks the settings; nothing is opened or sent. A client can connect again after it was disconnected
    or its connection ended. Several threads may use one client: a message is sent while another thread is in
    ``receive``, and everything else waits for its turn. It cannot be used after ``os.fork``; make one in the child.

    Ctrl-C and an exception in ``on_event`` end the connection, so that the module is left ready for the next run; that
    takes a few seconds, and a second Ctrl-C does it at once.

    Args:
        port: the module's AT port: a serial port such as ``/dev/ttyUSB2`` or ``COM3``, a pseudo terminal,
            ``tcp:HOST:PORT``, or the ``port`` of a :class:`quectel_azure.sim.SimulatedModule`.
        connection_string: that of the device, as the portal shows it.
        certificate: the device's certificate, PEM, if the connection string says ``x509=true``.
        private_key: its key, PEM.
        ca: the root certificate that the module trusts, PEM; DigiCert Global Root G2 unless given, which is that of
            Azure.
        hub_port: TCP port of the hub.
        apn: access point of the mobile network; empty keeps what the module has stored.
        apn_user: user name there, or empty.
        apn_password: password there, or empty.
        apn_auth: how user name and password are sent.
        sim_pin: PIN of the SIM, if it asks for one.
        baud: bits per second of a serial port.
        rts_cts: whether a serial port uses RTS and CTS; the module is told so, and both lines must be connected.
        urc_port: what the module calls the port that ``port`` leads to; unsolicited result codes come there. ``auto`` is
            ``usbat`` on the module's own USB and ``uart1`` otherwise; ``keep`` leaves the module's setting alone.
        pdp_context: PDP context to use, 1 to 16.
        ssl_context: SSL context to use, 0 to 5.
        mqtt_client: MQTT client to use, 0 to 5.
        keep_alive_s: keep alive, 1 to 1177 seconds.
        clean_session: whether the hub forgets subscriptions and waiting messages while the device is away.
        subscribe: whether to subscribe to cloud-to-device messages.
        token_lifetime_s: life of a SAS token in seconds.
        ntp_server: asked for the time if neither this computer nor the module knows it; empty asks nobody.
        profile: row of the driver's table of modules, if it must not be chosen from what the module says.
        timeouts: the longest that the slow steps may take.
        trace: file for the conversation with the module, without secrets; it is overwritten by each ``connect``.
        on_event: called in the thread that calls the client, with each :data:`quectel_azure.Event`, while it waits.

    Raises:
        ApiMisuse: an argument cannot be.
    """

    def __init__(
        self,
        *,
        port: str | SimulatedPort,
        connection_string: str,
        certificate: bytes | None = None,
        private_key: bytes | None = None,
        ca: bytes | None = None,
        hub_port: int = 8883,
        apn: str = "",
        apn_user: str = "",
        apn_password: str = "",
        apn_auth: Literal["none", "pap", "chap", "pap-or-chap"] = "none",
        sim_pin: str | None = None,
        baud: int = 115_200,
        rts_cts: bool = False,
        urc_port: Literal["auto", "keep", "uart1", "usbat", "usbmodem", "all"] = "auto",
        pdp_context: int = 1,
        ssl_context: int = 2,
        mqtt_client: int = 0,
        keep_alive_s: float = 240.0,
        clean_session: bool = False,
        subscribe: bool = True,
        token_lifetime_s: float = 86_400.0,
        ntp_server: str = "pool.ntp.org",
        profile: str | None = None,
        timeouts: Timeouts = Timeouts(),
        trace: str | PathLike[str] | None = None,
        on_event: Callable[[Event], object] | None = None,
    ) -> None:
        settings = Settings(
            connection_string=connection_string,
            certificate=certificate,
            private_key=private_key,
            ca=ca,
            hub_port=hub_port,
            apn=apn,
            apn_user=apn_user,
            apn_password=apn_password,
            apn_auth=apn_auth,
            sim_pin=sim_pin,
            pdp_context=pdp_context,
            ssl_context=ssl_context,
            mqtt_client=mqtt_client,
            keep_alive_s=keep_alive_s,
            clean_session=clean_session,
            receive=subscribe,
            token_lifetime_s=token_lifetime_s,
            ntp_server=ntp_server,
            urc_port=urc_port,
            profile=profile,
            baud=baud,
            rts_cts=rts_cts,
            timeouts=timeouts,
        )
        self._port = port
        self._on_event = on_event
        self._native = _native.Client(port, settings, trace)

    def connect(self, *, timeout_s: float | None = None) -> None:
        """Opens the port and runs the flow until the hub has accepted the device.

        Args:
            timeout_s: the longest that all steps together may take, in seconds; ``None`` leaves it to ``timeouts``.

        Raises:
            PortError: the port cannot be opened, or went away.
            ModemError: module, SIM or network failed.
            MqttError: the hub or the way to it failed.
            AuthError: the hub refused the device, or the SIM its PIN.
            ModemTimeout: a step, or all of them, took too long.
            ApiMisuse: the client is connected already.
        """
        self._native.connect(timeout_s, self._shower())

    def publish(
        self,
        payload: bytes,
        *,
        properties: Mapping[str, str] | None = None,
        content_type: str | None = None,
        content_encoding: str | None = None,
        message_id: str | None = None,
        correlation_id: str | None = None,
        qos: Literal[0, 1] = 1,
        timeout_s: float | None = None,
    ) -> int:
        """Sends one message to the hub and waits until the hub has it.

        Args:
            payload: the body; how long it may be depends on the module (1548 or 4096 bytes).
            properties: application properties.
            content_type: such as ``application/json``; the hub routes by the body only with this type.
            content_encoding: such as ``utf-8``; given by itself with ``application/json``.
            message_id: an id of your own.
            correlation_id: an id that ties messages together.
            qos: 1 waits for the hub's acknowledgement, 0 only until the module has sent it.
            timeout_s: the longest wait in seconds; ``None`` leaves it to ``timeouts``. When it is over, nobody knows
                whether the message arrived, and the connection is ended.

        Returns:
            The number of the message, from 1 in each connection.

        Raises:
            ApiMisuse: there is no connection, or the message cannot be sent on this module.
            MqttError: it was not acknowledged, or the hub ended the connection.
            ModemError: the network or the module ended it.
            ModemTimeout: it took too long.
            PortError: the port went away.
        """
        if content_type == "application/json" and content_encoding is None:
            content_encoding = "utf-8"
        return self._native.publish(
            payload,
            properties=list(properties.items()) if properties else [],
            content_type=content_type,
            content_encoding=content_encoding,
            message_id=message_id,
            correlation_id=correlation_id,
            qos=qos,
            timeout_s=timeout_s,
            on_event=self._shower(),
        )

    def receive(self, timeout_s: float | None = None) -> Message | None:
        """Waits for a message from the cloud.

        Args:
            timeout_s: the longest wait in seconds; ``None`` waits for ever, 0 only looks.

        Returns:
            The oldest message that was not returned yet; ``None`` if none came in time.

        Raises:
            ApiMisuse: there is no connection.
            MqttError: the hub ended the connection, or it was lost.
            ModemError: the network or the module ended it.
            PortError: the port went away.
        """
        received = self._native.receive(timeout_s, self._shower())
        if received is None:
            return None
        topic, payload, properties = received
        application, system = _split(properties)
        return Message(payload, application, system, topic)

    def disconnect(self, *, timeout_s: float | None = None) -> None:
        """Ends the connection in order and closes the port. Without a connection it does nothing.

        Args:
            timeout_s: the longest wait in seconds; ``None`` leaves it to the module's own limits.

        Raises:
            PortError: the port went away.
            QuectelAzureError: the module did not disconnect in order; the connection is ended all the same.
        """
        self._native.disconnect(timeout_s, self._shower())

    def cancel(self) -> None:
        """Ends the connection, and the calls that wait in other threads, within a few seconds; twice: at once.

        The calls raise :class:`QuectelAzureError` with the kind ``cancelled``. It may be called from any thread.
        """
        self._native.cancel()

    @property
    def is_connected(self) -> bool:
        """Whether messages may be published."""
        return self._native.is_connected

    @property
    def module(self) -> ModuleInfo | None:
        """What is known of the module; ``None`` until the first connection."""
        facts = self._native.module
        return None if facts is None else ModuleInfo(*facts)

    @property
    def host_name(self) -> str:
        """Host name of the hub."""
        return self._native.host_name

    @property
    def device_id(self) -> str:
        """Device id."""
        return self._native.device_id

    def __enter__(self) -> Client:
        self.connect()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.disconnect()

    def __repr__(self) -> str:
        state = "connected" if self.is_connected else "not connected"
        return f"<Client {self.device_id!r} of {self.host_name!r} at {self._port!r}, {state}>"

    def __del__(self, _warn: Any = warnings.warn) -> None:
        native = getattr(self, "_native", None)
        if native is not None and native.is_connected:
            _warn(f"the client of {native.device_id!r} was not disconnected", ResourceWarning, source=self)

    def _wait(self, timeout_s: float) -> bool:
        """Whether ``receive`` would not have to wait, now or after so many seconds."""
        return self._native.wait_for_message(timeout_s)

    def _shower(self) -> Callable[[str, float, str], object] | None:
        on_event = self._on_event
        if on_event is None:
            return None

        def show(kind: str, at_s: float, text: str) -> None:
            event = _event(kind, at_s, text)
            if event is not None:
                on_event(event)

        return show
