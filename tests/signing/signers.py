"""A signer in a process of its own, and a ledger of nodes to show to it."""

import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.ledger.authors import KINDS
from onepam.signing.signer import SignerClient
from tests.ledger.written import ORIGIN, Written, two_nodes

WRITTEN, A, B = two_nodes()
"""A hundred entries, all of nodes."""
OTHER = two_nodes()[0]
"""The same first eight, and another story after them."""
for _ in range(92):
    WRITTEN.write(A)
    OTHER.write(B, ("thing.else", {}))
NOW = Instant(1_772_546_400_000_000)


def root(size: int, ledger: Written = WRITTEN) -> bytes:
    return ledger.root(size)


def show(client: SignerClient, begin: int, end: int, ledger: Written = WRITTEN) -> Refused | None:
    """The entries of [begin, end) and the batches that end among them."""
    bodies = [(row.position, row.body) for row in ledger.rows[begin:end] if row.kind in KINDS]
    batches = [each for each in ledger.batches if begin <= each.last < end]
    return client.follow(begin, ledger.preimages(begin, end), bodies, batches)


def signed(client: SignerClient, size: int, ledger: Written = WRITTEN) -> bytes | Refused:
    """Shows what is new, and asks for the checkpoint."""
    return show(client, client.last().size, size, ledger) or client.sign(size, ledger.root(size), NOW)


class Process:
    """`run_signer` in a process of its own; `before` is code that runs in it first."""

    def __init__(self, folder: Path, before: str = "") -> None:
        self.socket = folder / "signer.sock"
        code = (
            "import sys; from pathlib import Path; import onepam.signing.signer as signer\n"
            f"{before}\n"
            "key, state, socket, origin = sys.argv[1:]\n"
            "signer.run_signer(Path(key), Path(state), Path(socket), origin)\n"
        )
        arguments = [str(folder / "key.pem"), str(folder / "state"), str(self.socket), ORIGIN]
        self.process = subprocess.Popen([sys.executable, "-c", code, *arguments], stderr=subprocess.PIPE)
        self.client = SignerClient(self.socket)
        end = time.monotonic() + 20
        while not self.listening() and self.process.poll() is None and time.monotonic() < end:
            time.sleep(0.01)

    def listening(self) -> bool:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.socket))
            return True
        return False

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        self.process.communicate(timeout=20)
        return self.process.returncode


def code(answer: bytes | Refused | None) -> str:
    assert isinstance(answer, Refused), answer
    return answer.code
