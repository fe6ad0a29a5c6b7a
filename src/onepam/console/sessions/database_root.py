"""The root by which clients of databases know the gateway, for the file that `sslrootcert` names. It is public."""

from starlette.responses import Response

from onepam.console.frame.places import ANYBODY, Place
from onepam.console.frame.visit import Visit


async def root_file(visit: Visit) -> Response:
    """The certificate as PEM, to take away."""
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": 'attachment; filename="onepam-databases.pem"',
    }
    return Response(visit.services.database_root(), media_type="application/octet-stream", headers=headers)


PLACES = (Place("GET", "/databases/root.pem", ANYBODY, root_file),)
