"""Connecting, publishing, receiving, disconnecting, against the simulators."""

from __future__ import annotations

import gc
import time
from pathlib import Path
from typing import Any, Literal

import pytest

from quectel_azure import (
    ApiMisuse,
    Client,
    Event,
    LineReceived,
    LineSent,
    Message,
    ModemError,
    MqttError,
    PortError,
    QuectelAzureError,
    StepBegun,
    Timeouts,
    UrcReceived,
    WarningRaised,
)
from quectel_azure.sim import LocalHub, SimulatedModule

STEPS = [
    "identify",
    "sim",
    "register",
    "pdp",
    "clock",
    "certificates",
    "tls",
    "mqtt",
    "open",
    "connect",
    "subscribe",
    "session",
]


def client_of(hub: LocalHub, module: SimulatedModule, device_id: str = "device-1") -> Client:
    return Client(port=module.port, connection_string=hub.connection_string(device_id), ca=hub.ca_pem)


@pytest.mark.parametrize("model", ["bg96", "ec25"])
@pytest.mark.parametrize("device_id", ["device-1", "device-x509"])
def test_there_and_back(iot_hub: LocalHub, model: str, device_id: str) -> None:
    certificate = iot_hub.certificate(device_id) if device_id == "device-x509" else None
    with SimulatedModule(model=model, hosts=iot_hub.hosts) as module, Client(
        port=module.port,
        connection_string=iot_hub.connection_string(device_id),
        certificate=certificate.certificate if certificate else None,
        private_key=certificate.private_key if certificate else None,
        ca=iot_hub.ca_pem,
        apn="iot.example",
    ) as client:
        assert client.is_connected
        assert client.module is not None
        assert client.module.model.lower() == model
        assert (client.device_id, client.host_name) == (device_id, iot_hub.host_name)

        number = client.publish(
            b'{"t": 21.5}',
            properties={"unit": "°C", "a&b": "c=d/e"},
            content_type="application/json",
            message_id="m-1",
            correlation_id="c-1",
        )
        assert number == 1
        telemetry = iot_hub.wait_for_telemetry(device_id=device_id)
        assert telemetry.json() == {"t": 21.5}
        assert telemetry.properties == {"unit": "°C", "a&b": "c=d/e"}
        assert (telemetry.content_type, telemetry.message_id, telemetry.correlation_id, telemetry.qos) == (
            "application/json",
            "m-1",
            "c-1",
            1,
        )
        assert telemetry.system_properties["$.ce"] == "utf-8"

        assert client.receive(timeout_s=0.0) is None
        iot_hub.send(b"switch on", device_id=device_id, properties={"lamp": "kitchen", "$.mid": "7"})
        message = client.receive(timeout_s=10.0)
        assert message is not None
        assert (message.text(), message.properties, message.message_id) == ("switch on", {"lamp": "kitchen"}, "7")
        assert module.is_connected
    assert not client.is_connected


@pytest.mark.parametrize("transport", ["in-process", "tcp", "pty"])
def test_every_transport_carries_it(iot_hub: LocalHub, transport: Literal["in-process", "tcp", "pty"]) -> None:
    with SimulatedModule(transport=transport, hosts=iot_hub.hosts) as module:
        assert isinstance(module.port, str) == (transport != "in-process")
        for body in (b"first", b"second"):
            with client_of(iot_hub, module) as client:
                client.publish(body)
            assert iot_hub.wait_for_telemetry(device_id="device-1").payload == body


@pytest.mark.parametrize("payload", [b"", bytes(range(256)), b"OK\r\n+QMTRECV: 0,1\r\n> ", b"x" * 1500])
@pytest.mark.quectel(model="ec25")
def test_any_bytes_arrive(quectel_client: Client, iot_hub: LocalHub, payload: bytes) -> None:
    quectel_client.publish(payload)
    assert iot_hub.wait_for_telemetry(device_id="device-1").payload == payload


def test_qos_0(quectel_client: Client, iot_hub: LocalHub) -> None:
    quectel_client.publish(b"x", qos=0)
    assert iot_hub.wait_for_telemetry(device_id="device-1").qos == 0


def test_messages_that_arrive_between_calls_are_kept(quectel_client: Client, iot_hub: LocalHub) -> None:
    for number in range(20):
        iot_hub.send(b"%d" % number)
    quectel_client.publish(b"x")
    received = [quectel_client.receive(timeout_s=10.0) for _ in range(20)]
    assert [message and message.payload for message in received] == [b"%d" % number for number in range(20)]
    iot_hub.wait_for_telemetry(device_id="device-1")


def test_a_client_connects_again(quectel_client: Client, iot_hub: LocalHub) -> None:
    quectel_client.disconnect()
    quectel_client.disconnect()
    with pytest.raises(ApiMisuse) as caught:
        quectel_client.publish(b"x")
    assert (caught.value.kind, caught.value.code) == ("not-connected", 101)
    quectel_client.connect()
    quectel_client.publish(b"again")
    assert iot_hub.wait_for_telemetry(device_id="device-1").payload == b"again"


@pytest.mark.parametrize(("loss", "expected"), [("network", (ModemError, "pdp-lost")), ("hub", (MqttError, "closed-by-hub"))])
def test_a_lost_connection_is_told_until_the_next_one(
    quectel_client: Client,
    quectel_module: SimulatedModule,
    iot_hub: LocalHub,
    loss: str,
    expected: tuple[type[QuectelAzureError], str],
) -> None:
    if loss == "network":
        quectel_module.drop_pdp()
    else:
        iot_hub.drop_connection()
    for _ in range(2):
        with pytest.raises(QuectelAzureError) as caught:
            quectel_client.receive(timeout_s=10.0)
        assert (type(caught.value), caught.value.kind) == expected
        assert caught.value.line and caught.value.step == "session" and caught.value.remedy
        assert not quectel_client.is_connected
    quectel_client.disconnect()
    quectel_client.connect()
    quectel_client.publish(b"back")
    assert iot_hub.wait_for_telemetry(device_id="device-1").payload == b"back"


def test_events_tell_steps_and_lines(quectel_module: SimulatedModule, iot_hub: LocalHub) -> None:
    events: list[Event] = []
    client = Client(
        port=quectel_module.port,
        connection_string=iot_hub.connection_string(),
        ca=iot_hub.ca_pem,
        on_event=events.append,
    )
    with client:
        quectel_module.raise_urc("+SOMETHING: 1")
        client.receive(timeout_s=0.5)
    assert [event.step for event in events if isinstance(event, StepBegun)] == [*STEPS, "disconnect"]
    sent = [event.line for event in events if isinstance(event, LineSent)]
    assert sent[0] == "AT" and any(line.startswith("AT+QMTOPEN=0,") for line in sent)
    assert "OK" in [event.line for event in events if isinstance(event, LineReceived)]
    assert "+SOMETHING: 1" in [event.line for event in events if isinstance(event, UrcReceived)]
    assert [event.at_s for event in events] == sorted(event.at_s for event in events)
    key = iot_hub.connection_string().split("SharedAccessKey=")[1]
    assert key not in repr(events) and "sig=" not in repr(events)


@pytest.mark.parametrize(
    ("options", "line", "sent"),
    [
        ({"rts_cts": True}, "AT+IFC=2,2", True),
        ({"rts_cts": False}, "AT+IFC=2,2", False),
        ({"urc_port": "auto"}, 'AT+QURCCFG="urcport","uart1"', True),
        ({"apn": "iot.example"}, 'AT+QICSGP=1,1,"iot.example"', True),
        ({"pdp_context": 3}, "AT+QIACT=3", True),
        ({"keep_alive_s": 59.5}, 'AT+QMTCFG="keepalive",0,60', True),
        ({"mqtt_client": 4, "ssl_context": 5}, 'AT+QMTCFG="ssl",4,1,5', True),
        ({"clean_session": True}, 'AT+QMTCFG="session",0,1', True),
        ({"subscribe": False}, 'AT+QMTSUB=0,1,"devices/device-1/messages/devicebound/#",1', False),
    ],
)
@pytest.mark.quectel(model="ec25")
def test_options_become_commands(
    quectel_module: SimulatedModule, iot_hub: LocalHub, options: dict[str, Any], line: str, sent: bool
) -> None:
    lines: list[str] = []
    client = Client(
        port=quectel_module.port,
        connection_string=iot_hub.connection_string(),
        ca=iot_hub.ca_pem,
        on_event=lambda event: lines.append(event.line) if isinstance(event, LineSent) else None,
        **options,
    )
    with client:
        pass
    assert any(one.startswith(line) for one in lines) is sent, lines


@pytest.mark.quectel(firmware="BG96MAR02A07M1G")
def test_warnings_are_events(quectel_module: SimulatedModule, iot_hub: LocalHub) -> None:
    events: list[Event] = []
    with Client(
        port=quectel_module.port,
        connection_string=iot_hub.connection_string(),
        ca=iot_hub.ca_pem,
        on_event=events.append,
    ):
        pass
    assert any("SNI" in event.text for event in events if isinstance(event, WarningRaised))


def test_the_trace_has_the_conversation_without_secrets(
    quectel_module: SimulatedModule, iot_hub: LocalHub, tmp_path: Path
) -> None:
    trace = tmp_path / "conversation.txt"
    with Client(
        port=quectel_module.port, connection_string=iot_hub.connection_string(), ca=iot_hub.ca_pem, trace=trace
    ):
        pass
    text = trace.read_text()
    assert "-> AT+QMTOPEN=0," in text and "<- OK" in text
    assert "sig=" not in text and iot_hub.connection_string().split("SharedAccessKey=")[1] not in text


def test_repr_shows_no_secret(iot_hub: LocalHub, quectel_module: SimulatedModule) -> None:
    client = Client(
        port=quectel_module.port,
        connection_string=iot_hub.connection_string(),
        sim_pin="4711",
        apn_password="hidden",
        timeouts=Timeouts(sync_s=5.0),
    )
    key = iot_hub.connection_string().split("SharedAccessKey=")[1]
    for shown in (repr(client), repr(client._native), repr(vars(client)), repr(iot_hub)):
        assert key not in shown and "4711" not in shown and "hidden" not in shown
    assert "'device-1'" in repr(client) and "not connected" in repr(client)


def test_a_forgotten_client_warns_and_frees_the_module(quectel_module: SimulatedModule, iot_hub: LocalHub) -> None:
    client = client_of(iot_hub, quectel_module)
    client.connect()
    with pytest.warns(ResourceWarning, match="'device-1' was not disconnected"):
        del client
        gc.collect()
    # Its thread disconnects on its own; until then the port is busy.
    again = client_of(iot_hub, quectel_module)
    for _ in range(500):
        try:
            again.connect()
            break
        except PortError as error:
            assert error.kind == "port-busy"
            time.sleep(0.01)
    again.publish(b"x")
    again.disconnect()
    iot_hub.wait_for_telemetry(device_id="device-1")


def test_messages_are_plain_data() -> None:
    message = Message(b"\xff", {"a": None}, {"$.ct": "text/plain"})
    assert message == Message(b"\xff", {"a": None}, {"$.ct": "text/plain"})
    assert message.content_type == "text/plain" and message.message_id is None
    with pytest.raises(UnicodeDecodeError):
        message.text()
    with pytest.raises(ValueError):
        message.json()
