"""Who is told of what: every row, what it says, and that no alarm is without one."""

from dataclasses import replace

import pytest

from onepam.domain.access.guardrails import StatementClass
from onepam.domain.access.locking import LockScope, LockSet
from onepam.domain.access.model import Action, Substance
from onepam.domain.controls.control import Severity
from onepam.domain.controls.events import ControlReminded
from onepam.domain.history.event import UnknownKind, kinds, name_of
from onepam.domain.history.system import AnchorHandedOut, ClockJumped, LedgerVerified, SystemStarted
from onepam.domain.host.announcing import AccessRecoveryAnnounced, ContinuationAnnounced, Ground, RenewalAnnounced
from onepam.domain.host.disk import DiskLow, DiskStage
from onepam.domain.host.doors import Door, DoorPressed
from onepam.domain.incidents.events import IncidentOpened, IncidentReminded
from onepam.domain.leaving.brake import (
    DirectoryHeld,
    DirectoryHoldReminded,
    DirectoryLeaverReported,
    DirectoryPersonDecided,
    HoldOutcome,
    HoldReason,
)
from onepam.domain.leaving.erasure_events import ErasureFinished, ErasureProposed
from onepam.domain.policies.events import PolicyReminded
from onepam.domain.providers.keys import ProviderKeysRead
from onepam.domain.providers.refusals import LEFT_OUT, ProviderRefused
from onepam.domain.recovery.recovering import AccessRecovered
from onepam.domain.requests.events import (
    UNDO,
    GrantEnded,
    GrantStarted,
    RequestDenied,
    RequestEscalated,
    RequestMade,
    RequestPreapproved,
    RequestStatus,
    RequestWithdrawn,
)
from onepam.domain.reviews.events import ReviewReminded, RoleWithheld, Stage, Withheld
from onepam.domain.roster.events import RosterHeld, RosterRefused
from onepam.domain.sessions.inspecting import RecordingInspected, Verdict
from onepam.domain.sessions.recordings import Condition, RecordingFoundBad
from onepam.domain.sessions.session_users import LeftBecause, SessionUserLeft
from onepam.domain.sessions.waiting_statements import StatementAsked
from onepam.domain.signing_in.events import (
    EnrolmentAnnounced,
    EnrolmentProposed,
    EnrolmentUndecided,
    EnrolmentUsed,
    FactorEnrolled,
    FactorKind,
    FactorRemoved,
)
from onepam.domain.systems.events import AccountListHeld
from onepam.domain.telling import outbox
from onepam.domain.telling.audience import ALARM, CONCERNED, TO_PEOPLE, Audience
from onepam.domain.telling.freedom import Freedom
from onepam.domain.telling.notices import TABLE, Telling, telling
from onepam.kernel.clock import Instant, parse

NAMES = {"per_1": "Ada\r\nBcc: eve@example.com\u202e  Example"}


def named(person: str | None) -> str:
    return NAMES.get(person or "", person or "")


def said(event: object) -> Telling:
    found = telling(event, named)
    assert found is not None
    return found


def test_every_alarm_has_a_row_and_every_row_a_kind() -> None:
    rows = {row.kind for row in TABLE}
    assert len(rows) == len(TABLE)
    assert {kind.name for kind in kinds() if kind.alarm} <= rows
    for row in TABLE:
        (kind,) = [each for each in kinds() if each.name == row.kind]
        assert row.alarm is kind.alarm, f"{row.kind}: marked as an alarm in one place, and not in the other"
        assert row.audience
        assert row.where.startswith("/")
        if Audience.PERSON in row.audience:
            assert "person" in kind.open_fields
        if Audience.REQUESTER in row.audience:
            assert "request" in kind.open_fields
        assert row.freedom is Freedom.NONE or row.audience & TO_PEOPLE, "whoever may choose is a person"


def test_a_class_without_a_kind_is_named() -> None:
    assert name_of(SystemStarted) == "system.started"
    with pytest.raises(UnknownKind, match="int"):
        name_of(int)


def test_what_is_not_in_the_table_is_not_told() -> None:
    assert telling(SystemStarted("nod_1", "1", "o", "k", "test"), named) is None
    assert telling(outbox.ReceiverEnded("r"), named) is None


def test_the_history_and_the_clock() -> None:
    assert telling(LedgerVerified("fold", 1, "00", ()), named) is None
    one = said(LedgerVerified("fold", 1, "00", ("a",)))
    assert (one.audience, one.person, one.alike, one.where, one.alarm) == (
        ALARM,
        "",
        "system.verified",
        "/ledger",
        True,
    )
    assert "in one place." in one.sentence
    assert "in 2 places." in said(LedgerVerified("fold", 1, "00", ("a", "b"))).sentence
    unlawful = said(LedgerVerified("lawful", 1, "00", ("a",))).sentence
    assert unlawful.startswith("One entry uses a right that the history did not give.")
    assert "fails" not in unlawful
    assert said(LedgerVerified("lawful", 1, "00", ("a", "b"))).sentence.startswith("2 entries use")
    assert telling(ClockJumped("nod_1", 1, False), named) is None
    assert "onepam ledger confirm-clock" in said(ClockJumped("nod_1", 1, True)).sentence


def test_directories_and_the_roster() -> None:
    last, group, many = (said(DirectoryHeld("h", "scim:x", each, None)).sentence for each in HoldReason)
    assert "the last administrator" in last
    assert "from the last administrator who can sign in the group" in group
    assert "many people" in many
    assert "2 accounts" in said(DirectoryHoldReminded("h", 2, Instant(0))).sentence
    left = said(DirectoryLeaverReported("per_1", "scim:x", "usr_1", "deleted", Instant(0)))
    assert "says that Ada Bcc: eve@example.com Example has left" in left.sentence
    assert (left.audience, left.where) == (ALARM, "/provisioning")
    kept = DirectoryPersonDecided("h", "per_1", HoldOutcome.KEPT, "per_1", "I am here")
    assert said(kept).sentence.startswith("Ada Bcc: eve@example.com Example, the last administrator")
    assert telling(replace(kept, by="per_2"), named) is None
    assert telling(replace(kept, by=None), named) is None
    assert "signing certificates" in said(ProviderKeysRead("idp_1", "chg_2", "chg_1", "{}")).sentence
    held = RosterHeld("v", "d", "upload", "roster.shrinks", 9, 0, 0, 9, 8, 10, Instant(0), None)
    assert "8 of 10" in said(held).sentence
    assert "not taken" in said(RosterRefused("v", "", "s", "roster.down", 0, Instant(0), None)).sentence


def test_a_person_is_told_of_their_factors_by_a_name_on_one_line() -> None:
    replaced = said(FactorRemoved("fac_1", "per_1", "replaced", "per_1"))
    assert (replaced.audience, replaced.person, replaced.alike) == (CONCERNED, "per_1", "factor.removed per_1")
    assert "Ada Bcc: eve@example.com Example signs in was replaced" in replaced.sentence
    assert "was renewed" in said(FactorRemoved("fac_1", "per_1", "renewed", "per_1")).sentence
    assert "was removed" in said(FactorRemoved("fac_1", "per_1", "removed", "per_1")).sentence
    assert telling(FactorRemoved("fac_1", "per_1", "person.disabled", "x"), named) is None
    assert "by a link" in said(EnrolmentUsed("enr_1", "per_1")).sentence


def test_new_factors_of_somebody_are_told_before_they_are_made() -> None:
    due = parse("2026-03-03T14:00:00Z")
    asked = said(EnrolmentProposed("enr_1", "per_1", "lost", "per_2"))
    assert (asked.audience, asked.person) == (CONCERNED, "per_1")
    assert "asks to set all factors of" in asked.sentence
    announced = said(EnrolmentAnnounced("enr_1", "per_1", "lost", "per_2", due))
    assert (announced.audience, announced.person, announced.alarm) == (ALARM | Audience.PERSON, "per_1", True)
    assert "anew by a link from 2026-03-03T14:00:00.000000Z on, since nobody else could decide" in announced.sentence
    alone = said(EnrolmentUndecided("enr_1", "per_1", "per_2"))
    assert (alone.person, alone.alarm) == ("per_1", True)
    assert "nobody else has decided on it" in alone.sentence


def test_an_erasure_is_told_to_whoever_may_still_say_no_and_by_no_name_that_goes() -> None:
    asked = said(ErasureProposed("ers_1", "per_1", "per_2", "asked for it", 400, (), {}))
    done = said(ErasureFinished("ers_1", "per_1", 214))
    assert (asked.audience, asked.where) == (ALARM, "/approvals")
    assert "per_2 asks to erase what is known of per_1, who has left" in asked.sentence
    assert (done.audience, done.where) == (ALARM, "/people")
    assert "What was known of per_1 was erased, in 214 entries" in done.sentence
    assert "Ada" not in asked.sentence + done.sentence


def test_another_factor_of_ones_own_is_told_and_those_of_a_link_are_told_by_the_link() -> None:
    own = FactorEnrolled("fac_1", "per_1", FactorKind.PASSKEY, "", None, "per_1")
    assert "added another factor to sign in by (passkey)" in said(own).sentence
    for untold in (replace(own, by=None), replace(own, by="per_2"), replace(own, kind=FactorKind.RECOVERY)):
        assert telling(untold, named) is None


def test_who_gets_in_by_a_command_on_the_host_is_told_to_all_who_administer() -> None:
    announced = said(AccessRecoveryAnnounced("ann_1", int(parse("2026-03-03T14:00:00Z")), "nod_1", "per_1"))
    done = said(AccessRecovered("per_1", "enr_1", Ground.DELAY, "ann_1", "nod_1", "lost"))
    for told in (announced, done):
        assert (told.audience, told.person, told.alarm) == (ALARM | Audience.PERSON, "per_1", True)
    assert "cancel it before 2026-03-03T14:00:00.000000Z" in announced.sentence
    assert "made Ada Bcc: eve@example.com Example an administrator" in done.sentence


def test_a_provider_that_is_refused_is_told_by_its_cause() -> None:
    told = said(ProviderRefused("idp_1", "oidc.exchange", 12, Instant(0)))
    assert "idp_1 sent 12 sign-ins or messages that were refused (oidc.exchange)" in told.sentence
    assert (told.audience, told.alike, told.where) == (ALARM, "provider.refused idp_1 oidc.exchange", "/providers")
    assert telling(ProviderRefused("idp_1", LEFT_OUT, 1, Instant(0)), named) is None


def test_a_request_is_told_to_whoever_may_decide_without_its_reason() -> None:
    asked = Substance("per_1", "web-1", "root", "engineer", "v", "prod", (Action.SHELL,), 1)
    made = RequestMade("req_1", asked, "d", parse("2026-03-03T14:00:00Z"), "because of a secret", "T-1")
    told = said(made)
    assert told.sentence.startswith("Ada Bcc: eve@example.com Example asks to reach web-1 as root (engineer)")
    assert "until 2026-03-03T14:00:00.000000Z." in told.sentence
    assert "secret" not in told.sentence
    assert (told.audience, told.alike, told.person, told.alarm) == (
        Audience.DECIDERS, "request.made per_1", "", False
    )  # fmt: skip


def test_who_may_decide_is_told_that_it_escalated_and_that_a_rule_asked_nobody() -> None:
    told = said(RequestEscalated("req_1", ("lead",)))
    assert told.sentence.startswith("Nobody has decided yet on what was asked for, and you may, too: ")
    by_rule = RequestPreapproved("req_1", "per_1", "d", "engineer", "v1", 2, Instant(0), None)
    told = said(by_rule)
    assert told.sentence.startswith("A rule of the role engineer let Ada Bcc: eve@example.com Example in without ")
    assert told.sentence.endswith("You may end it on the page of the request req_1.")
    assert (told.audience, told.about) == (Audience.DECIDERS, "req_1")


def test_a_statement_that_waits_is_told_to_whoever_may_decide_without_its_text() -> None:
    classes, until = (StatementClass.WRITE,), parse("2026-03-03T14:00:00Z")
    asked = StatementAsked("stm_1", "ses_1", "per_1", "db-1", "app", 3, classes, False, ("lead",), until)
    told = said(asked)
    words = "Ada Bcc: eve@example.com Example waits in a session at db-1 as app for a yes to a statement (write), yours"
    assert told.sentence == f"{words} or another's, until 2026-03-03T14:00:00.000000Z."
    assert (told.audience, told.alike, told.where) == (Audience.DECIDERS, "statement.asked per_1", "/approvals")
    locks = said(replace(asked, in_transaction=True)).sentence
    assert locks.endswith("Z. Others wait for what its transaction has locked.")


def test_whoever_decides_in_a_review_is_told_what_waits_and_what_silence_takes() -> None:
    until = parse("2026-03-03T14:00:00Z")
    told = said(ReviewReminded("rev_1", "per_1", Stage.LAST, 12, 3, until))
    assert told.sentence == (
        "12 accesses wait for your word in a review, until 2026-03-03T14:00:00.000000Z: keep or remove. Without an "
        "answer 3 of them will be withheld then."
    )
    assert (told.audience, told.person, told.where) == (CONCERNED, "per_1", "/reviews")
    near = said(ReviewReminded("rev_1", "per_1", Stage.ESCALATED, 2, 1, until)).sentence
    assert near.startswith("2 accesses wait in a review for somebody after whom you are next, until ")
    assert near.endswith("Without an answer 1 of them will be withheld then.")
    one = said(ReviewReminded("rev_1", "per_1", Stage.OPENED, 1, 0, until)).sentence
    assert one == "One access waits for your word in a review, until 2026-03-03T14:00:00.000000Z: keep or remove."


def test_whoever_loses_a_role_by_a_review_is_told_and_how_it_comes_back() -> None:
    removed = said(RoleWithheld("per_1", "dba", "rev_1", Withheld.REMOVED, "per_2"))
    silent = said(RoleWithheld("per_1", "dba", "rev_1", Withheld.SILENCE, None))
    assert removed.sentence.startswith("A review took the role dba from ")
    assert "is withheld, because nobody confirmed it in a review in time" in silent.sentence
    over = said(RoleWithheld("per_1", "dba", "rev_1", Withheld.REDUCED, None)).sentence
    assert over.startswith("A review kept the role dba of ")
    assert over.endswith(" until a day that is over: it gives nothing any more.")
    assert (silent.audience, silent.person) == (CONCERNED, "per_1")


def test_a_bad_recording_is_said_to_be_what_it_is() -> None:
    sentences = {each: said(RecordingFoundBad("ses_1", each, "x")).sentence for each in Condition if not each.good}
    assert "session ses_1 is gone." in sentences[Condition.MISSING]
    assert len(set(sentences.values())) == len(sentences)
    assert not any(each.value in sentences[each] for each in (Condition.KEY_MISSING, Condition.KEY_ALTERED))


def test_a_disk_says_what_is_left() -> None:
    seen = RecordingInspected("ses_1", "per_1", "per_2", Verdict.CONCERN, "read the payroll")
    assert "a concern" in said(seen).sentence
    assert "payroll" not in said(seen).sentence
    assert telling(replace(seen, verdict=Verdict.EXPECTED), named) is None
    low = said(DiskLow("nod_1", next(iter(DiskStage)), 3 * 2**30, 10 * 2**30))
    assert "has 3,072 of 10,240 MiB left" in low.sentence


def test_a_lock_is_told_by_what_it_is_on() -> None:
    person = LockSet("lck_1", LockScope.PERSON, "per_1", None, "per_2", "a laptop was stolen")
    told = said(person)
    assert (told.audience, told.where) == (ALARM, "/ledger")
    assert "per_2 locked Ada" in told.sentence
    assert "laptop" not in told.sentence
    everything = replace(person, scope=LockScope.EVERYTHING, person=None)
    assert "locked everything:" in said(everything).sentence
    assert "locked web-1:" in said(replace(everything, scope=LockScope.RESOURCE, resource="web-1")).sentence


def test_a_user_that_is_left_behind_is_told_by_its_server_and_why() -> None:
    left = SessionUserLeft("op_ada_7", "ses_1", "erp-db", LeftBecause.OWNS)
    told = said(left)
    assert (told.audience, told.alike, told.where) == (ALARM, "session_user.left erp-db", "/resources")
    assert "The user op_ada_7, made at erp-db for a session that is over, could not be dropped" in told.sentence
    assert ": what it owns could not be given to its role. It is tried again" in told.sentence
    assert said(replace(left, resource="crm-db")).alike != told.alike
    defines = said(replace(left, because=LeftBecause.DEFINES)).sentence
    assert "leaves something behind: it is the definer of views" in defines
    assert defines.endswith("without it they fail. The gateway's log names them.")


def test_a_crowd_at_a_door_says_how_many_and_where_and_not_who() -> None:
    told = said(DoorPressed("nod_1", Door.SSH, 90, 12, 700, 3))
    assert "at the ssh listener of nod_1: 90 connections or requests from 3 networks" in told.sentence


def test_what_somebody_on_the_host_announced_can_be_cancelled_in_time() -> None:
    due = parse("2026-03-03T14:00:00Z")
    for event in (RenewalAnnounced("a", due, "nod_1"), ContinuationAnnounced("a", due, "nod_1", "pam.example.com/2")):
        assert "cancel it before 2026-03-03T14:00:00.000000Z." in said(event).sentence
    assert "goes on as pam.example.com/2" in said(ContinuationAnnounced("a", due, "n", "pam.example.com/2")).sentence


def test_the_checkpoint_of_the_day_is_handed_out_whole_and_that_of_the_hour_is_not_told() -> None:
    daily = said(AnchorHandedOut("day", "pam.example.com", 42, "00", "the note"))
    assert "of 42 entries" in daily.sentence
    assert daily.text == "the note"
    assert telling(AnchorHandedOut("hour", "pam.example.com", 42, "00", "the note"), named) is None


def test_whoever_asked_is_told_what_came_of_it_and_whoever_did_it_themselves_is_not() -> None:
    asked = Substance("per_1", "web-1", "root", "engineer", "v", "prod", (Action.SHELL,), 1)
    starts, ends = parse("2026-03-03T14:00:00Z"), parse("2026-03-03T15:00:00Z")
    allowed = said(GrantStarted("grt_1", "req_1", asked, "bnd_1", "per_2", starts, ends))
    assert allowed.sentence == (
        "You may reach web-1 as root (engineer), as you asked: from 3 March 2026 14:00 UTC until "
        "3 March 2026 15:00 UTC."
    )
    assert (allowed.audience, allowed.request, allowed.about) == (Audience.REQUESTER, "req_1", "grt_1")
    assert (allowed.settles, allowed.folded) == (UNDO, outbox.SHORTLY)
    denied = said(RequestDenied("req_1", "per_2", "manager", "not on a Friday"))
    assert denied.sentence == "per_2 denied what you asked for: req_1."
    assert (denied.request, denied.by, denied.about) == ("req_1", "per_2", "")


def test_a_request_that_comes_to_nothing_is_told_and_one_that_is_taken_back_is_not() -> None:
    nobody = RequestWithdrawn("req_1", RequestStatus.VOID, "expired", None)
    assert "Nobody decided in time on what you asked for: req_1." in said(nobody).sentence
    changed = said(replace(nobody, because="role.ended", by="per_2")).sentence
    assert changed == "What you asked for came to nothing: req_1. What it was of has changed, or is no more."
    assert telling(RequestWithdrawn("req_1", RequestStatus.WITHDRAWN, "withdrawn", "per_1"), named) is None


def test_an_access_that_is_ended_before_its_time_is_told() -> None:
    ended = GrantEnded("grt_1", "req_1", "ended", "per_2", "enough")
    assert said(ended).sentence == "per_2 ended your access before its time: req_1."
    assert said(replace(ended, by=None)).sentence == "Your access was ended before its time: req_1."
    assert telling(replace(ended, because="undone"), named) is None


def test_a_policy_that_waits_is_told_and_how_often_it_was() -> None:
    told = said(PolicyReminded("access", 3, "per_1", 1))
    assert told.sentence == "Version 3 of the policy access waits for you to read and confirm it."
    assert (told.audience, told.person, told.about, told.where) == (CONCERNED, "per_1", "access", "/policies")
    again = said(PolicyReminded("access", 3, "per_1", 2)).sentence
    assert again.endswith("confirm it. You are told for the 2. time.")


def test_a_control_that_fails_is_told_to_whoever_answers_for_it() -> None:
    since = parse("2026-03-03T14:00:00Z")
    told = said(ControlReminded("LOG-01", "per_1", since, 1))
    assert told.sentence == (
        "The control LOG-01, which you answer for, fails since 2026-03-03T14:00:00.000000Z: one row fails."
    )
    assert (told.audience, told.person, told.about, told.where) == (CONCERNED, "per_1", "LOG-01", "/controls")
    assert said(ControlReminded("LOG-01", "per_1", since, 1_200)).sentence.endswith(": 1,200 rows fail.")


def test_an_incident_is_told_to_whoever_answers_for_it_and_one_of_high_severity_to_all_who_watch() -> None:
    due = parse("2026-03-03T14:00:00Z")
    told = said(IncidentReminded("inc_1", "per_1", due, 1))
    assert (
        told.sentence == "You answer for the incident inc_1, which is to be closed until 2026-03-03T14:00:00.000000Z."
    )
    assert (told.audience, told.person, told.about, told.where) == (CONCERNED, "per_1", "inc_1", "/incidents")
    assert said(IncidentReminded("inc_1", "per_1", due, 3)).sentence.endswith("You are told for the 3. time.")
    opened = IncidentOpened("inc_1", Severity.HIGH, None, due, "per_1", due, (), "per_2", "A key", "in a log")
    assert said(opened).audience == ALARM
    assert "an incident of high severity, inc_1" in said(opened).sentence
    assert "A key" not in said(opened).sentence
    assert telling(replace(opened, severity=Severity.MEDIUM), named) is None


def test_a_list_of_another_system_that_is_held_says_why() -> None:
    held = AccountListHeld("lst_1", "payroll", "d", Instant(0), "account_list.shrinks", 10, 90, 100, "ada")
    assert "of payroll is held back: it lacks 90 of 100 accounts." in said(held).sentence
    again = said(replace(held, because="account_list.again")).sentence
    assert "the same list was in force before the one that is" in again
