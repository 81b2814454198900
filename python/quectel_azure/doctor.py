"""Says why a connection failed and what to type next, from the log of it.

It knows the same causes as ``quectel-azure doctor``. Keys, tokens and passwords are masked in everything it says.

>>> log = '''
... AT+QSSLCFG="cacert",1,"cacert.pem"
... OK
... AT+QMTCFG="ssl",0,1,2
... OK
... AT+QMTOPEN=0,"contoso.azure-devices.net",8883
... OK
... +QMTOPEN: 0,-1
... '''
>>> report = diagnose(log)
>>> report.outcome
'open failed -1'
>>> finding = report.findings[0]
>>> finding.id, finding.severity, finding.fix[1]
('tls.ctx-mismatch', 'error', 'AT+QMTCFG="ssl",0,1,1')
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from . import _native
from .errors import ApiMisuse

__all__ = [
    "Cause",
    "Finding",
    "ModuleFacts",
    "QuotedLine",
    "Report",
    "RuledOut",
    "SessionReport",
    "catalogue",
    "diagnose",
    "explain",
]


@dataclass(frozen=True)
class QuotedLine:
    """A line of the log."""

    number: int
    """From 1."""
    text: str
    """The line as it stands in the log, with secrets masked and cut to 180 characters."""


@dataclass(frozen=True)
class Finding:
    """One cause that was found."""

    id: str
    """Name in the catalogue, such as ``tls.sni-missing``."""
    title: str
    """One line."""
    severity: Literal["error", "warning", "info"]
    """``error`` explains a failure in this log; ``warning`` will bite, or may be the cause; ``info`` is worth knowing."""
    confidence: Literal["certain", "likely", "possible"]
    """How sure it is."""
    lines: tuple[QuotedLine, ...]
    """The lines that show it."""
    message: str
    """What the log shows, and why that fails."""
    fix: tuple[str, ...]
    """Commands to type, with the log's own numbers and names; a line in brackets is something to do."""
    session: int
    """The session of :attr:`Report.sessions` that it belongs to, from 0."""


@dataclass(frozen=True)
class RuledOut:
    """A cause that was looked for and excluded."""

    id: str
    """Name in the catalogue."""
    reason: str
    """Why it is not the cause."""


@dataclass(frozen=True)
class ModuleFacts:
    """The module, as far as the log tells."""

    model: str | None
    """Such as ``BG96``."""
    firmware: str | None
    """Such as ``BG96MAR02A07M1G``."""
    family: str | None
    """Modules with the same commands and habits, such as ``EC2x/EG2x``."""


@dataclass(frozen=True)
class SessionReport:
    """One session of a log."""

    module: ModuleFacts
    """Which module it is."""
    outcome: str
    """How it ended, such as ``open failed -1``, ``refused 5`` or ``success``."""
    first_line: int
    """Its first line."""
    last_line: int
    """Its last line."""
    ruled_out: tuple[RuledOut, ...]
    """What was excluded."""
    notes: tuple[str, ...]
    """What is worth knowing besides."""


@dataclass(frozen=True)
class Report:
    """All that the doctor has to say about a log; ``str(report)`` is the text that the command prints."""

    findings: tuple[Finding, ...]
    """Findings of all sessions, the weightiest first."""
    module: ModuleFacts
    """The module of the session with the first error."""
    outcome: str
    """How that session ended."""
    ruled_out: tuple[RuledOut, ...]
    """What was excluded in that session."""
    notes: tuple[str, ...]
    """What is worth knowing besides."""
    sessions: tuple[SessionReport, ...]
    """The sessions, in the order of the log."""
    lines_read: int
    """Lines that were read."""
    text: str
    """The report for a terminal, like the messages of a compiler."""

    @property
    def has_errors(self) -> bool:
        """Whether anything was found that explains a failure."""
        return any(finding.severity == "error" for finding in self.findings)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Cause:
    """A cause in the catalogue."""

    id: str
    """Stable name, such as ``tls.sni-missing``."""
    title: str
    """One line."""
    severity: Literal["error", "warning", "info"]
    """Its usual severity; a finding may be milder."""
    symptom: str
    """What one sees."""
    reason: str
    """Why it happens."""
    check: tuple[str, ...]
    """Commands that show it on a module without changing anything; names in braces are filled in by a report."""
    fix: tuple[str, ...]
    """Commands that cure it; names in braces are filled in by a report."""
    sources: tuple[str, ...]
    """Where it was seen."""


def diagnose(log: str | bytes | os.PathLike[str]) -> Report:
    """Reads a log in any of the usual shapes and says what is wrong.

    Args:
        log: the log itself as text or bytes, or the path of a file as :class:`~pathlib.Path`. Memory is bounded when a
            file is read, whatever its length.

    Raises:
        OSError: the file cannot be read.
        ApiMisuse: it is not text (``not-text``), or there is no AT dialogue in it (``not-a-log``).

    >>> diagnose("AT+CPIN?\\n+CME ERROR: 10\\n").findings[0].id
    'net.sim-not-ready'
    """
    if isinstance(log, bytes):
        answer, text = _native.diagnose(log)
    elif isinstance(log, str):
        answer, text = _native.diagnose(log.encode(errors="replace"))
    else:
        answer, text = _native.diagnose_file(os.fspath(log))
    return _report(json.loads(answer), text)


def explain(id: str) -> str:
    """What the catalogue says about a cause, such as one of :attr:`QuectelAzureError.causes`.

    Raises:
        ApiMisuse: there is no such cause (``unknown-cause``).

    >>> print(explain("tls.sni-missing").splitlines()[0])
    tls.sni-missing (error)
    """
    text = _native.explain(id)
    if text is None:
        raise ApiMisuse(f"there is no cause {id!r}; catalogue() lists all", kind="unknown-cause")
    return text


def catalogue() -> tuple[Cause, ...]:
    """All causes that the doctor knows.

    >>> any(cause.id == "az.sas-expired" for cause in catalogue())
    True
    """
    return tuple(
        Cause(
            id=cause["id"],
            title=cause["title"],
            severity=cause["severity"],
            symptom=cause["symptom"],
            reason=cause["reason"],
            check=tuple(cause["check"]),
            fix=tuple(cause["fix"]),
            sources=tuple(cause["sources"]),
        )
        for cause in json.loads(_native.catalogue())
    )


def _report(report: Mapping[str, Any], text: str) -> Report:
    return Report(
        findings=tuple(map(_finding, report["findings"])),
        module=_module(report["module"]),
        outcome=report["outcome"],
        ruled_out=_ruled_out(report),
        notes=tuple(report["notes"]),
        sessions=tuple(map(_session, report["sessions"])),
        lines_read=report["lines_read"],
        text=text,
    )


def _finding(finding: Mapping[str, Any]) -> Finding:
    return Finding(
        id=finding["id"],
        title=finding["title"],
        severity=finding["severity"],
        confidence=finding["confidence"],
        lines=tuple(QuotedLine(line["number"], line["text"]) for line in finding["lines"]),
        message=finding["message"],
        fix=tuple(finding["fix"]),
        session=finding["session"],
    )


def _session(session: Mapping[str, Any]) -> SessionReport:
    return SessionReport(
        module=_module(session["module"]),
        outcome=session["outcome"],
        first_line=session["first_line"],
        last_line=session["last_line"],
        ruled_out=_ruled_out(session),
        notes=tuple(session["notes"]),
    )


def _module(module: Mapping[str, Any]) -> ModuleFacts:
    return ModuleFacts(module["model"], module["firmware"], module["family"])


def _ruled_out(of: Mapping[str, Any]) -> tuple[RuledOut, ...]:
    return tuple(RuledOut(out["id"], out["reason"]) for out in of["ruled_out"])
