"""Every native function is called once, and its result has the type that the stub says: stubtest does not see that."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from quectel_azure import _native
from quectel_azure._settings import HubSettings, ModuleSettings, Settings, Timeouts

STUB = Path(inspect.getfile(_native)).with_name("_native.pyi")
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def functions() -> dict[str, str]:
    """The stub's functions, as ``Class.name``, and what it says that they return."""
    tree = ast.parse(STUB.read_text(encoding="utf-8"))
    # The stub's own names for types.
    aliases = {
        node.targets[0].id: ast.unparse(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    found = {}
    for owner in tree.body:
        inner = owner.body if isinstance(owner, ast.ClassDef) else [owner]
        prefix = f"{owner.name}." if isinstance(owner, ast.ClassDef) else ""
        for node in inner:
            if isinstance(node, ast.FunctionDef) and prefix != "_OnEvent.":
                assert node.returns is not None
                text = ast.unparse(node.returns)
                for name, meaning in aliases.items():
                    text = text.replace(name, meaning)
                found[prefix + node.name] = text
    return found


def is_a(value: object, annotation: ast.expr) -> bool:
    """Whether a value has the type of an annotation, all the way down; exactly, so that True is no int."""
    if isinstance(annotation, ast.Constant):
        return value is annotation.value
    if isinstance(annotation, ast.Name):
        return type(value).__name__ == annotation.id
    assert isinstance(annotation, ast.Subscript) and isinstance(annotation.value, ast.Name)
    inner = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
    kind = annotation.value.id
    if kind == "Optional":
        return value is None or is_a(value, inner[0])
    if kind == "Union":
        return any(is_a(value, choice) for choice in inner)
    if kind == "list":
        return isinstance(value, list) and all(is_a(item, inner[0]) for item in value)
    assert kind == "tuple"
    return isinstance(value, tuple) and len(value) == len(inner) and all(map(is_a, value, inner))


def settings(**changes: Any) -> Settings:
    given: dict[str, Any] = {
        "connection_string": f"HostName=contoso.azure-devices.net;DeviceId=dev-1;SharedAccessKey={KEY}",
        "certificate": None,
        "private_key": None,
        "ca": None,
        "hub_port": 8883,
        "apn": "",
        "apn_user": "",
        "apn_password": "",
        "apn_auth": "none",
        "sim_pin": None,
        "pdp_context": 1,
        "ssl_context": 2,
        "mqtt_client": 0,
        "keep_alive_s": 240.0,
        "clean_session": False,
        "receive": True,
        "token_lifetime_s": 3600.0,
        "ntp_server": "",
        "urc_port": "uart1",
        "profile": None,
        "baud": 115_200,
        "rts_cts": False,
        "timeouts": Timeouts(),
    }
    return Settings(**{**given, **changes})


def called(function: Callable[..., Any], *arguments: object) -> object:
    """A call whose result is looked at although it is to be None."""
    return function(*arguments)


def results() -> Iterator[tuple[str, object]]:
    """Calls everything; some more than once, where there are several kinds of results."""
    log = str(Path(__file__).with_name("session.log"))
    yield "sas_token", _native.sas_token("r", KEY, 1)
    yield "derive_key", _native.derive_key(KEY, "r")
    yield "sign", _native.sign(KEY, b"t")
    yield "catalogue", _native.catalogue()
    yield "explain", _native.explain("tls.sni-missing")
    yield "explain", _native.explain("")
    yield "diagnose", _native.diagnose(b"AT\nOK\n")
    yield "diagnose_file", _native.diagnose_file(log)
    yield "run_command", _native.run_command(["quectel-azure", "doctor", log])

    hub = _native.LocalHub(HubSettings("h.example", ["dev-1"], ["dev-2"], False, "127.0.0.1:0"))
    yield "LocalHub.__new__", hub
    yield "LocalHub.address", hub.address
    yield "LocalHub.ca_pem", hub.ca_pem
    yield "LocalHub.connection_string", hub.connection_string("dev-1")
    yield "LocalHub.certificate", hub.certificate("dev-2")
    yield "LocalHub.wait_for_telemetry", hub.wait_for_telemetry(0.0)

    def module(transport: str) -> _native.SimulatedModule:
        hosts = [("h.example", hub.address)]
        return _native.SimulatedModule(
            ModuleSettings("ec25", None, transport, hosts, "ready", None, True, True, [], "fast", False, None, 1)
        )

    over_tcp = module("tcp")
    yield "SimulatedModule.port", over_tcp.port
    yield "SimulatedModule.close", called(over_tcp.close)
    simulated = module("in-process")
    yield "SimulatedModule.__new__", simulated
    yield "SimulatedModule.port", simulated.port
    yield "SimulatedModule.model", simulated.model
    yield "SimulatedModule.firmware", simulated.firmware
    yield "SimulatedModule.set_signal", called(simulated.set_signal, 20)

    connection_string = hub.connection_string("dev-1")
    client = _native.Client(simulated.port, settings(connection_string=connection_string, ca=hub.ca_pem))
    yield "Client.__new__", client
    yield "Client.host_name", client.host_name
    yield "Client.device_id", client.device_id
    yield "Client.is_connected", client.is_connected
    yield "Client.module", client.module
    events: list[tuple[str, float, str]] = []
    yield "Client.connect", called(client.connect, 30.0, lambda *event: events.append(event))
    assert {tuple(map(type, event)) for event in events} == {(str, float, str)}
    yield "Client.module", client.module
    yield "Client.is_connected", client.is_connected
    number = client.publish(
        b"x",
        properties=[("a", "b")],
        content_type="t",
        content_encoding=None,
        message_id=None,
        correlation_id=None,
        qos=1,
    )
    yield "Client.publish", number
    yield "LocalHub.wait_for_telemetry", hub.wait_for_telemetry(10.0, "dev-1")
    yield "Client.receive", client.receive(0.0)
    yield "LocalHub.send", hub.send("dev-1", b"x", [("a", "b")])
    yield "Client.wait_for_message", client.wait_for_message(10.0)
    yield "Client.receive", client.receive(10.0)
    yield "SimulatedModule.is_connected", simulated.is_connected
    files = simulated.files()
    yield "SimulatedModule.files", files
    yield "SimulatedModule.read_file", simulated.read_file(files[0][0])
    yield "SimulatedModule.read_file", simulated.read_file("no")
    yield "LocalHub.drop_connection", called(hub.drop_connection, "dev-2")
    yield "Client.disconnect", called(client.disconnect)
    yield "Client.cancel", called(client.cancel)

    wrong = connection_string.split("SharedAccessKey=")[0] + f"SharedAccessKey={KEY}"
    with pytest.raises(Exception, match="refused"):
        _native.Client(simulated.port, settings(connection_string=wrong, ca=hub.ca_pem)).connect()
    assert hub.refused()
    yield "LocalHub.refused", hub.refused()

    yield "SimulatedModule.raise_urc", called(simulated.raise_urc, "+X")
    yield "SimulatedModule.set_sim", called(simulated.set_sim, "absent")
    yield "SimulatedModule.set_registration", called(simulated.set_registration, "idle")
    yield "SimulatedModule.drop_pdp", called(simulated.drop_pdp, 1)
    yield "SimulatedModule.close", called(simulated.close)
    yield "LocalHub.close", called(hub.close)


def test_every_result_has_the_type_of_the_stub() -> None:
    expected = functions()
    seen = set()
    for name, value in results():
        seen.add(name)
        annotation = ast.parse(expected[name], mode="eval").body
        assert is_a(value, annotation), f"{name} returned {type(value)}, the stub says {expected[name]}"
    assert seen == set(expected)


@pytest.mark.parametrize(
    ("value", "annotation", "expected"),
    [
        (1, "int", True),
        (True, "int", False),
        (None, "Optional[int]", True),
        (["a"], "list[int]", False),
        (("a", b"b"), "tuple[str, bytes]", True),
        (("a",), "tuple[str, bytes]", False),
        ("a", "Union[int, str]", True),
        (None, "None", True),
        (b"", "str", False),
    ],
)
def test_the_comparison_itself(value: object, annotation: str, expected: bool) -> None:
    assert is_a(value, ast.parse(annotation, mode="eval").body) is expected


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Settings)])
def test_every_setting_is_read(name: str) -> None:
    broken = settings()
    object.__delattr__(broken, name)
    with pytest.raises((AttributeError, TypeError), match=name):
        _native.Client("/dev/no-such-port", broken)


def test_the_stub_is_complete() -> None:
    names = {name for name in vars(_native) if not name.startswith("__")}
    assert names == set(_native.__all__)
    assert STUB.with_name("py.typed").exists()
    assert sys.modules["quectel_azure._native"] is _native
