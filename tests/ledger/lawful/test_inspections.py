"""Rules of inspections: each clause broken once by a planted entry, and nothing else found."""

from dataclasses import replace

from onepam.domain.access.proof import MfaProof
from onepam.domain.sessions.events import MACHINE, EntryPoint, RecordingWatched
from onepam.domain.sessions.inspecting import RecordingInspected, Verdict
from onepam.domain.signing_in.events import EnrolmentOpened, EnrolmentUsed, FactorEnrolled, FactorKind
from onepam.kernel.clock import DAY, Instant
from tests.ledger.lawful.story import HOLDS, Story
from tests.ledger.lawful.test_sessions import DEV_BECAUSE, closed, machine, opened, ready


def test_who_says_what_they_saw_in_a_recording() -> None:
    told = ready("mon", "aud", "max")
    told.add(opened(told))
    told.add(RecordingWatched("ses_1", "mon", "play"))
    early = told.add(RecordingInspected("ses_1", "eve", "mon", Verdict.EXPECTED))
    told.add(closed())
    unseen = told.add(RecordingInspected("ses_1", "eve", "mon", Verdict.EXPECTED))
    for by in ("mon", "aud", "eve"):
        told.add(RecordingWatched("ses_1", by, "play"))
    told.add(RecordingInspected("ses_1", "eve", "mon", Verdict.CONCERN, "looked at payroll"))
    told.add(RecordingInspected("ses_1", "eve", "aud", Verdict.EXPECTED))
    anothers = told.add(RecordingInspected("ses_1", "max", "aud", Verdict.EXPECTED))
    assert told.said() == [
        (early, "the session had not ended"),
        (unseen, "mon had not been shown it since it ended"),
        (anothers, "it was another's session"),
    ]


def test_nobody_inspects_what_one_hand_with_them_did() -> None:
    told = Story().found({**HOLDS, "ada": ("administrator", "security")})
    for who in ("ada", "bob"):
        told.enrol(who)
    told.sign_in("ada", "sgn_ada")
    told.add(EnrolmentOpened("enr_e", "eve", Instant(told.at() + DAY), "new", "ada"))
    kinds = (FactorKind.PASSWORD, FactorKind.TOTP)
    enrolled = (FactorEnrolled(f"fac_eve_{each.value}", "eve", each, "", None, "eve") for each in kinds)
    told.add(EnrolmentUsed("enr_e", "eve", ("ada",)), *enrolled)
    told.sign_in("eve", "sgn_eve")
    told.add(opened(told))
    told.add(closed())
    told.add(RecordingWatched("ses_1", "ada", "play"))
    at = told.add(RecordingInspected("ses_1", "eve", "ada", Verdict.EXPECTED))
    assert told.said() == [(at, "ada and eve may be one hand: one made the link by which the other enrolled")]


def test_nobody_inspects_without_the_right() -> None:
    told = ready("max", "mon")
    told.add(opened(told))
    told.add(closed())
    told.add(RecordingWatched("ses_1", "mon", "play"))
    at = told.add(RecordingInspected("ses_1", "eve", "max", Verdict.EXPECTED))
    assert told.said() == [(at, "max held no role with the right to audit or monitor")]


def test_nobody_inspects_what_was_their_own() -> None:
    told = Story().found({**HOLDS, "eve": ("engineer", "security")})
    for who in HOLDS:
        told.enrol(who)
    told.sign_in("eve", "sgn_eve")
    told.add(opened(told))
    told.add(closed())
    told.add(RecordingWatched("ses_1", "eve", "play"))
    own = told.add(RecordingInspected("ses_1", "eve", "eve", Verdict.EXPECTED))
    assert told.said() == [(own, "eve inspected what was their own")]


def test_nobody_inspects_what_a_service_of_theirs_did() -> None:
    told = Story().found({**HOLDS, "max": ("security",)})
    for who in ("ada", "bob", "max", "mon"):
        told.enrol(who)
    for who in ("ada", "max", "mon"):
        told.sign_in(who)
    machine(told)
    because = replace(DEV_BECAUSE, binding="bnd_bot")
    proof = MfaProof("", (MACHINE,), told.at())
    told.add(opened(told, "bot", entry=EntryPoint.SSH_SERVICE_KEY, because=because, mfa=proof))
    told.add(closed())
    for by in ("max", "mon"):
        told.add(RecordingWatched("ses_1", by, "play"))
    own = told.add(RecordingInspected("ses_1", "bot", "max", Verdict.EXPECTED))
    told.add(RecordingInspected("ses_1", "bot", "mon", Verdict.EXPECTED))
    assert told.said() == [(own, "max inspected what a service of their own did")]


def test_nobody_inspects_what_a_service_of_one_hand_with_them_did() -> None:
    told = Story().found({**HOLDS, "ada": ("administrator", "security")})
    for who in ("ada", "bob"):
        told.enrol(who)
    told.sign_in("ada")
    told.add(EnrolmentOpened("enr_m", "max", Instant(told.at() + DAY), "new", "ada"))
    kinds = (FactorKind.PASSWORD, FactorKind.TOTP)
    enrolled = (FactorEnrolled(f"fac_max_{each.value}", "max", each, "", None, "max") for each in kinds)
    told.add(EnrolmentUsed("enr_m", "max", ("ada",)), *enrolled)
    machine(told)
    because = replace(DEV_BECAUSE, binding="bnd_bot")
    proof = MfaProof("", (MACHINE,), told.at())
    told.add(opened(told, "bot", entry=EntryPoint.SSH_SERVICE_KEY, because=because, mfa=proof))
    told.add(closed())
    told.add(RecordingWatched("ses_1", "ada", "play"))
    at = told.add(RecordingInspected("ses_1", "bot", "ada", Verdict.EXPECTED))
    assert told.said() == [(at, "ada and max may be one hand: one made the link by which the other enrolled")]
