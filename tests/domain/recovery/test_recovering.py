"""Getting back in by a command on the host: on what it rests, what it undoes, and what it does not touch."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.access.events import BindingAdded
from onepam.domain.access.model import SubjectKind
from onepam.domain.history.commit import Decided
from onepam.domain.host.announcing import (
    DELAY,
    AccessRecoveryAnnounced,
    AccessRecoveryCancelled,
    Announcement,
    Deed,
    Ground,
    HostFacts,
    cancel,
)
from onepam.domain.host.recovery_key import RecoveryKeyRenewed
from onepam.domain.leaving.brake import DirectoryPersonDecided, HoldOutcome, HoldReason, PersonHold
from onepam.domain.leaving.leaving import Held
from onepam.domain.matrix.matrix import SOURCE, binding_id
from onepam.domain.people.events import PersonEnabled, PersonKind
from onepam.domain.providers.events import IdentityUnlinked
from onepam.domain.recovery.recovering import AccessRecovered, Recovery, RecoveryFacts, recover
from onepam.domain.signing_in.events import EnrolmentEnded, EnrolmentOpened
from onepam.domain.signing_in.gate import Tries
from onepam.domain.signing_in.rules import ENROLMENT_LINK, AccountFacts
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from tests.domain.given import ADMINISTRATOR, MANAGER, NOW, present

KEY, NEW, DUE = "a" * 64, "b" * 64, Instant(NOW + DELAY)
ACCOUNT = AccountFacts("ada", PersonKind.EMPLOYEE, True, None, Tries(), (), (), (ADMINISTRATOR,))
HOST = HostFacts(None, KEY, {})
FACTS = RecoveryFacts(HOST, ACCOUNT, None, Held(), (), ("administrator", "root"))
WISH = Recovery("ada", "both telephones are gone", "", KEY, NEW, "ann_1", "enr_1", "d" * 64, "nod_1")
BY_KEY = replace(WISH, shown=KEY)
OPENED = EnrolmentOpened("enr_1", "ada", Instant(NOW + ENROLMENT_LINK), "recover-access", None, token_digest="d" * 64)


def recovered(ground: Ground, announcement: str | None = None) -> AccessRecovered:
    return AccessRecovered("ada", "enr_1", ground, announcement, "nod_1", WISH.because)


def code(answer: object) -> str:
    assert isinstance(answer, Refused), answer
    return answer.code


def decided(answer: object) -> Decided[Any]:
    assert isinstance(answer, Decided), answer
    return answer


def announced(person: str = "ada") -> RecoveryFacts:
    return replace(
        FACTS, host=replace(HOST, announced={Deed.ACCESS: Announcement("ann_0", Deed.ACCESS, DUE, "", person)})
    )


def test_with_the_recovery_key_at_once_and_the_key_is_spent() -> None:
    answer = decided(recover(FACTS, BY_KEY, NOW))
    spent = RecoveryKeyRenewed(NEW, KEY, Ground.RECOVERY_KEY, None, "nod_1")
    assert answer.events == (recovered(Ground.RECOVERY_KEY), OPENED, spent)
    assert answer.result == OPENED.expires
    assert code(recover(FACTS, replace(WISH, shown=NEW), NOW)) == "recovery_key.disagree"
    over = decided(recover(announced(), BY_KEY, NOW))
    assert over.events[0] == recovered(Ground.RECOVERY_KEY, "ann_0"), "it does away with what was announced"


def test_without_it_a_day_later() -> None:
    answer = decided(recover(FACTS, WISH, NOW))
    assert answer.events == (AccessRecoveryAnnounced("ann_1", int(DUE), "nod_1", "ada"),)
    assert answer.result == Announcement("ann_1", Deed.ACCESS, DUE, person="ada")
    assert code(recover(announced(), WISH, Instant(DUE - 1))) == "announcement.not_due"
    assert code(recover(announced("eve"), WISH, DUE)) == "recovery.person"
    done = decided(recover(announced(), WISH, DUE))
    assert done.events[0] == recovered(Ground.DELAY, "ann_0")
    assert [type(each) for each in done.events] == [AccessRecovered, EnrolmentOpened]


def test_any_administrator_cancels() -> None:
    host = replace(announced().host, actor=present("bob", ADMINISTRATOR))
    assert decided(cancel(host, "ann_0", NOW)).events == (AccessRecoveryCancelled("ann_0", "bob"),)


def test_whatever_kept_the_person_out_is_undone() -> None:
    hold = PersonHold("hld_1", "scim:okta", HoldReason.LAST_ADMINISTRATOR, "deactivated", None, None, None)
    out = replace(
        FACTS,
        account=replace(ACCOUNT, enabled=False, roles=(MANAGER,), links=("enr_0",)),
        hold=hold,
        held=Held(enrolments=("enr_0",)),
        identities=("idn_1",),
    )
    binding = binding_id("administrator", SubjectKind.PERSON, "ada")
    assert decided(recover(out, BY_KEY, NOW)).events[1:-2] == (
        EnrolmentEnded("enr_0", "ada", "person.disabled", None),
        PersonEnabled("ada", None, "recover-access"),
        DirectoryPersonDecided("hld_1", "ada", HoldOutcome.KEPT, None, "recover-access"),
        IdentityUnlinked("idn_1", "ada", "recover-access", None),
        BindingAdded(binding, "administrator", SubjectKind.PERSON, "ada", None, SOURCE, "recover-access", "", None),
    )
    links = decided(recover(replace(FACTS, account=replace(ACCOUNT, links=("enr_0",))), BY_KEY, NOW))
    assert links.events[1] == EnrolmentEnded("enr_0", "ada", "recover-access", None)


@pytest.mark.parametrize(
    ("facts", "wish", "why"),
    [
        (replace(FACTS, account=replace(ACCOUNT, kind=None)), BY_KEY, "person.unknown"),
        (replace(FACTS, account=replace(ACCOUNT, kind=PersonKind.SERVICE)), BY_KEY, "person.unknown"),
        (replace(FACTS, account=replace(ACCOUNT, ends=NOW)), BY_KEY, "person.end_past"),
        (replace(FACTS, erased=True), BY_KEY, "person.erased"),
        (FACTS, replace(BY_KEY, because=" "), "text.missing"),
        (replace(FACTS, account=replace(ACCOUNT, roles=()), roles=()), BY_KEY, "recovery.no_role"),
    ],
)
def test_who_gets_nothing(facts: RecoveryFacts, wish: Recovery, why: str) -> None:
    assert code(recover(facts, wish, NOW)) == why


def test_the_account_may_have_an_end_to_come_and_need_no_role_to_be_there() -> None:
    soon = replace(FACTS, account=replace(ACCOUNT, ends=Instant(NOW + 1)), roles=())
    assert decided(recover(soon, BY_KEY, NOW)).events[0] == recovered(Ground.RECOVERY_KEY)
