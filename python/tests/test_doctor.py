"""The doctor, and the command that comes with the package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from quectel_azure import ApiMisuse, Client, QuectelAzureError, doctor
from quectel_azure.sim import LocalHub, SimulatedModule

MISMATCH = """\
AT+QSSLCFG="cacert",1,"cacert.pem"
OK
AT+QMTCFG="ssl",0,1,2
OK
AT+QMTOPEN=0,"contoso.azure-devices.net",8883
OK
+QMTOPEN: 0,-1
AT+QMTCONN=0,"d","contoso.azure-devices.net/d/","SharedAccessSignature sr=x&sig=c2VjcmV0c2VjcmV0%3D&se=4102444800"
"""


def test_text_bytes_and_files_are_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "session.log"
    path.write_text(MISMATCH, encoding="utf-8")
    reports = [doctor.diagnose(MISMATCH), doctor.diagnose(MISMATCH.encode()), doctor.diagnose(path)]
    assert reports[0] == reports[1] == reports[2]
    report = reports[0]
    first = report.findings[0]
    assert (first.id, first.severity, first.confidence) == ("tls.ctx-mismatch", "error", "certain")
    assert doctor.QuotedLine(3, 'AT+QMTCFG="ssl",0,1,2') in first.lines
    assert 'AT+QMTCFG="ssl",0,1,1' in first.fix
    assert report.has_errors
    assert report.lines_read == 8
    assert report.sessions[0].outcome == report.outcome == "open failed -1"
    assert "error[tls.ctx-mismatch]" in str(report)
    assert "c2VjcmV0" not in repr(report)


def test_a_clean_log_has_no_errors() -> None:
    report = doctor.diagnose("ATI\nQuectel\nEC25\nRevision: EC25EFAR06A11M4G\n\nOK\n")
    assert not report.has_errors
    assert report.module == doctor.ModuleFacts("EC25", "EC25EFAR06A11M4G", report.module.family)


def test_what_is_no_log(tmp_path: Path) -> None:
    cases: list[tuple[str | bytes, str]] = [
        ("", "not-a-log"),
        ("dear doctor", "not-a-log"),
        (bytes(range(256)) * 16, "not-text"),
    ]
    for log, kind in cases:
        with pytest.raises(ApiMisuse) as caught:
            doctor.diagnose(log)
        assert caught.value.kind == kind
    with pytest.raises(FileNotFoundError):
        doctor.diagnose(tmp_path / "none.log")
    with pytest.raises(IsADirectoryError):
        doctor.diagnose(tmp_path)


def test_the_catalogue_explains_itself() -> None:
    causes = doctor.catalogue()
    assert len({cause.id for cause in causes}) == len(causes) > 80
    for cause in causes:
        assert cause.title in doctor.explain(cause.id)
    with pytest.raises(ApiMisuse, match="no cause 'tls.nonsense'"):
        doctor.explain("tls.nonsense")


def test_the_trace_of_a_failed_client_is_a_log(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    with LocalHub(devices=["dev-1"]) as hub, SimulatedModule(hosts={}) as module:
        client = Client(
            port=module.port,
            connection_string=hub.connection_string("dev-1"),
            ca=hub.ca_pem,
            apn="iot.example",
            trace=trace,
        )
        with pytest.raises(QuectelAzureError) as caught:
            client.connect()
    report = doctor.diagnose(trace)
    assert report.findings[0].id in caught.value.causes
    assert report.findings[0].id == "net.dns-failed"


@pytest.mark.parametrize("command", [[sys.executable, "-m", "quectel_azure"]])
def test_the_command(command: list[str], tmp_path: Path) -> None:
    def run(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *arguments], input=text, capture_output=True, text=True, timeout=60, check=False)

    ran = run("doctor", text=MISMATCH)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "error[tls.ctx-mismatch]" in ran.stdout
    assert run("--version").stdout.startswith("quectel-azure ")
    assert run("doctor", str(tmp_path)).returncode == 2
