"""Identity providers: how each fares, connecting one, deciding on what is proposed, declaring, removing."""

import asyncio

from starlette.responses import Response

from onepam.app.providers.declare_mfa import declare_mfa
from onepam.app.providers.end_declaration import end_declaration
from onepam.app.providers.remove_provider import remove_provider
from onepam.console.frame import refusal_words
from onepam.console.frame.decision import decisions
from onepam.console.frame.page import Context
from onepam.console.frame.period import day_begins, day_text
from onepam.console.frame.places import ADMINISTERS, SEES_ALL, Place, Shown
from onepam.console.frame.rendering import plural
from onepam.console.frame.visit import Visit
from onepam.console.providers import provider_wizard
from onepam.console.providers.provider_test import begin_test, unknown
from onepam.console.providers.provider_wizard import stale
from onepam.console.providers.provider_words import (
    BASES,
    PROTOCOLS,
    REFUSALS,
    addresses,
    differences,
    expiries,
    factor_basis,
    facts,
)
from onepam.console.providers.providers_page import ProviderPage, ProviderProposedPage, ProvidersPage
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proposal import ProposalKind
from onepam.domain.providers.setting import LONGEST_DECLARATION, Provider, Statement
from onepam.identity.oidc.settings import OidcSettings
from onepam.kernel.clock import DAY, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.store.read import providers as rows

MOST_SECONDS = 2
"""How long a page waits for a provider that it asks."""


async def providers_page(visit: Visit) -> Response:
    """All providers, what waits, and how each fares."""
    listed = await visit.services.reader(rows.providers, visit.at)
    waiting = await visit.services.reader(rows.proposals, visit.at)
    return visit.page(
        ProvidersPage(
            providers=[_row(visit, each) for each in listed],
            proposals=[_proposed(each) for each in waiting],
            may_change=visit.me.has(ConsoleRight.ADMINISTER),
        )
    )


async def provider_page(visit: Visit) -> Response:
    """One provider in force."""
    found = await visit.services.reader(rows.provider, visit.at, visit.path("provider"))
    if found is None:
        return visit.refusal(_no_provider(), 404)
    waiting = await visit.services.reader(rows.proposals, visit.at)
    stored, row = found.provider, _row(visit, found)
    return visit.page(
        ProviderPage(
            provider={**row, "change": stored.change, "trouble": row["trouble"] or await _silence(visit, stored)},
            facts=facts(stored),
            addresses=addresses(stored.kind, visit.services.origin, stored.provider),
            proposals=[_proposed(each) for each in waiting if each.provider.provider == stored.provider],
            set_by={"proposed": found.proposed_by_name, "approved": found.approved_by_name, "at": found.since},
            refusals=refusal_words.shown(await visit.services.reader(rows.refusals, visit.at, stored.provider)),
            declaration=_declared(found.declaration),
            last_day=day_text(Instant(visit.now + LONGEST_DECLARATION - DAY)),
            may_change=visit.me.has(ConsoleRight.ADMINISTER),
            stale=stale(visit),
        )
    )


async def proposed(visit: Visit) -> Response:
    """A proposal with what it changes; another administrator decides here."""
    found = await visit.services.reader(rows.proposal, visit.at, visit.path("change"))
    form = (await decisions(visit, ProposalKind.PROVIDER)).get(visit.path("change"))
    if found is None or form is None:
        return visit.refusal(unknown(visit.path("change")), 404)
    stored = found.provider
    settings = visit.services.providers.settings(stored)
    return visit.page(
        ProviderProposedPage(
            change=_proposed(found),
            provider={"id": stored.provider, "name": stored.name, "protocol": PROTOCOLS[stored.kind]},
            differences=differences(found.current, stored),
            trouble=settings.message if isinstance(settings, Refused) else "",
            expiries=expiries(stored, settings, visit.wall),
            addresses=addresses(stored.kind, visit.services.origin, stored.provider),
            may_change=visit.me.has(ConsoleRight.ADMINISTER),
            decision=form,
        )
    )


async def remove(visit: Visit) -> Response:
    """Ends the provider, and the sign-ins that it opened."""
    ident = visit.path("provider")
    if stale(visit):
        return visit.go(f"/step-up?next=/providers/{ident[:40]}")
    ended = await remove_provider(visit.services.ledger, visit.me.actor, ident, visit.form.get("reason", ""))
    if isinstance(ended, Refused):
        return _settled(visit, ended, ident, "")
    return visit.outcome(None, "/providers", f"Removed; {plural(ended, 'sign-in')} ended.")


async def declare(visit: Visit) -> Response:
    """A statement that the provider demands a second factor, signed by who sends it."""
    ident = visit.path("provider")
    if stale(visit):
        return visit.go(f"/step-up?next=/providers/{ident[:40]}")
    statement = Statement(
        declaration=new_id("dcl", visit.services.random),
        provider=ident,
        words=visit.form.get("statement", ""),
        policy=visit.form.get("policy", ""),
        ends=_end_of(visit.form.get("ends", "")),
    )
    refused = await declare_mfa(visit.services.ledger, visit.me.actor, statement)
    return _settled(visit, refused, ident, "Declared. Administrative roles still step up.")


async def end_declared(visit: Visit) -> Response:
    """Withdraws a statement."""
    ident, reason = visit.path("provider"), visit.form.get("reason", "")
    refused = await end_declaration(visit.services.ledger, visit.me.actor, ident, visit.path("declaration"), reason)
    return _settled(visit, refused, ident, "Withdrawn: people step up again.")


async def _silence(visit: Visit, stored: Provider) -> str:
    """Why an OpenID provider does not answer now; empty while it does, and for a page of the past."""
    settings = visit.services.providers.settings(stored)
    if visit.as_of is not None or not isinstance(settings, OidcSettings):
        return ""
    try:
        async with asyncio.timeout(MOST_SECONDS):
            answer = await visit.services.openid.discovered(settings, visit.wall)
    except TimeoutError:
        return f"It does not answer within {MOST_SECONDS} seconds."
    return answer.message if isinstance(answer, Refused) else ""


def _settled(visit: Visit, refused: Refused | None, ident: str, done: str) -> Response:
    if refused is not None and refused.code in ("provider.unknown", "provider.declaration_unknown"):
        return visit.refusal(_no_provider(), 404)
    return visit.outcome(refused, f"/providers/{ident}", done)


def _no_provider() -> Refused:
    return Refused("provider.unknown", "There is no such provider.", "/providers")


def _row(visit: Visit, found: rows.ProviderRow) -> Context:
    stored, now = found.provider, visit.as_of or visit.now
    settings = visit.services.providers.settings(stored)
    declared_until = found.declaration.ends if found.declaration else None
    state, words = factor_basis(stored.rule, declared_until)
    return {
        "id": stored.provider,
        "name": stored.name,
        "protocol": PROTOCOLS[stored.kind],
        "domains": list(stored.rule.domains),
        "people": found.people,
        "since": found.since,
        "last": _last(found.last),
        "failure": _failure(found.failure),
        "factor": {"state": state, "words": words, "until": declared_until if state == "due" else None},
        "expiries": expiries(stored, settings, now),
        "trouble": settings.message if isinstance(settings, Refused) else "",
    }


def _last(last: rows.LastSignIn | None) -> Context | None:
    if last is None:
        return None
    basis = BASES.get(last.basis, last.basis)
    return {"person": {"id": last.person, "name": last.person_name}, "at": last.at, "basis": basis}


def _failure(failure: rows.LastFailure | None) -> Context | None:
    if failure is None:
        return None
    why = REFUSALS.get(failure.code, failure.code)
    return {"person": {"id": failure.person, "name": failure.person_name}, "at": failure.at, "why": why}


def _declared(found: rows.Declaration | None) -> Context | None:
    if found is None:
        return None
    return {
        "id": found.declaration,
        "statement": found.statement,
        "digest": found.policy_digest,
        "policy": found.policy or "",
        "by": {"id": found.signed_by, "name": found.signed_by_name},
        "at": found.signed,
        "ends": found.ends,
    }


def _proposed(found: rows.ProposalRow) -> Context:
    stored: Provider = found.provider
    return {
        "id": stored.change,
        "name": stored.name,
        "new": found.current is None,
        "by": {"id": found.by, "name": found.by_name},
        "at": found.at,
    }


def _end_of(day: str) -> Instant:
    """The end of a day in UTC; the beginning of time for what is no day."""
    return day_begins(day, 1) or Instant(0)


PLACES = (
    Place("GET", "/providers", SEES_ALL, providers_page, Shown("Identity providers", "building", "Identity")),
    Place("GET", "/providers/new", ADMINISTERS, provider_wizard.new),
    Place("POST", "/providers", ADMINISTERS, provider_wizard.propose),
    Place("GET", "/providers/proposed/{change}", SEES_ALL, proposed),
    Place("POST", "/providers/{change}/test", ADMINISTERS, begin_test),
    Place("GET", "/providers/{provider}", SEES_ALL, provider_page),
    Place("POST", "/providers/{provider}/remove", ADMINISTERS, remove),
    Place("POST", "/providers/{provider}/declare", ADMINISTERS, declare),
    Place("POST", "/providers/{provider}/declarations/{declaration}/end", ADMINISTERS, end_declared),
)
