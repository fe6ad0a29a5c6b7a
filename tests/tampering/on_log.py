"""What is tried on the published log, on the keys and on the signer's memory."""

import os
import re
import shutil
from pathlib import Path

from onepam.ledger.checkpoint import Checkpoint, sign_checkpoint
from onepam.ledger.note import ED25519, VerifierKey
from tests.boot.installation import ORIGIN
from tests.tampering.installed import MALLORY, Copy
from tests.tampering.table import Change, Enter, Found, Unfindable, Unreachable, attack

LOG = "published log"
BY_NOBODY = Found("checkpoint: no signature by a known key")


def flip(folder: Path) -> None:
    """One bit of each file in it."""
    files = [each for each in folder.rglob("*") if each.is_file()]
    assert files
    for each in files:
        content = bytearray(each.read_bytes())
        content[5] ^= 1
        each.write_bytes(content)


def checkpoint(copy: Copy) -> Path:
    return copy.data / "log" / "checkpoint"


def signed_by_mallory(copy: Copy, origin: str) -> None:
    """A checkpoint of the same size and of another root."""
    size = int(checkpoint(copy).read_text().splitlines()[1])
    key = VerifierKey(origin, ED25519, MALLORY.public_key().public_bytes_raw())
    checkpoint(copy).write_bytes(sign_checkpoint(Checkpoint(origin, size, bytes(32)), key, MALLORY.sign))


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


attack("tiles altered", LOG, Found("tile: "))(lambda copy: flip(copy.data / "log" / "tile" / "0"))
attack("tiles deleted", LOG, Found("tile: .* the published hash is gone"))(
    lambda copy: shutil.rmtree(copy.data / "log" / "tile")
)
attack("a pipe in the place of a tile", LOG, Found("tile: "))(
    lambda copy: pipe(next(each for each in (copy.data / "log" / "tile" / "0").rglob("*") if each.is_file()))
)
attack(
    "upper tiles altered",
    LOG,
    Unfindable("they follow from the lowest ones; the signer refuses what is proven with them, and publishing says so"),
)(lambda copy: flip(copy.data / "log" / "tile" / "1"))
attack(
    "bundles of entries altered",
    LOG,
    Unfindable("copies for whoever reads the log as files, made anew from the database; a reader's own proof fails"),
)(lambda copy: flip(copy.data / "log" / "tile" / "entries"))
attack("the checkpoint by another key", LOG, BY_NOBODY)(lambda copy: signed_by_mallory(copy, ORIGIN))
attack("the checkpoint of another log", LOG, Found("checkpoint: "))(lambda copy: signed_by_mallory(copy, "other.log"))
attack("noise in the place of the checkpoint", LOG, Found("checkpoint: "))(
    lambda copy: checkpoint(copy).write_bytes(b"\0" * 200) and None
)
attack("a pipe in the place of the checkpoint", LOG, Found("checkpoint: it cannot be read"))(
    lambda copy: pipe(checkpoint(copy))
)
attack(
    "an older checkpoint of our own",
    LOG,
    Unfindable(
        "it is true; a reader of the log holds it against a newer one of their own, and the next second replaces it"
    ),
)(lambda copy: shutil.copy(copy.older / "log" / "checkpoint", checkpoint(copy)))
attack(
    "the checkpoint deleted",
    LOG,
    Unfindable("the line says that no entry is under one; the next second makes it anew"),
)(lambda copy: checkpoint(copy).unlink())

KEYS = "keys"
attack(
    "the log's key beside the database",
    KEYS,
    Unfindable("whoever brings the key does not read it; without --log-key a kept checkpoint tells that it is another"),
)(lambda copy: (copy.data / "log-key").write_text(copy.public.encode()[:-4] + "AAA=\n"))
attack(
    "the digest of the recovery key deleted",
    KEYS,
    Unfindable("it is asked only when a key is shown; then nothing takes the key"),
)(lambda copy: copy.data.with_name("data.recovery-key").unlink(missing_ok=True))

SIGNER = "signer's memory"


def state(copy: Copy) -> Path:
    return copy.data / "signer" / "state"


def edited(pattern: str, to: str) -> Change:
    def change(copy: Copy) -> None:
        text, count = re.subn(pattern, to, state(copy).read_text())
        assert count
        state(copy).write_text(text)

    return change


def elsewhere(what: str, answer: Found | Unfindable) -> Enter:
    """With a signer elsewhere there is no such file in the folder."""
    return attack(what, SIGNER, answer, Unreachable())


elsewhere("its deletion", Found("signer: its key is here and its memory"))(lambda copy: state(copy).unlink())
elsewhere("another file", Found("signer: .* is not a signer's state"))(lambda copy: state(copy).write_text("{}"))
elsewhere("that of another log", Found("signer: .* belongs to another log"))(edited(re.escape(ORIGIN), "other.log"))
elsewhere("more than there is", Found("rolled_back: .* the signer has seen it"))(edited(r'"size":(\d+)', r'"size":9\1'))
elsewhere(
    "the place that it has only followed to",
    Unfindable(
        "nothing is signed by it: the signer judges each checkpoint by what it signed last, and follows from there"
    ),
)(edited(r'("followed":.*?"size":)(\d+)', r"\g<1>1\2"))
elsewhere("another root", Found("forked: .* not those of the signer"))(edited(r'"root":"..', '"root":"ff'))
elsewhere("a pipe in its place", Found("signer: "))(lambda copy: pipe(state(copy)))
elsewhere(
    "what it was earlier",
    Unfindable("it is true, and less; before it signs again it follows all that was written since"),
)(lambda copy: shutil.copy(copy.older / "signer" / "state", state(copy)))
elsewhere(
    "all of its folder deleted",
    Unfindable("a copy cannot tell it from a signer elsewhere; a start is refused, for the ledger has had one"),
)(lambda copy: shutil.rmtree(copy.data / "signer"))
