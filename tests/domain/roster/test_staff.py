"""The roster's difference, its brake, and what follows for accounts."""

from dataclasses import replace

import pytest

from onepam.domain.history.commit import Decided
from onepam.domain.leaving.brake import (
    BrakeFacts,
    DirectoryPersonDecided,
    DirectoryPersonHeld,
    HoldReason,
    PersonHold,
)
from onepam.domain.leaving.leaving import Held
from onepam.domain.people.events import PersonAdded, PersonChanged, PersonDisabled, PersonKind
from onepam.domain.roster.cells import RowError
from onepam.domain.roster.difference import Account, Entry, RosterDifference, brake, difference
from onepam.domain.roster.events import (
    RosterEntryEnded,
    RosterHeld,
    RosterLinked,
    RosterRefused,
    RosterRules,
    RosterRulesSet,
    RosterSourceSet,
    RosterTaken,
    Standing,
)
from onepam.domain.roster.file import InvalidRoster, RosterFile, RosterRow
from onepam.domain.roster.following import Followed, FollowFacts, Joiner, Says, Steps, follow
from onepam.domain.roster.taking import (
    MOST_ENTRIES,
    Offer,
    RosterFacts,
    Took,
    VersionFacts,
    look,
    not_had,
    release,
    set_rules,
    set_source,
    take,
)
from onepam.domain.signing_in.rules import FRESH_FACTOR
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import ADA, ADMINISTRATOR, LATER, NOW, present

EMPLOYEE, VENDOR = PersonKind.EMPLOYEE, PersonKind.VENDOR


def staff_row(number: int, **more: object) -> RosterRow:
    known = RosterRow(str(number), f"P{number}", f"p{number}@x.org", EMPLOYEE, None, None, None, None, None, "UTC")
    return replace(known, **more)  # type: ignore[arg-type]


def entry(number: int, **more: object) -> Entry:
    known = Entry(
        f"stf_{number}", f"per_{number}", str(number), f"P{number}", f"p{number}@x.org", EMPLOYEE,
        None, None, None, None, None, "UTC", None,
    )  # fmt: skip
    return replace(known, **more)  # type: ignore[arg-type]


def account(number: int) -> Account:
    return Account(f"per_{number}", f"P{number}", f"p{number}@x.org")


def diff(entries: list[Entry], rows: list[RosterRow], accounts: list[Account]) -> RosterDifference:
    return difference(entries, rows, accounts, [f"new_{each.number}" for each in rows], NOW)


def test_rows_are_matched_by_number_and_linked_by_address() -> None:
    soon = Instant(NOW + DAY)
    found = diff(
        [entry(1), entry(2), entry(3, removed=NOW), entry(4), replace(entry(5), number=None, email=None, person=None)],
        [staff_row(1), staff_row(2, manager="1", ends=soon), staff_row(3, email="other@x.org"), staff_row(6)],
        [account(number) for number in range(1, 7)],
    )
    assert [(each.entry, each.person) for each in found.added] == [("new_3", None), ("new_6", "per_6")]
    assert [each.after.manager for each in found.changed if each.after] == ["stf_1"]
    assert [each.entry for each in found.ended] == ["stf_4", "stf_5"]
    assert [each.person for each in found.leavers] == ["per_2", "per_4"]
    assert [type(each).__name__ for each in found.events("v", NOW)] == [
        "RosterEntrySet", "RosterEntrySet", "RosterEntrySet", "RosterEntryEnded", "RosterEntryEnded",
    ]  # fmt: skip


def test_a_return_keeps_its_entry_and_a_new_number_its_person() -> None:
    found = diff(
        [entry(1, removed=NOW), entry(2)],
        [staff_row(1), staff_row(22, email="p2@x.org", sponsor="1")],
        [account(2)],
    )
    assert [(each.entry, each.person, each.sponsor) for each in found.added] == [
        ("stf_1", "per_1", None),
        ("new_22", "per_2", "stf_1"),
    ]
    assert found.leavers == ()
    ended = found.events("v", NOW)[-1]
    assert isinstance(ended, RosterEntryEnded)
    assert ended.left_at == NOW


@pytest.mark.parametrize(
    ("ended", "kept", "percent", "code"),
    [
        (0, 40, 50, None),
        (2, 1, 50, None),
        (20, 20, 50, None),
        (21, 19, 50, "roster.leavers"),
        (21, 19, 60, None),
        (6, 0, 90, "roster.empty"),
    ],
)
def test_a_version_that_looks_broken_is_held(ended: int, kept: int, percent: int, code: str | None) -> None:
    people = range(1, ended + kept + 1)
    accounts = [account(number) for number in people]
    found = diff([entry(number) for number in people], [staff_row(number) for number in people[ended:]], accounts)
    assert brake(found, accounts, RosterRules(percent)) == code


def test_rows_without_accounts_count_too() -> None:
    found = diff([entry(number, person=None) for number in range(10)], [staff_row(1)], [])
    assert brake(found, [], RosterRules()) == "roster.shrinks"


FACTS = RosterFacts(present("ada", ADMINISTRATOR), (), (), RosterRules(), None, None)
FILE = RosterFile("d" * 64, (staff_row(1),))
BAD = InvalidRoster("e" * 64, (RowError(2, "name", "it is empty."),), 1)
OFFER = Offer("stv_1", FILE, ("stf_1",), "upload", NOW)
HELD = VersionFacts("stv_0", FILE.digest, Standing.HELD, "roster.leavers")


def code(outcome: object) -> str:
    refused = outcome.result if isinstance(outcome, Decided) else outcome
    assert isinstance(refused, Refused)
    return refused.code


def test_a_version_is_looked_at_and_taken() -> None:
    looked = look(FACTS, ADA, OFFER, NOW)
    assert isinstance(looked, Decided)
    assert not looked.events
    taken = take(FACTS, ADA, OFFER, FILE.digest, NOW)
    assert isinstance(taken, Decided)
    assert taken.events[-1] == RosterTaken("stv_1", FILE.digest, "upload", 1, 1, 0, 0, NOW, "ada")
    again = take(replace(FACTS, released=HELD), None, OFFER, None, NOW)
    assert isinstance(again, Decided)
    assert isinstance(again.result, Took)
    assert again.result.version == "stv_0"


def test_a_large_load_is_not_in_force_before_its_last_command() -> None:
    rows = tuple(staff_row(number) for number in range(MOST_ENTRIES + 1))
    offer = replace(OFFER, file=RosterFile("d" * 64, rows), fresh=tuple(f"stf_{each.number}" for each in rows))
    outcome = take(FACTS, ADA, offer, None, NOW)
    assert isinstance(outcome, Decided)
    assert isinstance(outcome.result, Took)
    assert outcome.result.more
    assert len(outcome.events) == MOST_ENTRIES


def test_what_is_not_taken() -> None:
    nobody = replace(FACTS, actor=present("ada"))
    assert code(look(nobody, ADA, OFFER, NOW)) == "right.missing"
    assert code(look(FACTS, ADA, replace(OFFER, file=BAD), NOW)) == "roster.invalid"
    assert code(take(nobody, ADA, OFFER, None, NOW)) == "right.missing"
    assert code(take(FACTS, ADA, OFFER, "0" * 64, NOW)) == "roster.digest"
    refused = take(FACTS, ADA, replace(OFFER, file=BAD), None, NOW)
    assert isinstance(refused, Decided)
    assert isinstance(refused.events[0], RosterRefused)
    known = replace(FACTS, newest=VersionFacts("stv_0", BAD.digest, Standing.REFUSED, "roster.invalid"))
    two = replace(BAD, count=2)
    again = take(known, ADA, replace(OFFER, file=two), None, NOW)
    assert isinstance(again, Refused), "told already"
    other = take(known, ADA, replace(OFFER, file=replace(two, digest="f" * 64)), None, NOW)
    assert isinstance(other, Decided), "another file is told by itself"
    assert len(other.events) == 1


def test_a_pull_that_brought_nothing_is_told_once() -> None:
    down = Refused("fetch.down", "It is down.")
    told = not_had(FACTS, OFFER, down)
    assert isinstance(told.events[0], RosterRefused)
    known = replace(FACTS, newest=VersionFacts("stv_0", "", Standing.REFUSED, "fetch.down"))
    assert not_had(known, OFFER, down).events == ()
    assert len(not_had(known, OFFER, replace(down, code="fetch.tls")).events) == 1, "another reason is told"


def test_an_empty_version_is_held_once() -> None:
    empty = replace(OFFER, file=RosterFile("d" * 64, ()), fresh=())
    held = take(FACTS, None, empty, None, NOW)
    assert isinstance(held, Decided)
    assert len(held.events) == 1
    again = take(replace(FACTS, newest=HELD), None, empty, None, NOW)
    assert isinstance(again, Decided)
    assert again.events == ()


def test_another_file_than_the_held_one_is_held_by_itself() -> None:
    other = replace(OFFER, file=RosterFile("f" * 64, ()), fresh=())
    held = take(replace(FACTS, newest=HELD), None, other, None, NOW)
    assert isinstance(held, Decided)
    assert [(each.version, each.digest) for each in held.events if isinstance(each, RosterHeld)] == [
        ("stv_1", "f" * 64)
    ]
    assert getattr(held.result, "version", "") == "stv_1"


def test_a_factor_is_fresh_for_less_than_five_minutes() -> None:
    held = replace(FACTS, newest=HELD)
    assert isinstance(release(held, ADA, FILE.digest, Instant(NOW + FRESH_FACTOR - 1)), Decided)
    assert code(release(held, ADA, FILE.digest, Instant(NOW + FRESH_FACTOR))) == "factor.stale"


def test_releasing_and_setting() -> None:
    held = replace(FACTS, newest=HELD)
    assert isinstance(release(held, ADA, FILE.digest, NOW), Decided)
    stale = Instant(NOW + 6 * MINUTE)
    nobody, off = replace(FACTS, actor=present("ada")), replace(FACTS, actor=None)
    source = RosterSourceSet("hr.x.org", HOUR, "ada")
    assert code(release(nobody, ADA, FILE.digest, NOW)) == "right.missing"
    assert code(release(held, ADA, FILE.digest, stale)) == "factor.stale"
    assert code(release(off, ADA, FILE.digest, NOW)) == "factor.stale"
    assert code(release(FACTS, ADA, FILE.digest, NOW)) == "roster.not_held"
    assert code(release(held, ADA, "0" * 64, NOW)) == "roster.digest"
    assert set_source(FACTS, ADA, source, NOW) == Decided((source,), None)
    assert code(set_source(nobody, ADA, source, NOW)) == "right.missing"
    assert code(set_source(FACTS, ADA, source, stale)) == "factor.stale"
    assert code(set_source(FACTS, ADA, replace(source, interval=1), NOW)) == "roster.interval"
    assert code(set_source(FACTS, ADA, replace(source, directory={"planet": "mars"}), NOW)).startswith("roster.")
    rules = RosterRules(columns=(("name", "Name"),))
    assert set_rules(FACTS, ADA, rules, NOW) == Decided(
        (RosterRulesSet(50, 24 * HOUR, False, {"name": "Name"}, "ada"),), None
    )
    assert code(set_rules(nobody, ADA, rules, NOW)) == "right.missing"
    assert code(set_rules(FACTS, ADA, rules, stale)) == "factor.stale"
    for share in (49, 91):
        assert code(set_rules(FACTS, ADA, RosterRules(share), NOW)) == "roster.brake"
    assert isinstance(set_rules(FACTS, ADA, RosterRules(90), NOW), Decided)
    assert code(set_rules(FACTS, ADA, RosterRules(stale_after=1), NOW)) == "roster.stale"
    assert code(set_rules(FACTS, ADA, RosterRules(columns=(("floor", "x"),)), NOW)) == "roster.columns"


SAYS = Says(EMPLOYEE, "max", None, None)
EVE = Followed("eve", None, NOW, EMPLOYEE, None, None, None, "Eve", "eve@x.org", SAYS)


@pytest.mark.parametrize(
    ("followed", "event"),
    [
        (EVE, PersonChanged("eve", None, "max", None, None, "Eve", "eve@x.org", EMPLOYEE)),
        (replace(EVE, manager="max"), None),
        (replace(EVE, says=replace(SAYS, manager="eve")), None),
        (replace(EVE, says=Says(VENDOR, None, None, LATER)), None),
        (replace(EVE, says=Says(VENDOR, None, "max", LATER)),
         PersonChanged("eve", None, None, "max", LATER, "Eve", "eve@x.org", VENDOR)),
        (replace(EVE, left_at=NOW), None),
    ],
)  # fmt: skip
def test_accounts_become_what_the_roster_says(followed: Followed, event: object) -> None:
    decided = follow(FollowFacts((), (followed,), (), {}), (), "hld_1", NOW)
    assert decided.events == (() if event is None else (event,))


HOLD = PersonHold("hld_1", "roster", HoldReason.MANY, "", NOW, None, NOW)


def test_the_brake_holds_leavers_of_the_roster_too() -> None:
    gone = tuple(replace(EVE, person=f"p{each}", left_at=NOW) for each in range(7))
    brake = BrakeFacts(people=10, ended=0, administrators=frozenset({"p0"}), staying=frozenset({"p0"}))
    facts = FollowFacts((), gone, (), {each.person: Held() for each in gone}, brake)
    decided = follow(facts, (), "hld_1", NOW)
    held = {each.person: each.reason.value for each in decided.events if isinstance(each, DirectoryPersonHeld)}
    assert held == {"p0": "last_administrator", "p6": "many"}
    assert decided.result.left == 7
    back = replace(facts, followed=(), back=(("p6", HOLD),))
    decided = follow(back, (), "hld_2", NOW)
    assert isinstance(decided.events[0], DirectoryPersonDecided)
    assert decided.result.any()
    ends = replace(EVE, manager="max", says=replace(SAYS, ends=LATER))
    assert follow(FollowFacts((), (ends,), (), {}, brake), (), "hld_1", NOW).result.changed == 1
    alone = replace(brake, administrators=frozenset({"eve"}), staying=frozenset({"eve"}))
    assert follow(FollowFacts((), (ends,), (), {}, alone), (), "hld_1", NOW).events == ()
    # One version gives both administrators an end: the second one would leave nobody, so it is not followed.
    both = frozenset({"eve", "max"})
    two = (ends, replace(ends, person="max", manager=None, says=replace(ends.says, manager=None)))
    facts = FollowFacts((), two, (), {}, replace(brake, administrators=both, staying=both))
    changed = [each for each in follow(facts, (), "hld_1", NOW).events if isinstance(each, PersonChanged)]
    assert [(each.person, each.ends) for each in changed] == [("eve", LATER)]


def test_links_leavers_and_joiners() -> None:
    gone = replace(EVE, left_at=LATER)
    joiners = (
        Joiner("stf_7", "Joy", "joy@x.org", SAYS),
        Joiner("stf_8", "Vic", "vic@x.org", Says(VENDOR, None, None, LATER)),
        Joiner("stf_9", "Val", "val@x.org", Says(VENDOR, None, "max", LATER)),
    )
    facts = FollowFacts((("stf_1", "ada"),), (gone,), joiners, {"eve": Held()})
    decided = follow(facts, ("per_7", "per_8", "per_9"), "hld_1", NOW)
    kinds = [type(each) for each in decided.events]
    assert kinds == [RosterLinked, PersonDisabled, PersonAdded, RosterLinked, PersonAdded, RosterLinked]
    assert decided.result == Steps(1, 0, 1, 2)
    assert decided.result.any()
    assert not Steps(0, 0, 0, 0).any()
    disabled = decided.events[1]
    assert isinstance(disabled, PersonDisabled)
    assert (disabled.origin, disabled.left_at, disabled.notified) == ("roster", LATER, NOW)
