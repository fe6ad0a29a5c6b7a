"""The way to a resource, as Home and the resource's own page offer it: what is open to paste, what may be asked for."""

from collections.abc import Iterable

from onepam.app.ports import Snapshot
from onepam.console.frame.clients import lines
from onepam.console.frame.page import Context
from onepam.console.frame.rendering import some
from onepam.console.frame.services import ConsoleServices
from onepam.console.frame.view import View, resource
from onepam.console.matrix.pins import pin_name
from onepam.domain.access.asked import OWNER
from onepam.domain.access.asked_words import unasked_words
from onepam.kernel.clock import Instant
from onepam.store.facts.deciding import deciders
from onepam.store.read.catalogue import Catalogue, OpenAccess, Requestable
from onepam.store.read.explain import explain


def opened(db: Snapshot, at: Instant, services: ConsoleServices, view: View, access: OpenAccess) -> Context:
    """A login that is open: what to paste, and why (parts/launch.html)."""
    login, target = access.login, access.site.resource
    how = lines(services, access.site.kind, login, target, access.actions)
    return {
        "resource": resource(access.site),
        "login": login,
        "ends": access.until,
        "ready": access.site.ready,
        "pin": pin_name(access.site.kind),
        "command": how.command,
        "more": [*how.once, *how.more],
        "token": how.token,
        "chain": view.chain(explain(db, at, access.because)),
    }


def offers(db: Snapshot, at: Instant, me: str, found: Catalogue, most: int) -> list[Context]:
    """One entry for each resource, with what may be asked for there (parts/launch.html); of the first `most` with who
    will be asked."""
    by_resource: dict[str, list[Requestable]] = {}
    for each in found.requestable:
        by_resource.setdefault(each.site.resource, []).append(each)
    called: dict[tuple[tuple[str, ...], str], str] = {}
    entries = []
    for number, offered in enumerate(by_resource.values()):
        roles = tuple(sorted({role for each in offered for role in each.approvers}))
        key = (roles, offered[0].site.resource if OWNER in roles else "")
        if number < most and key not in called:
            called[key] = _names(deciders(db, at, roles, me, key[1]), roles)
        options: dict[tuple[str, str], Requestable] = {}
        for each in offered:
            kept = options.get((each.role, each.login))
            options[each.role, each.login] = each if kept is None or each.longest > kept.longest else kept
        entries.append(
            {
                "resource": resource(offered[0].site),
                "options": [
                    {
                        "value": f"{role}:{login}",
                        "login": login,
                        "role": role,
                        "longest": each.longest,
                        "opens": ", ".join(each.actions),
                    }
                    for (role, login), each in options.items()
                ],
                "approvers": called.get(key, ""),
                "ticket_required": all(each.asks.ticketed for each in offered),
                "ticket": tickets.pop() if len(tickets := {each.asks.ticket for each in offered}) == 1 else "",
                "approvals": max(each.asks.approvals for each in offered),
                "ahead": max(each.asks.ahead for each in offered),
                "weekly": max(each.asks.weekly for each in offered),
                "first_use": any(each.asks.first_use for each in offered),
                "unasked": rules.pop() if len(rules := {_unasked(each) for each in offered}) == 1 else "",
                "pending": next((each.pending for each in offered if each.pending), None),
            }
        )
    return entries


def _unasked(offer: Requestable) -> str:
    """What nobody is asked for."""
    return unasked_words(offer.asks.unasked) if offer.asks.unasked is not None else ""


def _names(who: Iterable[tuple[str, str]], roles: Iterable[str]) -> str:
    names = [name for _, name in who]
    if not names:
        return f"Whoever holds the role {' or '.join(roles)} (nobody does now)"
    return some(names)
