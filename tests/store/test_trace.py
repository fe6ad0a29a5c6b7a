"""Reading a database leaves nothing beside it, unless somebody else has it open."""

from contextlib import closing
from pathlib import Path

from onepam.store.engine.database import connect, without_trace


def test_what_others_have_open_stays(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(connect(path)) as db:
        db.execute("CREATE TABLE kept (x)")
    before = path.read_bytes()
    with without_trace(path), closing(connect(path, read_only=True)) as db:
        assert db.execute("SELECT count(*) FROM kept").fetchone()[0] == 0
    assert [each.name for each in tmp_path.iterdir()] == ["ledger.db"]
    assert path.read_bytes() == before

    with without_trace(path):
        writer = connect(path)  # it comes meanwhile
        writer.execute("INSERT INTO kept VALUES (1)")
    assert {each.name for each in tmp_path.iterdir()} == {"ledger.db", "ledger.db-shm", "ledger.db-wal"}
    writer.execute("INSERT INTO kept VALUES (2)")
    writer.close()
    with closing(connect(path, read_only=True)) as db:
        assert db.execute("SELECT count(*) FROM kept").fetchone()[0] == 2
