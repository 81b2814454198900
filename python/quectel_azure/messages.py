"""Messages and events, as plain data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Optional, Union

__all__ = [
    "Event",
    "LineReceived",
    "LineSent",
    "Message",
    "ModuleInfo",
    "StepBegun",
    "UrcReceived",
    "WarningRaised",
]


@dataclass(frozen=True)
class Message:
    """A message as it arrived: from the cloud at the device, or from the device at a local hub.

    >>> message = Message(b'{"interval_s": 60}', properties={"command": "report"})
    >>> message.json()["interval_s"], message.properties["command"]
    (60, 'report')
    """

    payload: bytes
    """The body."""
    properties: Mapping[str, Optional[str]] = field(default_factory=dict)
    """Application properties; the value is ``None`` where one was sent without a value."""
    system_properties: Mapping[str, Optional[str]] = field(default_factory=dict)
    """System properties by their names on the wire, such as ``$.mid`` for the message id and ``$.ct`` for the type."""
    topic: str = ""
    """Topic name as it came."""

    @property
    def message_id(self) -> str | None:
        """The message id, ``$.mid``."""
        return self.system_properties.get("$.mid")

    @property
    def correlation_id(self) -> str | None:
        """The correlation id, ``$.cid``."""
        return self.system_properties.get("$.cid")

    @property
    def content_type(self) -> str | None:
        """The content type, ``$.ct``, such as ``application/json``."""
        return self.system_properties.get("$.ct")

    def text(self) -> str:
        """The body as UTF-8 text.

        Raises:
            UnicodeDecodeError: it is none.
        """
        return self.payload.decode("utf-8")

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            ValueError: it is none.
        """
        return json.loads(self.payload)


def _split(properties: Iterable[tuple[str, str | None]]) -> tuple[dict[str, str | None], dict[str, str | None]]:
    """Application properties and system properties."""
    application: dict[str, str | None] = {}
    system: dict[str, str | None] = {}
    for name, value in properties:
        (system if name.startswith("$.") else application)[name] = value
    return application, system


@dataclass(frozen=True)
class ModuleInfo:
    """What is known of the module."""

    model: str
    """Model, such as ``BG96``."""
    firmware: str
    """Firmware revision, such as ``BG96MAR02A07M1G``."""
    profile: str
    """The row of the driver's table of modules that is in use, such as ``bg96-old``."""
    address: str
    """Address of the PDP context, or empty."""
    signal_dbm: int | None
    """Signal strength in dBm, if the module told."""


@dataclass(frozen=True)
class StepBegun:
    """A step of connecting or disconnecting begins."""

    at_s: float
    """Seconds since ``connect`` was called."""
    step: str
    """``identify``, ``sim``, ``register``, ``pdp``, ``clock``, ``certificates``, ``tls``, ``mqtt``, ``open``,
    ``connect``, ``subscribe``, ``session`` or ``disconnect``; later versions may have others."""


@dataclass(frozen=True)
class WarningRaised:
    """Something weakens or slows the connection without ending it."""

    at_s: float
    """Seconds since ``connect`` was called."""
    text: str
    """What, in one sentence."""


@dataclass(frozen=True)
class UrcReceived:
    """An unsolicited result code that the driver does not use."""

    at_s: float
    """Seconds since ``connect`` was called."""
    line: str
    """The line."""


@dataclass(frozen=True)
class LineSent:
    """A line, prompt answer or payload went to the module; secrets are ``***``."""

    at_s: float
    """Seconds since ``connect`` was called."""
    line: str
    """The line, without its end."""


@dataclass(frozen=True)
class LineReceived:
    """A line of the module; secrets are ``***``."""

    at_s: float
    """Seconds since ``connect`` was called."""
    line: str
    """The line, without its end."""


Event = Union[StepBegun, WarningRaised, UrcReceived, LineSent, LineReceived]
"""Something to show while the client works. Later versions may have more kinds: ignore those that you do not know."""


def _event(kind: str, at_s: float, text: str) -> Event | None:
    """The event that the native module tells; ``None`` for a kind of a newer one."""
    if kind == "step":
        return StepBegun(at_s, text)
    if kind == "warning":
        return WarningRaised(at_s, text)
    if kind == "urc":
        return UrcReceived(at_s, text)
    if kind == "sent":
        return LineSent(at_s, text)
    if kind == "received":
        return LineReceived(at_s, text)
    return None
