"""The document in git is the application's."""

from onepam.api.openapi import document
from tests.house.sources import ROOT


def test_the_document_is_up_to_date() -> None:
    kept = (ROOT / "docs" / "api" / "openapi.json").read_text("utf-8")
    assert kept == document(), "remake it: python -m onepam.api.openapi docs/api/openapi.json"
