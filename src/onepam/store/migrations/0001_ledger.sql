-- The ledger, its erasable payloads and the head. Payloads have no index by person: it would cost every command a page
-- of the log, and erasing, which is rare, can look through all of them.
CREATE TABLE entry (
    idx INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind TEXT NOT NULL, version INTEGER NOT NULL,
    class TEXT NOT NULL, class_seq INTEGER NOT NULL, body BLOB NOT NULL, leaf BLOB NOT NULL
);
CREATE INDEX entry_by_kind ON entry (kind);
-- Which node wrote the entries from one index to another, in one group commit, and its signature (ledger/authors.py).
CREATE TABLE batch (
    first_idx INTEGER PRIMARY KEY, last_idx INTEGER NOT NULL, node TEXT NOT NULL, signature BLOB NOT NULL
);
CREATE TABLE payload (
    idx INTEGER PRIMARY KEY, person TEXT, salt BLOB NOT NULL, data BLOB NOT NULL
);
CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, time INTEGER NOT NULL, counters TEXT NOT NULL
);
INSERT INTO head VALUES (1, 0, 0, '{}');
-- Which release made the state tables: the event kinds it reads (JSON), what its rows follow from (JSON), and both with
-- its migrations in one digest.
CREATE TABLE release (
    one INTEGER PRIMARY KEY CHECK (one = 1), name TEXT NOT NULL, kinds TEXT NOT NULL, state TEXT NOT NULL,
    stamp TEXT NOT NULL
);
