"""Packs of a live ledger: drawn as the platform draws them, verified as an auditor does, refused when altered."""

import asyncio
import json
import re
import subprocess
import sys
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from onepam import __version__
from onepam.app.people.disable_person import disable_person
from onepam.domain.access.decision import Because
from onepam.domain.access.model import Action
from onepam.domain.access.proof import MfaProof
from onepam.domain.history.system import SystemStarted
from onepam.domain.sessions.events import EntryPoint, SessionOpened
from onepam.evidence import draw
from onepam.evidence.envelope import Period
from onepam.evidence.reports import access, sessions
from onepam.evidence.verifier import verify
from onepam.jobs import evidence as packs
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant
from onepam.kernel.errors import Corrupt, Refused, Unavailable
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries_of, size_of
from tests.company import START, record, refused
from tests.evidence.company import LOG, ORIGIN, STRANGER, WITNESS
from tests.evidence.conftest import KEYS, Check
from tests.evidence.forge import unzip
from tests.evidence.live import closed, erase, opened, story

pytestmark = pytest.mark.anyio
UNTIL = Instant(START + DAY)


def run(pack: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(Path(verify.__file__)), str(pack), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def report(pack: bytes, name: str) -> list[dict[str, str]]:
    head, *rows = map(json.loads, unzip(pack)[f"reports/{name}.jsonl"].splitlines())
    return [dict(zip(head["columns"], row["cells"], strict=True)) for row in rows]


def envelope(pack: bytes, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(unzip(pack)[f"reports/{name}.envelope.json"])
    return found


def test_an_auditor_verifies_it_with_keys_and_is_told_when_one_is_missing(drawn_pack: bytes, tmp_path: Path) -> None:
    path = tmp_path / "pack.zip"
    path.write_bytes(drawn_pack)
    done = run(path, *KEYS, "--verbose")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("1 thing is missing or left out, said below; VERIFIED\nLACKING\n")
    assert done.stdout.endswith("\nVERIFIED\n")
    for told in (
        "7 entries session.opened or session.refused",
        "5 entries request.made",
        "witness.example.org/w1",
        "VERIFIED",
    ):
        assert told in done.stdout, told
    size = json.loads(unzip(drawn_pack)["range.json"])["end"]
    assert f"lawful      yes: {size} entries by rule set 1\n" in done.stdout
    assert re.search(r"; (\d+) of \1 batch signatures checked", done.stdout)
    assert "anything after" not in done.stdout
    assert run(path).returncode == 3
    assert run(path, "--log-key", LOG.vkey()).returncode == 3
    assert run(path, *KEYS[2:]).returncode == 3
    assert run(path, "--log-key", STRANGER.vkey(), *KEYS[2:]).returncode == 1


def test_the_envelopes_say_who_when_how_and_from_where(drawn_pack: bytes) -> None:
    for name, query in (("sessions", sessions.QUERY), ("access", access.QUERY)):
        said = envelope(drawn_pack, name)
        assert (said["run_by"], said["role"]) == ("aud (Aud Example)", "auditor")
        assert query in said["query"]
        assert said["command"].startswith("onepam evidence pack --from 2026-03-02T08:00:00.000000Z --to ")
        assert "clock" in said["clock"]
        assert said["system"]["environment"] == "test"
        assert said["range"]["first"] == 0
    assert envelope(drawn_pack, "access")["as_of"] == "2026-03-03T07:59:59.999999Z"


def test_what_was_erased_is_said_to_be_erased(drawn_pack: bytes) -> None:
    rows = [each for each in report(drawn_pack, "sessions") if each["person"] == "vic"]
    assert {(each["name"], each["source"], each["asked"]) for each in rows} == {("[erased]",) * 3}
    (asked,) = [each for each in report(drawn_pack, "requests") if each["person"] == "vic"]
    assert asked["reason"] == "[erased]"
    assert "Vic Example" not in str(unzip(drawn_pack))
    assert "Eve Married" in str(unzip(drawn_pack))


async def test_drawing_is_recorded_with_the_files_digest(tmp_path: Path) -> None:
    live = await story(tmp_path)
    path = await live.draw(START, UNTIL)
    assert isinstance(path, Path)
    assert path.stat().st_mode & 0o777 == 0o600
    with closing(connect(live.company.path, read_only=True)) as db:
        (packed,) = [each.event for each in entries_of(db, ("evidence.packed",))]
        assert packed.size == size_of(db) - 1
    live.company.close()
    assert (packed.by, packed.starts, packed.ends) == ("aud", START, UNTIL)
    assert packed.digest == sha256(path.read_bytes()).hexdigest()


async def test_progress_is_told(tmp_path: Path) -> None:
    live = await story(tmp_path)
    steps: list[str] = []
    await live.evidence().draw(
        live.company.actor("ada"), Period(START, UNTIL), lambda step, done, of: steps.append(step)
    )
    live.company.close()
    assert list(dict.fromkeys(steps)) == ["reports", "entries", "verification"]


async def test_only_those_who_audit_or_administer_draw_and_nobody_keeps_a_file(tmp_path: Path) -> None:
    live = await story(tmp_path)
    company = live.company
    for person in ("eve", "max", "vic"):
        refused(await live.draw(START, UNTIL, person), "person.disabled" if person == "vic" else "right.missing")
    assert isinstance(await live.draw(START, UNTIL, "ada"), Path)
    for each in (tmp_path / "packs").iterdir():
        each.unlink()
    refused(
        await live.draw(Instant(company.clock.now + HOUR), Instant(company.clock.now + 2 * HOUR)), "evidence.future"
    )

    def leaves(step: str, done: int, of: int) -> None:
        """The auditor leaves while the pack is being verified: authority is judged when it is handed out."""
        if (step, done) == ("verification", 0):
            leave = disable_person(company.ledger, company.actor("ada"), "aud", "left")
            asyncio.run_coroutine_threadsafe(leave, loop).result(10)

    loop = asyncio.get_running_loop()
    outcome = await live.evidence().draw(company.actor("aud"), Period(START, UNTIL), leaves)
    refused(outcome, "person.disabled")
    company.close()
    assert list((tmp_path / "packs").iterdir()) == []


async def test_two_at_once_are_one_too_many(tmp_path: Path) -> None:
    live = await story(tmp_path)
    evidence, aud = live.evidence(), live.company.actor("aud")
    found = await asyncio.gather(*(evidence.draw(aud, Period(START, UNTIL)) for _ in range(2)))
    live.company.close()
    assert sorted(type(each).__name__ for each in found) == ["PosixPath", "Refused"]
    refused(next(each for each in found if isinstance(each, Refused)), "evidence.busy")


async def test_periods_without_anything_and_periods_that_go_on(tmp_path: Path, check: Check) -> None:
    live = await story(tmp_path)
    before = await live.pack(Instant(START - 2 * DAY), Instant(START - DAY))
    live.company.clock.advance(3 * DAY)
    await live.company.sign_in("aud")
    empty = await live.pack(Instant(START + DAY), Instant(START + 2 * DAY))
    nothing = SystemStarted("node-1", __version__, ORIGIN, LOG.vkey(), "test")
    await record(live.company.ledger, *[nothing] * 3)
    live.company.clock.advance(-MINUTE)  # so the ledger's time is ahead of it
    going_on = await live.pack(START, Instant(START + 30 * DAY))
    live.company.close()
    for pack, rows in ((before, 0), (empty, 0), (going_on, 7)):
        code, result = check(pack, *KEYS)
        assert (code, len(report(pack, "sessions"))) == (0, rows), result
    assert report(before, "access") == []
    assert len(report(empty, "access")) > 0
    assert any("anything after" in each for each in check(going_on, *KEYS)[1]["not_proved"])
    assert envelope(going_on, "access")["as_of"] < "2026-03-06"
    assert not any(" is as of " in each for each in check(going_on, *KEYS)[1]["lacks"])


async def test_a_session_belongs_to_the_period_in_which_it_was_opened(tmp_path: Path, check: Check) -> None:
    live = await story(tmp_path)
    company = live.company
    early = await opened(company, "eve", "dev-1", "app")
    border = company.clock.advance(MINUTE)
    late = await opened(company, "eve", "dev-1", "app")
    await record(company.ledger, closed(early), closed(late))
    company.clock.advance(MINUTE)
    first, second = await live.pack(START, border), await live.pack(border, Instant(company.clock.now))
    company.close()
    ids = [[each["session"] for each in report(pack, "sessions")] for pack in (first, second)]
    assert (early in ids[0], late in ids[0], ids[1]) == (True, False, [late])
    assert next(each for each in report(first, "sessions") if each["session"] == early)["because"] == "client.closed"
    assert [check(pack, *KEYS)[0] for pack in (first, second)] == [0, 0]


async def test_what_is_not_yet_under_a_checkpoint_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = await story(tmp_path)
    await opened(live.company, "eve", "dev-1", "app")
    aud, period = live.company.actor("aud"), Period(START, UNTIL)
    waiting = asyncio.create_task(live.evidence().draw(aud, period))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    live.publish()
    path = await waiting
    assert isinstance(path, Path)
    assert len(report(path.read_bytes(), "sessions")) == 8
    await opened(live.company, "eve", "dev-1", "app")
    monkeypatch.setattr(packs, "CHECKPOINT_SECONDS", 0.1)
    with pytest.raises(Unavailable, match="entries are under a checkpoint, and the period has"):
        await live.evidence().draw(aud, period)
    live.company.close()


async def test_without_its_witness_a_pack_says_so(
    tmp_path: Path, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packs, "COSIGNATURE_SECONDS", 0.3)
    live = await story(tmp_path)
    live.witnessed = False
    await opened(live.company, "eve", "dev-1", "app")
    pack = await live.pack(START, UNTIL)
    live.company.close()
    code, result = check(pack, "--log-key", LOG.vkey())
    assert code == 3
    assert any("no independent witness" in each for each in result["not_proved"])
    assert check(pack, "--log-key", LOG.vkey(), "--witness-key", WITNESS.vkey())[0] == 1


async def test_a_pack_of_before_an_erasure_still_verifies_and_holds_what_it_held(tmp_path: Path, check: Check) -> None:
    live = await story(tmp_path)
    older = await live.pack(START, Instant(live.company.clock.now))
    await erase(live, "vic")
    live.company.clock.advance(DAY)
    await live.company.sign_in("aud")
    newer = await live.pack(START, UNTIL)
    kept = tmp_path / "kept"
    kept.write_bytes(unzip(newer)["checkpoint"])
    live.company.close()
    names = [{each["name"] for each in report(pack, "sessions") if each["person"] == "vic"} for pack in (older, newer)]
    assert names == [{"Vic Example"}, {"[erased]"}]
    for pack in (older, newer):
        code, result = check(pack, *KEYS)
        assert (code, result["verdict"][-8:]) == (0, "VERIFIED"), result
    assert any(each == "gone, each by an entry that says so: 0 payloads" for each in check(older, *KEYS)[1]["proved"])
    _, result = check(older, *KEYS, "--checkpoint", str(kept))
    assert any("newer than the pack" in each for each in result["not_proved"])


async def test_an_erasure_after_the_checkpoint_asks_for_a_newer_one(tmp_path: Path) -> None:
    live = await story(tmp_path)
    log = live.evidence()._newest()
    assert log is not None
    until = Instant(live.company.clock.now)
    await erase(live, "eve")
    with pytest.raises(Unavailable, match="erased a moment ago"):
        await live.evidence().draw(live.company.actor("aud"), Period(START, until))
    assert isinstance(await live.draw(START, until), Path)
    live.company.close()


TAMPERING = {
    "a body": (
        "UPDATE entry SET body = CAST(replace(body, 'web-1', 'web-9') AS BLOB) WHERE kind = 'session.opened'",
        "does not verify",
    ),
    "a body that is text now": ("UPDATE entry SET body = CAST(body AS TEXT) WHERE kind = 'session.opened'", "a text"),
    "a body that is not canonical": (
        "UPDATE entry SET body = CAST(body || ' ' AS BLOB) WHERE kind = 'session.opened'",
        "cannot be read: not in canonical form",
    ),
    "a body outside of the reports": (
        "UPDATE entry SET body = CAST(1 AS TEXT) WHERE kind = 'sign_in.opened'",
        "a text",
    ),
    "a payload": ("UPDATE payload SET data = CAST('{}' AS BLOB) WHERE idx = 0", "does not verify"),
    "a payload gone": ("DELETE FROM payload WHERE idx = 3", "lost its payload without an erasure"),
    "a time": ("UPDATE entry SET time = time + 1 WHERE idx = 30", "does not verify"),
    "an entry gone": ("DELETE FROM entry WHERE idx = 20", "."),
    "the tail gone": ("DELETE FROM entry WHERE idx > 50", "."),
}


@pytest.mark.parametrize("what", TAMPERING)
async def test_a_ledger_that_was_altered_gives_no_pack(what: str, tmp_path: Path) -> None:
    live = await story(tmp_path)
    statement, says = TAMPERING[what]
    with closing(connect(live.company.path)) as db:
        db.execute(statement)
    with pytest.raises(Corrupt, match=says):
        await live.evidence().draw(live.company.actor("aud"), Period(START, Instant(live.company.clock.now)))
    live.company.close()
    assert list((tmp_path / "packs").glob("*")) == []


async def test_a_checkpoint_of_another_log_gives_no_pack(tmp_path: Path) -> None:
    live = await story(tmp_path)
    with pytest.raises(Corrupt, match="the published checkpoint is not ours"):
        await live.evidence((), STRANGER).draw(live.company.actor("aud"), Period(START, UNTIL))
    live.company.close()


async def test_a_long_history_is_proved_from_the_period_on(
    tmp_path: Path, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then there is no access report, and no name that was told before."""
    live = await story(tmp_path)
    begin = Instant(START + 30 * MINUTE)
    whole = await live.pack(begin, UNTIL)
    monkeypatch.setattr(draw, "MAX_EARLIER", 20)
    part = await live.pack(begin, UNTIL)
    monkeypatch.setattr(draw, "MAX_RANGE", 5)
    refused(await live.draw(begin, UNTIL), "evidence.too_long")
    monkeypatch.undo()
    monkeypatch.setattr(sessions, "MAX_ROWS", 3)
    refused(await live.draw(START, UNTIL), "evidence.too_large")
    live.company.close()
    assert [check(pack, *KEYS)[0] for pack in (whole, part)] == [0, 7]
    assert (json.loads(unzip(whole)["range.json"])["first"], "reports/access.jsonl" in unzip(whole)) == (0, True)
    assert (json.loads(unzip(part)["range.json"])["first"] > 20, "reports/access.jsonl" in unzip(part)) == (True, False)
    assert [each["session"] for each in report(whole, "sessions")] == [e["session"] for e in report(part, "sessions")]
    assert {each["name"] for each in report(part, "sessions")} == {""}


async def test_left_over_files_are_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live = await story(tmp_path)
    old = tmp_path / "packs" / "evidence-old.zip"
    old.parent.mkdir()
    old.write_bytes(b"")
    monkeypatch.setattr(packs, "LEFT_OVER_SECONDS", -1.0)
    path = await live.draw(START, UNTIL)
    live.company.close()
    assert list(old.parent.iterdir()) == [path]


async def test_5000_sessions_in_seconds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    live = await story(tmp_path)
    proof = MfaProof("sgn_eve", ("password", "totp"), START)
    because = Because("engineer", "v", "dev", "bnd_eve_engineer")
    for begin in range(0, 5_000, 1_000):
        ids = [f"ses_m{number}" for number in range(begin, begin + 1_000)]
        await record(
            live.company.ledger,
            *(
                SessionOpened(each, "eve", "dev-1", "app", EntryPoint.SSH_CERTIFICATE, (Action.SHELL,), UNTIL, False,
                              because, proof, "node-1", "192.0.2.1", "OpenSSH_9.2")
                for each in ids
            ),
            *map(closed, ids),
        )  # fmt: skip
    live.publish()
    began = perf_counter()
    path = await live.draw(START, UNTIL)
    seconds = perf_counter() - began
    live.company.close()
    assert isinstance(path, Path)
    assert len(report(path.read_bytes(), "sessions")) == 5_007
    with capsys.disabled():
        size = path.stat().st_size >> 10
        sys.stdout.write(f" [5,007 sessions drawn and verified in {seconds:.1f} s, {size} KiB] ")
