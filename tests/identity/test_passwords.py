"""The password policy, said in a way people can act on, and hashing that betrays nobody."""

import hashlib
import statistics
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.identity.breached_passwords import BreachedFile
from onepam.identity.passwords import (
    _NOBODY,
    MAX_BYTES,
    AboutPerson,
    PasswordPolicy,
    check,
    hash_password,
    verify_password,
)
from onepam.kernel.errors import Corrupt, Refused

POLICY = PasswordPolicy()
ANN = AboutPerson("Ann-Marie Østergård", "ann.ostergard@acme-robotics.example", "ACME Robotics")


def code(password: str, about: AboutPerson = ANN) -> str:
    outcome = check(password, POLICY, about)
    if outcome is None:
        return "good"
    assert outcome.hint
    assert not password or password not in outcome.message + outcome.hint
    return outcome.code.removeprefix("password.")


@pytest.mark.parametrize(
    "password",
    [
        "violet harbour ladder fog",
        "kühler Morgen über der Elbe",
        "x9$Kq2!vLm7&Rt",
        "twelve wet umbrellas 2026",
        "小さな青い猫が屋根の上で静かに眠る",
        "🦊 jumps where the lark won't",
        "purple monkey dishwasher lamp",
        "Ann eats forty pickled herrings",
    ],
)
def test_a_good_passphrase_is_accepted(password: str) -> None:
    assert code(password) == "good"


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("", "too_short"),
        ("x9$Kq2!vLm7&R", "too_short"),
        ("é" * 13, "too_short"),
        ("e\u0301" * 7, "too_short"),  # fourteen code points, seven characters
        ("violet harbour\n ladder", "characters"),
        ("violet harbour\x00 ladder", "characters"),
        ("violet harbour\ud800 ladder", "characters"),
        ("a9" * 512 + "b", "too_long"),
        ("correct horse battery staple", "common"),
        ("Correct-Horse-Battery-Staple!", "common"),
        ("May the Force be with you", "common"),
        ("passwordpassword", "guessable"),
        ("Password2026!!!", "guessable"),
        ("P@ssw0rd-P@ssw0rd", "guessable"),
        ("Summer2026Winter", "guessable"),
        ("aaaaaaaaaaaaaaaaaaa", "guessable"),
        ("abababababababab", "guessable"),
        ("x9$Kx9$Kx9$Kx9$K", "guessable"),
        ("12345678901234567890", "guessable"),
        ("qwertyuiopasdfghjkl", "guessable"),
        ("poiuytrewqlkjhgfdsa", "guessable"),
        ("abcdefghijklmnopq", "guessable"),
        ("ann-marie østergård", "guessable"),
        ("AnnOstergard2026", "guessable"),
        ("Acme-Robotics-1!", "guessable"),
        ("@cmeR0b0tics2026", "guessable"),
        ("ACMERobotics#2026#", "guessable"),
    ],
)
def test_a_bad_password_is_refused_with_its_reason(password: str, expected: str) -> None:
    assert code(password) == expected


def test_the_refusal_names_what_is_guessable_and_not_the_password() -> None:
    outcome = check("Østergård-2026-1234", POLICY, ANN)
    assert isinstance(outcome, Refused)
    assert "your own name, address or company" in outcome.message
    assert "rows of keys" in outcome.message
    assert "years" in outcome.message
    assert code("Østergård-2026-1234", AboutPerson()) == "good"


def test_the_policy_is_a_value_with_a_version() -> None:
    strict = PasswordPolicy(version=2, min_length=20)
    outcome = check("x9$Kq2!vLm7&RtZw", strict, ANN)
    assert isinstance(outcome, Refused)
    assert "16 characters; 20 are needed" in outcome.message
    assert check("x9$Kq2!vLm7&RtZw", POLICY, ANN) is None


def test_checking_the_longest_password_takes_no_time() -> None:
    started = time.process_time()
    for unit in ("a", "ab", "abcdefgh", "aab", "pass", "x9$Kq2!vLm7&RtZw" * 2 + "0"):
        check((unit * 1024)[:1024], POLICY, ANN)
    assert time.process_time() - started < 2


@given(st.text(max_size=40), st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_any_text_gets_an_answer(password: str, name: str, email: str, company: str) -> None:
    outcome = check(password, POLICY, AboutPerson(name, email, company))
    assert outcome is None or outcome.code.startswith("password.")


# --- Breaches --------------------------------------------------------------------------------------------------------


def sha1(text: str) -> str:
    return hashlib.sha1(unicodedata.normalize("NFC", text).encode()).hexdigest().upper()


KNOWN = [f"violet harbour ladder {number}" for number in range(200)]


@pytest.mark.parametrize("digits", [40, 16])
@pytest.mark.parametrize("ending", ["", ":1", ":4711"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_breached_password_is_found_and_no_other(tmp_path: Path, digits: int, ending: str, newline: str) -> None:
    path = tmp_path / "pwned.txt"
    path.write_bytes("".join(f"{line[:digits]}{ending}{newline}" for line in sorted(map(sha1, KNOWN))).encode())
    breached = BreachedFile(path)
    assert all(password in breached for password in KNOWN)
    assert not any(f"{password}!" in breached for password in KNOWN)
    outcome = check(KNOWN[7], POLICY, ANN, breached)
    assert isinstance(outcome, Refused)
    assert outcome.code == "password.breached"
    assert check(KNOWN[7] + "!", POLICY, ANN, breached) is None


@given(st.sets(st.integers(0, 10_000), min_size=1, max_size=30), st.integers(0, 10_000))
def test_the_search_agrees_with_a_set(tmp_path_factory: pytest.TempPathFactory, known: set[int], asked: int) -> None:
    path = tmp_path_factory.mktemp("pwned") / "pwned.txt"
    lines = sorted(sha1(str(number)).lower() + ":" + "9" * (number % 7 + 1) for number in known)
    path.write_text("\n".join(lines))
    assert (str(asked) in BreachedFile(path)) is (asked in known)


def test_a_list_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        BreachedFile(tmp_path / "missing")
    path = tmp_path / "list"
    for content in (b"", b"hunter2\n", b"ABCDEF\n", b"A" * 41 + b"\n", b"\x00" * 100):
        path.write_bytes(content)
        with pytest.raises(Corrupt):
            BreachedFile(path)


def test_a_broken_list_lets_no_password_pass(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(b"0" * 40 + b"\n" + b"not a hash\n" * 50 + b"F" * 40 + b"\n")
    with pytest.raises(Corrupt, match="no SHA-1"):
        check("violet harbour ladder fog", POLICY, ANN, BreachedFile(path))


# --- Hashing ---------------------------------------------------------------------------------------------------------


def test_a_password_verifies_however_the_keyboard_composes_it() -> None:
    stored = hash_password("kühler Morgen über")
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert verify_password(stored, "kühler Morgen über")
    assert verify_password(stored, unicodedata.normalize("NFD", "kühler Morgen über"))
    for wrong in ("kuhler Morgen uber", "", "kühler Morgen über ", "\ud800", "x" * (MAX_BYTES + 1), "é" * MAX_BYTES):
        assert not verify_password(stored, wrong)
    assert hash_password("kühler Morgen über") != stored


def test_nobody_has_no_password() -> None:
    for password in ("", "x", "\ud800", "x" * 5000):
        assert verify_password(None, password) is False


def test_an_overlong_password_is_not_the_one_it_begins_with() -> None:
    stored = hash_password("x" * MAX_BYTES)
    assert verify_password(stored, "x" * MAX_BYTES)
    assert not verify_password(stored, "x" * (MAX_BYTES + 1))
    with pytest.raises(ValueError, match="checked"):
        hash_password("x" * (MAX_BYTES + 1))


def test_an_unknown_person_takes_as_long_as_a_known_one() -> None:
    stored = hash_password("violet harbour ladder")
    assert _NOBODY.split("$")[:4] == stored.split("$")[:4]  # the same parameters, so the same work
    times: dict[str | None, list[float]] = {stored: [], None: []}
    for _ in range(7):
        for person, measured in times.items():
            started = time.process_time()
            verify_password(person, "another password")
            measured.append(time.perf_counter() - started)
    assert 0.5 < statistics.median(times[None]) / statistics.median(times[stored]) < 2


def test_a_malformed_stored_hash_is_a_fault_and_no_wrong_password() -> None:
    for stored in ("", "$2b$12$abc", "$argon2id$v=19$m=65536"):
        with pytest.raises(Corrupt, match="malformed"):
            verify_password(stored, "x")
