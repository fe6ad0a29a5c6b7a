"""What `tests/forked.py` gives the tests is a process: it ends as one, and keeps nothing for the next."""

import os
import signal
import sys

import pytest

from tests.forked import onepam, python


def test_it_says_what_it_has_to_say_and_how_it_ended() -> None:
    done = python(
        "import sys; print(sys.argv[1:], input()); sys.stderr.write('ß'); sys.exit(7)", "a", "b c", typed="x\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (7, "['a', 'b c'] x\n", "ß")
    killed = python("import os, sys; print(1); sys.stdout.flush(); os.kill(os.getpid(), 9)")
    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, "1\n")
    assert "ZeroDivisionError" in python("1 / 0").stderr
    assert onepam("--version").stdout.strip()


def test_each_is_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAID", "now")
    words = "import os, sys, onepam; print(os.getpid(), os.environ['SAID'], hasattr(onepam, 'kept')); onepam.kept = 1"
    first, second = (python(words).stdout.split() for _ in range(2))
    assert first[1:] == second[1:] == ["now", "False"]
    assert first[0] != second[0]
    assert str(os.getpid()) not in (first[0], second[0])
    assert python("import sys; print(sys.version)").stdout.strip() == sys.version.strip()


def test_what_does_not_end_is_killed() -> None:
    with pytest.raises(TimeoutError):
        python("import signal; signal.pause()", seconds=0.01)
    assert python("print(1)").stdout == "1\n"
