"""Deeds of the host: at once with the recovery key, else after a day in which nobody cancelled."""

import pytest

from onepam.domain.access.authority import ActorFacts, HeldRole
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.commit import Decided
from onepam.domain.host.announcing import (
    DELAY,
    LAPSE,
    Announcement,
    ContinuationAnnounced,
    ContinuationCancelled,
    Deed,
    Ground,
    HostFacts,
    RenewalAnnounced,
    RenewalCancelled,
    cancel,
)
from onepam.domain.host.continuing import LedgerContinued, Loss, continue_after
from onepam.domain.host.recovery_key import RecoveryKeyMade, RecoveryKeyRenewed, Renewal, make, renew
from onepam.kernel.clock import FOREVER, Instant
from onepam.kernel.errors import Refused

NOW = Instant(1_790_000_000_000_000)
DUE = Instant(NOW + DELAY)
OLD, NEW = "a" * 64, "b" * 64
KEY = Announcement("ann_key", Deed.RECOVERY_KEY, DUE)
LOG = Announcement("ann_log", Deed.CONTINUATION, DUE, "new.log")
LOSS = Loss("new.log", "old.log", 100, "c" * 64, 60, "the disk died")


def facts(*announced: Announcement, digest: str | None = OLD, actor: ActorFacts | None = None) -> HostFacts:
    return HostFacts(actor, digest, {each.deed: each for each in announced})


def administrator(*console: ConsoleRight) -> ActorFacts:
    role = HeldRole("bnd_1", "", "administrator", "v1", (), console, None)
    return ActorFacts("per_ada", True, None, FOREVER, NOW, (role,))


def wish(shown: str) -> Renewal:
    return Renewal(NEW, OLD, shown, "ann_new", "nod_1")


def refused(outcome: object) -> str:
    assert isinstance(outcome, Refused)
    return outcome.code


def test_the_first_key_is_made_once() -> None:
    assert make(facts(digest=None), NEW, False) == Decided((RecoveryKeyMade(NEW, False),), None)
    assert refused(make(facts(), NEW, True)) == "recovery_key.made"


def test_with_the_old_key_a_new_one_is_there_at_once() -> None:
    made = RecoveryKeyRenewed(NEW, OLD, Ground.RECOVERY_KEY, None, "nod_1")
    assert renew(facts(), wish(OLD), NOW) == Decided((made,), None)
    made = RecoveryKeyRenewed(NEW, OLD, Ground.RECOVERY_KEY, "ann_key", "nod_1")
    assert renew(facts(KEY), wish(OLD), NOW) == Decided((made,), None), "it does away with what was announced"


def test_a_key_that_fits_a_file_and_not_the_ledger_opens_nothing() -> None:
    """Whoever runs the command says where the file outside lies, and so could bring one."""
    assert refused(renew(facts(), wish(NEW), NOW)) == "recovery_key.disagree"
    assert refused(renew(facts(digest=None), wish(NEW), NOW)) == "recovery_key.disagree"
    assert refused(continue_after(facts(LOG), LOSS, NEW, "ann_new", "nod_1", DUE)) == "recovery_key.disagree"


def test_without_it_the_renewal_is_announced_and_done_a_day_later() -> None:
    outcome = renew(facts(), wish(""), NOW)
    announced = Announcement("ann_new", Deed.RECOVERY_KEY, DUE)
    assert outcome == Decided((RenewalAnnounced("ann_new", DUE, "nod_1"),), announced)
    assert refused(renew(facts(KEY), wish(""), Instant(DUE - 1))) == "announcement.not_due"
    made = RecoveryKeyRenewed(NEW, OLD, Ground.DELAY, "ann_key", "nod_1")
    assert renew(facts(KEY), wish(""), DUE) == Decided((made,), None)
    assert renew(facts(KEY), wish(""), Instant(DUE + LAPSE - 1)) == Decided((made,), None)


def test_what_nobody_carries_out_lapses() -> None:
    late = Instant(DUE + LAPSE)
    outcome = renew(facts(KEY), wish(""), late)
    assert isinstance(outcome, Decided)
    assert outcome.events == (RenewalAnnounced("ann_new", late + DELAY, "nod_1"),)
    ada = administrator(ConsoleRight.ADMINISTER)
    assert refused(cancel(facts(KEY, actor=ada), "ann_key", late)) == "announcement.unknown"


@pytest.mark.parametrize(
    ("name", "event"),
    [("ann_key", RenewalCancelled("ann_key", "per_ada")), ("ann_log", ContinuationCancelled("ann_log", "per_ada"))],
)
def test_any_administrator_cancels(name: str, event: object) -> None:
    ada = administrator(ConsoleRight.ADMINISTER)
    assert cancel(facts(KEY, LOG, actor=ada), name, NOW) == Decided((event,), None)
    assert cancel(facts(KEY, LOG, actor=ada), name, DUE) == Decided((event,), None), "until it is done"
    assert refused(cancel(facts(KEY, LOG, actor=administrator(ConsoleRight.AUDIT)), name, NOW)) == "right.missing"
    assert refused(cancel(facts(actor=ada), name, NOW)) == "announcement.unknown"


def test_the_ledger_is_continued_with_the_key() -> None:
    outcome = continue_after(facts(), LOSS, OLD, "ann_new", "nod_1", NOW)
    made = LedgerContinued(
        "new.log", "old.log", 100, "c" * 64, 60, Ground.RECOVERY_KEY, None, "nod_1", because="the disk died"
    )
    assert outcome == Decided((made,), None)


def test_a_lost_signer_is_a_loss_though_every_entry_is_here() -> None:
    outcome = continue_after(facts(), loss(kept=100, signer=True), OLD, "ann_new", "nod_1", NOW)
    assert isinstance(outcome, Decided)
    (event,) = outcome.events
    assert isinstance(event, LedgerContinued)
    assert (event.kept, event.size) == (100, 100)


def test_without_it_the_continuation_takes_a_day() -> None:
    outcome = continue_after(facts(), LOSS, "", "ann_new", "nod_1", NOW)
    announced = Announcement("ann_new", Deed.CONTINUATION, DUE, "new.log")
    assert outcome == Decided((ContinuationAnnounced("ann_new", DUE, "nod_1", "new.log"),), announced)
    assert refused(continue_after(facts(LOG), LOSS, "", "ann_new", "nod_1", NOW)) == "announcement.not_due"
    done = continue_after(facts(LOG), LOSS, "", "ann_new", "nod_1", DUE)
    assert isinstance(done, Decided)
    (event,) = done.events
    assert isinstance(event, LedgerContinued)
    assert (event.ground, event.announcement) == (Ground.DELAY, "ann_log")


def loss(**more: object) -> Loss:
    return Loss(**{**{name: getattr(LOSS, name) for name in Loss.__slots__}, **more})


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (loss(kept=100), "ledger.nothing_lost"),
        (loss(origin="old.log"), "ledger.origin"),
        (loss(origin=""), "ledger.origin"),
        (loss(origin="a b"), "ledger.origin"),
        (loss(origin="a+b"), "ledger.origin"),
        (loss(origin="a\x07"), "ledger.origin"),
        (loss(origin="a" * 256), "ledger.origin"),
        (loss(because=""), "text.missing"),
    ],
)
def test_what_is_no_loss_is_not_continued(wrong: Loss, code: str) -> None:
    assert refused(continue_after(facts(), wrong, OLD, "ann_new", "nod_1", NOW)) == code


def test_what_was_announced_is_one_log() -> None:
    other = loss(origin="third.log")
    assert refused(continue_after(facts(LOG), other, "", "ann_new", "nod_1", DUE)) == "ledger.origin"
    assert isinstance(continue_after(facts(LOG), other, OLD, "ann_new", "nod_1", DUE), Decided), "the key may"
