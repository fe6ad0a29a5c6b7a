"""How the log of this installation is signed, cosigned and published."""

from onepam.boot.clock import wall_clock
from onepam.boot.config import Config
from onepam.jobs.signer_process import SignerProcess
from onepam.kernel.errors import Refused
from onepam.ledger.checkpoint import Checkpoint
from onepam.ledger.note import Note, Signature, VerifierKey
from onepam.signing.witness import WitnessClient
from onepam.store.engine.publish import Cosign, Prove, Sign


def witness_of(config: Config) -> WitnessClient | None:
    """The witness of the configuration."""
    return WitnessClient(config.witness, VerifierKey.parse(config.witness_key)) if config.witness else None


def signing(signers: SignerProcess) -> Sign:
    """By whichever signer answers; it is shown that the tree has only grown."""

    def sign(checkpoint: Checkpoint, prove: Prove) -> bytes | Refused:
        client = signers.client()
        size, _ = client.last()
        proof = prove(size) if size <= checkpoint.size else []
        return client.sign(checkpoint.size, checkpoint.root, proof, wall_clock())

    return sign


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
