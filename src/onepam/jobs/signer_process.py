"""The signer that this process asks: the configured one, or one of our own as a child.

Processes on the same data share a child. It ends with the process that began it; whoever finds it gone begins another.
"""

import contextlib
import subprocess
import sys
import threading
import time
from pathlib import Path

from onepam.jobs.eras import Began
from onepam.kernel.errors import Fault, Unavailable
from onepam.signing.signer import SignerClient, create_signer

START_SECONDS = 120.0
STOP_SECONDS = 2.0
_PAUSE_SECONDS = 0.05
_OTHERS_SECONDS = 1.0
"""How long another process's child may take to answer after ours found it at work."""


_HINT = (
    "put back the signer's folder from a copy; if it is lost for good: onepam ledger continue-after-loss --signer-lost"
)


class SignerProcess:
    """Threads may share it."""

    def __init__(self, socket: str, folder: Path, origin: str, began: Began) -> None:
        """`began`: what the ledger says of the log's beginning."""
        self._folder = None if socket else folder
        self._origin = origin
        self._began_under, self._continues = began.under, began.seam is not None
        self._client = SignerClient(Path(socket) if socket else folder / "socket")
        self._child: subprocess.Popen[bytes] | None = None
        self._one = threading.Lock()
        self._stopped = False

    def client(self) -> SignerClient:
        """A signer that answers for this ledger. Raises `Unavailable` without one, `Fault` for another ledger's."""
        with self._one:
            if self._folder is not None and not self._answers():
                self._begin(self._folder)
        key = self._client.vkey()
        if key.name != self._origin:
            raise Fault(f"the signer signs for {key.name}, and this ledger is {self._origin}")
        if self._began_under not in (None, key.encode()):
            raise Fault(f"the signer's key is {key.encode()}, and this ledger began under {self._began_under}: {_HINT}")
        return self._client

    def stop(self) -> None:
        """Ends our child."""
        with self._one:
            self._stopped = True
            self._end()

    def _answers(self) -> bool:
        try:
            self._client.vkey()
        except Unavailable:
            return False
        return True

    def _begin(self, folder: Path) -> None:
        if self._stopped:
            raise Unavailable("the signer has been stopped")
        self._end()
        if self._began_under is not None and not (folder / "key").exists():
            raise Fault(f"the signer of {self._began_under} is gone: there is no {folder / 'key'}: {_HINT}")
        folder.mkdir(mode=0o700, exist_ok=True)
        if not (folder / "key").exists():
            with contextlib.suppress(FileExistsError):  # another process was quicker
                create_signer(folder / "key", folder / "state", self._origin, continues=self._continues)
        command = [sys.executable, "-m", "onepam.boot.commands.up", "signer", "--folder", str(folder)]
        command += ["--origin", self._origin, "--with-parent"]
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._answers():
                return
            if self._child.poll() is not None:
                deadline = min(deadline, time.monotonic() + _OTHERS_SECONDS)
            time.sleep(_PAUSE_SECONDS)
        self._end()
        raise Unavailable("the signer did not start; its own words are above")

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        if child.stdin is not None:
            child.stdin.close()  # this asks it to end
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
