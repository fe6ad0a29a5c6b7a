"""Written to the database past the product, in perfect form: no node signed it, and nothing is decided on it."""

import asyncio
import shutil
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from onepam.app.sessions.close_session import NoFacts
from onepam.boot.config import Config
from onepam.boot.platform import Platform
from onepam.domain.access.events import BindingAdded
from onepam.domain.access.model import SubjectKind
from onepam.domain.history.commit import Decided
from onepam.domain.history.system import ClockJumped
from onepam.domain.host.nodes import NodeCertified
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Corrupt, Unavailable
from onepam.signing.author import Certificate, NodeAuthor
from onepam.signing.signer import SignerClient
from onepam.store.db import rows
from onepam.store.engine.append import append, read_head, write_head
from onepam.store.engine.batches import Author, seal, size_and_end
from onepam.store.engine.database import connect
from onepam.store.engine.rebuild import compare
from tests.boot.installation import ORIGIN, live, verify
from tests.forked import onepam
from tests.lawful import laid_by_hand
from tests.ledger.written import Key
from tests.targets import free_port

pytestmark = pytest.mark.anyio
SECONDS = 60
FORGED = BindingAdded(
    "bnd_forged", "administrator", SubjectKind.PERSON, "per_mallory", None, "access.yaml", "why not", "chg_1", None
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    data = tmp_path_factory.mktemp("installed") / "data"
    return data, asyncio.run(live(config_of(data), 5))


def config_of(data: Path) -> Config:
    return Config(data, origin=ORIGIN, console_port=free_port(), ssh_port=free_port())


@pytest.fixture
def copy(installed: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of its data, with the signer and all."""
    data = tmp_path / "data"
    shutil.copytree(installed[0], data, ignore=shutil.ignore_patterns("socket"))
    return data


def forge(data: Path, author: Author | None, *events: object) -> int:
    """Writes past the product what the product would write: entries, leaves, rows of state, the head, and where there
    is an `author` a batch. The index of the first entry."""
    with closing(connect(data / "ledger.db")) as db:
        db.execute("BEGIN IMMEDIATE")  # a platform may be writing: what is read here must be the head still
        head, leaves = read_head(db), list[bytes]()
        after = append(db, head, Instant(head.time + 1), events, bytes, leaves)
        write_head(db, after)
        if author is not None:
            seal(db, author, head.size, leaves)
        db.execute("COMMIT")
    laid_by_hand(*leaves)
    assert compare(data / "ledger.db") == []
    return head.size


def self_made(node: str = "nod_mallory") -> NodeAuthor:
    """A node with a certificate by a key of the same name as the log's."""
    return NodeAuthor.certified(node, lambda key: Certificate(99, Key(ORIGIN).certify(99, key)))


def joined(author: NodeAuthor) -> NodeCertified:
    found = author.join(None)
    assert found is not None
    return found


def stolen_name(data: Path) -> NodeAuthor:
    """The name of the node that runs, and another key."""
    return NodeAuthor.uncertified((data / "nodes" / "1").read_text())


WAYS: dict[str, Callable[[Path], tuple[int, int]]] = {
    "without a batch": lambda data: (forge(data, None, FORGED), 1),
    "in a batch of its own": lambda data: (forge(data, NodeAuthor.uncertified("nod_mallory"), FORGED), 1),
    "in a batch in the node's name": lambda data: (forge(data, stolen_name(data), FORGED), 1),
    "with a certificate of its own": lambda data: (
        forge(data, author := self_made(), FORGED, joined(author)), 2,
    ),
}  # fmt: skip


@pytest.mark.claim(
    "nobody takes them for history, for no node signed them",
    altered="the signature of a batch was not verified; then three of the four were history",
)
@pytest.mark.claim("appended past the product never becomes history", altered="entries of no batch were passed over")
@pytest.mark.parametrize("way", WAYS)
def test_what_is_written_past_the_product_is_named(way: str, copy: Path, installed: tuple[Path, str]) -> None:
    first, count = WAYS[way](copy)
    code, told = verify(copy, "--log-key", installed[1])
    where = f"entry {first}" if count == 1 else f"entries {first} to {first + 1}"
    assert code == 1, told
    assert f"FOUND  author: {where}: no node of this ledger wrote it: " in told
    assert "history     broken: 1 finding in " in told


async def test_a_start_decides_nothing_after_an_entry_of_no_batch(copy: Path) -> None:
    first = forge(copy, None, FORGED)
    with pytest.raises(Corrupt, match=f"entries {first} to {first} were written by no node of this ledger"):
        async with Platform(config_of(copy)).running():
            pass
    with closing(connect(copy / "ledger.db", read_only=True)) as db:
        assert size_and_end(db) == (first + 1, first)


@pytest.mark.parametrize("way", ["without a batch", "in a batch of its own"])
async def test_the_signer_signs_nothing_of_it(way: str, copy: Path) -> None:
    async with Platform(config_of(copy)).running() as platform:
        await published(platform)
        first, _ = WAYS[way](copy)
        signer = SignerClient(copy / "signer" / "socket")
        wanted = (
            "by no node" if way == "without a batch" else f"No node of this ledger wrote entries {first} to {first}"
        )
        end = time.monotonic() + SECONDS
        while wanted not in platform.anchors.trouble:
            assert time.monotonic() < end, platform.anchors.trouble
            await asyncio.sleep(0.1)
        assert signer.last().size <= first
        if way == "without a batch":
            with pytest.raises(Corrupt, match="written by no node"):
                await jump(platform)


async def test_a_node_that_was_revoked_writes_no_more_until_it_is_started_anew(copy: Path) -> None:
    async with Platform(config_of(copy)).running() as platform:
        name = platform.node.name
        listed = onepam("ledger", "nodes", "--data", str(copy))
        assert f"{name}  since " in listed.stdout
        for code in (0, 1):
            done = onepam("ledger", "revoke-node", name, "--by", "Ada", "--because", "stolen", "--data", str(copy))
            assert done.returncode == code, done.stderr
        assert f"{name} has no key in force" in done.stderr
        with pytest.raises(Unavailable, match="was revoked"):
            await jump(platform)
        assert name not in onepam("ledger", "nodes", "--data", str(copy)).stdout
    async with Platform(config_of(copy)).running() as platform:
        assert platform.node.name == name
        await jump(platform)
        await published(platform)
        verdict = await asyncio.to_thread(platform.self_check.verify)
    assert verdict.findings == ()
    assert verdict.size == verdict.standing.size


async def test_a_gateway_and_commands_of_the_host_write_side_by_side(copy: Path) -> None:
    async with Platform(config_of(copy)).running() as platform:
        for _ in range(2):
            await jump(platform)
            nobody = ("nod_nobody", "--by", "A", "--because", "b", "--data", copy)
            assert onepam("ledger", "revoke-node", *nobody).returncode
            admin = ("--admin", "Ada Admin <ada@example.com>", "--data", str(copy))
            done = onepam("setup", *admin)
            assert done.returncode == 0, done.stderr
        await published(platform)
        verdict = await asyncio.to_thread(platform.self_check.verify)
    assert verdict.findings == ()
    assert len([each for each in verdict.standing.nodes if each != platform.node.name]) == 1
    with closing(connect(copy / "ledger.db", read_only=True)) as db:
        written = {each[0] for each in rows(db, "SELECT DISTINCT node FROM batch")}
    assert written == set(verdict.standing.nodes)


async def test_a_start_says_whom_the_place_of_the_keys_keeps_out(copy: Path, installed: tuple[Path, str]) -> None:
    async with Platform(config_of(copy)).running() as platform:
        health = await asyncio.to_thread(platform.anchors.health)
        assert health.keys == (
            "the signer's key lies in the data folder: whoever has that whole folder can write history"
        )


async def jump(platform: Platform) -> None:
    await platform.ledger.commit(NoFacts(), lambda facts, now: Decided((ClockJumped("nod_test", 1, False),), None))


async def published(platform: Platform) -> None:
    end = time.monotonic() + SECONDS
    while (await asyncio.to_thread(platform.anchors.health)).checkpoint_size < platform.ledger.size():
        assert time.monotonic() < end, platform.anchors.trouble
        await asyncio.sleep(0.1)
