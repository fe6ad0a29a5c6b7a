"""Taking a list: the difference, the brake, and what an administrator says of accounts and systems."""

from dataclasses import replace
from itertools import count

from onepam.domain.history.commit import Decided
from onepam.domain.roster.cells import RowError
from onepam.domain.systems.events import (
    AccountListHeld,
    AccountListReleased,
    AccountListTaken,
    AccountSystemSet,
    ListedAccountGone,
    ListedAccountLinked,
    ListedAccountSet,
    Match,
    Standing,
)
from onepam.domain.systems.file import AccountFile, AccountRow, InvalidList
from onepam.domain.systems.importing import (
    MOST_SYSTEMS,
    HeldList,
    ListedAccount,
    ListFacts,
    ListHeld,
    ListTaken,
    Offer,
    look,
    release,
    take,
)
from onepam.domain.systems.linking import LinkFacts, SystemFacts, link, set_system
from onepam.domain.systems.matching import NOBODY, Behind, Someone
from onepam.kernel.clock import HOUR, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import ADMINISTRATOR, BEFORE, MANAGER, NOW, present

ADA, BOB = present("ada", ADMINISTRATOR), present("bob", ADMINISTRATOR)
EVE = Behind("per_eve", False, Match.EMAIL)
PEOPLE = (Someone("per_eve", "eve@example.com", (), True), Someone("per_max", "max@example.com", (), True))
FIRST = ListFacts(ADA, (), PEOPLE, None, "", frozenset(), None, 0)


def row(name: str, *rights: str, email: str | None = None, owner: str | None = None) -> AccountRow:
    return AccountRow(name, rights or ("read",), email, None, owner)


def listed(name: str, behind: Behind = NOBODY, email: str | None = None) -> ListedAccount:
    return ListedAccount(f"lac_{name}", name, ("read",), email, None, None, behind)


def offer(*rows: AccountRow, digest: str = "d2", made: Instant | None = None) -> Offer:
    return Offer("acl_2", "payroll", AccountFile(digest, rows), made)


def in_force(*accounts: ListedAccount, **other: object) -> ListFacts:
    facts = ListFacts(ADA, accounts, PEOPLE, BEFORE, "d1", frozenset({"d0", "d1"}), None, 0)
    return replace(facts, **other)  # type: ignore[arg-type]


def taken(facts: ListFacts, what: Offer) -> tuple[tuple[object, ...], ListTaken]:
    number = count(1)
    outcome = take(facts, what, lambda: f"lac_new{next(number)}", NOW)
    assert isinstance(outcome, Decided)
    assert isinstance(outcome.result, ListTaken)
    return outcome.events, outcome.result


def code(outcome: object) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.code


def test_a_first_list_is_taken_whole_and_says_who_stands_behind_each() -> None:
    events, result = taken(
        FIRST, offer(row("eve", "read", "write", email="eve@example.com"), row("batch", owner="max"))
    )
    assert events == (
        AccountListTaken("acl_2", "payroll", "d2", NOW, 2, 2, 0, 0, "ada"),
        ListedAccountSet(
            "lac_new1", "payroll", "acl_2", ("read", "write"), "per_eve", False, Match.EMAIL, None,
            "eve", "eve@example.com", None,
        ),
        ListedAccountSet(
            "lac_new2", "payroll", "acl_2", ("read",), "per_max", True, Match.OWNER, None, "batch", None, "max"
        ),
    )  # fmt: skip
    assert (result.list, result.plan.held, result.plan.difference.nobody) == ("acl_2", None, 0)


def test_only_what_differs_is_written_and_a_name_is_the_account_whatever_its_case() -> None:
    facts = in_force(listed("eve", EVE, "eve@example.com"), listed("old"), listed("max"))
    events, result = taken(facts, offer(row("eve", email="eve@example.com"), row("MAX", "read", "approve"), row("new")))
    assert events == (
        AccountListTaken("acl_2", "payroll", "d2", NOW, 3, 1, 1, 1, "ada"),
        ListedAccountSet("lac_new1", "payroll", "acl_2", ("read",), None, False, Match.NOBODY, None, "new", None, None),
        ListedAccountSet(
            "lac_max", "payroll", "acl_2", ("read", "approve"), "per_max", False, Match.NAME, None, "MAX", None, None
        ),
        ListedAccountGone("lac_old", "payroll", "acl_2", None),
    )
    assert result.plan.difference.nobody == 1


def test_what_an_administrator_said_stays_and_so_does_who_was_known() -> None:
    said = Behind("per_max", False, Match.SAID)
    gone = Behind("per_gone", False, Match.EMAIL)
    facts = in_force(listed("x", said, "eve@example.com"), listed("y", gone, "gone@example.com"))
    events, _ = taken(facts, offer(row("x", email="eve@example.com"), row("y", email="gone@example.com")))
    assert events == (AccountListTaken("acl_2", "payroll", "d2", NOW, 2, 0, 0, 0, "ada"),)


def test_an_account_that_a_list_gives_to_a_stranger_is_nobodys() -> None:
    """And not theirs who had it before: else what was handed on in the other system is never found."""
    owned = Behind("per_max", True, Match.OWNER)
    account = replace(listed("batch", owned), owner="max")
    facts = in_force(listed("y", EVE, "eve@example.com"), listed("z", EVE, "eve@example.com"), account)
    events, _ = taken(facts, offer(row("y", email="x@evil.example"), row("z"), row("batch", owner="mallory")))
    found = {each.account: (each.person, each.because) for each in events if isinstance(each, ListedAccountSet)}
    assert found == {
        "lac_y": (None, Match.NOBODY),
        "lac_z": ("per_eve", Match.EMAIL),  # the list says nothing of it any more
        "lac_batch": (None, Match.NOBODY),
    }


def test_an_account_whose_person_was_erased_is_another_from_then_on() -> None:
    erased, forgotten = replace(listed("eve", EVE), erased=True), replace(listed("x"), name=None)
    events, _ = taken(in_force(erased, listed("max"), listed("a"), forgotten), offer(row("eve"), row("max"), row("a")))
    assert [each.account for each in events if isinstance(each, ListedAccountGone)] == ["lac_eve", "lac_x"]
    assert next(each.name for each in events if isinstance(each, ListedAccountSet)) == "eve"


def test_the_brake_holds_what_lacks_more_than_half_and_what_was_in_force_before() -> None:
    facts = in_force(listed("a"), listed("b"), listed("c"), listed("d"))
    short, again = offer(row("a")), offer(row("a"), row("b"), row("c"), digest="d0")
    outcome = take(facts, short, str, NOW)
    assert isinstance(outcome, Decided)
    assert outcome.events == (AccountListHeld("acl_2", "payroll", "d2", NOW, "account_list.shrinks", 1, 3, 4, "ada"),)
    assert isinstance(outcome.result, ListHeld)
    assert taken(facts, offer(row("a"), row("b")))[1].plan.held is None  # just half
    repeated = take(facts, again, str, NOW)
    assert isinstance(repeated, Decided)
    assert [each.because for each in repeated.events if isinstance(each, AccountListHeld)] == ["account_list.again"]
    assert taken(facts, offer(*(row(each) for each in "abcd"), digest="d1"))[1].plan.difference.accounts == 4
    looked = look(facts, short, NOW)
    assert isinstance(looked, Decided)
    assert (looked.events, looked.result.held) == ((), "account_list.shrinks")


def test_a_held_list_waits_for_somebody_else_and_goes_through_once() -> None:
    held = HeldList("acl_1", "d2", Standing.HELD, "ada")
    facts = in_force(listed("a"), listed("b"), listed("c"), waits=held)
    short = offer(row("a"))
    again = take(facts, short, str, NOW)
    assert isinstance(again, Decided)
    assert (again.events, isinstance(again.result, ListHeld) and again.result.list) == ((), "acl_1")
    by_bob = replace(facts, actor=BOB)
    assert release(by_bob, "payroll", "d2", NOW) == Decided(
        (AccountListReleased("acl_1", "payroll", "d2", "bob"),), None
    )
    assert code(release(facts, "payroll", "d2", NOW)) == "account_list.self_release"
    one_hand = replace(facts, actor=replace(BOB, linked_by=("ada",)))
    assert code(release(one_hand, "payroll", "d2", NOW)) == "account_list.self_release"
    assert code(release(by_bob, "payroll", "d3", NOW)) == "account_list.digest"
    assert code(release(replace(facts, actor=present("max", MANAGER)), "payroll", "d2", NOW)) == "right.missing"
    stale = replace(facts, actor=replace(BOB, mfa_at=Instant(NOW - HOUR)))
    assert code(release(stale, "payroll", "d2", NOW)) == "factor.stale"
    let = replace(held, standing=Standing.RELEASED)
    released = replace(facts, waits=let)
    assert code(release(replace(by_bob, waits=let), "payroll", "d2", NOW)) == "account_list.not_held"
    assert code(release(replace(by_bob, waits=None), "payroll", "d2", NOW)) == "account_list.not_held"
    events, result = taken(released, short)
    assert isinstance(events[0], AccountListTaken)
    assert (events[0].list, events[0].gone, result.list) == ("acl_1", 2, "acl_1")
    other = take(released, replace(short, file=AccountFile("d3", (row("a"),))), str, NOW)
    assert isinstance(other, Decided)
    assert isinstance(other.result, ListHeld)
    assert other.result.list == "acl_2"


def test_what_is_not_taken() -> None:
    facts = in_force(listed("a"))
    wrong = InvalidList("d", (), 2)
    assert code(take(replace(facts, actor=present("max", MANAGER)), offer(row("a")), str, NOW)) == "right.missing"
    for name in ("Payroll", "", "a b", "-x", "a" * 41):
        assert code(take(facts, replace(offer(row("a")), system=name), str, NOW)) == "account_list.system"
    assert code(take(replace(FIRST, systems=MOST_SYSTEMS), offer(row("a")), str, NOW)) == "account_list.many"
    assert isinstance(take(replace(facts, systems=MOST_SYSTEMS), offer(row("a")), str, NOW), Decided)
    assert code(take(facts, offer(row("a"), made=Instant(BEFORE - 1)), str, NOW)) == "account_list.older"
    assert code(look(facts, offer(row("a"), made=Instant(NOW + HOUR + 1)), NOW)) == "account_list.ahead"
    assert taken(facts, offer(row("a"), made=BEFORE))[1].plan.made == BEFORE
    assert taken(facts, offer(row("a"), made=Instant(NOW + HOUR)))[1].plan.made == NOW
    for count_, words in ((2, "Line 2: it is so. It has 2 such mistakes."), (1, "Line 2: it is so.")):
        invalid = replace(wrong, errors=(RowError(2, "", "it is so."),), count=count_)
        refused = take(facts, Offer("acl_2", "payroll", invalid, None), str, NOW)
        assert isinstance(refused, Refused)
        assert refused.message == f"{words} Nothing was applied."


def test_who_stands_behind_an_account_is_said_by_an_administrator() -> None:
    facts = LinkFacts(ADA, listed("x"), known=True, here=False)
    assert link(facts, "payroll", "per_gone", False, NOW) == Decided(
        (ListedAccountLinked("lac_x", "payroll", "per_gone", False, "ada"),), None
    )
    assert isinstance(link(replace(facts, known=False), "payroll", None, False, NOW), Decided)
    said = replace(facts, account=listed("x", Behind(None, False, Match.SAID)))
    assert code(link(said, "payroll", None, False, NOW)) == "listed_account.linked"
    assert code(link(facts, "payroll", "per_gone", True, NOW)) == "listed_account.owner"
    assert isinstance(link(replace(facts, here=True), "payroll", "per_eve", True, NOW), Decided)
    assert code(link(replace(facts, known=False), "payroll", "per_no", False, NOW)) == "person.unknown"
    assert code(link(replace(facts, account=None), "payroll", "per_eve", False, NOW)) == "listed_account.unknown"
    assert code(link(replace(facts, actor=present("max", MANAGER)), "payroll", None, False, NOW)) == "right.missing"


def test_who_answers_for_a_system_is_said_by_an_administrator() -> None:
    facts = SystemFacts(ADA, known=True, here=True)
    for days in (1, 365):
        assert set_system(facts, "payroll", "per_max", days, NOW) == Decided(
            (AccountSystemSet("payroll", "per_max", days, "ada"),), None
        )
    for days in (0, 366):
        assert code(set_system(facts, "payroll", "per_max", days, NOW)) == "account_list.days"
    assert code(set_system(replace(facts, known=False), "x", "per_max", 1, NOW)) == "account_list.unknown"
    assert code(set_system(replace(facts, here=False), "payroll", "per_max", 1, NOW)) == "account_list.owner"
    assert code(set_system(replace(facts, actor=present("max", MANAGER)), "payroll", "x", 1, NOW)) == "right.missing"
