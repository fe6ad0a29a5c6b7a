"""Rules of the door: each clause broken once by a planted entry, and nothing else found."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.access.decision import Because
from onepam.domain.access.events import BindingEnded
from onepam.domain.access.model import Action, MfaRule, Recording
from onepam.domain.access.proof import MfaBasis, MfaProof
from onepam.domain.leaving.brake import DirectoryPersonHeld, HoldReason
from onepam.domain.leaving.probing import ProbeOrdered
from onepam.domain.people.events import PersonAdded, PersonDisabled, PersonKind
from onepam.domain.requests.events import RequestMade
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import (
    MACHINE,
    EntryPoint,
    KillOrdered,
    RecordingWatched,
    SessionClosed,
    SessionFailed,
    SessionOpened,
)
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind, SignedOut
from onepam.kernel.clock import DAY, FOREVER, HOUR, MINUTE, SECOND, Instant
from tests.ledger.lawful.story import ALL, Story, binding, resource_set, role_set, substance, version_of

SHORT = {
    "MORE": "it allows more than the chain does",
    "NONE": "no such sign-in of the person ran behind it",
    "OLD": "the second factor was too old",
}
GONE = "no sign-in of the person ran behind it"
DEV_BECAUSE = Because("engineer", version_of("engineer"), "dev", "bnd_eve_engineer")
ROOT_BECAUSE = Because("operator", version_of("operator"), "root", "bnd_ops_operator")
PROD_BECAUSE = replace(DEV_BECAUSE, permission="prod", request="req_1", approval_by="max", grant="grt_1")


def opened(told: Story, who: str = "eve", **other: Any) -> SessionOpened:
    """Eve on dev-1, under her sign-in."""
    shown = other.pop("shown", None) or told.rows[-1].time
    values: dict[str, Any] = {
        "session": "ses_1",
        "person": who,
        "resource": "dev-1",
        "login": "app",
        "entry": EntryPoint.SSH_CERTIFICATE,
        "actions": ALL,
        "ends": Instant(told.at() + HOUR),
        "privileged": False,
        "because": DEV_BECAUSE,
        "also": (),
        "mfa": MfaProof(f"sgn_{who}", ("password", "totp"), Instant(shown - 1)),
        "node": "node-1",
        "recording": Recording.WHOLE,
    }
    return SessionOpened(**{**values, **other})


def closed() -> SessionClosed:
    """Its end."""
    return SessionClosed("ses_1", SessionEnd.CLIENT_LEFT, "", 0, {}, True, None, None)


def ready(*more: str, last: str = "eve") -> Story:
    """Everybody signed in, `last` the last."""
    return Story().ready("ada", *more, last)


def test_a_session_by_a_standing_permission() -> None:
    told = ready()
    told.add(opened(told))
    told.add(closed())
    assert told.said() == []


@pytest.mark.parametrize("again", [closed(), SessionFailed("ses_1", SessionEnd.TARGET_DOWN)])
def test_a_session_ends_once(again: object) -> None:
    told = ready()
    told.add(opened(told))
    told.add(closed(), again)
    assert [why for _, why in told.said()] == ["no such session was open"]


@pytest.mark.parametrize(
    ("chunks", "gap", "said"),
    [
        (0, None, ["it counts what no chunk of its recording holds"]),
        (0, "the recorder failed", []),
        (1, None, []),
    ],
)
def test_what_a_session_counts_is_in_its_recording(chunks: int, gap: str | None, said: list[str]) -> None:
    told = ready()
    told.add(opened(told))
    told.add(replace(closed(), chunks=chunks, counts={"bytes": 5000}, gap=gap))
    assert [why for _, why in told.said()] == said


def test_a_session_by_an_approved_request() -> None:
    told = ready("max")
    shown = told.rows[-1].time
    told.approve(told.ask())
    told.wait(10 * SECOND)
    told.add(
        opened(
            told,
            resource="web-1",
            because=PROD_BECAUSE,
            privileged=True,
            shown=shown,
            ends=Instant(told.at() + 30 * MINUTE),
        )
    )
    assert told.said() == []


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"resource": "none"}, "there was no resource none"),
        ({"because": replace(DEV_BECAUSE, role="none")}, "there was no binding of the role none|MORE"),
        ({"because": replace(DEV_BECAUSE, binding="none")}, "there was no binding of the role engineer|MORE"),
        (
            {"because": ROOT_BECAUSE, "login": "root", "privileged": True},
            "eve did not hold the role operator by that binding",
        ),
        (
            {"because": replace(DEV_BECAUSE, permission="none")},
            "the role gave nothing on dev-1 by that permission|MORE",
        ),
        ({"resource": "web-1"}, "the role gave nothing on web-1 by that permission|MORE"),
        ({"login": "root"}, "the role gave no login root there"),
        ({"because": replace(DEV_BECAUSE, role_version="0")}, "the role was of another version"),
        (
            {"resource": "web-1", "because": PROD_BECAUSE, "privileged": True},
            "it needs an approval, and no such access ran",
        ),
        ({"ends": 9 * HOUR}, "it lasts longer than the permission"),
        ({"ends": 0}, "it was over before it began"),
        ({"ends": 13 * HOUR}, "it lasts longer than the permission|it lasts longer than any session"),
    ],
)  # fmt: skip
def test_a_session_rests_on_what_its_person_held(other: dict[str, Any], why: str) -> None:
    told = ready()
    if "ends" in other:
        other = {"ends": Instant(told.at() + other["ends"])}
    at = told.add(opened(told, **other))
    assert told.said() == [(at, SHORT.get(each, each)) for each in why.split("|")]


def test_a_session_of_somebody_who_has_gone_or_is_held() -> None:
    told = ready()
    shown = told.rows[-1].time
    told.add(PersonDisabled("eve", "ada", "left", "administrator", None, None))
    at = told.add(opened(told, shown=shown))
    assert told.said()[0] == (at, "the account eve was disabled")
    told = ready()
    shown = told.rows[-1].time
    told.add(DirectoryPersonHeld("hld_1", "eve", "end", HoldReason.MANY, "gone", None, None, None))
    at = told.add(opened(told, shown=shown))
    assert told.said() == [(at, "the account eve was held: it opens nothing")]


def test_a_session_outlives_neither_account_nor_binding() -> None:
    told = Story().ready("ada")
    end = Instant(told.at() + 30 * MINUTE)
    told.add(PersonAdded("zoe", PersonKind.VENDOR, "joined", "ada", "max", end))
    told.change("chg_1", "ada", binding("bnd_zoe", "engineer", "zoe", end))
    session = told.rows[-1].time
    at = told.add(opened(told, "zoe", because=replace(DEV_BECAUSE, binding="bnd_zoe"), shown=session))
    assert told.said() == [
        (at, "the binding had ended, or ends before the session"),
        (at, "no sign-in of the person ran behind it"),
        (at, "it outlives the account"),
    ]


def test_what_was_narrowed_opens_no_more() -> None:
    told = ready()
    shown = told.rows[-1].time
    told.change("chg_1", "ada", BindingEnded("bnd_eve_engineer", "binding.removed", "", None))
    at = told.add(opened(told, shown=shown))
    assert told.said() == [
        (at, "there was no binding of the role engineer"),
        (at, "it allows more than the chain does"),
    ]
    told = ready()
    shown = told.rows[-1].time
    told.change("chg_1", "ada", resource_set("dev-1", {"env": "dev"}, ()))
    at = told.add(opened(told, shown=shown))
    assert told.said() == [(at, "nothing was pinned that the target is known by")]


def test_what_is_privileged_says_so() -> None:
    told = ready("max")
    shown = told.rows[-1].time
    told.approve(told.ask())
    told.wait(10 * SECOND)
    half = Instant(told.at() + 30 * MINUTE)
    at = told.add(opened(told, resource="web-1", because=PROD_BECAUSE, shown=shown, ends=half))
    assert told.said() == [(at, "it is privileged, and does not say so")]


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"login": "root"}, "the role gave no login root there|the access that ran is for something else"),
        ({"ends": 3 * HOUR}, "the access had not begun, had ended, or ends before the session"),
        ({"wait": 2 * HOUR}, "the access had not begun, had ended, or ends before the session"),
        ({"wait": 0}, "the access had not begun, had ended, or ends before the session"),
    ],
)
def test_a_session_is_what_was_approved(other: dict[str, Any], why: str) -> None:
    told = ready("max")
    shown = told.rows[-1].time
    told.approve(told.ask())
    told.wait(other.get("wait", 10 * SECOND))
    values = {"login": other["login"]} if "login" in other else {}
    ends = Instant(told.at() + other.get("ends", 30 * MINUTE))
    because = PROD_BECAUSE
    at = told.add(opened(told, resource="web-1", because=because, privileged=True, shown=shown, ends=ends, **values))
    assert told.said() == [(at, SHORT.get(each, each)) for each in why.split("|")]


def test_a_session_allows_no_more_than_was_asked() -> None:
    told = ready("max")
    shown = told.rows[-1].time

    less = substance(actions=(Action.SHELL,))
    told.add(RequestMade("req_1", less, less.digest(), Instant(told.at() + DAY), "", ""))
    told.approve(less)
    told.wait(10 * SECOND)
    half = Instant(told.at() + 30 * MINUTE)
    at = told.add(opened(told, resource="web-1", because=PROD_BECAUSE, privileged=True, shown=shown, ends=half))
    assert told.said() == [(at, SHORT["MORE"])]


@pytest.mark.parametrize(
    ("mfa", "why"),
    [
        (MfaProof("sgn_ada", ("totp",), Instant(0)), "OLD|NONE"),
        (MfaProof("sgn_none", ("totp",), Instant(0)), "OLD|NONE"),
        (MfaProof("sgn_eve", ("totp",), Instant(1)), "OLD|it claims another second factor than the sign-in"),
    ],
)  # fmt: skip
def test_a_session_rests_on_a_sign_in_of_its_person(mfa: MfaProof, why: str) -> None:
    told = ready()
    at = told.add(opened(told, mfa=mfa))
    assert told.said() == [(at, SHORT.get(each, each)) for each in why.split("|")]


def test_a_sign_in_that_ended_opens_nothing() -> None:
    told = ready()
    shown = told.rows[-1].time
    told.add(SignedOut("sgn_eve", "eve", "signed_out", "eve"))
    at = told.add(opened(told, shown=shown))
    assert told.said() == [(at, "no sign-in of the person ran behind it")]


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (MfaRule(phishing_resistant=True), "the target asks for a phishing-resistant factor"),
        (MfaRule(max_age=MINUTE), "the second factor was too old"),
        (MfaRule(fresh=True), ""),
    ],
)
def test_a_session_has_the_factor_that_its_target_asks(rule: MfaRule, why: str) -> None:
    told = ready()
    shown = told.rows[-1].time
    told.change("chg_1", "ada", resource_set("dev-1", {"env": "dev"}, mfa=rule))
    told.wait(2 * MINUTE)
    at = told.add(opened(told, shown=shown))
    assert told.said() == ([(at, why)] if why else [])


def machine(told: Story) -> None:
    """A service account with a key."""
    told.add(PersonAdded("bot", PersonKind.SERVICE, "deploys", "ada", "max", Instant(told.at() + DAY)))
    told.change("chg_m", "ada", binding("bnd_bot", "engineer", "bot"))
    told.add(FactorEnrolled("fac_bot", "bot", FactorKind.SSH_KEY, "", FOREVER, "ada"))


def test_a_machine_comes_in_by_its_key() -> None:
    told = Story().ready("ada")
    machine(told)
    proof = MfaProof("", (MACHINE,), told.at())
    by = replace(DEV_BECAUSE, binding="bnd_bot")
    told.add(opened(told, "bot", entry=EntryPoint.SSH_SERVICE_KEY, because=by, mfa=proof))
    assert told.said() == []


def test_by_a_key_of_one_administrator_nothing_privileged_opens() -> None:
    told = Story().ready("ada")
    machine(told)
    proof = MfaProof("", (MACHINE,), told.at())
    by = replace(DEV_BECAUSE, binding="bnd_bot")
    entry = EntryPoint.SSH_SERVICE_KEY
    at = told.add(opened(told, "bot", entry=entry, because=by, mfa=proof, privileged=True))
    assert told.said() == [(at, "no key of the account had been registered by two administrators")]


def test_nobody_else_comes_in_by_a_key_alone() -> None:
    told = ready()
    at = told.add(opened(told, entry=EntryPoint.SSH_SERVICE_KEY))
    assert told.said() == [
        (at, "a machine comes in by its own key, and nobody else does"),
        (at, "the machine had no key in force"),
        (at, "a machine shows no second factor"),
    ]


def test_sessions_that_end_were_open() -> None:
    told = ready()
    at = told.add(closed())
    then = told.add(SessionFailed("ses_1", SessionEnd.TARGET_DOWN))
    assert told.said() == [(at, "no such session was open"), (then, "no such session was open")]


def test_who_ends_and_who_watches() -> None:
    told = ready("mon", "aud", "max")
    told.add(opened(told))
    for by in ("eve", "ada", "mon"):
        told.add(KillOrdered("ses_1", by, ""))
    for by in ("eve", "aud", "mon"):
        told.add(RecordingWatched("ses_1", by, "play"))
    told.add(ProbeOrdered("eve", "mon"))
    assert told.said() == []
    at = told.add(KillOrdered("ses_1", "max", ""))
    none = told.add(KillOrdered("ses_2", "ada", ""))
    watched = told.add(RecordingWatched("ses_1", "max", "play"))
    probed = told.add(ProbeOrdered("eve", "aud"))
    assert told.said() == [
        (at, "max held no role with the right to administer or monitor"),
        (none, "no such session was open"),
        (watched, "max held no role with the right to audit or monitor"),
        (probed, "aud held no role with the right to administer or monitor"),
    ]


def test_what_a_basis_does_not_open() -> None:
    told = ready(last="ops")
    shown = told.rows[-1].time
    base = opened(told, "ops", because=ROOT_BECAUSE, login="root", privileged=True, shown=shown)
    told.add(base)
    assert told.said() == []
    proof = replace(base.mfa, basis=MfaBasis.DECLARED)
    at = told.add(replace(base, session="ses_2", mfa=proof))
    assert told.said() == [
        (at, "a second factor that is only declared opens nothing like it"),
        (at, "it claims another second factor than the sign-in"),
    ]


def test_a_role_that_gives_the_rest_is_named_beside() -> None:
    told = ready()
    shown = told.rows[-1].time
    told.change("chg_1", "ada", role_set("extra", []), binding("bnd_x", "extra", "eve"))
    at = told.add(opened(told, shown=shown, also=(Because("extra", "0", "dev", "bnd_x"),)))
    assert told.said() == [(at, "the role gave nothing on dev-1 by that permission")]


def test_somebody_unknown_opens_nothing() -> None:
    told = ready()
    shown = told.rows[-1].time
    at = told.add(opened(told, "nobody", shown=shown))
    assert told.said() == [
        (at, "there was no account nobody"),
        (at, "there was no binding of the role engineer"),
        (at, SHORT["MORE"]),
        (at, GONE),
    ]


def test_nothing_privileged_opens_within_an_hour_of_a_replaced_factor() -> None:
    told = ready(last="ops")
    told.add(FactorEnrolled("fac_new", "ops", FactorKind.PASSKEY, "", Instant(told.at() + HOUR), "ops"))
    shown = told.rows[-2].time
    at = told.add(opened(told, "ops", because=ROOT_BECAUSE, login="root", privileged=True, shown=shown))
    assert told.said() == [(at, "a factor of ops had been replaced within the hour")]


def test_a_session_that_failed_was_open() -> None:
    told = ready()
    told.add(opened(told))
    told.add(SessionFailed("ses_1", SessionEnd.TARGET_DOWN))
    assert told.said() == []


def test_an_account_whose_end_has_passed_opens_nothing() -> None:
    told = Story().ready("ada")
    machine(told)
    told.wait(DAY)
    proof = MfaProof("", (MACHINE,), told.at())
    by = replace(DEV_BECAUSE, binding="bnd_bot")
    at = told.add(opened(told, "bot", entry=EntryPoint.SSH_SERVICE_KEY, because=by, mfa=proof))
    assert told.said() == [(at, "the end of the account bot had passed"), (at, "it outlives the account")]
