"""No form of an entry is changed by accident: the forms of all kinds stand in a file, and once frozen they stay."""

from pathlib import Path

import pytest

from scripts import forms

KEPT = sorted(forms.PAGE.parent.glob("format-*/kinds.txt"))
"""The forms of released formats."""


def test_the_forms_are_those_that_are_kept() -> None:
    assert forms.PAGE.read_text("utf-8") == forms.page(), "run scripts/forms.py"


def test_what_a_release_wrote_is_read_by_this_one() -> None:
    """Also where somebody wrote the file anew by hand: each released format keeps its own."""
    assert {path.parent.name: forms.broken(path.read_text("utf-8"), forms.page()) for path in KEPT} == {
        path.parent.name: [] for path in KEPT
    }
    assert bool(KEPT) == forms.FROZEN, "a frozen format has its folder here: scripts/golden.py"


FORM = "door.seen v1, class door\n  door: text\n  reason: one of [left right]\n  seconds: integer"


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (FORM, []),
        (FORM.replace("left", "both left"), []),
        (FORM + "\n\ndoor.seen v2, class door\n  door: text", []),
        (FORM + "\n  side: text", ["door.seen v1 has another form"]),
        (FORM.replace("seconds", "minutes"), ["door.seen v1 has another form"]),
        (FORM.replace("\n  door: text", ""), ["door.seen v1 has another form"]),
        (FORM.replace("integer", "Instant, integer"), ["door.seen v1 has another form"]),
        ("door.seen v2, class door\n  door: text", ["door.seen v1 is gone"]),
        ("", ["door.seen v1 is gone"]),
    ],
    ids=["same", "member more", "version more", "added", "renamed", "removed", "type", "replaced", "gone"],
)
def test_once_frozen_a_form_neither_changes_nor_goes(
    now: str, told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "kinds.txt"
    page.write_text(FORM + "\n")
    monkeypatch.setattr(forms, "PAGE", page)
    monkeypatch.setattr(forms, "page", lambda: now + "\n")
    assert [each.partition(":")[0] for each in forms.broken(FORM, now)] == told
    monkeypatch.setattr(forms, "FROZEN", True)
    if told:
        with pytest.raises(SystemExit, match=told[0]):
            forms.main()
        assert page.read_text() == FORM + "\n"
    else:
        forms.main()
        assert page.read_text() == now + "\n"
    monkeypatch.setattr(forms, "FROZEN", False)
    forms.main()
    assert page.read_text() == now + "\n"
