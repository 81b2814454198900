"""Starts the local hub for the tests of this folder.

IOTHUB_SIM_SERVE names the program, built by `cargo build -p iothub-sim --example serve`.
"""

from __future__ import annotations

import json
import os
import queue
import re
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import paho.mqtt.client
import pytest

HOST = "contoso.azure-devices.net"
SCOPE = "0ne00000A0A"
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
GROUP_KEY = "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw=="

CONFIG = """
[[hub]]
host = "{host}"
authorities = ["ca.pem"]

[[hub.device]]
id = "device1"
primary_key = "{key}"

[[hub.device.module]]
id = "module1"
primary_key = "{key}"

[[hub.device]]
id = "disabled"
primary_key = "{key}"
disabled = true

[[hub.device]]
id = "thumb"
primary_thumbprint = "{thumbprint}"

[[hub.device]]
id = "signed"
certificate_authority = true

[[provisioning]]
id_scope = "{scope}"
retry_after_s = 1

[[provisioning.enrollment]]
registration_id = "reg-key"
primary_key = "{key}"
payload = {{ hello = "device" }}

[[provisioning.enrollment]]
registration_id = "thumb"
primary_thumbprint = "{thumbprint}"
device_id = "from-certificate"

[[provisioning.enrollment]]
registration_id = "reg-off"
primary_key = "{key}"
disabled = true

[[provisioning.enrollment]]
registration_id = "reg-fail"
primary_key = "{key}"
failure = {{ code = 400207, message = "custom allocation failed" }}

[[provisioning.group]]
name = "fleet"
primary_key = "{group_key}"
"""


class Hub:
    """A running local hub."""

    def __init__(self, folder: Path) -> None:
        program = os.environ["IOTHUB_SIM_SERVE"]
        self.folder = folder
        self.process = subprocess.Popen(
            [program, str(folder / "state"), str(folder / "hub.toml")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.description: dict[str, Any] = json.loads(self.process.stdout.readline())
        self.ca = Path(self.description["root_certificate"]).read_text()
        self.lines: list[str] = []
        self.answers: queue.Queue[str] = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    @property
    def port(self) -> int:
        return int(self.description["port"])

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("> "):
                self.answers.put(line[2:].strip())
            else:
                self.lines.append(line.strip())

    def order(self, text: str) -> str:
        """Gives an order to the hub and returns its answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        return self.answers.get(timeout=40)

    def mark(self) -> int:
        return len(self.lines)

    def wait_for(self, pattern: str, since: int = 0, timeout: float = 20) -> str:
        """Waits for a record that matches."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for line in self.lines[since:]:
                if re.search(pattern, line):
                    return line
            time.sleep(0.02)
        raise AssertionError(f"no `{pattern}` among\n" + "\n".join(self.lines[since:]))

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(timeout=20) == 0


def openssl(*arguments: str) -> str:
    return subprocess.run(
        ["openssl", *arguments], check=True, capture_output=True, text=True
    ).stdout


def make_certificates(folder: Path) -> str:
    """Makes a self-signed certificate, and one below an authority; returns the thumbprint."""
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    for name in ("thumb", "ca"):
        pem, key = str(folder / f"{name}.pem"), str(folder / f"{name}-key.pem")
        openssl("req", "-x509", *new_key, "-subj", f"/CN={name}", "-days", "30", "-keyout", key, "-out", pem)
    signed, request = str(folder / "signed.pem"), str(folder / "signed.csr")
    openssl("req", *new_key, "-subj", "/CN=signed", "-keyout", str(folder / "signed-key.pem"), "-out", request)
    extensions = folder / "ext.cnf"
    extensions.write_text("basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n")
    ca, ca_key = str(folder / "ca.pem"), str(folder / "ca-key.pem")
    openssl(
        "x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial",
        "-days", "30", "-extfile", str(extensions), "-out", signed,
    )
    printed = openssl("x509", "-in", str(folder / "thumb.pem"), "-noout", "-fingerprint", "-sha1")
    return printed.split("=", 1)[1].strip()


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("hub")
    thumbprint = make_certificates(folder)
    config = CONFIG.format(
        host=HOST, key=KEY, scope=SCOPE, group_key=GROUP_KEY, thumbprint=thumbprint
    )
    (folder / "hub.toml").write_text(config)
    running = Hub(folder)
    # The SDK knows only port 8883; everything else stays as it is.
    original: Callable[..., Any] = paho.mqtt.client.Client.connect

    def connect(self: Any, host: str, port: int = 1883, keepalive: int = 60, *rest: Any, **more: Any) -> Any:
        assert port == 8883, "what the SDK asks for"
        return original(self, host, running.port, keepalive, *rest, **more)

    paho.mqtt.client.Client.connect = connect
    yield running
    paho.mqtt.client.Client.connect = original
    running.stop()


