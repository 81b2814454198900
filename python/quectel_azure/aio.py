"""The client for asyncio.

>>> import asyncio
>>> from quectel_azure.sim import LocalHub, SimulatedModule
>>> async def main() -> None:
...     with LocalHub() as hub, SimulatedModule(hosts=hub.hosts) as module:
...         async with AsyncClient(
...             port=module.port, connection_string=hub.connection_string(), ca=hub.ca_pem
...         ) as client:
...             await client.publish(b"21.5")
...         print(hub.wait_for_telemetry().text())
>>> asyncio.run(main())
21.5
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Mapping
from os import PathLike
from types import TracebackType
from typing import Literal, TypeVar

from ._native import SimulatedPort
from ._settings import Timeouts
from .client import Client
from .errors import ApiMisuse, QuectelAzureError
from .messages import Event, Message, ModuleInfo

__all__ = ["AsyncClient"]

_T = TypeVar("_T")

_LOOK_S = 0.2
"""How long a thread waits for a message before it looks whether somebody still wants it."""


class AsyncClient:
    """:class:`quectel_azure.Client` with coroutines; arguments, results and exceptions are the same.

    Each call waits in a thread of asyncio's default executor. Several tasks may use one client: messages are sent while
    another task is in :meth:`receive`.

    A task that is cancelled in :meth:`connect` or :meth:`publish` ends the connection, because nobody knows then how far
    the module has come; it waits until that is done, which takes a few seconds. Cancelled in :meth:`receive`, it ends
    the waiting only and loses no message.

    Args:
        on_event: called in the event loop's thread with each :data:`quectel_azure.Event`, soon after it happened.
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
        self._on_event = on_event
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client = Client(
            port=port,
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
            baud=baud,
            rts_cts=rts_cts,
            urc_port=urc_port,
            pdp_context=pdp_context,
            ssl_context=ssl_context,
            mqtt_client=mqtt_client,
            keep_alive_s=keep_alive_s,
            clean_session=clean_session,
            subscribe=subscribe,
            token_lifetime_s=token_lifetime_s,
            ntp_server=ntp_server,
            profile=profile,
            timeouts=timeouts,
            trace=trace,
            on_event=None if on_event is None else self._pass_on,
        )

    async def connect(self, *, timeout_s: float | None = None) -> None:
        """See :meth:`quectel_azure.Client.connect`."""
        await self._whole(functools.partial(self._client.connect, timeout_s=timeout_s))

    async def publish(
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
        """See :meth:`quectel_azure.Client.publish`."""
        return await self._whole(
            functools.partial(
                self._client.publish,
                payload,
                properties=properties,
                content_type=content_type,
                content_encoding=content_encoding,
                message_id=message_id,
                correlation_id=correlation_id,
                qos=qos,
                timeout_s=timeout_s,
            )
        )

    async def receive(self, timeout_s: float | None = None) -> Message | None:
        """See :meth:`quectel_azure.Client.receive`."""
        self._loop = asyncio.get_running_loop()
        end = None if timeout_s is None else self._loop.time() + timeout_s
        while True:
            left = _LOOK_S if end is None else min(_LOOK_S, max(0.0, end - self._loop.time()))
            # A message that arrives for a task that is cancelled meanwhile stays for the next call.
            if await self._run(functools.partial(self._client._wait, left)):
                message = self._client.receive(0.0)
                if message is not None:
                    return message
            if end is not None and self._loop.time() >= end:
                return None

    async def messages(self) -> AsyncIterator[Message]:
        """Every message as it comes, until the client is disconnected; a connection that is lost raises its exception."""
        while self.is_connected:
            try:
                message = await self.receive(_LOOK_S)
            except ApiMisuse:
                # Disconnected meanwhile.
                return
            if message is not None:
                yield message

    async def disconnect(self, *, timeout_s: float | None = None) -> None:
        """See :meth:`quectel_azure.Client.disconnect`."""
        await self._whole(functools.partial(self._client.disconnect, timeout_s=timeout_s))

    def cancel(self) -> None:
        """See :meth:`quectel_azure.Client.cancel`."""
        self._client.cancel()

    @property
    def is_connected(self) -> bool:
        """Whether messages may be published."""
        return self._client.is_connected

    @property
    def module(self) -> ModuleInfo | None:
        """What is known of the module; ``None`` until the first connection."""
        return self._client.module

    @property
    def host_name(self) -> str:
        """Host name of the hub."""
        return self._client.host_name

    @property
    def device_id(self) -> str:
        """Device id."""
        return self._client.device_id

    async def __aenter__(self) -> AsyncClient:
        await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.disconnect()

    def __repr__(self) -> str:
        return repr(self._client).replace("<Client", "<AsyncClient", 1)

    async def _run(self, call: Callable[[], _T]) -> _T:
        """Makes a call in a thread."""
        self._loop = asyncio.get_running_loop()
        return await asyncio.to_thread(call)

    async def _whole(self, call: Callable[[], _T]) -> _T:
        """Makes a call in a thread, and stays until it is over even when the task is cancelled."""
        task = asyncio.ensure_future(self._run(call))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self._client.cancel()
            try:
                await task
            except QuectelAzureError:
                pass
            raise

    def _pass_on(self, event: Event) -> None:
        loop, on_event = self._loop, self._on_event
        if loop is not None and on_event is not None and not loop.is_closed():
            loop.call_soon_threadsafe(on_event, event)
