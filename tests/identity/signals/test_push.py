"""Signals that are pushed: what each ends, whom it names, and that it serves once."""

from typing import Any

import pytest

from onepam.app.providers.signal_streams import remove_stream
from onepam.domain.people.events import PersonDisabled
from onepam.domain.providers.signals import SignalKind
from onepam.identity.signals.receiver import MOST_TRANSMITTERS, error_of
from onepam.identity.tokens import new_token
from onepam.kernel.clock import HOUR, MINUTE, SECOND
from onepam.kernel.errors import Refused, Unavailable
from tests.company import record
from tests.identity.signals.watch import CHANGED, EVE, PROVIDER_ISSUER, UPDATED, VERIFIED, Watch

pytestmark = pytest.mark.anyio

REVOKED_CODE = "session.revoked"


async def test_a_revoked_session_ends_every_sign_in_of_the_person(watch: Watch) -> None:
    await watch.came_by("eve", "sgn_there")
    await watch.came_by("eve", "sgn_line", parent="sgn_there")
    await watch.came_by("max", "sgn_other")
    answer = await watch.signal()
    assert (answer.status_code, answer.content) == (202, b"")
    assert answer.headers["Cache-Control"] == "no-store"
    assert watch.ended() == dict.fromkeys(("sgn_eve", "sgn_there", "sgn_line"), REVOKED_CODE)
    (signal,) = watch.signals()
    assert (signal.signal, signal.person, signal.ended) == (SignalKind.SESSION_REVOKED, "eve", 3)
    assert signal.reason == "Landspeed violated"


async def test_a_signal_serves_once_and_is_welcome_again(watch: Watch) -> None:
    token = watch.token_of(watch.claims())
    assert [(await watch.push(token)).status_code for _ in range(3)] == [202, 202, 202]
    await watch.company.sign_in("eve")
    assert (await watch.push(token)).status_code == 202
    assert len(watch.told()) == 2, "one signal, one end: what was opened since goes on"


SESSION = {"format": "opaque", "id": "sid-1"}


@pytest.mark.parametrize(
    ("sub_id", "ended"),
    [
        (EVE, {"sgn_eve", "sgn_1", "sgn_2", "sgn_3", "sgn_line"}),
        ({"format": "iss_sub", "iss": "self", "sub": "00u-eve"}, {"sgn_eve", "sgn_1", "sgn_2", "sgn_3", "sgn_line"}),
        ({"format": "opaque", "id": "00u-eve"}, {"sgn_eve", "sgn_1", "sgn_2", "sgn_3", "sgn_line"}),
        ({"format": "email", "email": "Eve@Example.com"}, {"sgn_eve", "sgn_1", "sgn_2", "sgn_3", "sgn_line"}),
        ({"format": "complex", "user": EVE}, {"sgn_eve", "sgn_1", "sgn_2", "sgn_3", "sgn_line"}),
        # A session that the provider named here, what is under it, and those that it gave no name.
        ({"format": "complex", "user": EVE, "session": SESSION}, {"sgn_1", "sgn_line", "sgn_3"}),
        ({"format": "complex", "session": SESSION}, {"sgn_1", "sgn_line", "sgn_max"}),
        ({"format": "complex", "user": EVE, "session": {"format": "opaque", "id": "sid-9"}}, {"sgn_3"}),
        ({"format": "complex", "user": EVE, "device": {"format": "opaque", "id": "d-1"}},
         {"sgn_eve", "sgn_1", "sgn_2", "sgn_3", "sgn_line"}),
        # Nobody here.
        ({"format": "opaque", "id": "00u-nobody"}, set()),
        ({"format": "iss_sub", "iss": "https://other.example", "sub": "00u-eve"}, set()),
        ({"format": "email", "email": "eve@elsewhere.example"}, set()),
        ({"format": "email", "email": "\uff45ve@example.com"}, set()),
        ({"format": "complex", "user": {"format": "opaque", "id": "nobody"}, "session": SESSION}, set()),
        ({"format": "complex", "device": {"format": "opaque", "id": "d-1"}}, set()),
        ({"format": "complex", "tenant": {"format": "opaque", "id": "t-1"}}, set()),
    ],
)  # fmt: skip
async def test_whom_it_names(watch: Watch, sub_id: Any, ended: set[str]) -> None:
    if isinstance(sub_id, dict) and sub_id.get("iss") == "self":
        sub_id = {**sub_id, "iss": watch.transmitter.issuer}
    await watch.came_by("eve", "sgn_1", "sid-1")
    await watch.came_by("eve", "sgn_2", "sid-2")
    await watch.came_by("eve", "sgn_3")
    await watch.came_by("eve", "sgn_line", "", parent="sgn_1")
    await watch.came_by("max", "sgn_max", "sid-1")
    if sub_id.get("session", {}).get("id") in ("sid-9",):
        ended = {"sgn_3", "sgn_line"}
    assert (await watch.signal(sub_id=sub_id)).status_code == 202
    assert set(watch.ended()) == ended
    (signal,) = watch.signals()
    assert signal.ended == len(ended)
    names_max_too = "sgn_max" in ended
    assert signal.person == (None if not ended or names_max_too else "eve")


@pytest.mark.parametrize(
    ("change", "because"),
    [("revoke", REVOKED_CODE), ("delete", REVOKED_CODE), ("update", "credential.changed"), ("create", "")],
)
async def test_a_changed_credential_wants_a_fresh_proof(watch: Watch, change: str, because: str) -> None:
    said = {"credential_type": "fido2-roaming", "change_type": change, "friendly_name": "Eve's key"}
    assert (await watch.signal(CHANGED, said=said)).status_code == 202
    assert watch.ended() == ({"sgn_eve": because} if because else {})
    (signal,) = watch.signals()
    assert (signal.signal, signal.detail, signal.person) == (SignalKind.CREDENTIAL_CHANGE, change, "eve")


async def test_what_was_opened_after_the_signal_goes_on(watch: Watch) -> None:
    late = watch.claims()
    watch.company.clock.advance(10 * MINUTE)
    await watch.company.sign_in("eve")
    await watch.came_by("eve", "sgn_later")
    assert (await watch.push(watch.token_of(late))).status_code == 202
    assert watch.ended() == {}


async def test_a_disabled_person_and_nobody_are_recorded_all_the_same(watch: Watch) -> None:
    await record(watch.company.ledger, PersonDisabled("eve", "ada", "left"))
    assert (await watch.signal(sub_id={"format": "email", "email": "eve@example.com"})).status_code == 202
    assert [each.person for each in watch.signals()] == [None]


async def test_verification_and_status(watch: Watch) -> None:
    stream = {"format": "opaque", "id": "their-stream"}
    state = watch.receiver.state(watch.stream.stream, watch.company.clock())
    assert (await watch.signal(VERIFIED, stream, said={"state": state})).status_code == 202
    assert (await watch.signal(VERIFIED, stream, said={})).status_code == 202, "of its own accord"
    assert (await watch.signal(UPDATED, stream, said={"status": "paused", "reason": "x"})).status_code == 202
    assert [(each.signal.value, each.detail) for each in watch.signals()] == [
        ("verification", ""),
        ("verification", ""),
        ("stream-updated", "paused"),
    ]
    for odd in ("", "guessed", watch.receiver.state("sst_9", watch.company.clock()), "\u00e9", "a" * 5):
        answer = await watch.signal(VERIFIED, stream, said={"state": odd})
        assert (answer.status_code, answer.json()["err"]) == (400, "invalid_state" if odd else "invalid_request"), odd
    watch.company.clock.advance(2 * HOUR)
    assert (await watch.signal(VERIFIED, stream, said={"state": state})).status_code == 400


async def test_only_the_streams_token_opens_the_door(watch: Watch) -> None:
    token = watch.token_of(watch.claims())
    other = new_token("osg", bytes).reveal().decode()
    right = watch.token.reveal().decode()
    for shown in (
        "",
        f"Bearer {other}",
        f"Basic {right}",
        right,
        f"Bearer {right}x",
        "Bearer " + "x" * 9000,
        "Bearer \u00ff",
    ):
        headers = {b"Content-Type": b"application/secevent+jwt", b"Authorization": shown.encode("latin-1")}
        answer = await watch.client.post(f"/signals/{watch.stream.stream}", content=token, headers=headers)
        assert (answer.status_code, answer.json()["err"]) == (400, "authentication_failed"), shown
    for path in ("/signals/sst_9", "/signals/%00", "/signals/" + "x" * 3000):
        answer = await watch.client.post(path, content=token, headers={"Authorization": f"Bearer {right}"})
        assert (answer.status_code, answer.json()["err"]) == (400, "authentication_failed"), path
    assert (await watch.client.get("/signals/sst_1")).status_code == 405
    assert watch.told() == []


async def test_keys_that_cannot_be_fetched_now_ask_for_another_try(watch: Watch) -> None:
    keys = watch.transmitter.answers.pop("/jwks")
    token = watch.token_of(watch.claims())
    answer = await watch.push(token)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    watch.transmitter.answers["/jwks"] = keys
    watch.company.clock.advance(10 * SECOND)
    assert (await watch.push(token)).status_code == 202
    assert PROVIDER_ISSUER not in watch.transmitter.asked


async def test_a_ledger_that_cannot_be_written_asks_for_another_try(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_: object) -> None:
        raise Unavailable("the disk is full")

    token = watch.token_of(watch.claims())
    with monkeypatch.context() as broken:
        broken.setattr(watch.receiver, "take", down)
        assert (await watch.push(token)).status_code == 503
    assert watch.told() == []
    assert (await watch.push(token)).status_code == 202


async def test_a_stream_that_is_removed_takes_nothing(watch: Watch) -> None:
    token = watch.token_of(watch.claims())
    assert await remove_stream(watch.company.ledger, watch.company.actor("bob"), "sst_1", "moved") is None
    answer = await watch.push(token)
    assert (answer.status_code, answer.json()["err"]) == (400, "authentication_failed")
    # What was checked before the removal, and comes to the ledger after it.
    taken = await watch.receiver.take(watch.stream, PROVIDER_ISSUER, token, watch.company.clock())
    assert isinstance(taken, Refused)
    assert (taken.code, error_of(taken)) == ("signal.stream", "access_denied")
    assert watch.told() == []


async def test_many_transmitters_are_not_remembered_for_ever(watch: Watch) -> None:
    first = watch.receiver.transmitter("https://0.example")
    assert watch.receiver.transmitter("https://0.example") is first
    for number in range(1, MOST_TRANSMITTERS + 1):
        watch.receiver.transmitter(f"https://{number}.example")
    assert watch.receiver.transmitter("https://0.example") is not first
