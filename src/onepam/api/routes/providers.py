"""Identity providers, to read: how each fares and what is set. They are set and tested in the console."""

import json
from typing import Any

from onepam.api.errors import ApiError
from onepam.api.guard import AsOf, Services, right
from onepam.api.models import Answer, Id, MaybeMoment, Moment
from onepam.api.routes.route import Route
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proof import MfaBasis
from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.providers.events import FirstFactor
from onepam.identity.providers import runs_out
from onepam.kernel.errors import Refused
from onepam.store.read import providers as rows

OVERSEE = right(ConsoleRight.ADMINISTER, ConsoleRight.AUDIT, ConsoleRight.MONITOR)


class LastSignInOut(Answer):
    """The newest sign-in through the provider, and why it counted as made with a second factor."""

    person: str
    at: Moment
    basis: MfaBasis


class DeclarationOut(Answer):
    """A statement in force that the provider demands a second factor; `policy_digest` is of its evidence (SHA-256)."""

    declaration: str
    statement: str
    policy_digest: str
    signed_by: str
    signed: Moment
    ends: Moment


class ProviderOut(Answer):
    """A provider in force. `people` have an identity there; `runs_out`: the soonest end of certificate or metadata."""

    provider: str
    name: str
    kind: ProviderKind
    domains: list[str]
    attests: list[str]
    phishing_resistant: list[str]
    joins: bool
    groups: bool
    first_factor: FirstFactor
    people: int
    since: Moment
    proposed_by: str
    approved_by: str
    last_sign_in: LastSignInOut | None
    declaration: DeclarationOut | None
    runs_out: MaybeMoment
    waiting: list[str]


class RefusalOut(Answer):
    """Messages of the provider that let nobody in, by cause (a refusal's code), without names."""

    cause: str
    count: int
    first: Moment
    last: Moment


class ProviderPage(ProviderOut):
    """A provider with all that is set of it, but never its secret."""

    settings: dict[str, Any]
    refusals: list[RefusalOut]


async def list_providers(services: Services, at: AsOf) -> list[ProviderOut]:
    """All providers in force; `waiting` are the changes that another administrator must approve."""
    found = await services.reader(rows.providers, at)
    waiting = await services.reader(rows.proposals, at)
    return [ProviderOut(**_fields(each, waiting)) for each in found]


async def read_provider(services: Services, provider: Id, at: AsOf) -> ProviderPage:
    """One provider with its settings."""
    found = await services.reader(rows.provider, at, provider)
    if found is None:
        raise ApiError(Refused("provider.unknown", "There is no such provider.", "List them: onepam provider ls"))
    waiting = await services.reader(rows.proposals, at)
    counted = [RefusalOut.model_validate(each) for each in await services.reader(rows.refusals, at, provider)]
    return ProviderPage(**_fields(found, waiting), settings=json.loads(found.provider.settings), refusals=counted)


def _fields(found: rows.ProviderRow, waiting: list[rows.ProposalRow]) -> dict[str, Any]:
    stored, last, declared = found.provider, found.last, found.declaration
    rule = stored.rule
    return {
        "provider": stored.provider,
        "name": stored.name,
        "kind": stored.kind,
        "domains": list(rule.domains),
        "attests": list(rule.attests),
        "phishing_resistant": list(rule.phishing_resistant),
        "joins": rule.joins,
        "groups": rule.groups,
        "first_factor": rule.first_factor,
        "people": found.people,
        "since": found.since,
        "proposed_by": found.proposed_by,
        "approved_by": found.approved_by,
        "last_sign_in": LastSignInOut(person=last.person, at=last.at, basis=MfaBasis(last.basis)) if last else None,
        "declaration": DeclarationOut.model_validate(declared) if declared else None,
        "runs_out": min((at for _, at in runs_out(stored)), default=None),
        "waiting": [each.provider.change for each in waiting if each.provider.provider == stored.provider],
    }


ROUTES = (
    Route("GET", "/providers", OVERSEE, list_providers),
    Route("GET", "/providers/{provider}", OVERSEE, read_provider),
)
