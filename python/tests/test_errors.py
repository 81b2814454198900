"""What goes wrong becomes the right exception, with the module's line and a remedy."""

from __future__ import annotations

import pickle
import socket
from collections.abc import Callable
from typing import Any

import pytest

from quectel_azure import (
    ApiMisuse,
    AuthError,
    Client,
    ModemError,
    ModemTimeout,
    MqttError,
    PortError,
    QuectelAzureError,
    Timeouts,
)
from quectel_azure.sim import LocalHub, SimulatedModule

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
DEVICE = f"HostName=contoso.azure-devices.net;DeviceId=dev-1;SharedAccessKey={KEY}"


def failure(client: Client, **options: Any) -> QuectelAzureError:
    with pytest.raises(QuectelAzureError) as caught:
        client.connect(**options)
    assert not client.is_connected
    return caught.value


def check(error: QuectelAzureError, expected: type[QuectelAzureError], kind: str, step: str | None) -> None:
    assert (type(error), error.kind, error.step) == (expected, kind, step), error
    assert error.remedy and error.remedy in str(error) and error.message in str(error)
    if error.line is not None:
        assert error.line in str(error)


def test_wrong_key(iot_hub: LocalHub, quectel_module: SimulatedModule) -> None:
    wrong = iot_hub.connection_string().split("SharedAccessKey=")[0] + f"SharedAccessKey={KEY}"
    before = len(iot_hub.refused())
    error = failure(Client(port=quectel_module.port, connection_string=wrong, ca=iot_hub.ca_pem))
    check(error, AuthError, "connect-refused", "connect")
    assert error.code == 80 and error.line == "+QMTCONN: 0,0,5"
    assert "az.sas-sr-mismatch" in error.causes
    refusal = iot_hub.refused()[before]
    assert (refusal.client_id, refusal.code) == ("device-1", "token-signature")
    assert KEY not in str(error) + repr(error) + refusal.text


def test_wrong_root_certificate(iot_hub: LocalHub, quectel_module: SimulatedModule) -> None:
    # Azure's root, which the local hub does not have.
    error = failure(Client(port=quectel_module.port, connection_string=iot_hub.connection_string()))
    check(error, MqttError, "open-failed", "open")
    assert error.line == "+QMTOPEN: 0,-1" and error.code == 71


@pytest.mark.quectel(sim="absent")
def test_no_sim(iot_hub: LocalHub, quectel_module: SimulatedModule) -> None:
    error = failure(Client(port=quectel_module.port, connection_string=iot_hub.connection_string()))
    check(error, ModemError, "sim-missing", "sim")


@pytest.mark.quectel(sim_pin="1234")
def test_sim_pin(iot_hub: LocalHub, quectel_module: SimulatedModule) -> None:
    def client(pin: str | None) -> Client:
        return Client(
            port=quectel_module.port, connection_string=iot_hub.connection_string(), ca=iot_hub.ca_pem, sim_pin=pin
        )

    check(failure(client(None)), AuthError, "sim-pin-required", "sim")
    error = failure(client("9999"))
    check(error, AuthError, "sim-pin-wrong", "sim")
    assert "9999" not in str(error) + repr(error)
    with client("1234") as connected:
        assert connected.is_connected


@pytest.mark.quectel(registers=False)
def test_the_network_refuses_the_sim(iot_hub: LocalHub, quectel_module: SimulatedModule) -> None:
    client = Client(
        port=quectel_module.port, connection_string=iot_hub.connection_string(), timeouts=Timeouts(register_s=1.0)
    )
    error = failure(client)
    check(error, ModemError, "registration-denied", "register")
    assert error.line == "+CEREG: 0,3"


@pytest.mark.quectel(boots=False)
def test_no_network(iot_hub: LocalHub, quectel_module: SimulatedModule) -> None:
    quectel_module.set_registration("searching")
    client = Client(
        port=quectel_module.port,
        connection_string=iot_hub.connection_string(),
        ca=iot_hub.ca_pem,
        timeouts=Timeouts(register_s=1.0),
    )
    check(failure(client), ModemError, "not-registered", "register")
    error = failure(client, timeout_s=0.2)
    check(error, ModemTimeout, "time-limit", "register")
    assert isinstance(error, TimeoutError)
    quectel_module.set_registration("home")
    with client:
        assert client.is_connected


@pytest.mark.quectel(apns=["iot.right"])
def test_wrong_apn(iot_hub: LocalHub, quectel_module: SimulatedModule) -> None:
    client = Client(port=quectel_module.port, connection_string=iot_hub.connection_string(), apn="iot.wrong")
    check(failure(client), ModemError, "pdp-failed", "pdp")


@pytest.mark.parametrize(
    ("port", "kind"),
    [
        ("/dev/no-such-port", "port-not-found"),
        ("/dev/null", "port-not-serial"),
        ("tcp:127.0.0.1", "port-syntax"),
        ("", "port-syntax"),
    ],
)
def test_wrong_port(port: str, kind: str) -> None:
    error = failure(Client(port=port, connection_string=DEVICE))
    check(error, PortError, kind, None)
    assert isinstance(error, OSError)
    assert repr(port).strip("'") in str(error)


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    error = failure(Client(port=f"tcp:127.0.0.1:{address[1]}", connection_string=DEVICE))
    check(error, PortError, "port-refused", None)


def test_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = Client(
            port=f"tcp:127.0.0.1:{listener.getsockname()[1]}",
            connection_string=DEVICE,
            timeouts=Timeouts(sync_s=1.0),
        )
        check(failure(client), ModemTimeout, "module-silent", "identify")


def test_the_port_is_in_use(quectel_client: Client, quectel_module: SimulatedModule, iot_hub: LocalHub) -> None:
    second = Client(port=quectel_module.port, connection_string=iot_hub.connection_string())
    check(failure(second), PortError, "port-busy", None)
    assert quectel_client.is_connected


@pytest.mark.quectel(transport="tcp")
def test_the_port_goes_away(quectel_client: Client, quectel_module: SimulatedModule) -> None:
    quectel_module.close()
    for _ in range(2):
        with pytest.raises(PortError) as caught:
            quectel_client.receive(timeout_s=10.0)
        check(caught.value, PortError, "port-failed", "session")
    quectel_client.disconnect()


def test_connecting_twice(quectel_client: Client) -> None:
    with pytest.raises(ApiMisuse) as caught:
        quectel_client.connect()
    assert (caught.value.kind, caught.value.code) == ("already-running", 100)
    assert quectel_client.is_connected


def test_nothing_without_a_connection() -> None:
    client = Client(port="/dev/no-such-port", connection_string=DEVICE)
    calls: list[Callable[[], object]] = [lambda: client.publish(b"x"), lambda: client.receive(0.0)]
    for call in calls:
        with pytest.raises(ApiMisuse) as caught:
            call()
        assert (caught.value.kind, caught.value.code) == ("not-connected", 101)
    client.disconnect()
    client.cancel()
    assert client.module is None


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"connection_string": ""}, "connection-string-empty", "portal"),
        ({"connection_string": DEVICE.replace("=", " ", 1)}, "connection-string-not-a-pair", "part 1"),
        ({"connection_string": DEVICE.replace(KEY, "%%%")}, "key-character", "key"),
        ({"certificate": b"c", "private_key": b"k"}, "credential", "x509=true"),
        ({"connection_string": "HostName=h.example;DeviceId=d;x509=true"}, "credential", "private_key"),
        ({"ca": b"no PEM"}, "ca-not-pem", "BEGIN"),
        ({"ca": b"\xff\xfe"}, "ca-not-pem", "BEGIN"),
        ({"hub_port": 0}, "port", "8883"),
        ({"pdp_context": 17}, "slots", "1 to 16"),
        ({"keep_alive_s": 0.0}, "keep-alive", "1 to 1177"),
        ({"keep_alive_s": 1178.0}, "keep-alive", "1 to 1177"),
        ({"keep_alive_s": 1e9}, "invalid-value", "keep_alive_s"),
        ({"keep_alive_s": -1.0}, "invalid-value", "keep_alive_s"),
        ({"keep_alive_s": float("nan")}, "invalid-value", "keep_alive_s"),
        ({"timeouts": Timeouts(open_s=float("inf"))}, "invalid-value", "open_s"),
        ({"apn": 'a"b'}, "text", "quotes"),
        ({"apn_auth": "rot13"}, "invalid-value", "none, pap, chap, pap-or-chap"),
        ({"urc_port": "usb"}, "invalid-value", "usbat"),
        ({"profile": "sim7000"}, "invalid-value", "bg96-old"),
    ],
)
def test_wrong_settings(options: dict[str, Any], kind: str, words: str) -> None:
    arguments: dict[str, Any] = {"port": "/dev/no-such-port", "connection_string": DEVICE, **options}
    with pytest.raises(ApiMisuse) as caught:
        Client(**arguments)
    assert isinstance(caught.value, ValueError)
    assert caught.value.kind == kind
    assert words in str(caught.value)
    assert KEY not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize(
    "options", [{"port": 5}, {"connection_string": b"bytes"}, {"ca": "text"}, {"baud": -1}, {"pdp_context": 256}]
)
def test_wrong_types(options: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {"port": "/dev/no-such-port", "connection_string": DEVICE, **options}
    with pytest.raises((TypeError, OverflowError)):
        Client(**arguments)


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ({"payload": b"x" * 1549}, "payload-too-long"),
        ({"payload": b"\x1a"}, "payload-byte"),
        ({"payload": b"x", "properties": {"": "value"}}, "property"),
        ({"payload": b"x", "properties": {"a": "b" * 9000}}, "does-not-fit"),
        ({"payload": b"x", "qos": 2}, "invalid-value"),
        ({"payload": b"x", "timeout_s": -1.0}, "invalid-value"),
    ],
)
@pytest.mark.quectel(model="bg96", firmware="BG96MAR02A07M1G")
def test_messages_that_cannot_be_sent(
    quectel_client: Client, iot_hub: LocalHub, arguments: dict[str, Any], kind: str
) -> None:
    with pytest.raises(ApiMisuse) as caught:
        quectel_client.publish(**arguments)
    assert caught.value.kind == kind
    # Nothing was sent, and the connection is as it was.
    quectel_client.publish(b"next")
    assert iot_hub.wait_for_telemetry(device_id="device-1").payload == b"next"


def test_exceptions_survive_pickling() -> None:
    classes = [QuectelAzureError, ModemError, MqttError, AuthError, ModemTimeout, PortError, ApiMisuse]
    for kind in classes:
        error = kind("what", "name", 71, "+QMTOPEN: 0,-1", "open", "do this", ["a.b"])
        copy = pickle.loads(pickle.dumps(error))
        assert type(copy) is kind
        assert vars(copy) == vars(error)
        assert str(copy) == "what\ndo this"
        assert copy.args == ("what",)
