"""Writes the schema documents of RFC 7643 as scim2-models has them: `python scripts/scim_schemas.py`.

They are a file of the product because importing that library takes longer than all the rest of a start.
"""

import json
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "src" / "onepam" / "scim" / "schemas.json"


def document() -> str:
    """The file's text."""
    from scim2_models import EnterpriseUser, Group, User  # slow: whoever collects tests need not wait for it

    return json.dumps([model.to_schema().model_dump() for model in (User, Group, EnterpriseUser)], indent=1) + "\n"


if __name__ == "__main__":
    PAGE.write_text(document(), encoding="utf-8")
