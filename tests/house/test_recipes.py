"""What CONTRIBUTING.md says is done, on a copy, works; and costs as few files as it may."""

from dataclasses import replace
from pathlib import Path

import pytest

from scripts.walk_recipes import RECIPES, Copy, main, walk
from tests.lawful import meant_unlawful


@pytest.mark.timeout(3600)  # half a minute of work, on a machine that may be busy with all other tests
def test_the_recipes_work(capsys: pytest.CaptureFixture[str]) -> None:
    main()
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in said[:-1]] == [each.heading for each in RECIPES]


@pytest.mark.timeout(3600)
def test_a_recipe_that_costs_too_much_or_is_gone_is_named(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    for each in tmp_path.glob("tests/golden/format-*/every-kind.db"):
        meant_unlawful(each)  # one entry of each kind is no history
    with pytest.raises(SystemExit, match="has no recipe “add a knot”"):
        walk(copy, replace(RECIPES[0], heading="add a knot"))
    with pytest.raises(SystemExit, match=r"“add an event” touched 4 files, 3 allowed: .*src/onepam/domain/"):
        walk(copy, replace(RECIPES[0], most=3))
    with pytest.raises(SystemExit, match=r"test_disk\.py: .* stands there 0 times"):
        walk(copy, RECIPES[0])
