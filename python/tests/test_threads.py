"""Several threads, signals and forks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from quectel_azure import ApiMisuse, Client, Event, Message, QuectelAzureError, StepBegun
from quectel_azure.sim import LocalHub, SimulatedModule


def test_threads_take_turns(quectel_client: Client, iot_hub: LocalHub) -> None:
    with ThreadPoolExecutor(max_workers=4) as pool:
        numbers = list(pool.map(lambda n: quectel_client.publish(b"%d" % n), range(20)))
    assert sorted(numbers) == list(range(1, 21))
    arrived = {iot_hub.wait_for_telemetry(device_id="device-1").payload for _ in range(20)}
    assert arrived == {b"%d" % n for n in range(20)}


def test_one_publishes_while_another_receives(quectel_client: Client, iot_hub: LocalHub) -> None:
    received: list[Message | None] = []
    receiver = threading.Thread(target=lambda: received.append(quectel_client.receive(timeout_s=30.0)))
    receiver.start()
    quectel_client.publish(b"up")
    assert iot_hub.wait_for_telemetry(device_id="device-1").payload == b"up"
    assert receiver.is_alive()
    iot_hub.send(b"down")
    receiver.join(timeout=30.0)
    assert [message and message.payload for message in received] == [b"down"]


@pytest.mark.quectel(sim="absent")
def test_other_threads_run_meanwhile(iot_hub: LocalHub, quectel_module: SimulatedModule) -> None:
    client = Client(port=quectel_module.port, connection_string=iot_hub.connection_string())
    connecting = threading.Thread(target=lambda: pytest.raises(QuectelAzureError, client.connect))
    connecting.start()
    turns = 0
    while connecting.is_alive() and turns < 20:
        time.sleep(0.001)
        turns += 1
    connecting.join(timeout=60.0)
    assert turns > 0 and not connecting.is_alive()


@pytest.mark.quectel(boots=False)
def test_cancel_ends_what_another_thread_waits_for(iot_hub: LocalHub, quectel_module: SimulatedModule) -> None:
    quectel_module.set_registration("searching")
    searching = threading.Event()

    def look(event: Event) -> None:
        if isinstance(event, StepBegun) and event.step == "register":
            searching.set()

    client = Client(port=quectel_module.port, connection_string=iot_hub.connection_string(), on_event=look)
    caught: list[QuectelAzureError] = []

    def connect() -> None:
        try:
            client.connect()
        except QuectelAzureError as error:
            caught.append(error)

    thread = threading.Thread(target=connect)
    thread.start()
    assert searching.wait(timeout=30.0)
    client.cancel()
    thread.join(timeout=30.0)
    assert [(type(error), error.kind, error.step) for error in caught] == [
        (QuectelAzureError, "cancelled", "register")
    ]


def test_disconnect_wakes_who_receives(quectel_client: Client) -> None:
    caught: list[ApiMisuse] = []

    def receive() -> None:
        try:
            quectel_client.receive()
        except ApiMisuse as error:
            caught.append(error)

    thread = threading.Thread(target=receive)
    thread.start()
    quectel_client.disconnect()
    thread.join(timeout=30.0)
    assert [error.kind for error in caught] == ["not-connected"]


def test_all_may_disconnect(quectel_client: Client) -> None:
    with ThreadPoolExecutor(max_workers=4) as pool:
        assert list(pool.map(lambda _: quectel_client.disconnect(), range(4))) == [None] * 4
    assert not quectel_client.is_connected


def test_an_event_handler_that_raises_ends_the_connection(quectel_module: SimulatedModule, iot_hub: LocalHub) -> None:
    class Stop(Exception):
        pass

    def stop(event: Event) -> None:
        if isinstance(event, StepBegun) and event.step == "open":
            raise Stop

    client = Client(
        port=quectel_module.port, connection_string=iot_hub.connection_string(), ca=iot_hub.ca_pem, on_event=stop
    )
    with pytest.raises(Stop):
        client.connect()
    assert not client.is_connected
    with Client(
        port=quectel_module.port, connection_string=iot_hub.connection_string(), ca=iot_hub.ca_pem
    ) as fresh:
        assert fresh.is_connected


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
@pytest.mark.quectel(boots=False)
@pytest.mark.parametrize("call", ["connect", "receive"])
def test_ctrl_c(call: str, iot_hub: LocalHub, quectel_module: SimulatedModule) -> None:
    client = Client(port=quectel_module.port, connection_string=iot_hub.connection_string(), ca=iot_hub.ca_pem)
    if call == "connect":
        quectel_module.set_registration("searching")
    else:
        client.connect()
    timer = threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        client.connect() if call == "connect" else client.receive()
    assert time.monotonic() - started < 20.0
    timer.join()
    # Waiting for messages can be broken off without harm; connecting cannot.
    assert client.is_connected == (call == "receive")
    client.disconnect()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork there")
def test_a_fork_cannot_use_it() -> None:
    # In a process of its own: this one has threads.
    script = """
import os, warnings
from quectel_azure import ApiMisuse, Client
from quectel_azure.sim import LocalHub, SimulatedModule
warnings.simplefilter("ignore", DeprecationWarning)
with LocalHub() as hub, SimulatedModule(hosts=hub.hosts) as module:
    with Client(port=module.port, connection_string=hub.connection_string(), ca=hub.ca_pem) as client:
        child = os.fork()
        if child == 0:
            kinds = set()
            for call in (lambda: client.publish(b"x"), lambda: client.receive(1.0), client.connect):
                try:
                    call()
                except ApiMisuse as error:
                    kinds.add(error.kind)
            os._exit(0 if kinds == {"forked"} else 1)
        print("child", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        client.publish(b"x")
    print("parent", hub.wait_for_telemetry().payload)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("child 0\nparent b'x'\n", "", 0)
