"""Signing in through a provider: whose message it is, what proves the second factor, what follows."""

from dataclasses import replace

import pytest

from onepam.domain.access.proof import MfaBasis
from onepam.domain.history.commit import Decided
from onepam.domain.people.events import GroupMemberAdded, GroupMemberRemoved, PersonAdded, PersonChanged, PersonKind
from onepam.domain.people.groups import Membership
from onepam.domain.providers import entering as rules
from onepam.domain.providers.assertion import Assertion, ProviderKind
from onepam.domain.providers.entering import (
    NOBODY,
    Entering,
    EnteringFacts,
    NeedsFirstFactor,
    NeedsSecondFactor,
    SignedInto,
    Somebody,
)
from onepam.domain.providers.events import FirstFactor, IdentityLinked, ProviderLoggedOut, ProviderRule
from onepam.domain.providers.logout import USED, LogoutFacts, end, message_digest
from onepam.domain.providers.setting import Provider
from onepam.domain.signing_in import rules as signing_in
from onepam.domain.signing_in.enrolling import EnrolmentFacts, enrol
from onepam.domain.signing_in.events import (
    EnrolmentEnded,
    EnrolmentOpened,
    FactorEnrolled,
    FactorKind,
    FactorUsed,
    SignedIn,
    SignedOut,
    SignInFailed,
)
from onepam.domain.signing_in.gate import WRONG, Failures, Tries, Visitor
from onepam.domain.signing_in.rules import AccountFacts, FactorFacts, Proof
from onepam.kernel.clock import HOUR, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import ADMINISTRATOR, LATER, NOW

RULE = ProviderRule(attests=("mfa", "urn:mfa"), phishing_resistant=("fido",), domains=("example.com",), groups=True)
OKTA = Provider("chg_1", "okta", ProviderKind.OIDC, "Okta", "{}", RULE, None)
TOTP = FactorFacts("fac_t", FactorKind.TOTP, 41)
PASSKEY = FactorFacts("fac_k", FactorKind.PASSKEY, 7)
KEY = FactorFacts("fac_s", FactorKind.SSH_KEY, 0)
ACCOUNT = AccountFacts("eve", PersonKind.EMPLOYEE, True, None, Tries(), (TOTP, PASSKEY, KEY), (), (), provider="Okta")
SAID = Assertion(
    "okta", "00u1", "eve", "Eve@Example.com", "Eve Roe", None, ("pwd", "mfa"), "", NOW, "nonce-1", "sid-1", "name"
)
DIGEST = rules.subject_digest("okta", "00u1")
EVE = Somebody(ACCOUNT, "Eve Roe", "eve@example.com", "max", None, "claims:okta", (DIGEST,))
KNOWN = EnteringFacts(OKTA, EVE, True, (EVE,))
STRANGER = EnteringFacts(OKTA)
LOCKED_OUT = Tries(strange=Failures(5, LATER, tried=True))
ENTERING = Entering("per_new", "idn_new", "enr_new", "enr_digest", "token_digest", Visitor("192.0.2.1"), "browser")
WEAK = replace(SAID, methods=("pwd",))


def ruled(facts: EnteringFacts, **changes: object) -> EnteringFacts:
    return replace(facts, provider=replace(OKTA, rule=replace(RULE, **changes)))  # type: ignore[arg-type]


def with_account(facts: EnteringFacts, **changes: object) -> EnteringFacts:
    somebody = replace(EVE, account=replace(ACCOUNT, **changes))  # type: ignore[arg-type]
    return replace(facts, known=somebody, with_address=(somebody,))


def administrative(facts: EnteringFacts, *factors: FactorFacts) -> EnteringFacts:
    return with_account(facts, roles=(ADMINISTRATOR,), factors=factors)


def decided(facts: EnteringFacts, said: Assertion = SAID, entering: Entering = ENTERING) -> Decided[rules.Outcome]:
    answer = rules.sign_in(facts, said, entering, NOW)
    assert isinstance(answer, Decided), answer
    return answer


def opened(facts: EnteringFacts, said: Assertion = SAID, entering: Entering = ENTERING) -> SignedIn:
    answer = decided(facts, said, entering)
    assert isinstance(answer.result, SignedInto), answer
    session = answer.events[-1]
    assert isinstance(session, SignedIn)
    assert answer.result == SignedInto(session.person, session.session, session.expires)
    return session


def code(answer: object) -> str:
    answer = answer.result if isinstance(answer, Decided) else answer
    assert isinstance(answer, Refused), answer
    return answer.code


def kinds(answer: Decided[rules.Outcome]) -> list[type]:
    return [type(each) for each in answer.events]


# --- Whose message it is --------------------------------------------------------------------------------------------


def test_a_known_identity_is_its_person() -> None:
    session = opened(KNOWN)
    assert (session.person, session.provider, session.expires) == ("eve", "okta", NOW + signing_in.CONSOLE_SESSION)
    assert session.session == rules.session_of(SAID) != rules.session_of(replace(SAID, unique="nonce-2"))
    assert (session.provider_session, session.name_id, session.token_digest) == ("sid-1", "name", "token_digest")
    assert session.methods == ("pwd", "mfa")
    assert opened(KNOWN, replace(SAID, context="urn:mfa")).methods == ("pwd", "mfa", "urn:mfa")


def test_the_one_person_with_the_address_is_linked() -> None:
    ben = replace(EVE, identities=())
    answer = decided(replace(KNOWN, known=None, once_linked=False, with_address=(ben,)))
    linked = answer.events[0]
    assert isinstance(linked, IdentityLinked)
    assert (linked.person, linked.because, linked.subject_digest) == ("eve", "address", DIGEST)
    assert isinstance(answer.result, SignedInto)


def test_an_address_that_another_directory_brought_links_nobody_who_has_an_account_already() -> None:
    fresh = replace(EVE, identities=(), account=replace(ACCOUNT, factors=()), origin="scim:hrsys")

    def linked(who: Somebody) -> bool:
        answer = decided(replace(KNOWN, known=None, once_linked=False, with_address=(who,)))
        refused = isinstance(answer.result, Refused) and answer.result.code == "sign_in.other_identity"
        assert kinds(answer)[0] is (SignInFailed if refused else IdentityLinked)
        return not refused

    assert linked(fresh)
    mine = replace(fresh, account=ACCOUNT, used=True)
    assert [linked(replace(mine, origin=each)) for each in ("administrator", "scim:okta", "claims:okta")] == [True] * 3
    assert not linked(replace(fresh, used=True))
    assert not linked(replace(fresh, account=replace(ACCOUNT, factors=(PASSKEY,))))
    assert not linked(replace(fresh, account=replace(ACCOUNT, factors=(), roles=(ADMINISTRATOR,))))
    assert not linked(replace(mine, origin="claims:entra"))
    changed = replace(fresh, origin="administrator", readdressed=True)
    assert linked(changed)
    assert not linked(replace(changed, used=True))
    assert not linked(replace(changed, account=ACCOUNT))
    assert not linked(replace(changed, account=replace(ACCOUNT, factors=(), roles=(ADMINISTRATOR,))))


@pytest.mark.claim(
    "What an identity provider says counts only within what two administrators set for it: mail domains",
    altered="an address of any domain was taken from a provider",
)
@pytest.mark.parametrize(
    ("facts", "said", "expected"),
    [
        (replace(KNOWN, known=None, once_linked=False, with_address=(EVE, EVE)), SAID, "sign_in.two_people"),
        (replace(KNOWN, known=None, once_linked=False), SAID, "sign_in.other_identity"),
        (replace(KNOWN, known=None, once_linked=True), SAID, NOBODY.code),
        (STRANGER, SAID, NOBODY.code),
        (ruled(STRANGER, joins=True), replace(SAID, email=None), NOBODY.code),
        (ruled(replace(STRANGER, leaver=True), joins=True), SAID, NOBODY.code),
        (ruled(STRANGER, joins=True), replace(SAID, email="eve@elsewhere.example"), NOBODY.code),
        (ruled(STRANGER, joins=True), replace(SAID, email="no address@example.com"), NOBODY.code),
        (ruled(STRANGER, joins=True), replace(SAID, email="\uff45ve@example.com"), NOBODY.code),
        (replace(KNOWN, provider=None), SAID, "sign_in.provider_gone"),
        (KNOWN, replace(SAID, provider="entra"), "sign_in.provider_gone"),
        (replace(KNOWN, taken=True), SAID, "sign_in.replayed"),
        (KNOWN, replace(SAID, authenticated_at=Instant(NOW - 12 * HOUR)), rules.STALE),
    ],
)
def test_who_is_nobody_is_let_in_by_nothing(facts: EnteringFacts, said: Assertion, expected: str) -> None:
    assert code(rules.sign_in(facts, said, ENTERING, NOW)) == expected


def test_a_second_account_of_somebody_known_is_recorded() -> None:
    answer = decided(replace(KNOWN, known=None, once_linked=False))
    assert answer.events == (refused("sign_in.other_identity"),)


def test_somebody_new_joins_where_the_provider_may_bring_people_in() -> None:
    answer = decided(ruled(STRANGER, joins=True))
    added, linked = answer.events[:2]
    assert isinstance(added, PersonAdded)
    assert isinstance(linked, IdentityLinked)
    assert (added.person, added.origin, added.email, added.name) == (
        "per_new", "claims:okta", "eve@example.com", "Eve Roe",
    )  # fmt: skip
    assert (linked.person, linked.because) == ("per_new", "joined")
    nameless = decided(ruled(STRANGER, joins=True), replace(SAID, name="\u202e")).events[0]
    assert isinstance(nameless, PersonAdded)
    assert nameless.name == "eve@example.com"


@pytest.mark.parametrize(
    ("changes", "recorded"),
    [({"enabled": False}, False), ({"ends": NOW}, True), ({"kind": PersonKind.SERVICE}, True)],
)
def test_who_has_left_hears_what_strangers_hear(changes: dict[str, object], recorded: bool) -> None:
    answer = decided(with_account(KNOWN, **changes))
    assert answer.result == NOBODY
    assert kinds(answer) == ([SignInFailed] if recorded else [])


def test_a_lock_out_by_guesses_bars_no_provider() -> None:
    assert opened(with_account(KNOWN, tries=LOCKED_OUT, ends=LATER)).basis is MfaBasis.ATTESTED


# --- What the message says of the person ----------------------------------------------------------------------------


def changed(facts: EnteringFacts, said: Assertion) -> PersonChanged | None:
    return next((each for each in decided(facts, said).events if isinstance(each, PersonChanged)), None)


def test_a_renamed_person_keeps_all_else() -> None:
    said = replace(SAID, email="eve.roe@example.com", name="Eve Roe-Lindt")
    told = changed(replace(KNOWN, with_address=()), said)
    assert told == PersonChanged("eve", None, "max", None, None, "Eve Roe-Lindt", "eve.roe@example.com")
    somebody = replace(EVE, account=replace(ACCOUNT, person="ben"))
    taken = changed(replace(KNOWN, with_address=(somebody,)), said)
    assert taken is not None
    assert taken.email == "eve@example.com"
    assert changed(KNOWN, SAID) is None
    assert changed(KNOWN, replace(SAID, email="eve@elsewhere.example", name=None)) is None
    assert changed(replace(KNOWN, with_address=(), provisioned=True), said) is None
    # Whom the provider did not bring, or who holds something administrative, keeps the address that they sign in by.
    assert changed(replace(KNOWN, known=replace(EVE, origin="roster"), with_address=()), said) is None
    trusted = replace(administrative(KNOWN, PASSKEY), with_address=())
    assert (told := changed(trusted, said)) is not None
    assert (told.name, told.email) == ("Eve Roe-Lindt", "eve@example.com")


@pytest.mark.claim(
    "mail domains, groups",
    altered="groups were taken from a provider that speaks for none",
)
def test_groups_follow_the_message_and_leave_others_alone() -> None:
    held = (
        Membership("directory:Old", "claims:okta"),
        Membership("directory:Both", "scim:entra"),
        Membership("directory:Stays", "claims:okta"),
    )
    said = replace(SAID, groups=("Both", "New", "Stays", "\u202eevil", " spaced "))
    facts = replace(KNOWN, memberships=held)
    events = decided(facts, said).events[:-1]
    assert events == (
        GroupMemberAdded("directory:Both", "eve", "claims:okta", None),
        GroupMemberAdded("directory:New", "eve", "claims:okta", None),
        GroupMemberRemoved("directory:Old", "eve", "claims:okta", None),
    )
    assert kinds(decided(facts, SAID)) == [SignedIn]
    assert kinds(decided(ruled(facts, groups=False), said)) == [SignedIn]
    assert kinds(decided(replace(facts, provisioned=True), said)) == [SignedIn]


# --- What proves the second factor ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("methods", "context", "hard"),
    [(("mfa",), "", False), ((), "urn:mfa", False), (("mfa", "fido"), "", True)],
)
def test_what_the_provider_attests_counts(methods: tuple[str, ...], context: str, hard: bool) -> None:
    early = Instant(NOW - HOUR)
    session = opened(KNOWN, replace(SAID, methods=methods, context=context, authenticated_at=early))
    assert (session.basis, session.phishing_resistant, session.mfa_at) == (MfaBasis.ATTESTED, hard, early)
    assert session.proven == (FactorKind.PROVIDER,)


def test_a_factor_is_never_of_the_future() -> None:
    assert opened(KNOWN, replace(SAID, authenticated_at=LATER)).mfa_at == NOW


@pytest.mark.claim(
    "the values that prove a second factor",
    altered="every value of a provider counted as a second factor",
)
@pytest.mark.parametrize("value", [("pwd",), (), ("",)])
def test_what_is_not_attested_asks_for_a_factor_of_ours(value: tuple[str, ...]) -> None:
    weak = replace(SAID, methods=value)
    assert decided(ruled(KNOWN, attests=("mfa", "")), weak).result == NeedsSecondFactor("eve")


@pytest.mark.claim(
    "what is only declared is reported as such",
    altered="a declared factor was recorded as attested",
)
def test_a_declaration_counts_but_not_for_administrators() -> None:
    declared = replace(KNOWN, declared=True)
    session = opened(declared, WEAK)
    assert (session.basis, session.mfa_at, session.phishing_resistant) == (MfaBasis.DECLARED, NOW, False)
    assert decided(administrative(declared, TOTP), WEAK).result == NeedsSecondFactor("eve")


def test_an_accepted_risk_counts_until_its_end_but_not_for_administrators() -> None:
    assert opened(replace(KNOWN, accepted=(LATER,)), WEAK).basis is MfaBasis.ACCEPTED
    assert decided(replace(KNOWN, accepted=(NOW,)), WEAK).result == NeedsSecondFactor("eve")
    accepted = administrative(replace(KNOWN, accepted=(LATER,)), TOTP)
    assert decided(accepted, WEAK).result == NeedsSecondFactor("eve")
    assert opened(accepted).basis is MfaBasis.ATTESTED


@pytest.mark.parametrize(
    ("proof", "hard"),
    [(Proof("fac_t", FactorKind.TOTP, 42), False), (Proof("fac_k", FactorKind.PASSKEY, 8), True)],
)
def test_a_factor_of_ours_steps_up(proof: Proof, hard: bool) -> None:
    entering = replace(ENTERING, proofs=(proof,))
    early = replace(WEAK, authenticated_at=Instant(NOW - HOUR))
    answer = decided(KNOWN, early, entering)
    assert kinds(answer) == [FactorUsed, SignedIn]
    session = opened(KNOWN, early, entering)
    assert (session.basis, session.phishing_resistant, session.mfa_at) == (MfaBasis.STEPPED_UP, hard, NOW)
    assert session.proven == (FactorKind.PROVIDER, proof.kind)


@pytest.mark.parametrize(
    ("facts", "proof"),
    [
        (KNOWN, Proof("fac_t", FactorKind.TOTP, 41)),
        (KNOWN, Proof("fac_s", FactorKind.SSH_KEY, 0)),
        (KNOWN, Proof("fac_p", FactorKind.PASSWORD, 0)),
        (with_account(KNOWN, tries=LOCKED_OUT), Proof("fac_t", FactorKind.TOTP, 42)),
    ],
)
def test_a_wrong_factor_of_ours_opens_nothing(facts: EnteringFacts, proof: Proof) -> None:
    answer = decided(facts, SAID, replace(ENTERING, proofs=(proof,)))
    assert answer.result == WRONG
    assert answer.events == ()


def test_without_any_factor_one_is_enrolled_first() -> None:
    answer = decided(with_account(KNOWN, factors=(KEY,), links=("enr_old",)), WEAK)
    assert kinds(answer) == [EnrolmentEnded, EnrolmentOpened]
    assert isinstance(answer.result, NeedsFirstFactor)
    link = answer.events[-1]
    assert isinstance(link, EnrolmentOpened)
    assert (link.enrolment, link.token_digest, link.expires) == ("enr_new", "enr_digest", answer.result.expires)


@pytest.mark.parametrize(
    "facts",
    [administrative(KNOWN), ruled(with_account(KNOWN, factors=()), first_factor=FirstFactor.LINK)],
)
def test_an_administrator_brings_the_first_factor_of_whoever_may_not_alone(facts: EnteringFacts) -> None:
    answer = decided(facts, WEAK)
    assert code(answer) == "sign_in.no_factor"
    assert answer.events == (refused("sign_in.no_factor"),)


def refused(code: str) -> SignInFailed:
    return SignInFailed("eve", FactorKind.PROVIDER, code, 0, None, "okta", source="192.0.2.1")


def test_a_notice_of_the_provider_ends_sign_ins() -> None:
    there = (("sgn_1", "eve"), ("cli_1", "eve"))
    because, told = ("eve", "provider.logout", None), ProviderLoggedOut("okta", message_digest("jti-1"), 2)
    ended = Decided((told, SignedOut("sgn_1", *because), SignedOut("cli_1", *because)), 2)
    assert [end(LogoutFacts(used, there), "okta", "jti-1") for used in (False, True)] == [ended, USED]


# --- No second way in -----------------------------------------------------------------------------------------------


def test_who_has_a_provider_signs_in_nowhere_else_and_enrols_no_password() -> None:
    opening = signing_in.Opening("sgn_1", "eve", (Proof("fac_k", FactorKind.PASSKEY, 8),), "digest", Visitor(""), "")
    assert code(signing_in.sign_in(ACCOUNT, opening, NOW)) == "sign_in.through_provider"
    assert isinstance(signing_in.sign_in(replace(ACCOUNT, provider=""), opening, NOW), Decided)
    new = FactorEnrolled("fac_n", "eve", FactorKind.PASSWORD, "", None, "eve", secret="x")
    totp, link = replace(new, factor="fac_m", kind=FactorKind.TOTP), EnrolmentFacts(ACCOUNT, None, "enr_1", LATER, None)
    assert code(enrol(link, (new, totp), NOW)) == "enrolment.password"
    assert isinstance(enrol(link, (totp,), NOW), Decided)
