"""Rules of the host's commands and of evidence: each clause broken once by a planted entry, and nothing else found."""

from dataclasses import replace

import pytest

from onepam.domain.access.events import BindingAdded
from onepam.domain.access.model import SubjectKind
from onepam.domain.history.system import EvidencePacked
from onepam.domain.host.announcing import (
    AccessRecoveryAnnounced,
    AccessRecoveryCancelled,
    ContinuationAnnounced,
    ContinuationCancelled,
    Ground,
    RenewalAnnounced,
    RenewalCancelled,
)
from onepam.domain.host.backups import BackupMade, BackupProven
from onepam.domain.host.continuing import LedgerContinued
from onepam.domain.host.recovery_key import RecoveryKeyMade, RecoveryKeyRenewed
from onepam.domain.people.events import PersonAdded, PersonDisabled, PersonEnabled, PersonKind
from onepam.domain.recovery.recovering import AccessRecovered
from onepam.domain.signing_in.events import EnrolmentEnded, EnrolmentOpened, EnrolmentProposed
from onepam.domain.telling.choosing import NoticesChosen
from onepam.kernel.clock import DAY, Instant
from tests.ledger.lawful.story import Story

KEYED = AccessRecovered("eve", "enr_1", Ground.RECOVERY_KEY, None, "node-1")
DELAYED = AccessRecovered("eve", "enr_1", Ground.DELAY, "ann_1", "node-1")
RENEWED = RecoveryKeyRenewed("d1", "d0", Ground.RECOVERY_KEY, None, "node-1")
CONTINUED = LedgerContinued("log.new", "log.old", 9, "00", 9, Ground.DELAY, "ann_1", "node-1")


def ready(*before: object) -> Story:
    """A company with a recovery key; what was `before` eve left."""
    told = Story()
    told.add(RecoveryKeyMade("d0", False))
    told.found()
    told.enrol("ada")
    told.sign_in("ada", "sgn_ada")
    for each in before:
        told.add(each)
    told.add(PersonDisabled("eve", "ada", "left", "administrator", None, None))
    return told


def let_in(told: Story) -> tuple[object, ...]:
    """What recover-access does beside."""
    return (
        PersonEnabled("eve", None, "recover-access"),
        EnrolmentOpened("enr_1", "eve", Instant(told.at() + DAY), "recover-access", None),
        BindingAdded("bnd_r", "administrator", SubjectKind.PERSON, "eve", None, "access.yaml", "recover", "", None),
    )


def test_somebody_is_let_in_with_the_recovery_key_which_is_spent() -> None:
    told = ready()
    told.add(PersonDisabled("eve", "ada", "left", "administrator", None, None))
    told.add(KEYED, *let_in(told), RENEWED)
    assert told.said() == []
    told = ready()
    at = told.add(KEYED, *let_in(told))
    assert told.said() == [(at, "the recovery key was not spent")]


def test_whoever_is_let_in_needs_no_link_that_waited_for_a_yes() -> None:
    told = ready(EnrolmentProposed("enr_9", "eve", "lost", "ada"))
    told.add(KEYED, EnrolmentEnded("enr_9", "eve", "recovered", None), *let_in(told), RENEWED)
    assert told.said() == []


def test_somebody_is_let_in_a_day_after_it_was_announced() -> None:
    told = ready()
    told.add(AccessRecoveryAnnounced("ann_1", Instant(told.at() + DAY), "node-1", "eve"))
    told.wait(DAY)
    told.add(DELAYED, *let_in(told))
    assert told.said() == []


def test_what_was_not_announced_cancelled_for_another_or_too_early() -> None:
    told = ready()
    at = told.add(DELAYED, *let_in(told))
    assert told.said() == [(at, "it was not announced, or it was cancelled")]
    told = ready()
    told.add(AccessRecoveryAnnounced("ann_1", Instant(told.at() + DAY), "node-1", "max"))
    at = told.add(DELAYED, *let_in(told))
    day = "a day had not passed since it was announced, or more than a week had since it was due"
    assert told.said() == [(at, "something else was announced"), (at, day)]
    told = ready()
    told.add(AccessRecoveryAnnounced("ann_1", Instant(told.at() + DAY), "node-1", "eve"))
    told.add(AccessRecoveryCancelled("ann_1", "ada"))
    told.wait(DAY)
    at = told.add(DELAYED, *let_in(told))
    assert told.said() == [(at, "it was not announced, or it was cancelled")]
    told = ready()
    at = told.add(AccessRecoveryAnnounced("ann_1", told.at(), "node-1", "eve"))
    assert told.said() == [(at, "it is due within a day")]


@pytest.mark.parametrize(
    ("announced", "cancelled"),
    [
        (AccessRecoveryAnnounced("ann_1", 0, "node-1", "eve"), AccessRecoveryCancelled("ann_1", "ada")),
        (ContinuationAnnounced("ann_1", 0, "node-1", "log.new"), ContinuationCancelled("ann_1", "ada")),
        (RenewalAnnounced("ann_1", 0, "node-1"), RenewalCancelled("ann_1", "ada")),
    ],
)
def test_an_administrator_cancels_what_was_announced(announced: object, cancelled: object) -> None:
    told = ready()
    told.add(replace(announced, due=told.at() + DAY))  # type: ignore[type-var]
    told.add(cancelled)
    assert told.said() == []
    at = told.add(cancelled)
    then = told.add(replace(cancelled, by="joe"))  # type: ignore[type-var]
    none = "nothing of that name was announced"
    assert told.said() == [(at, none), (then, "joe was not signed in"), (then, none)]


def test_the_recovery_key_is_made_once_and_renewed_by_itself_or_a_day_later() -> None:
    told = ready()
    told.add(RENEWED)
    told.add(RenewalAnnounced("ann_1", told.at() + DAY, "node-1"))
    told.wait(DAY)
    told.add(replace(RENEWED, digest="d2", ground=Ground.DELAY, announcement="ann_1"))
    assert told.said() == []
    at = told.add(RecoveryKeyMade("d3", False))
    then = told.add(RENEWED)
    late = told.add(replace(RENEWED, ground=Ground.DELAY, announcement="ann_1"))
    assert told.said() == [
        (at, "there was a recovery key already"),
        (then, "it takes the place of another key than there was"),
        (late, "it was not announced, or it was cancelled"),
    ]


def test_a_ledger_goes_on_with_the_key_or_a_day_later() -> None:
    told = ready()
    told.add(replace(CONTINUED, ground=Ground.RECOVERY_KEY, announcement=None))
    told.add(ContinuationAnnounced("ann_1", told.at() + DAY, "node-1", "log.new"))
    told.wait(DAY)
    told.add(CONTINUED)
    assert told.said() == []
    at = told.add(CONTINUED)
    assert told.said() == [(at, "it was not announced, or it was cancelled")]


def test_evidence() -> None:
    told = Story().ready("aud", "joe")
    told.add(EvidencePacked("aud", 0, 1, 1, "00"))
    assert told.said() == []
    at = told.add(EvidencePacked("joe", 0, 1, 1, "00"))
    assert told.said() == [(at, "joe held no role with the right to audit or administer")]


@pytest.mark.parametrize(
    ("who", "why"), [("zoe", "the end of the account had passed"), ("bot", "there was no such person")]
)
def test_whoever_is_let_in_is_a_person_whose_time_is_not_over(who: str, why: str) -> None:
    told = ready()
    ends = Instant(told.at() + DAY)
    told.add(PersonAdded("zoe", PersonKind.EMPLOYEE, "hired", "ada", None, ends))
    told.add(PersonAdded("bot", PersonKind.SERVICE, "a machine", "ada", "ada", ends))
    told.wait(2 * DAY)
    at = told.add(replace(KEYED, person=who), RecoveryKeyRenewed("d1", "d0", Ground.RECOVERY_KEY, None, "node-1"))
    assert told.said() == [(at, why)]


def test_whoever_is_let_in_gets_a_role_that_administers() -> None:
    told = ready()
    renewed = RecoveryKeyRenewed("d1", "d0", Ground.RECOVERY_KEY, None, "node-1")
    role = BindingAdded("bnd_r", "engineer", SubjectKind.PERSON, "eve", None, "access.yaml", "recover", "", None)
    last = told.add(KEYED, renewed, role)
    assert told.said() == [(last + 2, "who is let in gets a role that administers")]


def test_packs_and_backups_are_of_what_is_there_and_a_new_log_has_a_new_name() -> None:
    told = ready()
    at = told.add(EvidencePacked("ada", 0, 1, len(told.rows) + 1, "0"))
    told.add(EvidencePacked("ada", 0, 1, len(told.rows), "0"))
    early = told.add(BackupMade("node-1", "bak_1", len(told.rows) + 1, 0, "0"))
    told.add(BackupMade("node-1", "bak_1", len(told.rows), 0, "0"))
    unproven = told.add(BackupProven("node-1", "bak_1", len(told.rows) + 1, 0, "0"))
    told.add(BackupProven("node-1", "bak_1", len(told.rows), 0, "0"))
    then = told.add(LedgerContinued("log", "log", 9, "0", 5, Ground.RECOVERY_KEY, None, "node-1"))
    assert told.said() == [
        *((each, "it is of entries that were not there yet") for each in (at, early, unproven)),
        (then, "the new log has the name of the old one"),
    ]


def test_how_somebody_is_told_they_choose_themselves_signed_in() -> None:
    told = Story().ready("eve", "ada")
    wish = NoticesChosen("eve", "UTC", (1,), 480, 0, 0, ("request.made",), (), "eve")
    told.add(wish)
    assert told.said() == []
    others = told.add(replace(wish, by="ada"))
    away = told.add(replace(wish, person="max", by="max"))
    assert told.said() == [(others, "it was somebody else's to choose"), (away, "max was not signed in")]
