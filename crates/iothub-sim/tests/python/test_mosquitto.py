"""mosquitto's command line clients, which know nothing of Azure, with a token."""

from __future__ import annotations

import base64
import hashlib
import hmac
import shutil
import subprocess
import threading
import time
import urllib.parse

import pytest

from conftest import HOST, KEY, Hub

pytestmark = pytest.mark.skipif(not shutil.which("mosquitto_pub"), reason="needs mosquitto-clients")


def options(hub: Hub, expires: int) -> list[str]:
    resource = urllib.parse.quote(f"{HOST}/devices/device1", safe="")
    digest = hmac.digest(base64.b64decode(KEY), f"{resource}\n{expires}".encode(), hashlib.sha256)
    signature = urllib.parse.quote(base64.b64encode(digest), safe="")
    token = f"SharedAccessSignature sr={resource}&sig={signature}&se={expires}"
    return [
        "-h", "localhost", "-p", str(hub.port), "--cafile", hub.description["root_certificate"],
        "-V", "mqttv311", "-i", "device1", "-u", f"{HOST}/device1/?api-version=2021-04-12", "-P", token,
    ]


def test_publish(hub: Hub) -> None:
    since = hub.mark()
    topic = "devices/device1/messages/events/shell=bash"
    command = ["mosquitto_pub", *options(hub, int(time.time()) + 600), "-q", "1", "-t", topic, "-m", "hello"]
    subprocess.run(command, check=True, timeout=20)
    hub.wait_for("telemetry device1 5 bytes, QoS 1", since)


def test_subscribe(hub: Hub) -> None:
    since = hub.mark()
    topic = "devices/device1/messages/devicebound/#"
    command = ["mosquitto_sub", *options(hub, int(time.time()) + 600), "-q", "1", "-t", topic, "-C", "1", "-W", "20"]

    def send() -> None:
        hub.wait_for("subscribed device1", since)
        hub.order("message device1 for the shell")

    sender = threading.Thread(target=send)
    sender.start()
    done = subprocess.run(command, check=True, timeout=30, capture_output=True, text=True)
    sender.join()
    assert done.stdout == "for the shell\n"


def test_expired_token(hub: Hub) -> None:
    since = hub.mark()
    command = ["mosquitto_pub", *options(hub, 1_600_000_000), "-t", "x", "-m", "y"]
    done = subprocess.run(command, timeout=20, capture_output=True, text=True)
    assert done.returncode == 5 and "not authorised" in done.stderr.lower()
    hub.wait_for(r"refused .* \[token-expired\]", since)
