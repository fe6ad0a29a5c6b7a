"""SCIM: the directories that write here, their tokens, how their requests fare, and what their groups reach."""

import re

from starlette.responses import Response

from onepam.app.provisioning.scim_token import end_scim_token, propose_scim_token
from onepam.console.frame.decision import decisions
from onepam.console.frame.page import Context
from onepam.console.frame.paging import paged, pager
from onepam.console.frame.places import ADMINISTERS, SEES_ALL, Place, Shown
from onepam.console.frame.rendering import words
from onepam.console.frame.visit import Visit
from onepam.console.leaving import holds
from onepam.console.providers.provider_wizard import stale
from onepam.console.provisioning.provisioning_page import ProvisioningPage
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proposal import ProposalKind
from onepam.domain.provisioning.tokens import END_ATTRIBUTE, TokenWish
from onepam.domain.provisioning.users import (
    ADDRESS_NOT_FOLLOWED,
    DISABLED_HERE,
    END_NOT_FOLLOWED,
    END_PASSED,
    FOREIGN_DOMAIN,
    KIND_DIFFERS,
    NO_ADDRESS,
    TAKEOVER,
)
from onepam.identity.tokens import new_token, token_digest
from onepam.kernel.clock import DAY, HOUR, Instant, later
from onepam.kernel.ids import new_id
from onepam.store.read import provisioning as rows
from onepam.store.read.names import names as names_of
from onepam.store.read.providers import providers
from onepam.store.read.provisioned import GroupUse, TroubleFilter, group_page, groups_without_directory, troubled_page

TOKEN_PREFIX = "scim"  # noqa: S105 - how a token of a SCIM client begins
LATE = 24 * HOUR
"""A directory that was silent for longer (microseconds) is marked: most ask every hour."""

USUAL_DAYS = 365
GROUPS_AFTER = "groups_after"
"""The word of the address that says where a page of groups begins."""

TROUBLES = {
    NO_ADDRESS: "has no e-mail address, so there is no person",
    DISABLED_HERE: "is disabled here by other means, and stays so",
    END_PASSED: "has an end that has passed",
    KIND_DIFFERS: "is an employee here and a vendor there, or the other way round",
    TAKEOVER: "has the address of an account that was made by hand: an administrator has to agree",
    FOREIGN_DOMAIN: "has an address of a domain that the token does not speak for",
    ADDRESS_NOT_FOLLOWED: "has another address there; an administrator changes it here, under People",
    END_NOT_FOLLOWED: "is the last administrator who can sign in, so the end is not followed",
}


async def provisioning_page(visit: Visit) -> Response:
    """Everything that directories have sent."""
    return await _shown(visit, "")


async def propose(visit: Visit) -> Response:
    """Proposes a token, and shows it this once."""
    if stale(visit):
        return visit.go("/step-up?next=/provisioning")
    token = new_token(TOKEN_PREFIX, visit.services.random)
    days = visit.form.get("days", "")
    wish = TokenWish(
        token=new_id("stk", visit.services.random),
        provider=visit.form.get("provider", "").strip().lower() or visit.form.get("of", ""),
        name=visit.form.get("name", ""),
        networks=tuple(each for each in re.split(r"[\s,]+", visit.form.get("networks", "")[:2_000]) if each),
        end_attribute=visit.form.get("end_attribute", "").strip() or END_ATTRIBUTE,
        ends=later(visit.now, int(days) * DAY) if days.isascii() and days.isdigit() and len(days) < 5 else Instant(0),
        digest=token_digest(token).hex(),
        oauth="oauth" in visit.form,
        domains=tuple(each for each in re.split(r"[\s,]+", visit.form.get("domains", "")[:4_000]) if each),
    )
    refused = await propose_scim_token(visit.services.ledger, visit.me.actor, wish)
    if refused is not None:
        return visit.outcome(refused, "/provisioning", "")
    return await _shown(visit, token.reveal().decode("ascii"), wish.token if wish.oauth else "")


async def end_token(visit: Visit) -> Response:
    """Ends a token."""
    reason = visit.form.get("reason", "")
    refused = await end_scim_token(visit.services.ledger, visit.me.actor, visit.path("token"), reason)
    if refused is not None and refused.code == "scim_token.unknown":
        return visit.refusal(refused, 404)
    return visit.outcome(refused, "/provisioning", "The token is void.")


async def _shown(visit: Visit, new: str, client: str = "") -> Response:
    reader, at = visit.services.reader, visit.at
    tokens = await reader(rows.tokens, at)
    forms = await decisions(visit, ProposalKind.SCIM_TOKEN)
    query = visit.request.query_params if visit.request.method == "GET" else {}
    wanted = {name: query.get(name, "").strip()[:100] for name in ("q", "trouble")}
    users, teams = paged(visit), paged(visit, word=GROUPS_AFTER)
    troubled = await reader(troubled_page, at, TroubleFilter(wanted["q"], wanted["trouble"]), users)
    groups = await reader(group_page, at, wanted["q"], teams)
    asked = [one for each in tokens for one in (each.proposed_by, each.approved_by)]
    asked += [each.waits_for for each in troubled.rows]
    names = await reader(names_of, at, [each for each in asked if each])
    called = {each.provider.provider: each.provider.name for each in await reader(providers, at)}
    return visit.page(
        ProvisioningPage(
            providers=[{"id": ident, "name": name} for ident, name in called.items()],
            directories=[_directory(visit, each, called) for each in await reader(rows.directories, at)],
            tokens=[{**_token(visit, each, names, called), "decision": forms.get(each.token)} for each in tokens],
            groups=[_group(each, called) for each in groups.rows],
            groups_pager=pager(groups, teams, wanted),
            unfed=[
                {"name": name, "roles": words(roles)}
                for name, roles in await reader(groups_without_directory, at)
                if wanted["q"].casefold() in name.casefold() and not teams.after
            ],
            filter=wanted,
            troubles=TROUBLES,
            troubled=[
                {
                    "user_name": each.user_name,
                    "provider": called.get(each.provider, each.provider),
                    "person": each.person,
                    "trouble": TROUBLES.get(each.trouble, each.trouble),
                    "user": each.user,
                    "version": each.version,
                    "waits_for": {"id": each.waits_for, "name": names.get(each.waits_for, each.waits_for)}
                    if each.waits_for
                    else None,
                }
                for each in troubled.rows
            ],
            pager=pager(troubled, users, wanted),
            **await holds.shown(visit),
            address=f"{visit.services.origin.rstrip('/')}/scim/v2",
            exchange=f"{visit.services.origin.rstrip('/')}/scim/oauth/token",
            new=new,
            client=client,
            usual_days=USUAL_DAYS,
            end_attribute=END_ATTRIBUTE,
            may_change=visit.me.has(ConsoleRight.ADMINISTER),
            stale=stale(visit),
        )
    )


def _directory(visit: Visit, found: rows.DirectoryCount, called: dict[str, str]) -> Context:
    traffic = visit.services.scim_traffic.of(found.provider)
    last = max((each for each in (found.changed, traffic.last if traffic else None) if each is not None), default=None)
    failed = list(traffic.failures)[-5:] if traffic else []
    return {
        "provider": called.get(found.provider, found.provider),
        "users": found.users,
        "active": found.active,
        "groups": found.groups,
        "last": last,
        "late": last is None or last + LATE < visit.now,
        "done": sum(count for status, count in traffic.statuses.items() if status < 400) if traffic else 0,
        "failed": sum(count for status, count in traffic.statuses.items() if status >= 400) if traffic else 0,
        "failures": [
            {"at": each.at, "what": f"{each.method} {each.what}", "status": each.status, "detail": each.detail}
            for each in reversed(failed)
        ],
    }


def _token(visit: Visit, found: rows.ScimToken, names: dict[str, str], called: dict[str, str]) -> Context:
    return {
        "id": found.token,
        "name": found.name,
        "provider": called.get(found.provider, found.provider),
        "networks": words(found.networks),
        "domains": words(found.domains),
        "ends": found.ends,
        "over": found.ends <= visit.now,
        "used": visit.services.scim_traffic.last_used(found.token),
        "proposed_by": {"id": found.proposed_by, "name": names.get(found.proposed_by, found.proposed_by)},
        "approved_by": {"id": found.approved_by, "name": names.get(found.approved_by, found.approved_by)}
        if found.approved_by
        else None,
        "oauth": found.oauth,
    }


def _group(found: GroupUse, called: dict[str, str]) -> Context:
    return {
        "name": found.name,
        "provider": called.get(found.provider, found.provider),
        "named": found.named,
        "in_effect": found.in_effect,
        "roles": words(found.roles),
    }


PLACES = (
    Place("GET", "/provisioning", SEES_ALL, provisioning_page, Shown("Provisioning", "id-badge-2", "Identity")),
    Place("POST", "/provisioning/tokens", ADMINISTERS, propose),
    Place("POST", "/provisioning/tokens/{token}/end", ADMINISTERS, end_token),
)
