"""A provider takes two administrators; what is wrong with one is said; who removes one remains able to get in."""

from dataclasses import asdict, replace
from hashlib import sha256
from typing import Any

import pytest

from onepam.domain.access.proposal import ProposalKind, ProposalRefused
from onepam.domain.history.commit import Decided
from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.providers.events import (
    MfaDeclarationEnded,
    MfaDeclared,
    ProviderProposed,
    ProviderRejected,
    ProviderRemoved,
    ProviderRule,
    ProviderSet,
)
from onepam.domain.providers.setting import (
    ENDED,
    LONGEST_DECLARATION,
    MAX_POLICY_CHARACTERS,
    MAX_SETTINGS_BYTES,
    MOST_PROPOSALS,
    MOST_PROVIDERS,
    MOST_SIGN_INS,
    InForce,
    Provider,
    ProviderProposal,
    SettingFacts,
    Statement,
    approve,
    declare,
    end_declaration,
    end_sign_ins,
    propose,
    reject,
    remove,
    unfit,
)
from onepam.domain.signing_in.events import SignedOut
from onepam.domain.signing_in.rules import FRESH_FACTOR
from onepam.kernel.clock import DAY, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import ADMINISTRATOR, NOW, present, proposal

RULE = ProviderRule(attests=("mfa", "phr"), phishing_resistant=("phr",), domains=("example.com",))
OKTA = Provider("chg_1", "idp_1", ProviderKind.OIDC, "Okta", '{"issuer":"https://okta.example"}', RULE, "sealed")
LAB = replace(OKTA, change="chg_0", provider="idp_0", name="Lab", rule=ProviderRule(domains=("lab.example.com",)))
FACTS = SettingFacts(present("ada", ADMINISTRATOR), "", ())
THERE = replace(FACTS, providers=(InForce(OKTA, Instant(NOW - DAY)),))
LAID = proposal(ProposalKind.PROVIDER, "chg_1")
WAITING = replace(FACTS, proposal=ProviderProposal(OKTA, LAID), waiting=(("chg_1", "idp_1"),))
AGAIN = replace(OKTA, change="chg_2", name="Okta Europe")
STATEMENT = Statement("dcl_1", "idp_1", "It demands one of everybody.", "MFA = always\r\n", Instant(NOW + DAY))
STALE = replace(FACTS.actor, mfa_at=Instant(NOW - FRESH_FACTOR))


def whole(outcome: object) -> dict[str, Any]:
    """The one event that was decided on, but for who did."""
    assert isinstance(outcome, Decided)
    event: Any = outcome.events[0]
    return {**asdict(event), "by": "", "proposed_by": ""}


def code(outcome: object) -> str:
    """The code of a refusal, bare or recorded."""
    if isinstance(outcome, Decided):
        outcome = outcome.result
    assert isinstance(outcome, Refused), outcome
    assert outcome.message
    return outcome.code


def test_a_provider_is_proposed_and_approved_by_another_administrator() -> None:
    proposed = ProviderProposed("chg_1", "idp_1", ProviderKind.OIDC, "Okta", OKTA.settings, RULE, "ada", "sealed")
    assert propose(FACTS, OKTA, None, NOW) == Decided((proposed,), None)
    agreed = ProviderSet("chg_1", "idp_1", ProviderKind.OIDC, "Okta", OKTA.settings, RULE, "bob", "ada", "sealed")
    assert approve(WAITING, "chg_1", NOW) == Decided((agreed,), None)


def test_all_of_what_was_proposed_is_set_and_nothing_else() -> None:
    proposed, agreed = propose(FACTS, OKTA, None, NOW), approve(WAITING, "chg_1", NOW)
    assert whole(proposed) == whole(agreed)


def test_a_change_of_one_that_is_there_takes_two_as_well() -> None:
    assert isinstance(propose(THERE, AGAIN, None, NOW), Decided)
    waiting = replace(WAITING, providers=THERE.providers, proposal=ProviderProposal(AGAIN, LAID))
    assert isinstance(approve(waiting, "chg_2", NOW), Decided)


def test_a_proposal_takes_the_place_of_an_earlier_one() -> None:
    waiting = replace(FACTS, waiting=(("chg_1", "idp_1"), ("chg_9", "idp_9")))
    decided = propose(waiting, AGAIN, "chg_1", NOW)
    assert isinstance(decided, Decided)
    assert decided.events[0] == ProviderRejected("chg_1", "idp_1", "ada", "replaced")
    assert len(decided.events) == 2


def many(count: int) -> tuple[InForce, ...]:
    """Providers that have nothing in common."""
    rule = ProviderRule()
    return tuple(
        InForce(replace(OKTA, provider=f"idp_x{n}", change=f"chg_x{n}", name=f"P{n}", rule=rule), Instant(0))
        for n in range(count)
    )


@pytest.mark.parametrize(
    ("facts", "wanted", "refused"),
    [
        (replace(FACTS, actor=present("ada")), OKTA, "right.missing"),
        (replace(FACTS, actor=STALE), OKTA, "factor.stale"),
        (replace(FACTS, taken=True), OKTA, "provider.change_taken"),
        (FACTS, replace(OKTA, name=""), "text.missing"),
        (THERE, replace(OKTA, change="chg_2"), "provider.same"),
        (THERE, replace(OKTA, kind=ProviderKind.SAML), "provider.kind"),
        (THERE, replace(LAB, name="OKTA"), "provider.name_taken"),
        (THERE, replace(LAB, rule=RULE), "provider.domain_taken"),
        (replace(FACTS, providers=many(MOST_PROVIDERS)), OKTA, "provider.many"),
        (
            replace(FACTS, providers=many(MOST_PROVIDERS - 1), waiting=(("chg_8", "idp_8"),)),
            OKTA,
            "provider.many",
        ),
        (
            replace(THERE, waiting=tuple((f"chg_x{n}", "idp_1") for n in range(MOST_PROPOSALS))),
            AGAIN,
            "provider.many_proposals",
        ),
    ],
)
def test_what_is_not_proposed(facts: SettingFacts, wanted: Provider, refused: str) -> None:
    assert code(propose(facts, wanted, None, NOW)) == refused


def test_the_last_provider_that_fits_can_be_proposed_and_changed() -> None:
    full = replace(FACTS, providers=many(MOST_PROVIDERS - 1))
    assert isinstance(propose(full, OKTA, None, NOW), Decided)
    overfull = replace(FACTS, providers=many(MOST_PROVIDERS))
    changed = replace(overfull.providers[0].provider, change="chg_2", name="Other")
    assert isinstance(propose(overfull, changed, None, NOW), Decided)


@pytest.mark.parametrize(
    ("wanted", "refused"),
    [
        (replace(OKTA, name="Ok\u202eta"), "text.not_plain"),
        (replace(OKTA, name="x" * 61), "text.too_long"),
        (replace(OKTA, name=" Okta"), "provider.name"),
        (replace(OKTA, settings="{"), "provider.settings"),
        (replace(OKTA, settings="[]"), "provider.settings"),
        (replace(OKTA, settings='{"a": 1}'), "provider.settings"),
        (replace(OKTA, settings='{"a":"\ud800"}'), "provider.settings"),
        (replace(OKTA, settings='{"a":"' + "x" * MAX_SETTINGS_BYTES + '"}'), "provider.settings"),
    ],
)
def test_what_no_provider_is(wanted: Provider, refused: str) -> None:
    found = unfit(wanted)
    assert found is not None
    assert found.code == refused


@pytest.mark.parametrize(
    "rule",
    [
        ProviderRule(attests=("pwd",)),
        ProviderRule(attests=("mfa", "PWD")),
        ProviderRule(attests=("urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",)),
        ProviderRule(attests=("urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified",)),
        ProviderRule(attests=("0",)),
        ProviderRule(attests=("",)),
        ProviderRule(attests=("two words",)),
        ProviderRule(attests=("x" * 201,)),
        ProviderRule(attests=tuple(f"v{n}" for n in range(21))),
        ProviderRule(attests=("mfa",), phishing_resistant=("hwk",)),
        ProviderRule(domains=("Example.com",)),
        ProviderRule(domains=("example",)),
        ProviderRule(domains=("-example.com",)),
        ProviderRule(domains=("exämple.com",)),
        ProviderRule(domains=("a" * 64 + ".com",)),
        ProviderRule(domains=("example.com", "example.com")),
        ProviderRule(domains=tuple(f"d{n}.example" for n in range(51))),
        ProviderRule(joins=True),
    ],
)
def test_what_no_rule_says(rule: ProviderRule) -> None:
    found = unfit(replace(OKTA, rule=rule))
    assert found is not None
    assert found.code == "provider.rule"


def test_what_a_rule_may_say() -> None:
    refeds = "https://refeds.org/profile/mfa"
    domains = ("example.com", "a-b.example.co.uk", "xn--exmple-cua.com")
    assert unfit(replace(OKTA, rule=ProviderRule((refeds, "hwk"), ("hwk",), domains, joins=True, groups=True))) is None
    assert unfit(replace(OKTA, rule=ProviderRule())) is None


@pytest.mark.claim(
    "counts only within what two administrators set for it",
    altered="who proposed a provider could approve it",
)
@pytest.mark.parametrize(
    ("facts", "refused", "events"),
    [
        (replace(WAITING, actor=present("ada")), "right.missing", None),
        (replace(WAITING, actor=STALE), "factor.stale", None),
        (FACTS, "provider.no_proposal", None),
        (
            replace(WAITING, proposal=ProviderProposal(OKTA, replace(LAID, by="ada"))),
            "provider.self_approval",
            (ProposalRefused(ProposalKind.PROVIDER, "chg_1", "ada", "provider.self_approval"),),
        ),
        (
            replace(WAITING, proposal=ProviderProposal(OKTA, replace(LAID, present=False))),
            "provider.proposer_left",
            (ProviderRejected("chg_1", "idp_1", "ada", "provider.proposer_left"),),
        ),
        (
            replace(WAITING, providers=(InForce(replace(OKTA, change="chg_5"), NOW),)),
            "provider.overtaken",
            (ProviderRejected("chg_1", "idp_1", "ada", "provider.overtaken"),),
        ),
        (replace(WAITING, providers=(InForce(replace(LAB, rule=RULE), NOW),)), "provider.domain_taken", None),
        (replace(WAITING, providers=many(MOST_PROVIDERS)), "provider.many", None),
    ],
)
def test_what_is_not_approved(facts: SettingFacts, refused: str, events: tuple[object, ...] | None) -> None:
    outcome: Any = approve(facts, "chg_1", NOW)
    assert code(outcome) == refused
    if events is not None:
        assert outcome.events == events


def test_a_proposal_is_rejected_or_withdrawn_by_any_administrator() -> None:
    assert reject(WAITING, "chg_1", NOW) == Decided((ProviderRejected("chg_1", "idp_1", "ada", "denied"),), None)
    own = replace(WAITING, proposal=ProviderProposal(OKTA, replace(LAID, by="ada")))
    assert reject(own, "chg_1", NOW) == Decided((ProviderRejected("chg_1", "idp_1", "ada", "withdrawn"),), None)
    assert code(reject(FACTS, "chg_1", NOW)) == "provider.no_proposal"
    assert code(reject(replace(WAITING, actor=present("ada")), "chg_1", NOW)) == "right.missing"


def test_removing_ends_all_that_rests_on_it() -> None:
    facts = replace(
        THERE,
        waiting=(("chg_7", "idp_1"), ("chg_8", "idp_8")),
        sign_ins=(("sgn_1", "eve"), ("sgn_2", "max")),
        declarations=("dcl_1",),
    )
    assert remove(facts, "idp_1", "replaced by another", NOW) == Decided(
        (
            ProviderRemoved("idp_1", "ada", "replaced by another"),
            ProviderRejected("chg_7", "idp_1", "ada", ENDED),
            MfaDeclarationEnded("dcl_1", "idp_1", ENDED, "ada"),
            SignedOut("sgn_1", "eve", ENDED, "ada"),
            SignedOut("sgn_2", "max", ENDED, "ada"),
        ),
        2,
    )


def test_what_one_command_cannot_end_ends_in_the_next() -> None:
    many_more = tuple((f"sgn_{n}", "eve") for n in range(MOST_SIGN_INS + 5))
    first = remove(replace(THERE, sign_ins=many_more[:MOST_SIGN_INS]), "idp_1", "gone", NOW)
    assert isinstance(first, Decided)
    assert first.result == MOST_SIGN_INS
    rest = end_sign_ins(replace(FACTS, sign_ins=many_more[MOST_SIGN_INS:]), "idp_1")
    assert rest.result == 5
    assert rest.events[0] == SignedOut(f"sgn_{MOST_SIGN_INS}", "eve", ENDED, "ada")
    assert end_sign_ins(replace(THERE, sign_ins=many_more), "idp_1") == Decided((), 0)


@pytest.mark.parametrize(
    ("facts", "because", "refused"),
    [
        (replace(THERE, actor=STALE), "gone", "factor.stale"),
        (FACTS, "gone", "provider.unknown"),
        (replace(THERE, actor_came_by="idp_1"), "gone", "provider.own_way"),
        (THERE, "", "text.missing"),
    ],
)
def test_what_is_not_removed(facts: SettingFacts, because: str, refused: str) -> None:
    assert code(remove(facts, "idp_1", because, NOW)) == refused


def test_a_declaration_is_signed_with_its_evidence_and_replaces_the_older_one() -> None:
    declared = MfaDeclared(
        "dcl_1",
        "idp_1",
        "It demands one of everybody.",
        sha256(b"MFA = always").hexdigest(),
        Instant(NOW + DAY),
        "ada",
        NOW,
        "MFA = always",
    )
    assert declare(THERE, STATEMENT, NOW) == Decided((declared,), None)
    older = replace(THERE, declarations=("dcl_0",))
    ended = MfaDeclarationEnded("dcl_0", "idp_1", "replaced", "ada")
    assert declare(older, STATEMENT, NOW) == Decided((ended, declared), None)
    year = replace(STATEMENT, ends=Instant(NOW + LONGEST_DECLARATION))
    assert isinstance(declare(THERE, year, NOW), Decided)


@pytest.mark.parametrize(
    ("facts", "statement", "refused"),
    [
        (replace(THERE, actor=STALE), STATEMENT, "factor.stale"),
        (replace(THERE, taken=True), STATEMENT, "provider.declaration_taken"),
        (FACTS, STATEMENT, "provider.unknown"),
        (THERE, replace(STATEMENT, words=" "), "text.missing"),
        (THERE, replace(STATEMENT, policy=" \n"), "provider.policy"),
        (THERE, replace(STATEMENT, policy="a\0b"), "provider.policy"),
        (THERE, replace(STATEMENT, policy="a\ud800b"), "provider.policy"),
        (THERE, replace(STATEMENT, policy="x" * (MAX_POLICY_CHARACTERS + 1)), "provider.policy"),
        (THERE, replace(STATEMENT, ends=NOW), "provider.declaration_end"),
        (THERE, replace(STATEMENT, ends=Instant(NOW + LONGEST_DECLARATION + 1)), "provider.declaration_end"),
    ],
)
def test_what_is_not_declared(facts: SettingFacts, statement: Statement, refused: str) -> None:
    assert code(declare(facts, statement, NOW)) == refused


def test_a_declaration_is_withdrawn_without_ceremony() -> None:
    facts = replace(THERE, actor=STALE, declarations=("dcl_1",))
    ended = MfaDeclarationEnded("dcl_1", "idp_1", "the policy was relaxed", "ada")
    assert end_declaration(facts, "idp_1", "dcl_1", "the policy was relaxed", NOW) == Decided((ended,), None)
    assert code(end_declaration(facts, "idp_1", "dcl_2", "x", NOW)) == "provider.declaration_unknown"
    assert code(end_declaration(facts, "idp_1", "dcl_1", "", NOW)) == "text.missing"
    assert code(end_declaration(replace(facts, actor=present("ada")), "idp_1", "dcl_1", "x", NOW)) == "right.missing"


@pytest.mark.parametrize(("later", "stands"), [(-1, True), (0, False), (1, False)])
def test_a_provider_that_changed_before_it_was_proposed_overtakes_nothing(later: int, stands: bool) -> None:
    assert WAITING.proposal is not None
    since = Instant(LAID.since + later)
    there = InForce(replace(OKTA, change="chg_5"), since)
    outcome = approve(replace(WAITING, providers=(there,)), "chg_1", NOW)
    refused = outcome.result if isinstance(outcome, Decided) else outcome
    assert (getattr(refused, "code", "") != "provider.overtaken") == stands
