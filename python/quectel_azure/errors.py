"""What can go wrong, as exceptions.

Every exception of the package is a :class:`QuectelAzureError`. Its subclasses sort by blame, and those that Python has a
class for are of that class, too: ``except TimeoutError`` and ``except OSError`` work as everywhere.

>>> from quectel_azure.errors import ApiMisuse, ModemTimeout, PortError
>>> issubclass(ModemTimeout, TimeoutError), issubclass(PortError, OSError), issubclass(ApiMisuse, ValueError)
(True, True, True)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

__all__ = [
    "ApiMisuse",
    "AuthError",
    "ModemError",
    "ModemTimeout",
    "MqttError",
    "PortError",
    "QuectelAzureError",
]

_Arguments = tuple[str, str, Optional[int], Optional[str], Optional[str], str, tuple[str, ...]]


class QuectelAzureError(Exception):
    """Something failed; the attributes say what, where, and what to do.

    ``str()`` of it gives the message and, on a second line, the remedy. Neither ever holds a key, a token or a PIN.

    >>> from quectel_azure import Client
    >>> try:
    ...     Client(port="/dev/ttyUSB2", connection_string="HostName=contoso.azure-devices.net;DeviceId=dev-1")
    ... except QuectelAzureError as error:
    ...     print(error.kind, error.code)
    connection-string-no-credential 133
    """

    message: str
    """What happened, in one line."""
    kind: str
    """The name of the error in kebab-case, such as ``open-failed``; it stays the same in later versions."""
    code: int | None
    """The number that the C interface has for it (``QUECTEL_AZURE_REASON_*``, ``QUECTEL_AZURE_ERROR_*``), if any."""
    line: str | None
    """What the module said, such as ``+QMTOPEN: 0,-1``, if it said something."""
    step: str | None
    """The step that was running, such as ``register``, ``tls``, ``open`` or ``session``, if the flow had begun."""
    remedy: str
    """What to do about it, in one line; empty where the message says it."""
    causes: tuple[str, ...]
    """Ids of likely causes in the catalogue of the doctor, the likeliest first."""

    def __init__(
        self,
        message: str,
        kind: str = "error",
        code: int | None = None,
        line: str | None = None,
        step: str | None = None,
        remedy: str = "",
        causes: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.code = code
        self.line = line
        self.step = step
        self.remedy = remedy
        self.causes = tuple(causes)

    def __str__(self) -> str:
        return f"{self.message}\n{self.remedy}" if self.remedy else self.message

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.message!r}, kind={self.kind!r}, step={self.step!r}, line={self.line!r})"

    def __reduce__(self) -> tuple[type[QuectelAzureError], _Arguments]:
        # So that it can cross to another process.
        arguments = (self.message, self.kind, self.code, self.line, self.step, self.remedy, self.causes)
        return type(self), arguments


class ModemError(QuectelAzureError):
    """The module refused a command or could not be understood, or its SIM or network failed."""


class MqttError(QuectelAzureError):
    """The hub, its TLS or the connection to it failed: not opened, not subscribed, not acknowledged, closed, lost."""


class AuthError(QuectelAzureError):
    """The hub refused the device, its token has expired, or the SIM refused the PIN."""


class ModemTimeout(QuectelAzureError, TimeoutError):
    """The module, the network or the hub did not finish a step in time."""


class PortError(QuectelAzureError, OSError):
    """The port cannot be opened, is in use, or went away."""


class ApiMisuse(QuectelAzureError, ValueError):
    """An argument cannot be, or the call does not fit the state of the client; nothing was sent."""

