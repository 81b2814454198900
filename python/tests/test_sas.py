"""Shared access signatures."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from quectel_azure import ApiMisuse, sas

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def test_against_the_standard_library() -> None:
    raw = base64.b64decode(KEY)
    assert sas.sign(key=KEY, text=b"text\n1") == hmac.digest(raw, b"text\n1", hashlib.sha256)
    derived = hmac.digest(raw, b"dev-1", hashlib.sha256)
    assert sas.derive_key(group_key=KEY, registration_id="dev-1") == base64.b64encode(derived).decode()


@pytest.mark.parametrize("policy", [None, "iothubowner"])
def test_token(policy: str | None) -> None:
    token = sas.token(resource="h.example/devices/ä b", key=KEY, expires_at_s=1_700_003_600, policy=policy)
    assert token.startswith("SharedAccessSignature sr=h.example%2Fdevices%2F%C3%A4%20b&sig=")
    assert ("&skn=iothubowner" in token) == (policy is not None)


@pytest.mark.parametrize("key", ["", "%%%", "A", "SharedAccessSignature sr=x"])
def test_a_key_that_is_none(key: str) -> None:
    for call in (
        lambda: sas.sign(key=key, text=b""),
        lambda: sas.derive_key(group_key=key, registration_id="x"),
        lambda: sas.token(resource="x", key=key, expires_at_s=1),
    ):
        with pytest.raises(ApiMisuse):
            call()
