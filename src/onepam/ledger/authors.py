"""Who wrote an entry: each batch bears the signature of a node, and each node's key a certificate of the log's signer.

A *batch* is what one group commit wrote. Its Ed25519 signature is over these lines, each with a newline at its end:

    onepam-batch/1
    NODE
    FIRST LAST                  indexes of its first and last entry, decimal
    ROOT                        of the tree over the batch's leaves alone (RFC 6962), base64
    PREVIOUS                    signature of the batch before, base64; of a ledger's first batch 64 zero bytes

A node's key stands in the entry `node.certified`, with a certificate: a note (C2SP signed-note), signed by the key that
signs the log's checkpoints, over

    ORIGIN
    onepam-node/1 NUMBER        of this certificate among those of the node, counted upwards: an old one serves nobody
    VKEY                        the node's verifier key, of which the name is NODE

A key is in force from the batch that holds its certificate to the next certificate of its node, to the end of the batch
that revokes it, or to the next seam: then the log has another signer, and every node needs another certificate.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from onepam.kernel.canonical import MAX_INTEGER, NotCanonical, decode
from onepam.ledger.merkle import EMPTY_ROOT, MAX_SIZE
from onepam.ledger.note import ED25519, BadNote, Note, VerifierKey

SIGNATURE_BYTES = 64
MAX_BATCH_ENTRIES = 60_000
"""More than a group commit writes: what its time allows, and one largest command."""
MAX_NODES = 1_000

CERTIFIED, REVOKED, SEAM = "node.certified", "node.revoked", "ledger.continued"
KINDS = (CERTIFIED, REVOKED, SEAM)
"""The entries that say whose signatures count. Who judges batches must see their bodies."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The entries `first` to `last`, by index, were written by `node` in one group commit."""

    first: int
    last: int
    node: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """An entry of one of `KINDS`, with its stored body."""

    index: int
    kind: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a node: the number of its last certificate, and its key while that is in force."""

    number: int
    key: VerifierKey | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the chain of batches has come to: `size` entries, the signature of the last batch, and the nodes by name.

    `era` is the origin of the log that goes on from here.
    """

    era: str
    size: int = 0
    previous: bytes = bytes(SIGNATURE_BYTES)
    nodes: Mapping[str, Known] = field(default_factory=dict)


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over the leaf hashes of one batch, level by level: a hash without a neighbour goes up as it is."""
    level = list(leaves)
    while len(level) > 1:
        above = [sha256(b"\x01" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)]
        level = above if len(level) % 2 == 0 else [*above, level[-1]]
    return level[0] if level else EMPTY_ROOT


def batch_text(node: str, first: int, last: int, root: bytes, previous: bytes) -> str:
    """What the signature of a batch is over."""
    lines = ("onepam-batch/1", node, f"{first} {last}", _base64(root), _base64(previous))
    return "\n".join(lines) + "\n"


def certificate_text(origin: str, number: int, key: VerifierKey) -> str:
    """What a certificate is over. No checkpoint has this text: its second line is no number."""
    return f"{origin}\nonepam-node/1 {number}\n{key.encode()}\n"


def judge(
    before: Standing, batch: Batch, leaves: Sequence[bytes], told: Sequence[Told], log_keys: Mapping[str, VerifierKey]
) -> Standing | str:
    """Whether a node in force wrote the batch of these leaf hashes: how the chain stands after it, or why not.

    `told` are its entries of `KINDS`, in order. `log_keys` are the keys of signers by origin. Nobody can judge the
    batches of an era whose key is not known; they are passed, and so are gaps between them.
    """
    log_key = log_keys.get(before.era)
    if not before.size <= batch.first <= batch.last <= MAX_SIZE or (log_key and batch.first != before.size):
        return f"its batch begins at entry {batch.first}, and {before.size} is the next"
    if len(leaves) != batch.last - batch.first + 1:
        return f"its batch has {batch.last - batch.first + 1} entries, and {len(leaves)} are there"
    if log_key is None:
        return pass_over(before, batch, told, log_keys)
    nodes, bad = _nodes_after(before, told, log_key)
    if bad:
        return bad
    in_force = nodes.get(batch.node)
    if in_force is None or in_force.key is None:
        return f"its batch is of {_shown(batch.node)}, which has no key in force there"
    text = batch_text(batch.node, batch.first, batch.last, root_of(leaves), before.previous)
    if in_force.key.verify(text, batch.signature) is None:
        return f"its batch bears no signature of {batch.node} that holds"
    for entry in told:
        name = _body(entry.body).get("node")
        if entry.kind == REVOKED and type(name) is str and name in nodes:
            nodes[name] = replace(nodes[name], key=None)
    return _after(before, batch, told, nodes)


def pass_over(before: Standing, batch: Batch, told: Sequence[Told], log_keys: Mapping[str, VerifierKey]) -> Standing:
    """How the chain stands after a batch that is nobody's, or that nobody could judge: it goes on from its signature.

    Nothing that the batch says is heeded, but for a certificate that holds: that is the signer's word and no node's.
    """
    log_key = log_keys.get(before.era)
    return _after(before, batch, told, _nodes_after(before, told, log_key)[0] if log_key else dict(before.nodes))


def _after(before: Standing, batch: Batch, told: Sequence[Told], nodes: dict[str, Known]) -> Standing:
    previous = batch.signature if len(batch.signature) == SIGNATURE_BYTES else before.previous
    origins = [origin for each in told if (origin := _origin(each))]
    return Standing(origins[-1] if origins else before.era, batch.last + 1, previous, {} if origins else nodes)


def _nodes_after(before: Standing, told: Sequence[Told], log_key: VerifierKey) -> tuple[dict[str, Known], str]:
    """The nodes with those that certificates of the batch bring into force, and what is wrong with a certificate."""
    nodes, bad = dict(before.nodes), ""
    for entry in (each for each in told if each.kind == CERTIFIED):
        found = _certified(entry, before.era, log_key, nodes)
        if isinstance(found, str):
            bad = bad or f"entry {entry.index} certifies a key, and {found}"
        else:
            name, known = found
            nodes[name] = known
    return nodes, bad


def _certified(entry: Told, origin: str, log_key: VerifierKey, nodes: Mapping[str, Known]) -> tuple[str, Known] | str:
    """The node and the key that an entry certifies, or why it does not."""
    body = _body(entry.body)
    node, vkey, number, certificate = (body.get(name) for name in ("node", "key", "number", "certificate"))
    if type(node) is not str or type(vkey) is not str or type(number) is not int or type(certificate) is not str:
        return "it lacks a field"
    try:
        key = VerifierKey.parse(vkey)
        note = Note.parse(certificate.encode())
        note.verify([log_key])
    except BadNote as error:
        return f"its certificate does not hold: {error}"
    if key.name != node or key.algorithm != ED25519 or note.text != certificate_text(origin, number, key):
        return "its certificate is of another key"
    before = nodes.get(node)
    if not (before.number if before else 0) < number <= MAX_INTEGER:
        return "a newer certificate of this node was there before"
    if before is None and len(nodes) >= MAX_NODES:
        return f"{MAX_NODES} nodes are known already"
    return node, Known(number, key)


def _origin(entry: Told) -> str:
    """The log that begins with an entry; empty for any but a seam."""
    found = _body(entry.body).get("origin") if entry.kind == SEAM else None
    return found if type(found) is str else ""


def _body(raw: bytes) -> dict[str, Any]:
    try:
        found = decode(raw)
    except NotCanonical:
        return {}
    return found if isinstance(found, dict) else {}


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _shown(node: str) -> str:
    return node if node.isprintable() and len(node) < 100 else "a node without a name"
