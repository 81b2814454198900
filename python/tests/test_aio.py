"""The client for asyncio."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from quectel_azure import ApiMisuse, Client, Event, ModemError, QuectelAzureError, StepBegun
from quectel_azure.aio import AsyncClient
from quectel_azure.sim import LocalHub, SimulatedModule


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, timeout=60.0))


def client_of(hub: LocalHub, module: SimulatedModule, **options: Any) -> AsyncClient:
    return AsyncClient(port=module.port, connection_string=hub.connection_string(), ca=hub.ca_pem, **options)


def test_it_takes_what_the_blocking_client_takes() -> None:
    for name in ("__init__", "connect", "publish", "receive", "disconnect", "cancel"):
        ours, theirs = (inspect.signature(getattr(kind, name)) for kind in (AsyncClient, Client))
        assert ours == theirs, name
    public = {name for name in vars(Client) if not name.startswith("_")}
    assert {name for name in vars(AsyncClient) if not name.startswith("_")} == public | {"messages"}


def test_there_and_back(iot_hub: LocalHub, quectel_module: SimulatedModule) -> None:
    async def main() -> None:
        events: list[Event] = []
        async with client_of(iot_hub, quectel_module, on_event=events.append) as client:
            assert client.module is not None
            receiving = asyncio.create_task(client.receive(timeout_s=30.0))
            numbers = await asyncio.gather(*(client.publish(b"%d" % n) for n in range(4)))
            assert sorted(numbers) == [1, 2, 3, 4]
            iot_hub.send(b"down")
            message = await receiving
            assert message is not None and message.payload == b"down"
            assert await client.receive(timeout_s=0.0) is None
            assert "connected" in repr(client) and "AsyncClient" in repr(client)
        assert not client.is_connected
        assert "open" in [event.step for event in events if isinstance(event, StepBegun)]

    run(main())
    assert {iot_hub.wait_for_telemetry(device_id="device-1").payload for _ in range(4)} == {b"0", b"1", b"2", b"3"}


def test_the_loop_runs_meanwhile(iot_hub: LocalHub, quectel_module: SimulatedModule) -> None:
    async def main() -> None:
        async with client_of(iot_hub, quectel_module) as client:
            receiving = asyncio.create_task(client.receive(timeout_s=0.3))
            longest, last = 0.0, time.monotonic()
            while not receiving.done():
                await asyncio.sleep(0.01)
                longest, last = max(longest, time.monotonic() - last), time.monotonic()
            assert longest < 0.25

    run(main())


def test_messages(iot_hub: LocalHub, quectel_module: SimulatedModule) -> None:
    async def main() -> None:
        async with client_of(iot_hub, quectel_module) as client:
            bodies = []
            for body in (b"1", b"2", b"3"):
                iot_hub.send(body)
            async for message in client.messages():
                bodies.append(message.payload)
                if len(bodies) == 3:
                    await client.disconnect()
            assert bodies == [b"1", b"2", b"3"]
            with pytest.raises(ApiMisuse):
                await client.receive(0.0)

    run(main())


@pytest.mark.quectel(sim="absent")
def test_errors_are_the_same(iot_hub: LocalHub, quectel_module: SimulatedModule) -> None:
    async def main() -> None:
        with pytest.raises(ModemError) as caught:
            await client_of(iot_hub, quectel_module).connect()
        assert caught.value.kind == "sim-missing"

    run(main())


def test_a_cancelled_receive_loses_nothing(iot_hub: LocalHub, quectel_module: SimulatedModule) -> None:
    async def main() -> None:
        async with client_of(iot_hub, quectel_module) as client:
            for _ in range(3):
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(client.receive(), timeout=0.05)
            assert client.is_connected
            iot_hub.send(b"down")
            message = await client.receive(timeout_s=30.0)
            assert message is not None and message.payload == b"down"

    run(main())


@pytest.mark.quectel(boots=False)
def test_a_cancelled_connect_leaves_the_module_ready(iot_hub: LocalHub, quectel_module: SimulatedModule) -> None:
    async def main() -> None:
        quectel_module.set_registration("searching")
        client = client_of(iot_hub, quectel_module)
        connecting = asyncio.create_task(client.connect())
        await asyncio.sleep(0.1)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        assert not client.is_connected
        quectel_module.set_registration("home")
        async with client:
            assert client.is_connected

    run(main())


def test_cancel(iot_hub: LocalHub, quectel_module: SimulatedModule) -> None:
    async def main() -> None:
        async with client_of(iot_hub, quectel_module) as client:
            receiving = asyncio.create_task(client.receive())
            await asyncio.sleep(0.05)
            client.cancel()
            with pytest.raises(QuectelAzureError) as caught:
                await receiving
            assert caught.value.kind == "cancelled"

    run(main())
