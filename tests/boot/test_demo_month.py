"""The large demo's history, at a small size: lawful, as much as was asked for, and the same each time."""

from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from onepam.boot.demo.company import founding
from onepam.boot.demo.month import DAYS, LARGE, Guest, Size, lay, stretch_at
from onepam.boot.demo.variety import REFUSED, Variety
from onepam.boot.demo.work import Work
from onepam.domain.requests.events import RequestApproved, RequestDenied, RequestMade, RequestWithdrawn
from onepam.domain.sessions.events import EntryPoint
from onepam.domain.sessions.recordings import Condition
from onepam.gateway.recheck import claimed, recheck
from onepam.kernel.clock import DAY, MICROSECOND, SECOND, Instant, parse
from onepam.signing.author import NodeAuthor
from onepam.store.db import rows
from onepam.store.engine.database import connect
from onepam.store.read.leavers import leavers
from onepam.store.read.sessions import SessionFilter, count_refusals, sessions
from tests.lawful import assert_lawful

UNTIL = parse("2026-11-20T17:00:00Z")
SMALL = LARGE.times(0.01)
KEY = bytes(32)
GUEST = Guest("Ada Admin", "ada@demo.example", ("administrator",), "ab" * 32)


def laid(path: Path) -> list[tuple[int, str, str]]:
    """Lays the history; time, kind and what is not personal of each entry, but for what is drawn anew each time."""
    lay(path, NodeAuthor.uncertified("node-1"), SMALL, UNTIL, guests=[GUEST])
    with closing(connect(path, read_only=True)) as db:
        found = rows(db, "SELECT time, kind, json_remove(CAST(body AS TEXT), '$.payload') FROM entry ORDER BY idx")
        return [(each[0], each[1], each[2]) for each in found]


def test_the_history_is_lawful_and_of_its_size(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    lay(tmp_path / "a", NodeAuthor.uncertified("node-1"), SMALL, UNTIL, lambda *done: told.append(done), [GUEST])
    assert_lawful(tmp_path / "a")
    with closing(connect(tmp_path / "a", read_only=True)) as db:
        sizes = {
            table: rows(db, f"SELECT count(DISTINCT {table}) FROM {table}")[0][0]
            for table in ("person", "resource", "session", "request")
        }
        open_sessions = rows(db, "SELECT count(*) FROM session WHERE status = 'open' AND valid_until > ?", (UNTIL,))
        oldest = rows(db, "SELECT min(opened) FROM session")[0][0]
        times = [each[0] for each in rows(db, "SELECT time FROM entry ORDER BY idx")]
        link = rows(db, "SELECT person, token_digest FROM enrolment WHERE person = ?", (GUEST.person,))[0]
    assert sizes == {
        "person": SMALL.people + 1,
        "resource": SMALL.resources,
        "session": SMALL.sessions,
        "request": SMALL.requests,
    }
    assert open_sessions[0][0] == 0
    assert UNTIL - 31 * DAY < oldest < UNTIL - 28 * DAY
    assert tuple(link) == (GUEST.person, GUEST.token_digest)
    first = [each for each in times if each < times[0] + SECOND]
    commands = 1 + sum(after != before + MICROSECOND for before, after in pairwise(first))
    assert commands == 1 + len(list(founding(SMALL.people, SMALL.resources))), "each reads as one of its own"
    assert told[-1] == (SMALL.stretches, SMALL.stretches)
    assert told == sorted(told)


def test_it_is_lawful_where_few_ask_for_much(tmp_path: Path) -> None:
    crowded = replace(SMALL, requests=100 * SMALL.requests)
    lay(tmp_path / "a", NodeAuthor.uncertified("node-1"), crowded, UNTIL, guests=[GUEST])
    assert_lawful(tmp_path / "a")


def test_a_longer_one_is_lawful_too_though_vendors_go(tmp_path: Path) -> None:
    longer = Size(30, 120, sessions=600, requests=30, days=70)
    lay(tmp_path / "a", NodeAuthor.uncertified("node-1"), longer, UNTIL)
    assert_lawful(tmp_path / "a")
    with closing(connect(tmp_path / "a", read_only=True)) as db:
        opened = rows(db, "SELECT person, min(opened), max(opened) FROM session GROUP BY person")
    oldest = min(first for _, first, _ in opened)
    last = {person: last for person, _, last in opened}
    assert UNTIL - 71 * DAY < oldest < UNTIL - 68 * DAY
    assert UNTIL - 21 * DAY < last["per_24"] < UNTIL - 8 * DAY, "gone after 64 days"


def test_every_request_of_the_large_one_is_decided_within_its_day() -> None:
    work, over = Work(LARGE.people, LARGE.resources, "node-1", Instant(UNTIL - (DAYS + 1) * DAY)), dict[str, Instant]()
    decided = 0
    for number in range(LARGE.stretches):
        sessions, requests = (
            total * (number + 1) // LARGE.stretches - total * number // LARGE.stretches
            for total in (LARGE.sessions, LARGE.requests)
        )
        now = stretch_at(number, UNTIL)
        for event in work.stretch(now, sessions, requests):
            if isinstance(event, RequestMade):
                over[event.request] = event.expires
            elif isinstance(event, RequestApproved | RequestDenied | RequestWithdrawn):
                decided += 1
                assert now < over[event.request], event
    assert decided > LARGE.requests * 0.9


def test_it_is_the_same_each_time(tmp_path: Path) -> None:
    assert laid(tmp_path / "a") == laid(tmp_path / "b")


def test_it_shows_what_a_month_of_plain_work_does_not(tmp_path: Path) -> None:
    """Lawful, too: a database's sessions and others with recordings that are whole, refusals, leavers of every kind."""
    size, recordings = replace(SMALL, days=1, sessions=20, requests=5), tmp_path / "recordings"
    recordings.mkdir()
    variety = Variety(size.people, "node-1", UNTIL, recordings, lambda session: KEY)
    lay(tmp_path / "a", NodeAuthor.uncertified("node-1"), size, UNTIL, guests=[GUEST], variety=variety)
    assert_lawful(tmp_path / "a")
    with closing(connect(tmp_path / "a", read_only=True)) as db:
        shown = [each for each in sessions(db, UNTIL) if each.session.startswith("ses_shown")]
        refused = count_refusals(db, UNTIL, SessionFilter())
        left = leavers(db, UNTIL, Instant(UNTIL - DAY), UNTIL).people
        kinds = {each[0]: each[1] for each in rows(db, "SELECT kind, count(*) FROM person GROUP BY kind")}
    kept = [each for each in shown if each.chunks]
    assert (len(shown), len(kept), refused) == (8, 7, len(REFUSED))
    assert [each.gap for each in shown if not each.chunks] == ["the gateway's process died"]
    for each in kept:
        claim = claimed(each.session, each.head or "", each.chunks or 0, each.counts, True, None, {})
        assert recheck(recordings, lambda session: KEY, claim).condition is Condition.WHOLE, each.session
    did = {name for each in kept for name, count in each.counts.items() if count}
    assert {"executions", "files", "channels", "outputs"} <= did
    assert {each.entry for each in kept} == {EntryPoint.POSTGRES_CERTIFICATE, EntryPoint.SSH_CERTIFICATE}
    assert sorted(each.findings(UNTIL) for each in left) == [(), (), ("longer than 24 hours",)]
    assert {(each.systems[0].refused, each.systems[0].unanswered) for each in left} == {(1, 0), (0, 1)}
    assert kinds["service"] == 3
    assert kinds["vendor"] > 2
