"""Nothing that is frozen changes: whoever has to change it is told what to do instead."""

from pathlib import Path

import pytest

from scripts import forms, golden


def test_no_frozen_file_has_changed() -> None:
    told = golden.changed()
    assert told == [], f"{', '.join(told)}: changed. {golden.KEEP}"


def test_a_frozen_folder_gains_no_file() -> None:
    kept = golden.frozen()
    assert bool(kept) == forms.FROZEN, "python scripts/golden.py keeps the format that FROZEN freezes"
    new = sorted(name for name in golden.files() if name.startswith("format-") and name not in kept)
    assert new == [], f"{', '.join(new)}: only python scripts/golden.py adds a folder"


def test_a_change_is_found_and_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("format-1/a", "vectors/b.json"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(golden, "GOLDEN", tmp_path)
    monkeypatch.setattr(golden, "DIGESTS", tmp_path / "frozen.sha256")
    lines = "".join(f"{digest}  {name}\n" for name, digest in golden.files().items())
    (tmp_path / "frozen.sha256").write_text(lines)
    assert golden.changed() == []
    (tmp_path / "vectors" / "b.json").write_text("other")
    (tmp_path / "format-1" / "a").unlink()
    assert golden.changed() == ["format-1/a", "vectors/b.json"]
    monkeypatch.setattr(forms, "FROZEN", True)
    with pytest.raises(SystemExit, match=r"format-1/a, vectors/b\.json: changed\. .*new version beside the old one"):
        golden.main()
