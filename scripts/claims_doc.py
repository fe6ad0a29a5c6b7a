"""docs/claims.md: what README.md, SECURITY.md and the pages of databases promise, and the test behind each promise.

A claim is a sentence (or a row of a table, or a bullet) with one of the words of `WORDS`. A test says which claim it
proves with `@pytest.mark.claim("words of the sentence", altered="which alteration of the mechanism made it fail")`.

    python scripts/claims_doc.py          writes the page
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "claims.md"
PAGES = ("README.md", "SECURITY.md", "docs/databases.md", "docs/guardrails.md")
WORDS = ("cannot", "never", "every", "nobody", "only", "proof")

_WORD = re.compile(rf"\b({'|'.join(WORDS)})\b", re.IGNORECASE)
_HEAD = """# Claims

Each sentence of [README.md](../README.md), [SECURITY.md](../SECURITY.md), [databases](databases.md) and
[guardrails](guardrails.md) that says *cannot*, *never*, *every*, *nobody*, *only* or *proof*, with the tests that prove
it and the alteration of the mechanism that made each of them fail. Made by `scripts/claims_doc.py` from the tests' own
words; a claim without a test fails CI.

"""


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of a page."""

    page: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Proof:
    """A test and what it says that it proves."""

    test: str
    words: str
    altered: str


def claims() -> list[Claim]:
    """Every promise of the pages, in their order."""
    return [Claim(page, each) for page in PAGES for each in sentences((ROOT / page).read_text("utf-8"))]


def sentences(text: str) -> Iterator[str]:
    """The sentences with one of the words, as plain text: no code blocks, headings, pictures, links, emphasis."""
    text = re.sub(r"^```.*?^```$|<picture>.*?</picture>", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^#.*$", "", text, flags=re.MULTILINE)
    for block in re.split(r"\n\s*\n|\n(?=\s*[-*] |[|>]|\d+\. )", text):
        for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z*`\[])", plain(block)):
            if _WORD.search(sentence):
                yield sentence


def plain(text: str) -> str:
    """The words of Markdown, in one line."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"\s+", " ", re.sub(r"[*`]|^\s*[-*>] ", "", text)).strip()


def proofs() -> list[Proof]:
    """What the tests say, by their marks. Raises `ValueError` for a mark that is not two plain texts, or none."""
    found: list[Proof] = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text("utf-8")
        if "mark.claim" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                where = f"{path.relative_to(ROOT)}::{node.name}"
                found += [Proof(where, *_said(mark, where)) for mark in node.decorator_list if _is_claim(mark)]
    if not found:
        raise ValueError("no test proves a claim")
    return found


def _is_claim(mark: ast.expr) -> bool:
    return isinstance(mark, ast.Call) and isinstance(mark.func, ast.Attribute) and mark.func.attr == "claim"


def _said(mark: ast.expr, where: str) -> tuple[str, str]:
    assert isinstance(mark, ast.Call)
    try:
        values = [ast.literal_eval(each) for each in mark.args]
        named = {each.arg: ast.literal_eval(each.value) for each in mark.keywords}
    except ValueError:
        raise ValueError(f"{where}: a claim is two plain texts") from None
    if len(values) != 1 or named.keys() != {"altered"} or not all((*values, *named.values())):
        raise ValueError(f"{where}: a claim has the words of the sentence, and `altered`")
    return plain(values[0]), str(named["altered"])


def page() -> str:
    """The page as it should be."""
    lines = [_HEAD, "| page | claim | shown by | fails when |\n| --- | --- | --- | --- |\n"]
    found = proofs()
    for claim in claims():
        for proof in (each for each in found if each.words in claim.sentence):
            cells = (claim.page, _cell(claim.sentence), f"`{proof.test}`", _cell(proof.altered))
            lines.append(f"| {' | '.join(cells)} |\n")
    return "".join(lines)


def unproven() -> list[Claim]:
    """Claims that no test proves."""
    found = proofs()
    return [claim for claim in claims() if not any(each.words in claim.sentence for each in found)]


def idle() -> list[Proof]:
    """Marks whose words stand in no claim."""
    said = claims()
    return [each for each in proofs() if not any(each.words in claim.sentence for claim in said)]


def _cell(text: str) -> str:
    return text.strip("| ").replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    for claim in unproven():
        print(f"without a test: {claim.page}: {claim.sentence}")
    for proof in idle():
        print(f"no such claim: {proof.test}: {proof.words}")
