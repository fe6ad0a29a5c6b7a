"""Policies: what is in force, reading and confirming it, and who has not."""

import asyncio

from starlette.responses import Response

from onepam.app.policies import keep_policy
from onepam.app.ports import Snapshot
from onepam.console.frame.page import Context
from onepam.console.frame.period import day_begins
from onepam.console.frame.places import ADMINISTERS, MEMBER, Place, Shown
from onepam.console.frame.rendering import Flash
from onepam.console.frame.visit import Visit
from onepam.console.policies.policies_page import PoliciesPage, PolicyPage
from onepam.domain.access.model import ConsoleRight
from onepam.domain.policies.publishing import MEDIA, MOST_BYTES, READABLE, UNKNOWN, Draft
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Corrupt, Refused
from onepam.store.read import policies as read
from onepam.store.read.concerned import meant

MOST_FORM_BYTES = MOST_BYTES + 64 * 1024
OVERSEE = (ConsoleRight.ADMINISTER, ConsoleRight.AUDIT, ConsoleRight.MONITOR)
_ENDINGS = {media: ending for ending, media in MEDIA.items()}


async def policies_page(visit: Visit) -> Response:
    """All that are in force; whatever waits for the reader first."""
    found = await visit.services.reader(read.policies, visit.at, visit.me.actor.person)
    rows = [_context(each, visit.moment) for each in found]
    return visit.page(
        PoliciesPage(
            policies=sorted(rows, key=lambda each: not each["waits"]),
            oversees=visit.me.has(*OVERSEE),
            may_publish=visit.me.has(ConsoleRight.ADMINISTER),
            endings=list(MEDIA),
            most_mib=MOST_BYTES >> 20,
        )
    )


async def policy_page(visit: Visit) -> Response:
    """One, with what it says."""
    wanted, me = visit.path("policy"), visit.me.actor.person
    found = await visit.services.reader(read.policy, visit.at, wanted, me)
    versions = await visit.services.reader(read.versions, visit.at, wanted)
    if not versions:
        return visit.refusal(UNKNOWN, 404)
    oversees = visit.me.has(*OVERSEE) or (found is not None and found.owner == me)
    missing = await visit.services.reader(read.missing, visit.at, wanted) if oversees and found is not None else ()
    text, altered = "", False
    if found is not None:
        try:
            document = await asyncio.to_thread(visit.services.documents.read, found.digest)
            text = document.decode("utf-8", "replace") if found.media in READABLE else ""
        except (Corrupt, OSError):
            altered = True
    return visit.page(
        PolicyPage(
            id=wanted,
            title=versions[0].title,
            policy=_context(found, visit.moment) if found is not None else None,
            text=text,
            altered=altered,
            missing=[{"id": each.person, "name": each.name, "times": each.times} for each in missing],
            left=found.asked - found.done - len(missing) if found is not None and oversees else 0,
            versions=[
                {
                    "version": each.version,
                    "title": each.title,
                    "digest": each.digest,
                    "published": each.published,
                    "by": each.by_name,
                    "type": _ENDINGS.get(each.media, ""),
                }
                for each in versions
            ],
            oversees=oversees,
            may_publish=visit.me.has(ConsoleRight.ADMINISTER),
            may_look=found is not None and (found.owner == me or visit.me.has(ConsoleRight.ADMINISTER)),
        )
    )


async def publish(visit: Visit) -> Response:
    """A version, from a file."""
    draft = await visit.services.reader(_draft, None, visit)
    if isinstance(draft, Refused):
        return visit.outcome(draft, "/policies", "")
    services = visit.services
    outcome = await keep_policy.publish_policy(services.ledger, services.documents, visit.me.actor, draft, visit.file)
    if isinstance(outcome, Refused):
        return visit.outcome(outcome, "/policies", "")
    return visit.go(f"/policies/{draft.policy}", Flash("done", f"Version {outcome} is in force from now on."))


async def confirm(visit: Visit) -> Response:
    """I have read it."""
    wanted, digest = visit.path("policy"), visit.form.get("digest", "")
    refused = await keep_policy.confirm_policy(visit.services.ledger, visit.me.actor, wanted, digest)
    return visit.outcome(refused, f"/policies/{wanted}", "Confirmed, with your name and this version.")


async def look_through(visit: Visit) -> Response:
    """It is right as it is."""
    wanted, day = visit.path("policy"), day_begins(visit.form.get("review_by", ""), 1)
    if day is None:
        refused: Refused | None = _NO_DAY
    else:
        refused = await keep_policy.look_policy_through(
            visit.services.ledger, visit.me.actor, wanted, day, visit.form.get("note", "")
        )
    return visit.outcome(refused, f"/policies/{wanted}", "Looked through; the next day is set.")


async def retire(visit: Visit) -> Response:
    """No version is in force any more."""
    wanted = visit.path("policy")
    refused = await keep_policy.retire_policy(
        visit.services.ledger, visit.me.actor, wanted, visit.form.get("reason", "")
    )
    return visit.outcome(refused, "/policies", "Retired: it waits for nobody any more. Its versions stay.")


async def document(visit: Visit) -> Response:
    """A version as it was published, to keep."""
    versions = await visit.services.reader(read.versions, visit.at, visit.path("policy"))
    found = next((each for each in versions if str(each.version) == visit.path("version")), None)
    if found is None:
        return visit.refusal(UNKNOWN, 404)
    try:
        data = await asyncio.to_thread(visit.services.documents.read, found.digest)
    except (Corrupt, OSError):
        return visit.refusal(ALTERED, 409)
    name = f"{visit.path('policy')}-{found.version}.{_ENDINGS.get(found.media, 'bin')}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(data, media_type=found.media, headers=headers)


ALTERED = Refused(
    "policy.altered",
    "This document is gone, or is not what was published any more.",
    "Restore it from a backup; its digest stands in the ledger.",
)
_NO_DAY = Refused("policy.day", "That is no day.", "Write it as 2027-03-31.")


def _draft(db: Snapshot, at: Instant, visit: Visit) -> Draft | Refused:
    """What the form says."""
    form = visit.form
    owner = meant(db, at, form.get("owner", "").strip())
    if len(owner) != 1:
        return Refused("policy.owner", "Nobody, or more than one person, is called that.", "Give an address.")
    day = day_begins(form.get("review_by", ""), 1)
    if day is None:
        return _NO_DAY
    return Draft(
        policy=form.get("policy", "").strip(),
        title=form.get("title", ""),
        ending=form.get("ending", ""),
        digest="",
        size=0,
        owner=owner[0],
        review_by=day,
        readers=tuple(form.get("readers", "").replace(",", " ").split()),
        note=form.get("note", ""),
    )


def _context(each: read.PolicyRow, now: Instant) -> Context:
    return {
        "id": each.policy,
        "title": each.title,
        "version": each.version,
        "owner": each.owner_name,
        "review_by": each.review_by,
        "late": each.review_by <= now,
        "waits": each.mine and each.confirmed is None,
        "confirmed": each.confirmed,
        "asked": each.asked,
        "done": each.done,
        "digest": each.digest,
        "readers": ", ".join(each.readers) if each.readers else "everybody",
        "published": each.published,
        "looked_through": each.looked_through,
        "type": _ENDINGS.get(each.media, ""),
    }


PLACES = (
    Place("GET", "/policies", MEMBER, policies_page, Shown("Policies", "file", "Proof")),
    Place("POST", "/policies", ADMINISTERS, publish, most_bytes=MOST_FORM_BYTES),
    Place("GET", "/policies/{policy}", MEMBER, policy_page),
    Place("GET", "/policies/{policy}/versions/{version}", MEMBER, document),
    Place("POST", "/policies/{policy}/confirm", MEMBER, confirm),
    Place("POST", "/policies/{policy}/look-through", MEMBER, look_through),
    Place("POST", "/policies/{policy}/retire", ADMINISTERS, retire),
)
