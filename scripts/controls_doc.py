"""Writes the catalogue in docs/controls.md: `python scripts/controls_doc.py`. A test holds it equal to the code."""

from pathlib import Path

from onepam.domain.controls.catalogue import TESTS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "controls.md"
BEGIN, END = "a test holds it equal -->\n", "<!-- end of the catalogue -->"


def page() -> str:
    """The page with the catalogue as it is now."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{_table()}{END}{after}"


def _table() -> str:
    lines = ["| control | criteria | version | the rule | what it does not show |", "| --- | --- | --- | --- | --- |"]
    for name, test in TESTS.items():
        criteria, title = ", ".join(test.control.criteria), test.control.title
        lines.append(f"| {name}: {title} | {criteria} | {test.version} | {test.rule} | {test.blind} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Writes it."""
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
