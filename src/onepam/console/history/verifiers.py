"""The verifier to take away: for Python, and for a browser. A file to keep, never a page of this console."""

from starlette.responses import FileResponse, Response

from onepam.console.frame.places import SEES_ALL, Place
from onepam.console.frame.visit import Visit
from onepam.evidence.verifiers import VERIFIERS, digest_of, path_of
from onepam.kernel.errors import Refused

_NONE = Refused("evidence.no_verifier", "There is no such verifier here.", "/ledger")


async def verifier_file(visit: Visit) -> Response:
    """One of the two, as an attachment: what it shows of a stranger's pack has no business under our address."""
    name = visit.path("name")
    if name not in VERIFIERS or not digest_of(name):
        return visit.refusal(_NONE, 404)
    headers = {"X-Content-Type-Options": "nosniff"}
    return FileResponse(path_of(name), media_type="application/octet-stream", filename=name, headers=headers)


PLACES = (Place("GET", "/ledger/verifier/{name}", SEES_ALL, verifier_file),)
