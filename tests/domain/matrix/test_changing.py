"""Who may change the role matrix, and with whose yes."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.access.authority import ActorFacts, HeldRole
from onepam.domain.access.events import RoleSet
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proposal import ProposalKind, ProposalRefused
from onepam.domain.history.commit import Decided
from onepam.domain.matrix.changing import (
    MOST_WAITING,
    Applied,
    ChangeFacts,
    MatrixFacts,
    Proposed,
    Unchanged,
    apply,
    approve,
    look,
    reject,
)
from onepam.domain.matrix.events import ChangeApplied, ChangeApproved, ChangeProposed, ChangeRefused, ChangeRejected
from onepam.domain.matrix.file import InvalidFile, read_access
from onepam.domain.matrix.matrix import Matrix
from onepam.domain.matrix.motive import Motive
from onepam.domain.matrix.plan import Plan
from onepam.domain.people.events import GroupMemberAdded
from onepam.domain.requests.asking import OpenRequest
from onepam.kernel import limits
from onepam.kernel.clock import HOUR, later
from onepam.kernel.errors import Refused
from tests.domain.given import proposal
from tests.domain.small_company import FILE, KEY, NARROWER, NOW, PEOPLE, WIDER, base, substance


def actor(person: str = "ada", *rights: ConsoleRight, until: int = HOUR) -> ActorFacts:
    held = HeldRole("bnd", "", "some", "v", (), rights or (ConsoleRight.ADMINISTER,), None)
    return ActorFacts(person, True, None, later(NOW, until), NOW, (held,))


WHY = Motive("The web at night", "the night shift needs it", "OPS-7")
FACTS = MatrixFacts(actor(), base(), PEOPLE, (), (), True, None)


def digest(text: str, facts: MatrixFacts = FACTS) -> str:
    decided = look(facts, read_access(text), NOW)
    assert isinstance(decided, Decided)
    assert isinstance(decided.result, Plan)
    return decided.result.digest


def run(decided: Decided[Any] | Refused) -> tuple[list[type], Any]:
    """The kinds of the events, and the result; a bare refusal has none."""
    if isinstance(decided, Refused):
        return [], decided.code
    result = decided.result
    return [type(each) for each in decided.events], result.code if isinstance(result, Refused) else result


def applied(text: str, facts: MatrixFacts = FACTS) -> tuple[list[type], Any]:
    return run(apply(facts, read_access(text), "chg", digest(text, facts), NOW, WHY))


def waiting(text: str, proposer: str = "ada", by: str = "bob", *, present: bool = True) -> MatrixFacts:
    """The facts of `by` while the proposal of `text` waits."""
    laid = replace(proposal(ProposalKind.CHANGE, "chg", proposer, since=later(NOW, -1)), present=present)
    change = ChangeFacts("chg", read_access(text).document, digest(text), "proposed", laid)
    return replace(FACTS, actor=actor(by), change=change)


def approved(text: str, facts: MatrixFacts, shown: str | None = None, of: str | None = None) -> tuple[list[type], Any]:
    assert facts.change is not None
    return run(approve(facts, read_access(shown or text), "chg", of or facts.change.digest, NOW))


# --- looking ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("right", [ConsoleRight.ADMINISTER, ConsoleRight.AUDIT])
def test_administrators_and_auditors_may_look(right: ConsoleRight) -> None:
    events, plan = run(look(replace(FACTS, actor=actor("ada", right)), read_access(WIDER), NOW))
    assert (events, plan.widens) == ([], True)


def test_others_may_not_look() -> None:
    facts = replace(FACTS, actor=actor("max", ConsoleRight.APPROVE))
    assert run(look(facts, read_access(FILE), NOW)) == ([], "right.missing")
    assert run(look(replace(FACTS, actor=actor(until=0)), read_access(FILE), NOW)) == ([], "sign_in.ended")
    assert run(look(replace(FACTS, actor=None), read_access(FILE), NOW)) == ([], "bootstrap.over")


def test_a_broken_file_gives_its_problems() -> None:
    broken = read_access(FILE.replace("kind: ssh", "kind: shh"))
    for decided in (look(FACTS, broken, NOW), apply(FACTS, broken, "chg", None, NOW)):
        events, result = run(decided)
        assert events == []
        assert isinstance(result, InvalidFile)


# --- why -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("motive", "code"),
    [
        (Motive(), "text.missing"),
        (Motive("A title", "", "OPS-7"), "text.missing"),
        (Motive("", "a reason"), "text.missing"),
        (Motive("x" * 121, "a reason"), "text.too_long"),
        (Motive("A title", "a reason", "OPS-\u202e7"), "text.not_plain"),
    ],
)
def test_whoever_changes_the_matrix_says_why(motive: Motive, code: str) -> None:
    assert run(apply(FACTS, read_access(WIDER), "chg", digest(WIDER), NOW, motive)) == ([], code)


def test_the_words_are_kept_with_the_proposal_plain() -> None:
    said = Motive("  The web\nat night", "the night shift needs it", "")
    decided = apply(FACTS, read_access(WIDER), "chg", digest(WIDER), NOW, said)
    assert isinstance(decided, Decided)
    proposal = decided.events[0]
    assert isinstance(proposal, ChangeProposed)
    assert (proposal.title, proposal.reason, proposal.ticket) == ("The web at night", "the night shift needs it", None)


# --- applying --------------------------------------------------------------------------------------------------------


def test_what_widens_nothing_is_in_force_at_once() -> None:
    events, result = applied(NARROWER)
    assert events == [ChangeProposed, ChangeApplied, RoleSet]
    assert isinstance(result, Applied)


def test_what_widens_waits() -> None:
    decided = apply(FACTS, read_access(WIDER), "chg", digest(WIDER), NOW, WHY)
    events, result = run(decided)
    assert events == [ChangeProposed]
    assert isinstance(result, Proposed)
    assert isinstance(decided, Decided)
    (proposed,) = decided.events
    assert isinstance(proposed, ChangeProposed)
    assert (proposed.by, proposed.widens, proposed.text, proposed.digest) == ("ada", True, WIDER, result.plan.digest)
    assert "@" not in proposed.summary


def test_what_says_what_is_is_nothing() -> None:
    events, result = applied(FILE)
    assert events == []
    assert isinstance(result, Unchanged)


def test_only_administrators_apply_and_only_what_was_planned() -> None:
    text = read_access(NARROWER)
    auditor = replace(FACTS, actor=actor("aud", ConsoleRight.AUDIT))
    assert run(apply(auditor, text, "chg", digest(NARROWER), NOW, WHY)) == ([], "right.missing")
    assert run(apply(FACTS, text, "chg", digest(WIDER), NOW, WHY)) == ([], "change.overtaken")
    assert run(apply(FACTS, text, "chg", None, NOW, WHY)) == ([], "change.overtaken")
    assert run(apply(waiting(WIDER, by="ada"), text, "chg", digest(NARROWER), NOW, WHY)) == ([], "change.exists")


OWN_GAINS = {
    "access": ("[eve@example.com]", "[eve@example.com, ada@example.com]", "shell, exec as app on web"),
    "console": ("person: max@example.com", "person: ada@example.com", "the console right approve"),
    "approving": ("person: max@example.com", "person: ada@example.com", "approving requests for dev/prod"),
}


@pytest.mark.parametrize(("old", "new", "what"), OWN_GAINS.values(), ids=OWN_GAINS)
def test_nobody_applies_what_they_gain_by_themselves(old: str, new: str, what: str) -> None:
    text = FILE.replace(old, new)
    decided = apply(FACTS, read_access(text), "chg", digest(text), NOW, WHY)
    assert isinstance(decided, Decided)
    assert decided.events == (ChangeRefused("chg", "ada", "change.own_gain"),)
    assert isinstance(decided.result, Refused)
    assert what in decided.result.message


def test_a_long_list_of_gains_is_shortened() -> None:
    more = "".join(
        f"  web{number}: {{kind: ssh, address: 'w{number}:22', labels: {{env: prod}}, owner: ada@example.com, "
        f"logins: [app], host_keys: ['{KEY}']}}\n"
        for number in range(5)
    )
    text = FILE.replace("[eve@", "[ada@example.com, eve@").replace("roles:\n", f"{more}roles:\n")
    decided = apply(FACTS, read_access(text), "chg", digest(text), NOW, WHY)
    assert isinstance(decided, Decided)
    assert "on web, web0, web1 and 3 more." in decided.result.message  # type: ignore[union-attr]


def test_nobody_locks_everybody_out() -> None:
    none = FILE.replace("console: [administer]", "console: [monitor]")
    assert applied(none) == ([], "change.lock_out")
    gone = replace(FACTS, people=tuple(replace(each, enabled=each.person not in ("ada", "bob")) for each in PEOPLE))
    assert applied(NARROWER, gone) == ([], "change.lock_out")
    late = replace(FACTS, people=tuple(replace(each, ends=NOW) for each in PEOPLE))
    assert applied(NARROWER, late) == ([], "change.lock_out")


def test_a_change_that_is_too_large_for_one_command_is_refused() -> None:
    asked = OpenRequest("req", substance(), "d", later(NOW, HOUR))
    requests = tuple(replace(asked, request=f"req_{number}") for number in range(limits.MAX_EVENTS_PER_COMMAND))
    assert applied(NARROWER, replace(FACTS, requests=requests)) == ([], "change.too_large")


def test_no_more_wait_than_somebody_looks_through() -> None:
    full = replace(FACTS, waiting=MOST_WAITING)
    assert applied(WIDER, full) == ([], "change.many")
    assert isinstance(applied(WIDER, replace(full, waiting=MOST_WAITING - 1))[1], Proposed)
    assert isinstance(applied(NARROWER, full)[1], Applied), "what widens nothing waits for nobody"


# --- the bootstrap ---------------------------------------------------------------------------------------------------

NOBODY = replace(FACTS, actor=None, signed_in_ever=False, matrix=Matrix({}, {}, {}, {}))


def test_before_anybody_signed_in_a_file_is_in_force_at_once() -> None:
    for expected in (None, digest(FILE, NOBODY)):
        decided = apply(NOBODY, read_access(FILE), "chg", expected, NOW)
        assert isinstance(decided, Decided)
        proposed, in_force, *_ = decided.events
        assert isinstance(proposed, ChangeProposed)
        assert (proposed.by, proposed.widens) == (None, True)
        assert isinstance(in_force, ChangeApplied)
        assert (in_force.by, in_force.bootstrap) == (None, True)


def test_the_bootstrap_ends_with_the_first_sign_in() -> None:
    after = replace(NOBODY, signed_in_ever=True)
    assert run(apply(after, read_access(FILE), "chg", None, NOW)) == ([], "bootstrap.over")
    assert run(apply(NOBODY, read_access(FILE), "chg", "0" * 64, NOW)) == ([], "change.overtaken")


# --- approving -------------------------------------------------------------------------------------------------------


def test_another_administrator_puts_it_in_force() -> None:
    events, result = approved(WIDER, waiting(WIDER))
    assert events == [ChangeApproved, ChangeApplied, RoleSet]
    assert isinstance(result, Applied)


def test_nobody_approves_their_own() -> None:
    assert approved(WIDER, waiting(WIDER, by="ada")) == ([ProposalRefused], "change.self_approval")


def test_an_approval_is_for_what_was_proposed() -> None:
    assert approved(WIDER, waiting(WIDER), shown=NARROWER) == ([ChangeRefused], "change.digest")
    assert approved(WIDER, waiting(WIDER), of="0" * 64) == ([ChangeRefused], "change.digest")


def test_only_administrators_approve_and_only_what_waits() -> None:
    facts = waiting(WIDER)
    assert facts.change is not None
    assert approved(WIDER, replace(facts, actor=actor("max", ConsoleRight.APPROVE))) == ([], "right.missing")
    assert approved(WIDER, replace(facts, change=replace(facts.change, status="applied", proposal=None))) == (
        [],
        "change.closed",
    )
    assert run(approve(FACTS, read_access(WIDER), "chg", "d", NOW)) == ([], "change.unknown")


def test_what_was_overtaken_is_rejected() -> None:
    overtaken = replace(waiting(WIDER), matrix=base(NARROWER))
    assert approved(WIDER, overtaken) == ([ChangeRejected], "change.overtaken")
    unknown = replace(waiting(WIDER), people=tuple(each for each in PEOPLE if each.person != "eve"))
    assert approved(WIDER, unknown) == ([ChangeRejected], "change.overtaken")


def test_a_proposer_who_left_stands_behind_nothing() -> None:
    assert approved(WIDER, waiting(WIDER, present=False)) == ([ChangeRejected], "change.proposer_left")


def test_neither_approver_nor_proposer_gains() -> None:
    text = FILE.replace("[eve@example.com]", "[eve@example.com, bob@example.com]")
    assert approved(text, waiting(text)) == ([ChangeRefused], "change.own_gain")
    assert approved(text, waiting(text, proposer="bob", by="ada")) == ([ChangeRefused], "change.own_gain")
    assert approved(text, waiting(text, proposer="ada", by="max"))[0] == [
        ChangeApproved,
        ChangeApplied,
        GroupMemberAdded,
    ]


def test_an_approval_locks_nobody_out() -> None:
    text = FILE.replace("{role: admin, person: ada@", "{role: admin, person: eve@")
    text = text.replace("  - {role: admin, person: bob@example.com, because: founded it}\n", "")
    facts = waiting(text)
    assert approved(text, facts)[0][:2] == [ChangeApproved, ChangeApplied]
    gone = replace(facts, people=tuple(replace(each, enabled=each.person != "eve") for each in PEOPLE))
    assert approved(text, gone) == ([ChangeRejected], "change.lock_out")


# --- rejecting -------------------------------------------------------------------------------------------------------


def test_an_administrator_says_no_with_a_reason() -> None:
    facts = waiting(WIDER)
    decided = reject(facts, "chg", "too long", NOW)
    assert isinstance(decided, Decided)
    assert decided.events == (ChangeRejected("chg", "bob", "change.denied", "too long"),)
    assert run(reject(facts, "chg", " ", NOW)) == ([], "text.missing")
    assert run(reject(replace(facts, actor=actor("max", ConsoleRight.APPROVE)), "chg", "x", NOW)) == (
        [],
        "right.missing",
    )
    assert run(reject(FACTS, "chg", "x", NOW)) == ([], "change.unknown")


def test_a_proposer_takes_it_back_without_one() -> None:
    decided = reject(waiting(WIDER, by="ada"), "chg", "", NOW)
    assert isinstance(decided, Decided)
    assert decided.events == (ChangeRejected("chg", "ada", "change.withdrawn", ""),)
