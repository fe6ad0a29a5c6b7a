"""What README.md, SECURITY.md and the pages of databases promise has a test that was seen to fail, and docs/claims.md
says which."""

from pathlib import Path

import pytest

from scripts import claims_doc
from scripts.claims_doc import PAGE, Claim, idle, page, sentences, unproven


def test_the_table_of_claims_is_current() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python scripts/claims_doc.py"


def test_no_claim_is_without_a_proof() -> None:
    assert unproven() == [], "prove it by a test, or say less"


def test_no_mark_stands_for_a_sentence_that_is_gone() -> None:
    assert idle() == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It is nice. It never lies. It is small.", ["It never lies."]),
        ("Nobody\nreads `this`, only [that](there.md).", ["Nobody reads this, only that."]),
        ("- **Every** one.\n- Some.\n- *You* cannot.", ["Every one.", "You cannot."]),
        ("| a | b |\n| --- | --- |\n| proof | ✓ |\n| other | ✓ |", ["| proof | ✓ |"]),
        ("1. Only one.\n2. Two.", ["Only one."]),
        ("> A quotation: nobody.", ["A quotation: nobody."]),
        ("```\nnever\n```\n<picture>\n<img alt='every'>\n</picture>\n![only a picture](only.png)", ["only a picture"]),
        ("## Never a heading\nThe text below it. It *never*\n*ever* lies.", ["It never ever lies."]),
        ("- One.\n  - Only two.\n* Only three.\n> Quoted.", ["Only two.", "Only three."]),
        ("# Never a heading\n\nEverybody proves, and is proven, nevertheless.", []),
    ],
)
def test_a_claim_is_a_sentence_with_one_of_the_words(text: str, found: list[str]) -> None:
    assert list(sentences(text)) == found


def marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str) -> None:
    """A repository of one claim and one test."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "README.md").write_text("It never lies.\n", "utf-8")
    (tmp_path / "SECURITY.md").write_text("It is.\n", "utf-8")
    monkeypatch.setattr(claims_doc, "PAGES", ("README.md", "SECURITY.md"))
    text = f"import pytest\n\n\n{mark}\ndef test_it() -> None:\n    pass\n"
    (tmp_path / "tests" / "test_one.py").write_text(text, "utf-8")
    monkeypatch.setattr(claims_doc, "ROOT", tmp_path)


def test_a_claim_without_a_mark_and_a_mark_without_a_claim_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked(tmp_path, monkeypatch, '@pytest.mark.claim("it always lies", altered="x")')
    assert unproven() == [Claim("README.md", "It never lies.")]
    assert [each.test for each in idle()] == ["tests/test_one.py::test_it"]
    assert "It never lies" not in page()


def test_a_mark_proves_the_sentence_that_has_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marked(tmp_path, monkeypatch, '@pytest.mark.claim("*never* lies", altered="it lied")')
    assert (unproven(), idle()) == ([], [])
    assert page().endswith("| README.md | It never lies. | `tests/test_one.py::test_it` | it lied |\n")


@pytest.mark.parametrize(
    "mark",
    ["@pytest.mark.claim('never lies')", "@pytest.mark.claim('never lies', altered='')",
     "@pytest.mark.claim('never lies', altered=WORDS)", "@pytest.mark.claim(altered='it lied')"],
)  # fmt: skip
def test_a_mark_says_what_was_altered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str) -> None:
    marked(tmp_path, monkeypatch, mark)
    with pytest.raises(ValueError, match="test_it: a claim"):
        claims_doc.proofs()
