"""An entry is read, or is corrupt: what the quick way reads, the careful one does."""

import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from onepam.boot.clock import wall_clock
from onepam.domain.people.events import PersonAdded, PersonKind
from onepam.kernel.canonical import decode, encode
from onepam.kernel.errors import Corrupt
from onepam.ledger.entry import payload_digest
from onepam.signing.author import NodeAuthor
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries
from onepam.store.engine.ledger import SqliteLedger
from tests.company import record

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("salt", ["", 0])
async def test_a_salt_that_is_no_salt_makes_no_payload_true(tmp_path: Path, salt: object) -> None:
    database = tmp_path / "ledger.db"
    ledger = SqliteLedger(database, NodeAuthor.uncertified("nod_1"), wall_clock, secrets.token_bytes)
    await record(ledger, PersonAdded("per_1", PersonKind.EMPLOYEE, "x", None, None, None, name="Ada", email="a@x.org"))
    ledger.close()
    with closing(connect(database)) as db:
        (stored,) = entries(db, 0, 1)
        assert stored.event.name == "Ada"
        assert stored.payload is not None
        body = encode(decode(stored.body) | {"payload": payload_digest(b"", stored.payload)})
    with closing(sqlite3.connect(database)) as raw:
        raw.execute("UPDATE entry SET body = ? WHERE idx = 0", (body,))
        raw.execute("UPDATE payload SET salt = ? WHERE idx = 0", (salt,))
        raw.commit()
    with closing(connect(database)) as db:
        (stored,) = entries(db, 0, 1)
        with pytest.raises(Corrupt, match="its payload is not the one that the ledger names"):
            _ = stored.event
