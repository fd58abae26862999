"""Certificates, what Entra's refusals mean, what tokens tell, and where they may be sent."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from exosync.errors import ConfigError
from exosync_adapters.exchange.admin import entra
from exosync_adapters.exchange.admin.certificates import certificate_end, pair
from exosync_adapters.exchange.admin.patience import LONGEST_WAIT, Patience
from exosync_adapters.exchange.admin.places import Places
from exosync_adapters.exchange.admin.tokens import roles
from exosync_adapters.mask import Mask

END = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
HOST = "https://outlook.office365.com"

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def written(key: Key, passphrase: bytes | None = None) -> str:
    """A private key as PEM."""
    how = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how).decode()


def certificate(key: Key, end: datetime = END) -> str:
    """A certificate of a key as PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "exosync")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(end - timedelta(days=365))
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode()


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    """A private key."""
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def other() -> ec.EllipticCurvePrivateKey:
    """The private key of somebody else, such as the issuer of a certificate."""
    return ec.generate_private_key(ec.SECP256R1())


def test_the_certificate_that_belongs_to_the_key_is_taken(
    key: rsa.RSAPrivateKey, other: ec.EllipticCurvePrivateKey
) -> None:
    """Whatever stands in the text before it, its issuer's certificate too."""
    text = "Bag Attributes: none\n" + certificate(other) + written(key) + certificate(key)

    found = pair(text)

    assert certificate(key).strip() == found.certificate.strip()
    assert written(key) == found.private_key
    assert "PRIVATE" not in repr(found)


def test_a_key_that_cannot_be_used_is_told_without_any_of_it(
    key: rsa.RSAPrivateKey, other: ec.EllipticCurvePrivateKey
) -> None:
    """Each says what is wrong, and none quotes the text."""
    cut = written(key).splitlines()
    cases = {
        "no private key": certificate(key),
        "no certificate": written(key),
        "without a passphrase": written(key, b"secret") + certificate(key),
        "cannot be read": "\n".join([*cut[:5], cut[-1]]) + certificate(key),
        "must be RSA": written(other) + certificate(other),
        "not that of the certificate": written(key) + certificate(other),
    }
    for words, text in cases.items():
        with pytest.raises(ConfigError, match=words) as caught:
            pair(text)
        assert not any(line in str(caught.value) for line in text.splitlines())
        assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_the_end_of_the_certificate_is_told(
    key: rsa.RSAPrivateKey, other: ec.EllipticCurvePrivateKey
) -> None:
    """That of the key's own certificate, of the first without a key, and none without any."""
    issuer = certificate(other, END + timedelta(days=900))

    assert END == certificate_end(issuer + written(key) + certificate(key))
    assert END == certificate_end(certificate(key) + issuer)
    assert certificate_end("nothing") is None
    assert certificate_end("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----") is None


def token(claims: Any) -> str:
    """A token that is not signed."""
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (token({"roles": ["Exchange.ManageAsApp", "B", 3]}), {"Exchange.ManageAsApp", "B"}),
        (token({"roles": "B"}), set()),
        (token({}), set()),
        (token([]), set()),
        ("opaque", set()),
        ("a.b.c", set()),
        ("a.é.c", set()),
    ],
)
def test_the_roles_of_a_token_are_read_as_far_as_can_be(text: str, expected: set[str]) -> None:
    """A token need not be one that we can read."""
    assert frozenset(expected) == roles(text)


@given(st.text())
def test_whatever_a_token_is_its_roles_can_be_asked_for(text: str) -> None:
    """Nothing makes a traceback."""
    assert isinstance(roles(f"x.{text}.x"), frozenset)


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("7000215", "not its id"),
        ("7000222", "client secret"),
        ("700016", "client_id"),
        ("90002", "tenant"),
        ("700027", "certificate"),
        ("70021", "federated credential"),
    ],
)
def test_a_refused_token_is_told_with_what_to_do(code: str, advice: str) -> None:
    """In the words of Entra, without the ids and times that make every error another."""
    text = f"AADSTS{code}: It is wrong. Trace ID: 1-2 Correlation ID: 3-4 Timestamp: 2026-11-26"
    made = str(entra.denied("login.example", {"error": "invalid", "error_description": text}))

    assert f"login.example gives no token: AADSTS{code}: It is wrong.; " in made
    assert advice in made
    assert "Trace ID" not in made


@pytest.mark.parametrize(
    "answer", [{}, {"error": "invalid_client"}, {"error_description": 3}, {"error": None}]
)
def test_a_refusal_without_a_code_is_told_too(answer: dict[str, Any]) -> None:
    """There is always something to do."""
    assert "see the application's credentials" in str(entra.denied("login.example", answer))


@pytest.mark.parametrize(
    ("url", "is_within"),
    [
        (f"{HOST}/adminapi/x", True),
        ("https://eurprd05.outlook.office365.com/adminapi/x", True),
        ("https://OUTLOOK.office365.com/x", True),
        ("https://outlook.office365.com.attacker.example/x", False),
        ("https://attackeroutlook.office365.com/x", False),
        ("http://outlook.office365.com/x", False),
        ("https://outlook.office365.com:8443/x", False),
        ("https://outlook.office365.com@attacker.example/x", False),
        ("https://a@eurprd05.outlook.office365.com/x", False),
        ("https://office365.com/x", False),
        ("//outlook.office365.com/x", False),
        ("https://[/x", False),
        ("", False),
    ],
)
def test_a_token_goes_to_the_trusted_host_and_those_below_it_alone(
    url: str, *, is_within: bool
) -> None:
    """By scheme, host and port; an address that holds a user name is none of Microsoft's."""
    assert is_within is Places(None, timeout=1).within(url, HOST)


def test_where_all_hosts_stand_is_trusted_too() -> None:
    """With `url`, and at that very address only."""
    places = Places("http://127.0.0.1:8095", timeout=1)

    assert places.within("http://127.0.0.1:8095/x", HOST)
    assert not places.within("http://127.0.0.1:8096/x", HOST)


def test_patience_has_an_end() -> None:
    """As often as there are waits, and not for a wait that is too long; of nothing is as usual."""
    waited: list[float] = []

    patience = Patience(waited.append)

    assert [True, True, False] == [patience.wait() for _ in range(3)]
    assert [True, True, True, False] == [patience.wait(0.0, busy=True) for _ in range(4)]
    assert [1.0, 4.0, 2.0, 10.0, 30.0] == waited
    assert not Patience(waited.append).wait(LONGEST_WAIT + 1, busy=True)
    assert Patience(waited.append).wait(0.2, busy=True)
    assert 1.0 == waited[-1]


def test_a_mask_takes_secrets_out_of_texts() -> None:
    """The longest first, so that nothing of it is left; what is too short would mask words."""
    mask = Mask()
    mask.add("hush", "hush-and-more", "abc")

    assert "*** *** abc" == mask.clean("hush-and-more hush abc")
    assert "hush" not in repr(mask)
