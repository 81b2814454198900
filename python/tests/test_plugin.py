"""The fixtures are there without a conftest, in a project of somebody else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TESTS = '''
import pytest

def test_publish(quectel_client, iot_hub):
    quectel_client.publish(b"21.5")
    assert iot_hub.wait_for_telemetry(device_id="device-1").payload == b"21.5"

@pytest.mark.quectel(model="ec25", sim="absent")
class TestOtherModule:
    def test_model(self, quectel_module):
        assert quectel_module.model == "EC25"

    @pytest.mark.quectel(model="bg95")
    def test_nearest_marker_wins(self, quectel_module):
        assert quectel_module.model.startswith("BG95")

def test_hub_is_one(iot_hub, quectel_module):
    assert iot_hub.connection_string("device-x509").endswith("x509=true")
    assert not quectel_module.is_connected
'''


def test_fixtures_without_a_conftest(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(TESTS, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\nfilterwarnings = error\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout

