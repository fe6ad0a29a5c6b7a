"""What is tried on who wrote an entry: batches and their rows, certificates, nodes that were revoked."""

from contextlib import closing

from onepam.domain.access.events import BindingAdded
from onepam.domain.access.model import SubjectKind
from onepam.domain.host.nodes import NodeCertified
from onepam.domain.matrix.events import ChangeApplied, ChangeProposed
from onepam.ledger.verdict import ExitCode
from onepam.signing.author import NodeAuthor
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries, size_of
from tests.tampering.forging import certified, joined, written_past
from tests.tampering.installed import Copy
from tests.tampering.table import Found, Unfindable, attack, by_sql

PLACE = "authors"
NOBODY = Found("author: .*no node of this ledger wrote it")
A_NODE = Unfindable(
    "whoever has the signer's key is a node, and what it does looks lawful: before the first sign-in the host changes "
    "the roles. Only a signer as another user keeps them out"
)


def given(change: str = "") -> BindingAdded:
    """The role of an administrator, for an account that there is."""
    return BindingAdded(
        "bnd_forged", "administrator", SubjectKind.PERSON, "per_mallory", None, "access.yaml", "why not", change, None
    )


def deed() -> tuple[object, ...]:
    """A change that gives it, as the host would have made it before the first sign-in."""
    return (
        ChangeProposed("chg_forged", "d0", "d1", True, None, "a change", "text"),
        ChangeApplied("chg_forged", "d0", "d1", None, bootstrap=True),
        BindingAdded(
            "bnd_forged", "administrator", SubjectKind.GROUP, "root", None, "access.yaml", "why", "chg_forged", None
        ),
    )


@attack("an entry in perfect form, of no batch", PLACE, NOBODY)
def _(copy: Copy) -> None:
    written_past(copy, None, given())


@attack("the same, in a batch that nobody has certified", PLACE, NOBODY)
def _(copy: Copy) -> None:
    written_past(copy, NodeAuthor.uncertified("nod_mallory"), given())


@attack("the same, in the name of the node that runs", PLACE, NOBODY)
def _(copy: Copy) -> None:
    written_past(copy, NodeAuthor.uncertified((copy.data / "nodes" / "1").read_text()), given())


@attack("the same, in a batch of a node that was revoked, by its own key", PLACE, NOBODY)
def _(copy: Copy) -> None:
    written_past(copy, copy.of.revoked, given())


@attack(
    "the same, with the certificate of that node once more",
    PLACE,
    Found("a newer certificate of this node was there before"),
)
def _(copy: Copy) -> None:
    with closing(connect(copy.database, read_only=True)) as db:
        told = [each.event for each in entries(db, 0, size_of(db))]
    again = next(each for each in told if isinstance(each, NodeCertified) and each.node == copy.of.revoked.node)
    written_past(copy, copy.of.revoked, again, given())


@attack(
    "the same, by a node that the best key at hand certifies",
    PLACE,
    Found("UNLAWFUL .* no change of the roles", ExitCode.UNLAWFUL),
    Found("its certificate does not hold"),
)
def _(copy: Copy) -> None:
    author = certified(copy)
    written_past(copy, author, joined(author), given())


@attack(
    "a deed that looks lawful, by a node that the best key at hand certifies",
    PLACE,
    A_NODE,
    Found("its certificate does not hold"),
)
def _(copy: Copy) -> None:
    author = certified(copy)
    written_past(copy, author, joined(author), *deed())


LAST = "(SELECT max(first_idx) FROM batch)"
FIRST = "(SELECT min(first_idx) FROM batch WHERE last_idx > first_idx)"
by_sql("the signature of a batch", PLACE, f"UPDATE batch SET signature = zeroblob(64) WHERE first_idx = {LAST}", NOBODY)
by_sql("the node of a batch", PLACE, f"UPDATE batch SET node = 'nod_mallory' WHERE first_idx = {LAST}", NOBODY)
by_sql("a batch deleted", PLACE, "DELETE FROM batch WHERE first_idx = 0", NOBODY)
by_sql("the newest batch deleted", PLACE, f"DELETE FROM batch WHERE first_idx = {LAST}", NOBODY)
by_sql(
    "a batch cut in two",
    PLACE,
    f"INSERT INTO batch SELECT last_idx, last_idx, node, signature FROM batch WHERE first_idx = {FIRST}",
    NOBODY,
)
by_sql("the end of a batch", PLACE, f"UPDATE batch SET last_idx = last_idx + 1 WHERE first_idx = {LAST}", NOBODY)
by_sql(
    "two batches exchanged",
    PLACE,
    "CREATE TEMP TABLE both AS SELECT first_idx, node, signature FROM batch ORDER BY first_idx DESC LIMIT 2; "
    "UPDATE batch SET (node, signature) = (SELECT node, signature FROM both WHERE both.first_idx <> batch.first_idx) "
    "WHERE first_idx IN (SELECT first_idx FROM both)",
    NOBODY,
)


@attack(
    "the name under which the gateway's node writes",
    PLACE,
    Unfindable("it is only a name: the key counts, and its certificate names it"),
)
def _(copy: Copy) -> None:
    (copy.data / "nodes" / "1").write_text("nod_mallory")
