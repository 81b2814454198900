"""What the native module is handed, attribute by attribute."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["HubSettings", "ModuleSettings", "Settings", "Timeouts"]


@dataclass(frozen=True)
class Timeouts:
    """The longest that the slow steps of connecting may take, in seconds; fractions count as whole seconds.

    >>> Timeouts(register_s=300.0).register_s
    300.0
    """

    sync_s: float = 20.0
    """For the module to answer ``AT`` at all."""
    sim_s: float = 20.0
    """For the SIM to become ready."""
    register_s: float = 180.0
    """For registration in the network."""
    open_s: float = 150.0
    """For name resolution, TCP and the TLS handshake (``AT+QMTOPEN``)."""
    connect_s: float = 60.0
    """For the hub's answer to the credentials (``AT+QMTCONN``)."""
    acknowledge_s: float = 60.0
    """For the hub's acknowledgement of a subscription or a message."""


@dataclass(frozen=True)
class Settings:
    """Those of a client. Secrets are not shown."""

    connection_string: str = field(repr=False)
    certificate: bytes | None
    private_key: bytes | None = field(repr=False)
    ca: bytes | None
    hub_port: int
    apn: str
    apn_user: str
    apn_password: str = field(repr=False)
    apn_auth: str
    sim_pin: str | None = field(repr=False)
    pdp_context: int
    ssl_context: int
    mqtt_client: int
    keep_alive_s: float
    clean_session: bool
    receive: bool
    token_lifetime_s: float
    ntp_server: str
    urc_port: str
    profile: str | None
    baud: int
    rts_cts: bool
    timeouts: Timeouts


@dataclass(frozen=True)
class ModuleSettings:
    """Those of a simulated module."""

    model: str
    firmware: str | None
    transport: str
    hosts: list[tuple[str, str]]
    sim: str
    sim_pin: str | None = field(repr=False)
    registers: bool
    has_clock: bool
    apns: list[str]
    timing: str
    boots: bool
    folder: Path | None
    seed: int


@dataclass(frozen=True)
class HubSettings:
    """Those of a local hub."""

    host_name: str
    devices: list[str]
    x509_devices: list[str]
    require_sni: bool
    listen: str
