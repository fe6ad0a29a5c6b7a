"""How the log of this installation is signed, cosigned and published."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from onepam.boot.clock import wall_clock
from onepam.boot.config import Config
from onepam.jobs.signer_process import SignerProcess
from onepam.kernel.errors import Fault, Refused
from onepam.ledger.checkpoint import Checkpoint
from onepam.ledger.note import Note, Signature, VerifierKey
from onepam.signing.author import NodeAuthor
from onepam.signing.signer import SignerClient
from onepam.signing.witness import WitnessClient
from onepam.store.engine.append import read_head
from onepam.store.engine.database import connect, is_new
from onepam.store.engine.publish import Cosign, Prove, Show, Sign, Stretch


class Lacking(Fault):
    """The ledger has fewer entries than its signer has signed."""


def witness_of(config: Config) -> WitnessClient | None:
    """The witness of the configuration."""
    return WitnessClient(config.witness, VerifierKey.parse(config.witness_key)) if config.witness else None


def kept_out(config: Config) -> str:
    """Whom the place of the signer's key keeps out; the nodes' own keys lie in memory only."""
    socket = Path(config.signer_socket) if config.signer_socket else None
    if socket is None or socket.resolve().is_relative_to(config.data.resolve()):
        return "the signer's key lies in the data folder: whoever has that whole folder can write history"
    return f"the signer at {socket} has its key elsewhere: whoever only has the data folder cannot write history"


def author_of(node: str, signers: SignerProcess) -> NodeAuthor:
    """The node by this name, with a new key that the signer has certified. Raises `Unavailable`, `Fault`."""
    return NodeAuthor.certified(node, signers.client().certify)


def hold_to_signed(database: Path, signers: SignerProcess) -> None:
    """Before anything is written: the ledger has all that the signer has signed. Raises `Lacking` where it has not,
    `Unavailable` without a signer.

    That the entries are the same is the signer's judgement at its next signature, and the self-check's.
    """
    signed = signers.client().last().size  # asked first: the ledger only grows
    found = _size(database)
    if found < signed:
        raise Lacking(
            f"the ledger has {found} entries, and its signer has signed {signed}: this is an older copy. Restore a "
            "newer one; if there is none: onepam ledger continue-after-loss"
        )


def _size(database: Path) -> int:
    if not database.exists():
        return 0
    with closing(connect(database, read_only=True)) as db:
        return 0 if is_new(db) else read_head(db).size


def signing(signers: SignerProcess) -> Sign:
    """By whichever signer answers; it is shown all that was written since it signed last."""

    def sign(checkpoint: Checkpoint, show: Show) -> bytes | Refused:
        client = signers.client()
        last = client.last()
        refused = None
        for begin in sorted({last.size, last.followed}, reverse=True):  # what it only followed may be gone again
            if begin <= checkpoint.size:
                refused = _shown(client, show(begin))
                if refused is None:
                    break
        return refused or client.sign(checkpoint.size, checkpoint.root, wall_clock())

    return sign


def _shown(client: SignerClient, stretches: Iterator[Stretch]) -> Refused | None:
    for each in stretches:
        refused = client.follow(each.begin, each.preimages, each.bodies, each.batches)
        if refused is not None:
            return refused
    return None


def cosigning(witness: WitnessClient | None) -> Cosign | None:
    """By the witness, from the size on that it was shown last; None without one."""
    if witness is None:
        return None
    known = 0

    def cosign(note: bytes, prove: Prove) -> tuple[Signature, ...] | Refused:
        nonlocal known
        answer = witness.submit(note, known, lambda old, new: prove(old))
        if isinstance(answer, Refused):
            return answer
        known = Checkpoint.parse(Note.parse(note).text).size
        return (answer[0],)

    return cosign
