"""One-time passwords by RFC 6238's own vectors; each step of use once."""

import secrets
import xml.etree.ElementTree as ET
from urllib.parse import parse_qs, unquote, urlparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.identity import totp
from onepam.kernel.clock import SECOND, Instant
from onepam.kernel.secret import Secret

RFC_SECRET = Secret(b"12345678901234567890")

# RFC 6238 appendix B (SHA-1), the last six of its eight digits.
VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]


def at(seconds: int) -> Instant:
    return Instant(seconds * SECOND)


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_the_vectors_of_rfc_6238(seconds: int, code: str) -> None:
    assert totp.match(RFC_SECRET, code, at(seconds), None) == seconds // 30
    assert totp.match(RFC_SECRET, f" {code[:3]} {code[3:]} ", at(seconds), None) == seconds // 30


def test_the_window_is_one_step_either_way() -> None:
    step = 1111111111 // 30
    matching = [offset for offset in range(-90, 91) if totp.match(RFC_SECRET, "050471", at(step * 30 + offset), None)]
    assert matching == list(range(-30, 60))


def test_a_step_is_used_once_and_none_before_it_again() -> None:
    step = 1111111111 // 30
    assert totp.match(RFC_SECRET, "050471", at(1111111111), step - 1) == step
    assert totp.match(RFC_SECRET, "050471", at(1111111111), step) is None
    assert totp.match(RFC_SECRET, "081804", at(1111111111), step) is None
    assert totp.match(RFC_SECRET, "081804", at(1111111111), None) == step - 1


def test_of_two_steps_with_one_code_the_later_is_used_up() -> None:
    """One in a million: the same digits twice in a row (these are real) must not be good twice."""
    first = 50_424_280
    assert totp.match(RFC_SECRET, "070562", at((first - 1) * 30), None) == first
    assert totp.match(RFC_SECRET, "070562", at(first * 30), None) == first + 1
    assert totp.match(RFC_SECRET, "070562", at(first * 30), first + 1) is None


@pytest.mark.parametrize(
    "code", ["", "28708", "2870822", "28708a", "２８７０８２", "287082\n", "-87082", "x" * 10_000, "      "]
)
def test_what_is_no_code_is_none(code: str) -> None:
    assert totp.match(RFC_SECRET, code, at(59), None) is None


@given(st.text(max_size=30), st.integers(0, 2**40), st.none() | st.integers(0, 2**40))
def test_any_text_gets_an_answer(code: str, seconds: int, last: int | None) -> None:
    step = totp.match(RFC_SECRET, code, at(seconds), last)
    assert step is None or (abs(step - seconds // 30) <= 1 and (last is None or step > last))


def test_a_new_secret_can_be_scanned_and_typed() -> None:
    secret = totp.new_secret(secrets.token_bytes)
    assert len(secret.reveal()) == 20
    uri = totp.otpauth_uri(secret, "ann@example.com", "OnePAM Müller & Co")
    parsed = urlparse(uri)
    assert (parsed.scheme, parsed.netloc) == ("otpauth", "totp")
    assert unquote(parsed.path) == "/OnePAM Müller & Co:ann@example.com"
    query = parse_qs(parsed.query)
    assert query == {"secret": [totp.typed_secret(secret).replace(" ", "")], "issuer": ["OnePAM Müller & Co"]}
    assert max(map(len, totp.typed_secret(secret).split(" "))) == 4


def test_the_qr_code_fits_a_strict_content_security_policy() -> None:
    uri = totp.otpauth_uri(RFC_SECRET, "<script>alert(1)</script>", '"><img src=x>')
    root = ET.fromstring(totp.qr_svg(uri))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert set(root.attrib) == {"viewBox"}
    for element in root:
        assert element.tag == "{http://www.w3.org/2000/svg}path"
        assert set(element.attrib) <= {"d", "fill", "stroke", "transform"}
    assert "script" not in totp.qr_svg(uri)


def test_a_uri_beyond_a_qr_code_is_refused() -> None:
    with pytest.raises(ValueError, match="data"):
        totp.qr_svg("x" * 3000)
