"""SCIM over HTTP as a directory uses it: the first synchronisation, the day after, and one very large PATCH.

The client runs in the same process as the server and takes its share of the processor, so the server alone is faster.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from bench import Figure, Progress
from bench.room import room
from bench.yardstick import interpreter, median
from onepam.app.provisioning.traffic import ScimTraffic
from onepam.domain.provisioning.events import ScimTokenApproved, ScimTokenProposed
from onepam.identity.tokens import new_token, token_digest
from onepam.kernel.clock import DAY, Instant
from onepam.scim.app import TOKEN_PREFIX, ScimDoor
from onepam.scim.services import ScimServices
from onepam.signing.author import NodeAuthor
from onepam.store.engine.append import append, read_head, write_head
from onepam.store.engine.batches import seal
from onepam.store.engine.database import connect
from onepam.store.engine.ledger import SqliteLedger
from onepam.store.engine.reader import SqliteReader
from onepam.store.engine.schema import create
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys
from tests.lawful import laid_by_hand

NAME = "SCIM"
USERS, GROUPS, PER_GROUP = 10_000, 500, 100
LANES = 16
"""Connections of the client; directories use a handful."""
LOOKUPS, PATCHES = 2_000, 2_000
RATE = 1_000_000
"""Requests a second that the door allows here: what it bears is measured, not what it grants one client."""


def clock() -> Instant:
    """The wall clock."""
    return Instant(time.time_ns() // 1000)


class Lane:
    """One connection that asks one thing after another."""

    def __init__(self, port: int, token: str) -> None:
        self._port, self._token = port, token

    async def open(self) -> None:
        """Connects."""
        self._in, self._out = await asyncio.open_connection("127.0.0.1", self._port)

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON; anything but 2xx ends the benchmark."""
        raw = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} /scim/v2{path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {self._token}\r\n"
            f"content-type: application/scim+json\r\ncontent-length: {len(raw)}\r\n\r\n"
        )
        self._out.write(head.encode() + raw)
        lines = (await self._in.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
        length = next((int(each.split(":")[1]) for each in lines if each.startswith("content-length:")), 0)
        text = await self._in.readexactly(length)
        if not lines[0].split(" ")[1].startswith("2"):
            raise RuntimeError(f"{method} {path}: {lines[0]} {text[:300]!r}")
        return json.loads(text) if text else None

    def close(self) -> None:
        """Hangs up."""
        self._out.close()


def run(progress: Progress) -> list[Figure]:
    """Everything on one new database."""
    with room() as folder:
        path = folder / "ledger.sqlite"
        return asyncio.run(_measure(path, progress))


def _admit(path: Path) -> str:
    """A token that works, laid down by hand."""
    token = new_token(TOKEN_PREFIX, secrets.token_bytes)
    ends = Instant(clock() + 30 * DAY)
    proposed = ScimTokenProposed("stk_1", "bench", "bench", (), "endDate", ends, "ada", token_digest(token).hex())
    db = connect(path)
    create(db)
    db.execute("BEGIN IMMEDIATE")
    events = (proposed, ScimTokenApproved("stk_1", "bench", "bob"))
    head, leaves = read_head(db), list[bytes]()
    write_head(db, append(db, head, clock(), events, secrets.token_bytes, leaves))
    seal(db, NodeAuthor.uncertified("nod_bench"), head.size, leaves)
    laid_by_hand(*leaves)
    db.execute("COMMIT")
    db.close()
    return token.reveal().decode()


async def _measure(path: Path, progress: Progress) -> list[Figure]:
    token = _admit(path)
    ledger, reader = (
        SqliteLedger(path, NodeAuthor.uncertified("bench"), clock, secrets.token_bytes),
        SqliteReader(path, clock),
    )
    envelope = Envelope(FileKeys.create(path.parent / "master.keys", secrets.token_bytes), secrets.token_bytes)
    services = ScimServices(ledger, reader, clock, secrets.token_bytes, ScimTraffic(), "http://localhost", "", envelope)
    door = ScimDoor(services, RATE)
    config = uvicorn.Config(Starlette(routes=[Mount("/scim/v2", door)]), port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    lanes = [Lane(server.servers[0].sockets[0].getsockname()[1], token) for _ in range(LANES)]
    try:
        await asyncio.gather(*(lane.open() for lane in lanes))
        return await _figures(lanes, progress)
    finally:
        for lane in lanes:
            lane.close()
        server.should_exit = True
        await serving
        ledger.close()
        reader.close()


async def _figures(lanes: list[Lane], progress: Progress) -> list[Figure]:
    began = time.perf_counter()
    users = [
        each["id"]
        for each in await _spread(lanes, (("POST", "/Users", _user(n)) for n in range(USERS)), progress, "users")
    ]
    creating = USERS / (time.perf_counter() - began)
    teams = (("POST", "/Groups", _group(f"Team {n}", _some(users, n))) for n in range(GROUPS))
    groups = [each["id"] for each in await _spread(lanes, teams, progress, "groups")]
    syncing = time.perf_counter() - began
    lookups = await _rate(
        lanes, [("GET", f"/Users?filter=userName%20eq%20%22user{n * 3}@corp.example%22", None) for n in range(LOOKUPS)]
    )
    progress(f"{lookups:,.0f} look-ups a second")
    patches = await _rate(
        lanes, [("PATCH", f"/Users/{users[n]}", _patch("replace", "title", f"level {n}")) for n in range(PATCHES)]
    )
    progress(f"{patches:,.0f} changes of users a second")
    members = await _rate(
        lanes,
        [
            ("PATCH", f"/Groups/{groups[n % GROUPS]}", _patch("Add", "members", [{"value": users[(n * 37) % USERS]}]))
            for n in range(PATCHES)
        ],
    )
    progress(f"{members:,.0f} changes of members a second")
    everybody = (await lanes[0].ask("POST", "/Groups", _group("Everybody", [])))["id"]
    began = time.perf_counter()
    await lanes[0].ask("PATCH", f"/Groups/{everybody}", _patch("Add", "members", [{"value": each} for each in users]))
    large = time.perf_counter() - began
    slowest = min(creating, lookups, patches, members)
    return [
        Figure(f"{USERS:,} users and {GROUPS} groups from nothing", syncing, "s", "≤ 120", syncing <= 120),
        Figure("users created", creating, "a second", "≥ 200", creating >= 200),
        Figure("look-ups by userName", lookups, "a second", "≥ 200", lookups >= 200),
        Figure("users changed by PATCH", patches, "a second", "≥ 200", patches >= 200),
        Figure("members added by PATCH", members, "a second", "≥ 200", members >= 200),
        Figure(
            "the slowest of them, to a thousand small objects of JSON (yardstick)",
            slowest * 1000 / median(9, interpreter),
            "ratio",
        ),
        Figure(f"one PATCH with {USERS:,} members", large, "s"),
    ]


async def _rate(lanes: list[Lane], asked: list[tuple[str, str, Any]]) -> float:
    began = time.perf_counter()
    await _spread(lanes, iter(asked), None, "")
    return len(asked) / (time.perf_counter() - began)


async def _spread(
    lanes: list[Lane], asked: Iterator[tuple[str, str, Any]], progress: Progress | None, what: str
) -> list[Any]:
    """Asks everything over all lanes, and gives the answers in the order they were asked."""
    found: dict[int, Any] = {}
    numbered = enumerate(asked)

    async def work(lane: Lane) -> None:
        for number, (method, path, body) in numbered:
            found[number] = await lane.ask(method, path, body)
            if progress is not None and len(found) % 1_000 == 0:
                progress(f"{len(found):,} {what}")

    await asyncio.gather(*(work(lane) for lane in lanes))
    return [found[number] for number in range(len(found))]


def _user(number: int) -> dict[str, Any]:
    address = f"user{number}@corp.example"
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": address,
        "externalId": f"00u{number}",
        "name": {"givenName": "User", "familyName": str(number)},
        "emails": [{"value": address, "type": "work", "primary": True}],
        "active": True,
    }


def _group(name: str, users: list[str]) -> dict[str, Any]:
    return {"displayName": name, "members": [{"value": each} for each in users]}


def _some(users: list[str], number: int) -> list[str]:
    return [users[(number * 97 + each * 13) % len(users)] for each in range(PER_GROUP)]


def _patch(op: str, path: str, value: Any) -> dict[str, Any]:
    schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]
    return {"schemas": schemas, "Operations": [{"op": op, "path": path, "value": value}]}
