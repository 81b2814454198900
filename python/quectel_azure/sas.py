"""Shared access signatures, for tools and tests; a client makes its own.

>>> token(
...     resource="contoso.azure-devices.net/devices/device1",
...     key="AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
...     expires_at_s=1_700_003_600,
... )
'SharedAccessSignature sr=contoso.azure-devices.net%2Fdevices%2Fdevice1&sig=1sY1G3%2B%2BFZar2HfkFZit4C3IGSAfGbAJ1zno1WkK9d4%3D&se=1700003600'
"""

from __future__ import annotations

from . import _native

__all__ = ["derive_key", "sign", "token"]


def token(*, resource: str, key: str, expires_at_s: int, policy: str | None = None) -> str:
    """A SAS token. It is a secret until it expires.

    Args:
        resource: what it opens, not encoded: ``HOST/devices/ID``, or ``SCOPE/registrations/ID`` for DPS.
        key: the shared access key in base64.
        expires_at_s: when it expires, in unix seconds by the hub's clock.
        policy: the shared access policy of the key, if it is not the device's own.

    Raises:
        ApiMisuse: the key is not one.
    """
    return _native.sas_token(resource, key, expires_at_s, policy)


def derive_key(*, group_key: str, registration_id: str) -> str:
    """The key of one device of an enrollment group, in base64. It is a secret.

    Raises:
        ApiMisuse: the key is not one.

    >>> derive_key(group_key="AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", registration_id="dev-1")[-1]
    '='
    """
    return _native.derive_key(group_key, registration_id)


def sign(*, key: str, text: bytes) -> bytes:
    """The HMAC-SHA256 of a text under a base64 key: 32 bytes.

    Raises:
        ApiMisuse: the key is not one.

    >>> len(sign(key="AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", text=b"text"))
    32
    """
    return _native.sign(key, text)
