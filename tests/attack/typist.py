"""Somebody at work in a live session, as a process of its own: what else the tests do does not slow the clock.

`python -m tests.attack.typist COMMAND…` starts the command (a client whose remote side echoes lines), says `ready`, and
for each `SECONDS PAUSE` that it reads types lines for so long and prints how long each took, in seconds, as JSON.
"""

import json
import subprocess
import sys
import time


def main(command: list[str]) -> None:
    """Ends when its input does."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        assert client.stdout.readline() == b"ready\n", "the session did not begin"
        _say("ready")
        for wish in sys.stdin:
            seconds, pause = map(float, wish.split())
            until, took = time.monotonic() + seconds, list[float]()
            while not took or time.monotonic() < until:
                began = time.perf_counter()
                client.stdin.write(b"k\n")
                assert client.stdout.readline() == b"k\n", "the live session has ended"
                took.append(time.perf_counter() - began)
                time.sleep(pause)
            _say(json.dumps(took))
        client.stdin.close()


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
