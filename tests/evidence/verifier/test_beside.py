"""Two processes say what one says, of every pack; and one that dies is a fault, never a pass."""

import json
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from onepam.evidence.verifier import beside, verdict
from onepam.evidence.verifier.beside import Beside
from onepam.evidence.verifier.progress import Progress
from onepam.evidence.verifier.refusal import Refused, Spoiled, Unfinished
from tests.evidence.altered import KINDS, altered_packs
from tests.evidence.company import History
from tests.evidence.conftest import KEYS, Check
from tests.evidence.verifier.test_lawful import KEY, packed, planted

DRAW = ("--draw", "00112233445566778899aabbccddeeff")


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Whatever its size a pack is judged in two processes; which ones there were."""
    begun, fork = list[int](), os.fork

    def counted() -> int:
        process = fork()
        begun.append(process)
        return process

    monkeypatch.setattr(beside, "ALONE", 0)
    monkeypatch.setattr(beside, "_can_be_two", lambda: True)
    monkeypatch.setattr(os, "fork", counted)
    yield begun
    for process in begun:
        with pytest.raises(ChildProcessError):
            os.waitpid(process, os.WNOHANG)  # nothing is left of it


def in_one(monkeypatch: pytest.MonkeyPatch, work: Callable[[], Any]) -> Any:
    with monkeypatch.context() as patched:
        patched.setattr(beside, "_can_be_two", lambda: False)
        return work()


def test_altered_packs_are_refused_in_the_same_words(
    company: History, honest: bytes, check: Check, two: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    packs = [("honest", honest), ("planted", packed(planted()))]
    packs += [(each.name, each.data) for each in altered_packs(company, honest, len(KINDS), seed=7)]
    for said, pack in packs:
        keys = KEY if said == "planted" else KEYS

        def judged(pack: bytes = pack, keys: tuple[str, ...] = keys) -> Any:
            return check(pack, *keys, *DRAW)

        assert judged() == in_one(monkeypatch, judged), said
    assert len(two) > len(packs) // 3, "most are altered where both processes read"


def test_a_process_that_dies_is_a_fault(honest: bytes, check: Check, two: list[int], monkeypatch: Any) -> None:
    def dies(pack: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(verdict, "judge_entries", dies)
    code, told = check(honest, *KEYS)
    assert (code, told["lawful"], len(two)) == (4, "not judged", 1)
    assert told["verdict"] == "NOT JUDGED: the process that judged the entries ended before it was through (signal 9)"


@pytest.mark.parametrize("status", [0, 3])
def test_one_that_ends_without_a_word_is_a_fault_too(status: int, two: list[int]) -> None:
    with pytest.raises(Unfinished, match=rf"exit {status}"), Beside(1, lambda: os._exit(status)):
        pass


def test_what_it_said_counts_for_nothing_if_it_ends_badly_after_that(two: list[int], monkeypatch: Any) -> None:
    ends = os._exit
    monkeypatch.setattr(os, "_exit", lambda status: ends(9))
    with pytest.raises(Unfinished, match="exit 9"), Beside(1, lambda: "found"):
        pass


@pytest.mark.parametrize(
    ("fault", "raised", "words"),
    [
        (Refused("a"), Refused, "a"),
        (Spoiled("b"), Spoiled, "b"),
        (Unfinished("c"), Unfinished, "c"),
        (MemoryError(), MemoryError, ""),
        (KeyError("d"), Refused, "KeyError: 'd'"),
        (UnicodeError("\udcff"), Refused, "UnicodeError: \udcff"),
    ],
)
def test_what_it_raised_comes_before_what_was_raised_beside(
    fault: Exception, raised: type[Exception], words: str, two: list[int]
) -> None:
    def work() -> None:
        raise fault

    with pytest.raises(raised, match=f"^{re.escape(words)}$"), Beside(1, work):
        pass
    for mine in (Refused("mine"), KeyError("mine")):
        with pytest.raises(raised, match=f"^{re.escape(words)}$"), Beside(1, work):
            raise mine


def test_what_is_raised_beside_work_that_ends_well_is_raised(two: list[int]) -> None:
    with pytest.raises(Refused, match="mine"), Beside(1, lambda: None):
        raise Refused("mine")


@pytest.mark.parametrize("stop", [KeyboardInterrupt, MemoryError])
def test_who_stops_does_not_wait(stop: type[BaseException], two: list[int]) -> None:
    asleep, _ = os.pipe()
    with pytest.raises(stop), Beside(1, lambda: os.read(asleep, 1)):
        raise stop


def test_without_another_process_it_is_done_in_this_one(two: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "fork", refused)
    with Beside(1, os.getpid) as done:
        assert done.found == os.getpid()


@pytest.mark.parametrize(("processors", "threads", "beside_it"), [(2, 1, True), (1, 1, False), (2, 2, False)])
def test_a_large_pack_takes_two_processes_where_there_can_be_two(
    processors: int, threads: int, beside_it: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(processors)))
    monkeypatch.setattr(threading, "active_count", lambda: threads)
    with Beside(beside.ALONE + 1, os.getpid) as large:
        pass
    assert (large.found != os.getpid()) == beside_it
    with Beside(beside.ALONE, os.getpid) as small:
        assert small.found == os.getpid()


def test_its_progress_is_shown_by_whoever_waits(two: list[int], monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)

    def work() -> str:
        progress = Progress("the work", 4, large=4)
        for done in range(1, 5):
            progress.at(done)
        return json.dumps("found")

    with Beside(1, work) as done:
        assert capsys.readouterr().err == ""
    assert done.found == '"found"'
    assert capsys.readouterr().err == "".join(f"\rthe work: {each} %" for each in (25, 50, 75, 100)) + "\n"
