"""`onepam signals` against a real gateway's API."""

import json

from onepam.domain.providers.signals import Delivery, SignalKind, SignalReceived, SignalStreamSet
from tests.api.office import Office, now
from tests.cli.conftest import NewTerminal

SET = SignalStreamSet(
    "chg_1", "sst_1", "Okta", "https://okta.example", "https://pam.example.com", Delivery.PUSH, "idp_1", "", "", "ada",
    "bob", "d" * 64, "c2VjcmV0",
)  # fmt: skip


def test_streams_are_listed_without_their_secrets(office: Office, terminal: NewTerminal) -> None:
    mine = terminal().signed_in(office.join("auditor"))
    assert "Nobody sends signals yet" in mine.run("signals", "ls").out
    office.record(SET, SignalReceived("sst_1", "a" * 64, SignalKind.STREAM_UPDATED, "paused", None, 0, now()))
    listed = mine.run("signals", "ls")
    assert listed.code == 0, listed.err
    for word in ("sst_1", "https://okta.example", "push", "paused"):
        assert word in listed.out
    answer = mine.run("signals", "ls", "--json")
    (found,) = json.loads(answer.out)
    assert (found["stream"], found["signals"], found["ended"], found["verified"]) == ("sst_1", 1, 0, None)
    assert "c2VjcmV0" not in answer.out
    assert "d" * 64 not in answer.out
    assert terminal().signed_in(office.join("engineer")).run("signals", "ls").code == 1
