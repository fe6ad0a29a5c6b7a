"""The newest signed checkpoint on one sheet of paper: an anchor for whoever keeps it elsewhere."""

from base64 import b64encode

from starlette.responses import Response

from onepam.console.frame.places import SEES_ALL, Place
from onepam.console.frame.visit import Visit
from onepam.console.history.ledger_page import CheckpointPage
from onepam.identity.totp import qr_svg
from onepam.kernel.errors import Refused
from onepam.store.read.console import entry

_NONE = Refused("ledger.unpublished", "No checkpoint is signed yet.", "/ledger")


async def checkpoint_page(visit: Visit) -> Response:
    """The checkpoint as text and as a QR code, and the commands that hold a ledger against it."""
    found = await visit.services.checkpoint()
    if found is None:
        return visit.refusal(_NONE, 404)
    checkpoint, note = found
    text = note.decode("utf-8")
    newest = await visit.services.reader(entry, None, checkpoint.size - 1)
    try:
        svg = "data:image/svg+xml;base64," + b64encode(qr_svg(text).encode()).decode("ascii")
    except ValueError:  # an origin, a key and several witnesses of the longest names
        svg = ""
    return visit.page(
        CheckpointPage(
            text=text,
            svg=svg,
            size=checkpoint.size,
            root=checkpoint.root.hex(),
            origin=checkpoint.origin,
            at=newest.header.time if newest else None,
            printed=visit.now,
            key=(await visit.services.health()).log_key,
        )
    )


async def file(visit: Visit) -> Response:
    """The checkpoint as the file that `--checkpoint` takes, byte by byte."""
    found = await visit.services.checkpoint()
    if found is None:
        return visit.refusal(_NONE, 404)
    checkpoint, note = found
    headers = {"Content-Disposition": f'attachment; filename="onepam-checkpoint-{checkpoint.size}.txt"'}
    return Response(note, media_type="text/plain; charset=utf-8", headers=headers)


PLACES = (
    Place("GET", "/ledger/checkpoint", SEES_ALL, checkpoint_page),
    Place("GET", "/ledger/checkpoint/file", SEES_ALL, file),
)
