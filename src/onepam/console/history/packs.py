"""An evidence pack for whoever audits, drawn from the page of the ledger."""

from starlette.responses import Response, StreamingResponse

from onepam.console.frame.packs import Drawing
from onepam.console.frame.page import Context
from onepam.console.frame.period import day_begins, day_text
from onepam.console.frame.places import Needs, Place
from onepam.console.frame.visit import Visit
from onepam.domain.access.model import ConsoleRight
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused

AUDITS = Needs(rights=(ConsoleRight.AUDIT,))
_NONE = Refused("evidence.none", "There is no pack to take.", "/ledger")
_PERIOD = Refused("input.period", "The period ends before it starts.", "Choose its first and its last day.")
_STEPS = {"reports": "Reports", "entries": "Entries", "verification": "Verification"}


async def draw(visit: Visit) -> Response:
    """Begins a pack of the days from the first to the last one, in UTC."""
    first, last = visit.form.get("from", ""), visit.form.get("to", "")
    starts, ends = day_begins(first), day_begins(last, 1)
    back = "/ledger"
    if starts is None or ends is None or starts >= ends:
        return visit.outcome(_PERIOD, back, "")
    begun = visit.services.packs.begin(visit.me.actor, starts, ends)
    if isinstance(begun, Refused):
        return visit.outcome(begun, back, "")
    return visit.go(f"/ledger?from={day_text(starts)}&to={day_text(Instant(ends - 1))}#pack")


async def file(visit: Visit) -> Response:
    """The reader's own pack, once it is drawn."""
    found = visit.services.packs.of(visit.me.actor.person)
    if found is None or found.file is None:
        return visit.refusal(_NONE, 404)
    name = f"onepam-evidence-{day_text(found.starts)}-{_last(found)}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Length": str(found.size)}
    return StreamingResponse(found.pieces(), media_type="application/zip", headers=headers)


def shown(found: Drawing | None) -> Context | None:
    """What the page says: {state ("drawing", "ready", "refused"), first, last, step, percent, size, refused}."""
    if found is None:
        return None
    state = "drawing" if found.finished is None else "ready" if found.file else "refused"
    return {
        "state": state,
        "first": day_text(found.starts),
        "last": _last(found),
        "step": _STEPS.get(found.step, found.step.capitalize()) or "Waiting for a checkpoint",
        "percent": round(100 * found.part),
        "size": found.size,
        "refused": [found.refused.message, found.refused.hint] if found.refused else ["", ""],
    }


def _last(found: Drawing) -> str:
    return day_text(Instant(found.ends - 1))


PLACES = (
    Place("POST", "/ledger/pack", AUDITS, draw),
    Place("GET", "/ledger/pack/file", AUDITS, file),
)
