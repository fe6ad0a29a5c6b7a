"""The ledger's health, proofs of its entries, and evidence packs."""

import os
from collections.abc import Iterator
from typing import Annotated, BinaryIO

from fastapi import Path
from fastapi.responses import StreamingResponse
from pydantic import StringConstraints

from onepam.api.errors import ApiError
from onepam.api.guard import Services, Who, done, right
from onepam.api.models import Answer, Body, Done, Id, MaybeMoment, Moment
from onepam.api.routes.route import Route
from onepam.app.host.announced import cancel_announced
from onepam.domain.access.model import ConsoleRight
from onepam.kernel.canonical import MAX_INTEGER
from onepam.kernel.clock import Instant, parse
from onepam.kernel.errors import Refused
from onepam.store.read.announced import open_announcements

READERS = right(ConsoleRight.AUDIT, ConsoleRight.MONITOR, ConsoleRight.ADMINISTER)
MEDIA_TYPE = "application/zip"
PIECE_BYTES = 64 * 1024


class Health(Answer):
    """The ledger's state. Sizes are numbers of entries; `keys` says whom the place of the signer's key keeps out."""

    size: int
    head_at: Moment
    log_key: str
    checkpoint_size: int
    checkpoint_at: MaybeMoment
    witness: str
    witnessed_size: int
    witnessed_at: MaybeMoment
    verified_kind: str
    verified_size: int
    verified_at: MaybeMoment
    findings: list[str]
    unlawful: list[str]
    trouble: str
    keys: str


class Proof(Answer):
    """An entry with its inclusion in the newest checkpoint: `path` is the RFC 6962 audit path in hex."""

    index: int
    header: str
    body: str
    size: int
    path: list[str]
    note: str


class AnnouncedOut(Answer):
    """What a command on the host, without the recovery key, may do from `due` on. `deed`: recovery_key (another one is
    made), continuation (the ledger goes on as `origin` after a loss) or access (`person` gets in, and administers)."""

    announcement: str
    deed: str
    due: Moment
    origin: str
    person: str


class PeriodIn(Body):
    """From `starts` (included) to `ends` (excluded), RFC 3339 with a zone."""

    starts: Annotated[str, StringConstraints(max_length=40)]
    ends: Annotated[str, StringConstraints(max_length=40)]


async def health(services: Services) -> Health:
    """How large the ledger is, and what was published, witnessed and verified."""
    return Health.model_validate(await services.ledger_health())


async def proof(index: Annotated[int, Path(ge=0, le=MAX_INTEGER)], services: Services) -> Proof:
    """An entry and the proof that it is in the newest checkpoint."""
    found = await services.entry_proof(index)
    if found is None:
        hint = "A new entry is published within a second or two."
        raise ApiError(Refused("entry.unknown", f"Entry {index} is not in the newest checkpoint.", hint))
    return Proof.model_validate(found)


async def announced(services: Services) -> list[AnnouncedOut]:
    """What the host has announced and nobody has cancelled."""
    return [AnnouncedOut.model_validate(each) for each in await services.reader(open_announcements)]


async def cancel(announcement: Id, caller: Who, services: Services) -> Done:
    """Cancel what the host has announced, for everybody."""
    done(await cancel_announced(services.ledger, caller.actor, announcement))
    return Done()


async def evidence(body: PeriodIn, caller: Who, services: Services) -> StreamingResponse:
    """An evidence pack of a period, as a zip that `onepam verify` checks offline."""
    starts, ends = _time(body.starts, "starts"), _time(body.ends, "ends")
    if starts >= ends:
        raise ApiError(Refused("input.period", "The period ends before it starts."))
    pack = done(await services.evidence_pack(caller.actor, starts, ends))
    file = pack.open("rb")
    pack.unlink()  # now, not once it is sent: whoever leaves half-way leaves nothing behind
    size = os.fstat(file.fileno()).st_size
    headers = {"Content-Disposition": 'attachment; filename="evidence.zip"', "Content-Length": str(size)}
    return StreamingResponse(_pieces(file), media_type=MEDIA_TYPE, headers=headers)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    """Read on a thread, as Starlette does with a plain iterator."""
    with file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def _time(text: str, field: str) -> Instant:
    try:
        return parse(text)
    except ValueError:
        refused = Refused("input.time", f"{field} is not a time with a zone.", "Such as 2026-03-03T14:00:00Z")
        raise ApiError(refused) from None


ROUTES = (
    Route("GET", "/ledger", READERS, health),
    Route("GET", "/ledger/entries/{index}/proof", READERS, proof),
    Route("GET", "/ledger/announced", READERS, announced),
    Route("POST", "/ledger/announced/{announcement}/cancel", right(ConsoleRight.ADMINISTER), cancel),
    Route("POST", "/evidence", right(ConsoleRight.AUDIT), evidence, media=MEDIA_TYPE),
)
