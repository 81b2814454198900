"""The simulated module and the local hub."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from quectel_azure import ApiMisuse, Client, QuectelAzureError
from quectel_azure.sim import LocalHub, SimulatedModule


def say(module: SimulatedModule, command: bytes) -> bytes:
    """What a module behind TCP answers."""
    assert isinstance(module.port, str)
    _, host, port = module.port.split(":")
    with socket.create_connection((host, int(port)), timeout=10.0) as uart:
        uart.sendall(command)
        answer = b""
        while not (answer.endswith(b"\r\n") and (b"\r\nOK\r\n" in answer or b"ERROR" in answer)):
            answer += uart.recv(4096)
    return answer


@pytest.mark.parametrize("model", ["bg96", "bg95", "ec21", "ec25", "ec200u"])
def test_models(model: str) -> None:
    with SimulatedModule(model=model, transport="tcp", boots=False) as module:
        answer = say(module, b"ATI\r").decode()
        assert module.model in answer and module.firmware in answer
        assert module.model.lower().startswith(model)


def test_firmware() -> None:
    with SimulatedModule(model="bg96", firmware="BG96MAR02A07M1G") as module:
        assert module.firmware == "BG96MAR02A07M1G"
        assert "BG96MAR02A07M1G" in repr(module)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": "sim7000"}, "bg96"),
        ({"model": "bg96", "firmware": "X"}, "BG96MAR02A07M1G"),
        ({"transport": "usb"}, "in-process, tcp"),
        ({"sim": "lost"}, "ready, absent, failure"),
        ({"sim": "absent", "sim_pin": "1234"}, "PIN"),
        ({"timing": "slow"}, "fast, realistic"),
        ({"hosts": {"hub.example": "nowhere"}}, "hub.example must lead to ADDRESS:PORT"),
    ],
)
def test_wrong_options_of_the_module(options: dict[str, object], words: str) -> None:
    with pytest.raises(ApiMisuse) as caught:
        SimulatedModule(**options)  # type: ignore[arg-type]
    assert words in str(caught.value)


def test_a_test_reaches_into_the_module() -> None:
    with SimulatedModule(model="ec25", transport="tcp", boots=False) as module:
        module.set_signal(7)
        assert b"+CSQ: 7,99" in say(module, b"AT+CSQ\r")
        module.set_registration("roaming")
        assert b"+CREG: 0,5" in say(module, b"AT+CREG?\r")
        module.set_sim("absent")
        assert b"+CME ERROR: 10\r\n" in say(module, b"AT+CMEE=1;+CPIN?\r")
        module.set_sim("ready", pin="1234")
        assert b"SIM PIN" in say(module, b"AT+CPIN?\r")
        assert module.files() == {} and module.read_file("no.pem") is None
        with pytest.raises(ApiMisuse):
            module.set_registration("lost")  # type: ignore[arg-type]


def test_a_folder_keeps_files_over_runs(iot_hub: LocalHub, tmp_path: Path) -> None:
    for _ in range(2):
        lines: list[str] = []
        with SimulatedModule(model="ec25", hosts=iot_hub.hosts, folder=tmp_path / "module") as module:
            with Client(
                port=module.port,
                connection_string=iot_hub.connection_string(),
                ca=iot_hub.ca_pem,
                on_event=lambda event: lines.append(getattr(event, "line", "")),
            ):
                pass
            assert list(module.files().values()) == [len(iot_hub.ca_pem)]
            assert module.read_file(next(iter(module.files()))) == iot_hub.ca_pem
    # The second run finds the certificate.
    assert not any(line.startswith("AT+QFUPL") for line in lines)


def test_a_closed_module_says_nothing_more(iot_hub: LocalHub) -> None:
    module = SimulatedModule(hosts=iot_hub.hosts)
    module.close()
    module.close()
    client = Client(port=module.port, connection_string=iot_hub.connection_string())
    with pytest.raises(QuectelAzureError) as caught:
        client.connect()
    assert caught.value.kind == "port-failed"


def test_devices() -> None:
    with LocalHub(host_name="h.example", devices=["a", "b"], x509_devices=["c"]) as hub:
        assert hub.connection_string().startswith("HostName=h.example;DeviceId=a;SharedAccessKey=")
        assert hub.connection_string("b").startswith("HostName=h.example;DeviceId=b;SharedAccessKey=")
        assert hub.connection_string("c") == "HostName=h.example;DeviceId=c;x509=true"
        assert hub.hosts == {"h.example": hub.address}
        made = hub.certificate("c")
        assert made.certificate.startswith(b"-----BEGIN CERTIFICATE-----")
        assert made.private_key.startswith(b"-----BEGIN PRIVATE KEY-----")
        assert made.private_key.decode().splitlines()[1] not in repr(made)
        for call in (lambda: hub.connection_string("d"), lambda: hub.certificate("a"), lambda: hub.send(b"", device_id="d")):
            with pytest.raises(ApiMisuse):
                call()
    with LocalHub(x509_devices=["c"], devices=[]) as hub:
        assert hub.connection_string().endswith("x509=true")
    with LocalHub(devices=[]) as hub, pytest.raises(ApiMisuse):
        hub.connection_string()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"host_name": "a b"}, "host name"),
        ({"devices": ["a", "a"]}, "twice"),
        ({"devices": "device-1"}, "list of device ids"),
        ({"listen": "here"}, "ADDRESS:PORT"),
    ],
)
def test_wrong_options_of_the_hub(options: dict[str, object], words: str) -> None:
    with pytest.raises(ApiMisuse) as caught:
        LocalHub(**options)  # type: ignore[arg-type]
    assert words in str(caught.value)


def test_a_port_in_use() -> None:
    with LocalHub() as hub, pytest.raises(QuectelAzureError) as caught:
        LocalHub(listen=hub.address)
    assert caught.value.kind == "simulator-failed" and hub.address in str(caught.value)


def test_telemetry_is_sorted_by_device(iot_hub: LocalHub, quectel_client: Client) -> None:
    quectel_client.publish(b"1")
    quectel_client.publish(b"2")
    with pytest.raises(TimeoutError, match="no telemetry arrived"):
        iot_hub.wait_for_telemetry(device_id="device-x509", timeout_s=0.3)
    assert [iot_hub.wait_for_telemetry(device_id="device-1").payload for _ in range(2)] == [b"1", b"2"]


def test_a_timeout_tells_what_was_refused(quectel_module: SimulatedModule) -> None:
    with LocalHub() as hub:
        stranger = hub.connection_string().replace("DeviceId=device-1", "DeviceId=stranger")
        with SimulatedModule(hosts=hub.hosts) as module, pytest.raises(QuectelAzureError):
            Client(port=module.port, connection_string=stranger, ca=hub.ca_pem).connect()
        with pytest.raises(TimeoutError, match="refused stranger: "):
            hub.wait_for_telemetry(timeout_s=0.0)
        assert hub.refused()[0].server_name == hub.host_name


def test_a_closed_hub() -> None:
    hub = LocalHub()
    hub.close()
    hub.close()
    with pytest.raises(ApiMisuse) as caught:
        hub.send(b"x")
    assert caught.value.kind == "closed"
    with pytest.raises(ApiMisuse):
        hub.wait_for_telemetry(timeout_s=0.0)
