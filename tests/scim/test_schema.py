"""The schema documents are those of the library whose tester and client the tests use."""

from scripts import scim_schemas


def test_the_file_is_what_the_library_says() -> None:
    assert scim_schemas.PAGE.read_text("utf-8") == scim_schemas.document(), "remake it: python scripts/scim_schemas.py"
