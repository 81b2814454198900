"""The examples in docstrings, in README.md and in python/examples run, against the simulators."""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import quectel_azure
from quectel_azure.sim import LocalHub, SimulatedModule

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "python" / "examples" / "publish.py"
MODULES = sorted(module.name for module in pkgutil.iter_modules(quectel_azure.__path__) if module.name != "_native")
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def examples() -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    names = ["quectel_azure", *(f"quectel_azure.{name}" for name in MODULES)]
    found = [test for name in names for test in finder.find(importlib.import_module(name), name)]
    return [test for test in found if test.examples]


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_docstrings(example: doctest.DocTest) -> None:
    output: list[str] = []
    runner = doctest.DocTestRunner(optionflags=OPTIONS, verbose=False)
    assert runner.run(example, out=output.append).failed == 0, "".join(output)


def test_the_important_things_have_examples() -> None:
    names = {example.name for example in examples()}
    for name in ("client.Client", "aio", "sim", "sim.LocalHub", "sim.SimulatedModule", "errors.QuectelAzureError", "sas"):
        assert f"quectel_azure.{name}" in names


@pytest.mark.parametrize("name", ["", *MODULES])
def test_everything_public_has_a_docstring(name: str) -> None:
    module = importlib.import_module(f"quectel_azure.{name}".rstrip("."))
    for public in getattr(module, "__all__", []):
        value = getattr(module, public)
        if not isinstance(value, type):
            continue
        assert value.__doc__, public
        for member, attribute in vars(value).items():
            if not member.startswith("_") and (callable(attribute) or isinstance(attribute, property)):
                assert attribute.__doc__, f"{public}.{member}"


def python_blocks(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def test_readme(tmp_path: Path) -> None:
    blocks = python_blocks(ROOT / "README.md")
    if not blocks:
        pytest.skip("README.md has no Python example")
    for block in blocks:
        command = [sys.executable, "-W", "error", "-c", block]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        # What the example prints stands in its comments.
        for line in done.stdout.splitlines():
            assert f"# {line}" in block


def run_example(*arguments: str, **environment: str) -> tuple[int, str, str]:
    command = [sys.executable, "-W", "error", str(EXAMPLE), *arguments]
    variables = {**os.environ, **environment}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("model", ["bg96", "ec25"])
def test_example_demo(model: str) -> None:
    status, out, err = run_example("--demo", "--model", model, "--wait-s", "10")
    assert status == 0, err
    assert out.splitlines() == [
        "published, acknowledged by the hub",
        "received b'report every 60 s' {'command': 'interval'}",
        "the hub received b'{\"temperature\": 21.5}' from device-1",
    ]
    assert "session" in err


@pytest.mark.quectel(transport="pty")
def test_example_with_a_port(iot_hub: LocalHub, quectel_module: SimulatedModule, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(iot_hub.ca_pem)
    status, out, err = run_example(
        *("--port", str(quectel_module.port), "--ca", str(ca), "--message", '{"t": 1}'),
        IOTHUB_DEVICE_CONNECTION_STRING=iot_hub.connection_string("device-1"),
    )
    assert status == 0, err
    assert iot_hub.wait_for_telemetry(device_id="device-1").json() == {"t": 1}


def test_example_fails_with_a_reason() -> None:
    status, out, err = run_example(
        *("--port", "/dev/no-such-port"),
        IOTHUB_DEVICE_CONNECTION_STRING="HostName=h.example;DeviceId=d;SharedAccessKey=AAEC",
    )
    assert (status, out) == (1, "")
    assert err.startswith("PortError: cannot open port") and "Traceback" not in err
    status, out, err = run_example("--port", "/dev/no-such-port", IOTHUB_DEVICE_CONNECTION_STRING="")
    assert status == 2 and "IOTHUB_DEVICE_CONNECTION_STRING" in err
