"""Attacks on Security Event Tokens, as a table; and bytes of every kind."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onepam.kernel.clock import SECOND
from tests.identity.oidc.hostile import EC, OTHER, RSA, b64, public
from tests.identity.signals.watch import CHANGED, EVE, REVOKED, UPDATED, VERIFIED, Watch

pytestmark = pytest.mark.anyio

Attack = Callable[[Watch], str | bytes]


def claims(**changes: Any) -> Attack:
    return lambda watch: watch.token_of(watch.claims(**changes))


def header(**changes: Any) -> Attack:
    return lambda watch: watch.token_of(watch.claims(), **changes)


def future(watch: Watch) -> str:
    return watch.token_of(watch.claims(iat=watch.company.clock.now // SECOND + 3600))


def changed_after(watch: Watch) -> str:
    head, _, signature = watch.token_of(watch.claims()).split(".")
    return f"{head}.{b64(json.dumps(watch.claims(sub_id=EVE)).encode())}.{signature}"


def signed_by_the_public_key(watch: Watch) -> str:
    return watch.token_of(watch.claims(), json.dumps(public(RSA)).encode(), "HS256")


def unsigned(watch: Watch) -> str:
    return watch.token_of(watch.claims(), algorithm="none") + "AAAA"


BOTH = {REVOKED: {}, CHANGED: {"change_type": "revoke"}}
DEEP: Any = {"format": "complex", "user": {"format": "complex", "user": EVE}}

ATTACKS: dict[str, tuple[Attack, str]] = {
    "another issuer": (claims(iss="https://evil.example"), "invalid_issuer"),
    "no issuer": (claims(iss=...), "invalid_issuer"),
    "another audience": (claims(aud="https://other.example"), "invalid_audience"),
    "no audience": (claims(aud=...), "invalid_audience"),
    "too many audiences": (claims(aud=["https://pam.example.com"] * 50), "invalid_audience"),
    "another key": (lambda watch: watch.token_of(watch.claims(), OTHER), "invalid_key"),
    "another key's name": (header(kid="nobody"), "invalid_key"),
    "a key of another kind": (lambda watch: watch.token_of(watch.claims(), EC, "ES256"), "invalid_key"),
    "no signature": (header(algorithm="none"), "invalid_request"),
    "an algorithm that signs nothing": (unsigned, "invalid_key"),
    "the public key as a secret": (signed_by_the_public_key, "invalid_key"),
    "changed after signing": (changed_after, "invalid_key"),
    "brings its own key": (header(jwk=public(OTHER)), "invalid_request"),
    "names its own key": (header(jku="https://evil.example/jwks"), "invalid_request"),
    "a critical extension": (header(crit=["b64"], b64=False), "invalid_request"),
    "an ID token": (header(typ="JWT"), "invalid_request"),
    "a logout token": (header(typ="logout+jwt"), "invalid_request"),
    "no type": (header(typ=""), "invalid_request"),
    "a type that is no text": (header(typ=["secevent+jwt"]), "invalid_request"),
    "no id": (claims(jti=...), "invalid_request"),
    "an empty id": (claims(jti=""), "invalid_request"),
    "an id that is no text": (claims(jti=7), "invalid_request"),
    "an endless id": (claims(jti="x" * 300), "invalid_request"),
    "no time": (claims(iat=...), "invalid_request"),
    "a time that is none": (claims(iat="now"), "invalid_request"),
    "from the future": (future, "invalid_request"),
    "an end": (claims(exp=9_999_999_999), "invalid_request"),
    "a sub": (claims(sub="00u-eve"), "invalid_request"),
    "no events": (claims(events=...), "invalid_request"),
    "an empty event set": (claims(events={}), "invalid_request"),
    "two events": (claims(events=BOTH), "invalid_request"),
    "events in a list": (claims(events=[REVOKED]), "invalid_request"),
    "an event that is no object": (claims(events={REVOKED: None}), "invalid_request"),
    "an event nobody knows": (claims(events={"https://evil.example/grant-everything": {}}), "invalid_request"),
    "an event by a part of its name": (claims(events={"session-revoked": {}}), "invalid_request"),
    "a change of no kind": (claims(event=CHANGED, said={}), "invalid_request"),
    "a change of an odd kind": (claims(event=CHANGED, said={"change_type": ["revoke"]}), "invalid_request"),
    "a change nobody knows": (claims(event=CHANGED, said={"change_type": "grant"}), "invalid_request"),
    "a status nobody knows": (claims(event=UPDATED, said={"status": ""}), "invalid_request"),
    "no subject": (claims(sub_id=...), "invalid_request"),
    "a subject that is a text": (claims(sub_id="00u-eve"), "invalid_request"),
    "a subject of no format": (claims(sub_id={"iss": "x", "sub": "00u-eve"}), "invalid_request"),
    "a format nobody knows": (claims(sub_id={"format": "phone_number", "phone_number": "+1"}), "invalid_request"),
    "a subject without its part": (claims(sub_id={"format": "iss_sub", "sub": "00u-eve"}), "invalid_request"),
    "a subject that is no text": (claims(sub_id={"format": "opaque", "id": {"a": 1}}), "invalid_request"),
    "a subject with a line feed": (claims(sub_id={"format": "opaque", "id": "00u\neve"}), "invalid_request"),
    "an empty address": (claims(sub_id={"format": "email", "email": ""}), "invalid_request"),
    "an endless address": (claims(sub_id={"format": "email", "email": "x" * 300 + "@example.com"}), "invalid_request"),
    "complex in complex": (claims(sub_id=DEEP), "invalid_request"),
    "a session that is none": (claims(sub_id={"format": "complex", "user": EVE, "session": 7}), "invalid_request"),
    "too deep": (claims(sub_id={"format": "x", "a": [[[[[[[[[[1]]]]]]]]]]}), "invalid_request"),
    "a name twice": (lambda watch: watch.token_of(b'{"iss":"a","iss":"b"}'), "invalid_request"),
    "two tokens": (lambda watch: "\n".join([watch.token_of(watch.claims())] * 2), "invalid_request"),
    "nothing": (lambda watch: b"", "invalid_request"),
    "no token": (lambda watch: b"\xff\xfe{}", "invalid_request"),
    "a flood": (lambda watch: b"x" * 70_000, "invalid_request"),
}  # fmt: skip


@pytest.mark.claim(
    "Signature, audience, times and replay are checked",
    altered="issuer and audience of a signal were not compared",
)
async def test_attacks(watch: Watch) -> None:
    for name, (attack, error) in ATTACKS.items():
        answer = await watch.push(attack(watch))
        assert answer.status_code == 400, name
        assert (answer.status_code, answer.json().get("err")) == (400, error), name
        assert set(answer.json()) == {"err", "description"}, name
        assert answer.headers["Content-Language"] == "en", name
    assert watch.told() == []
    assert (await watch.signal()).status_code == 202, "the same without the attack is taken"


@pytest.mark.parametrize("kind", ["application/json", "application/jwt", "text/plain", ""])
async def test_another_content_type_is_refused(watch: Watch, kind: str) -> None:
    answer = await watch.push(watch.token_of(watch.claims()), Content_Type=kind)
    assert (answer.status_code, answer.json()["err"]) == (400, "invalid_request")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
NAMED = st.sampled_from(["iss_sub", "email", "opaque", "complex", "account"])
SUBJECTS = JSON | st.fixed_dictionaries(
    {"format": NAMED | JSON},
    optional=dict.fromkeys(("iss", "sub", "email", "id", "user", "session", "device"), JSON),
)
EVENTS = st.dictionaries(st.sampled_from([REVOKED, CHANGED, VERIFIED, UPDATED]), JSON, max_size=2)


async def test_whatever_it_signs_is_answered(watch: Watch) -> None:
    """Every value in every claim: accepted or refused in the words of the standard, never a fault."""

    async def sent(changes: dict[str, Any]) -> int:
        return (await watch.push(watch.token_of(watch.claims(**changes)))).status_code

    found: list[dict[str, Any]] = []

    @settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        st.fixed_dictionaries(
            {},
            optional={"sub_id": SUBJECTS, "events": EVENTS | JSON, "jti": JSON, "iat": JSON, "aud": JSON, "iss": JSON},
        )
    )
    def collect(changes: dict[str, Any]) -> None:
        found.append(changes)

    collect()
    for changes in found:
        try:
            json.dumps(changes).encode("utf-8")
        except UnicodeEncodeError:
            continue
        assert await sent(changes) in (202, 400), changes


async def test_whatever_bytes_come_are_answered(watch: Watch) -> None:
    good = watch.token_of(watch.claims()).encode()
    for place in range(0, len(good), 7):
        for byte in (b"\x00", b".", b"A", b"\xff"):
            answer = await watch.push(good[:place] + byte + good[place + 1 :])
            assert answer.status_code == 400 or good[place : place + 1] == byte, (place, byte)
    assert all(each.ended <= 1 for each in watch.signals())
