"""Recordings whose closing entry was not made from the file, as after a full disk: how far the ledger vouches for them,
and that nobody who holds a recording's key makes one of them go on, or end well.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest

from onepam.domain.sessions.recordings import Checked, Condition
from onepam.gateway.recheck import Claim, claimed, recheck
from onepam.gateway.recorder import recording_path
from onepam.kernel.clock import Instant
from onepam.recording import frames
from onepam.recording.seal import Head, Sealer

SESSION = "ses_abcdefghijklmnop"
KEY = bytes(range(32))


class Failed:
    """A recording of two sealed chunks whose recorder failed then: it holds no `Closed`, and its closing entry vouches
    for nothing but its last head."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sealer = sealer = Sealer(SESSION, KEY)
        sealer.append(frames.Opened(0, SESSION, "eve", "dev-1", "app", "ssh", Instant(1)))
        self.data = sealer.header + sealer.seal()[0]
        self.first, self.until_first = sealer.head, self.data
        self.say("rm -rf /srv")
        self.seal()
        self.last, self.counts = sealer.head, dict(sealer.counts)

    def say(self, words: str) -> None:
        self.sealer.append(frames.Output(1, 0, frames.Stream.STDOUT, words.encode()))

    def end(self) -> None:
        self.sealer.append(frames.Closed(2, "client.closed", self.sealer.counts))

    def seal(self) -> None:
        self.data += self.sealer.seal()[0]

    def found(self, head: Head | None, sealed: Head | None, counts: Mapping[str, int] | None = None) -> Checked:
        recording_path(self.folder, SESSION).write_bytes(self.data)
        told = self.counts if counts is None else counts
        return recheck(self.folder, lambda _: KEY, Claim(SESSION, head, told, exact=False, sealed=sealed))


@pytest.fixture
def failed(tmp_path: Path) -> Failed:
    return Failed(tmp_path)


def test_as_it_was_left_it_is_a_gap_and_told_how_far_it_is_vouched_for(failed: Failed) -> None:
    assert failed.found(failed.last, failed.first) == Checked(
        SESSION, Condition.GAP, "the ledger vouches for it up to chunk 2"
    )
    failed.data = failed.until_first
    assert failed.found(failed.last, failed.first) == Checked(
        SESSION, Condition.GAP, "the ledger vouches for it up to chunk 1"
    )
    assert failed.found(failed.last, failed.last).condition is Condition.CUT


@pytest.mark.parametrize("ended", [True, False])
def test_chunks_after_the_head_that_is_vouched_for_are_an_alteration(failed: Failed, ended: bool) -> None:
    failed.say("forged later by whoever holds the key")
    if ended:
        failed.end()
    failed.seal()
    bad = failed.found(failed.last, failed.last)
    assert bad.condition is Condition.ALTERED
    assert "chunk 3: it goes on after the head that was vouched for as its last" in bad.found


def test_a_closing_frame_of_its_own_makes_nothing_whole(failed: Failed) -> None:
    failed.end()
    failed.seal()
    assert failed.found(failed.last, failed.last).condition is Condition.ALTERED


def test_frames_that_no_chunk_seals_are_an_alteration_where_the_recorder_did_not_count_them(failed: Failed) -> None:
    failed.say("handed over before the disk was full")
    failed.data += failed.sealer.flush()
    as_counted = failed.found(failed.last, failed.last, dict(failed.sealer.counts))
    assert as_counted == Checked(SESSION, Condition.GAP, "the ledger vouches for it up to chunk 2")
    bad = failed.found(failed.last, failed.last)
    assert bad.condition is Condition.ALTERED
    assert "its closing entry counts" in bad.found


def test_where_the_closing_entry_names_no_head_only_what_was_sealed_is_vouched_for(failed: Failed) -> None:
    failed.end()
    failed.seal()
    for sealed, words in ((failed.first, "it up to chunk 1"), (failed.last, "it up to chunk 2"), (None, "none of it")):
        expected = Checked(SESSION, Condition.GAP, f"the ledger vouches for {words}")
        assert failed.found(None, sealed, {}) == expected


@pytest.mark.parametrize("counts", [{"frames": "2"}, {"frames": None}, [1], None, 7])
def test_counts_that_are_none_name_no_recording(counts: object) -> None:
    """From an altered row of the ledger: a finding of this recording, not the end of all checks."""
    with pytest.raises(ValueError, match="counts"):
        claimed(SESSION, "00" * 32, 2, cast(Mapping[str, int], counts), True, None, {})


def test_what_ends_with_its_closing_frame_at_the_head_that_is_vouched_for_is_whole(failed: Failed) -> None:
    """Its recorder failed to read it back; the disk gives it again."""
    failed.end()
    failed.seal()
    assert failed.found(failed.sealer.head, failed.last) == Checked(SESSION, Condition.WHOLE)
