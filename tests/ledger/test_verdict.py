"""The three lines and their exit codes: nothing is called intact without an anchor from outside."""

import pytest

from onepam.kernel.clock import DAY, Instant, iso
from onepam.ledger.check import Anchor
from onepam.ledger.verdict import ExitCode, Held, Recordings, Word, exit_code, history

NOW = Instant(1_790_000_000_000_000)


def held(size: int, outside: bool = True, at: int = NOW, holder: str = "witness w") -> Held:
    return Held(Anchor(size, bytes(32), holder, outside), Instant(at))


def test_an_anchor_from_outside_over_everything() -> None:
    found = history(10, NOW, 0, [held(3, holder="the old one"), held(10)])
    assert found.word is Word.INTACT
    assert found.line() == f"anchored and intact: 10 entries, by witness w; the last of them is of {iso(NOW)}"


def test_what_came_since_the_anchor_is_said() -> None:
    assert "the first 7 of 10 entries, by witness w" in history(10, NOW, 0, [held(7)]).line()


def test_the_anchor_inside_anchors_nothing() -> None:
    for anchors in ([], [held(10, outside=False)]):
        found = history(10, NOW, 0, anchors)
        assert found.word is Word.UNANCHORED
        assert "intact" not in found.line()


def test_an_anchor_holds_for_a_day_of_ledger_time() -> None:
    assert history(10, NOW, 0, [held(7, at=NOW - DAY)]).word is Word.INTACT
    old = history(10, NOW, 0, [held(7, at=NOW - DAY - 1)])
    assert old.word is Word.UNANCHORED
    assert "witness w covers 7 of 10 entries and is older than a day" in old.reason


def test_a_finding_breaks_it_whatever_anchors_it() -> None:
    assert history(10, NOW, 1, [held(10)]).line() == "broken: 1 finding in 10 entries"
    assert history(10, NOW, 2, [held(10)]).line() == "broken: 2 findings in 10 entries"


def test_what_a_seam_says_is_lost_is_told_with_every_word() -> None:
    for findings, anchors in ((0, [held(10)]), (0, []), (1, [])):
        assert (
            history(10, NOW, findings, anchors, ["entries 3 to 9 are lost"])
            .line()
            .endswith("; entries 3 to 9 are lost")
        )


def test_recordings_are_counted_apart() -> None:
    assert Recordings(5).line() == "0 of 5 checked"
    told = Recordings(9, 7, NOW, disposed=1, missing=2, cut=3, altered=4, foreign=5, unopened=6, unasked=7)
    assert told.line().startswith(f"7 of 9 checked, as of {iso(NOW)}")
    assert told.line().endswith("; 1 disposed; 2 missing; 3 cut; 4 altered; 5 foreign; 6 unopened; 7 unasked")
    assert told.bad == 27


@pytest.mark.parametrize(
    ("findings", "anchors", "unlawful", "recordings", "code"),
    [
        (0, [held(10)], 0, Recordings(3, 3), ExitCode.INTACT),
        (0, [held(10)], 0, None, ExitCode.INTACT),
        (0, [held(10)], 0, Recordings(3, 3, disposed=1), ExitCode.INTACT),
        (0, [], 0, Recordings(3, 3), ExitCode.UNANCHORED),
        (0, [held(10)], 0, Recordings(3, 3, missing=1), ExitCode.RECORDINGS),
        (0, [], 0, Recordings(3, 3, altered=1), ExitCode.RECORDINGS),
        (0, [held(10)], 0, Recordings(3, 3, unasked=1), ExitCode.RECORDINGS),
        (1, [held(10)], 0, Recordings(3, 3, cut=1), ExitCode.BROKEN),
        (0, [held(10)], 2, Recordings(3, 3, cut=1), ExitCode.UNLAWFUL),
        (0, [], 1, None, ExitCode.UNLAWFUL),
        (1, [held(10)], 1, None, ExitCode.BROKEN),
    ],
)
def test_the_gravest_answer_decides(
    findings: int, anchors: list[Held], unlawful: int, recordings: Recordings | None, code: ExitCode
) -> None:
    assert exit_code(history(10, NOW, findings, anchors), unlawful, recordings) is code


def test_the_table_of_exit_codes() -> None:
    assert [code.value for code in ExitCode] == [0, 1, 2, 3, 4, 5, 6, 7]
