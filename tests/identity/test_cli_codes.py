"""The code between browser and terminal: sealed, short-lived, bound to its verifier and to loopback."""

import secrets
from pathlib import Path

import pytest

from onepam.identity.cli_codes import LIFETIME, CliCode, is_redirect, issue_code, open_code
from onepam.identity.tokens import pkce_challenge
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys

NOW = Instant(1_800_000_000_000_000)
REDIRECT = "http://127.0.0.1:43210/callback"
VERIFIER = "v" * 43


@pytest.fixture
def seal(tmp_path: Path) -> Envelope:
    return Envelope(FileKeys.create(tmp_path / "master.json", secrets.token_bytes), secrets.token_bytes)


def issued(seal: Envelope, redirect: str = REDIRECT) -> str:
    code = issue_code(seal, "per_a", "sgn_a", pkce_challenge(VERIFIER), redirect, NOW, secrets.token_bytes)
    assert isinstance(code, str)
    return code


def test_opens_for_its_verifier(seal: Envelope) -> None:
    code = open_code(seal, issued(seal), VERIFIER, REDIRECT, NOW)
    assert isinstance(code, CliCode)
    assert (code.person, code.parent, code.redirect) == ("per_a", "sgn_a", REDIRECT)
    assert code.session.startswith("cli_")


def test_two_codes_name_two_sessions(seal: Envelope) -> None:
    one, other = (open_code(seal, issued(seal), VERIFIER, REDIRECT, NOW) for _ in range(2))
    assert isinstance(one, CliCode)
    assert isinstance(other, CliCode)
    assert one.session != other.session


def test_says_nothing_in_clear(seal: Envelope) -> None:
    assert "per_a" not in issued(seal)


@pytest.mark.parametrize(
    ("verifier", "redirect", "at"),
    [
        ("w" * 43, REDIRECT, NOW),
        ("", REDIRECT, NOW),
        (VERIFIER, "http://127.0.0.1:43211/callback", NOW),
        (VERIFIER, REDIRECT, Instant(NOW + LIFETIME)),
    ],
    ids=["another verifier", "no verifier", "another redirect", "too late"],
)
def test_refused(seal: Envelope, verifier: str, redirect: str, at: Instant) -> None:
    refused = open_code(seal, issued(seal), verifier, redirect, at)
    assert isinstance(refused, Refused)
    assert refused.code == "cli_code.gone"


def test_garbage_is_refused(seal: Envelope, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    foreign = Envelope(FileKeys.create(tmp_path / "other" / "master.json", secrets.token_bytes), secrets.token_bytes)
    code = issued(seal)
    altered = code[:-2] + ("A" if code[-2] != "A" else "B") + code[-1]
    for text in ("", "!", "a", "AAAA", altered, code[:-8], code + "AAAA", issued(foreign), "A" * 2049):
        assert isinstance(open_code(seal, text, VERIFIER, REDIRECT, NOW), Refused), text


@pytest.mark.parametrize(
    ("redirect", "good"),
    [
        (REDIRECT, True),
        ("http://127.0.0.1:65535/callback", True),
        ("http://127.0.0.1:65536/callback", False),
        ("http://127.0.0.1:1023/callback", False),
        ("http://localhost:43210/callback", False),
        ("https://127.0.0.1:43210/callback", False),
        ("http://127.0.0.1:43210/callback?x=1", False),
        ("http://127.0.0.1:43210/callback\n", False),
        ("http://127.0.0.1@evil.example:43210/callback", False),
        ("http://127.0.0.1:43210.evil.example/callback", False),
    ],
)
def test_only_loopback_is_answered(seal: Envelope, redirect: str, good: bool) -> None:
    assert is_redirect(redirect) is good
    code = issue_code(seal, "per_a", "sgn_a", pkce_challenge(VERIFIER), redirect, NOW, secrets.token_bytes)
    assert isinstance(code, str) is good


def test_a_plain_challenge_is_refused(seal: Envelope) -> None:
    assert isinstance(issue_code(seal, "p", "s", VERIFIER + "=", REDIRECT, NOW, secrets.token_bytes), Refused)
