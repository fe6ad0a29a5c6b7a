"""The OpenAPI document that `docs/api/openapi.json` keeps: `python -m onepam.api.openapi docs/api/openapi.json`."""

import json
import sys
from pathlib import Path

from onepam.api.app import describe_api


def document() -> str:
    """The document with a line end, in an order that does not depend on the run. The version is the API's, not ours."""
    found = describe_api().openapi()
    found["info"]["version"] = "v1"
    return json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(document(), "utf-8")
