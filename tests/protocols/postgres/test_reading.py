"""A long text is read beside the loop: nothing of its client's overtakes it, what the target says meanwhile counts, and
what is recorded of it is what would have been."""

from dataclasses import replace

from onepam.domain.access.masking import Mask
from onepam.protocols.postgres import guarding
from onepam.protocols.sql.conversation import AT_ONCE_BYTES
from onepam.protocols.sql.events import Hidden, Text
from tests.protocols.postgres import messages as pg
from tests.protocols.postgres.told import Told

SECRET = "ALTER ROLE app PASSWORD 's3cret!' -- "
LONG = SECRET.ljust(AT_ONCE_BYTES + 1, "x")
SHOWN = LONG.replace("s3cret!", "[masked: 7 bytes]").encode()


class Late(Told):
    """Of which a text is read once the test says so."""

    def reads(self) -> bytes:
        """It is read; what goes to the target then."""
        self.conversation.has_read(self.conversation.look())
        return self.client(b"")[0]

    def client(self, data: bytes) -> tuple[bytes, bytes]:
        return self._step(self.conversation.from_client(data))


def test_a_long_text_and_what_is_sent_behind_it_waits_until_it_is_read() -> None:
    told = Late()
    behind = pg.query("SELECT 2") + pg.parse("", "SELECT 3") + pg.bind("", "") + pg.execute() + pg.SYNC
    assert told.client(pg.query("SELECT 1") + pg.query(LONG) + behind[:30]) == (pg.query("SELECT 1"), b"")
    assert (told.conversation.reading, told.client(behind[30:])) == (LONG.encode(), (b"", b""))
    told.answers(pg.described("a") + pg.row(b"1") + pg.complete("SELECT 1") + pg.ready())
    assert told.ran == [b"SELECT 1"]
    assert told.reads() == pg.query(LONG) + behind
    assert told.ran == [b"SELECT 1", SHOWN, b"SELECT 2", b"SELECT 3"]
    assert Hidden("statement", 2, "masked: 1 part of the text") in told.events


def test_a_long_one_that_is_parsed_waits_in_its_batch() -> None:
    told = Late()
    behind = pg.bind("", "a") + pg.execute() + pg.SYNC
    assert told.client(pg.parse("a", LONG) + behind) == (b"", b"")
    assert told.reads() == pg.parse("a", LONG) + behind
    assert told.ran == [SHOWN]
    told.answers(pg.PARSED + pg.BOUND + pg.complete("ALTER ROLE") + pg.ready())
    assert told.client(pg.parse("", LONG) + behind) == (pg.parse("", LONG) + behind, b""), "it is known"


def test_much_that_is_short_is_no_way_to_keep_the_loop() -> None:
    """What is read at once is counted by its bytes, whatever they are made of."""
    told, short = Late(), [pg.query(f"SELECT 'password', {each}".ljust(200)) for each in range(6)]
    assert told.client(b"".join(short))[0] == b"".join(short[:2])
    assert told.reads() == b"".join(short[2:5]), "one that was read beside, and two more"
    assert told.reads() == short[5]
    assert len(told.ran) == 6
    told = Late()
    assert told.client(b"".join(pg.query(f"SELECT {each}".ljust(600)) for each in range(6)))[1] == b""
    assert len(told.ran) == 6, "nothing is looked for in these"


def test_after_an_error_that_comes_meanwhile_the_text_is_nothing_to_the_target() -> None:
    told = Late()
    told.client(pg.parse("", "SELECT 1/0") + pg.bind("", "") + pg.execute() + pg.FLUSH)
    told.client(pg.parse("", LONG) + pg.bind("", "") + pg.execute() + pg.SYNC)
    told.answers(pg.PARSED + pg.BOUND + pg.error("22012", "division by zero"))
    assert told.reads() == pg.SYNC
    told.answers(pg.ready())
    assert told.ran == [b"SELECT 1/0"]


def test_a_text_is_read_again_where_the_target_says_meanwhile_that_it_reads_otherwise() -> None:
    told = Late(guarding.allowance(None, Mask(("card",))))
    text = "INSERT INTO t (a) VALUES ('\\')".ljust(AT_ONCE_BYTES + 1)
    told.client(pg.query("SET standard_conforming_strings = off") + pg.query(text))
    looked = told.conversation.look()
    told.answers(pg.complete("SET") + pg.setting("standard_conforming_strings", "off") + pg.ready())
    told.conversation.has_read(looked)
    assert told.client(b"") == (b"", b"")
    assert told.reads() == pg.query(text)
    assert told.ran[1] == b"/* [masked: 513 bytes] */"


def test_behind_copied_data_a_text_comes_in_its_turn() -> None:
    told = Late()
    sent = pg.copy_data(b"1\n") + pg.COPY_DONE
    told.passes(pg.query("COPY t FROM STDIN"))
    told.answers(pg.copy_response("G"))
    assert told.client(sent + pg.query(LONG) + pg.query("SELECT 1")) == (sent, b"")
    told.answers(pg.complete("COPY 1") + pg.ready())
    assert told.reads() == pg.query(LONG) + pg.query("SELECT 1")


def test_a_goodbye_waits_too_and_a_session_that_ends_takes_the_text_with_it() -> None:
    told = Late()
    assert told.client(pg.query(LONG) + pg.TERMINATE) == (b"", b"")
    assert (told.reads(), told.conversation.over) == (pg.query(LONG) + pg.TERMINATE, True)
    told = Late()
    told.client(pg.query(LONG))
    told.end()
    assert not [each for each in told.events if isinstance(each, Text)]


def test_only_so_much_is_taken_behind_it() -> None:
    told, full = Late(), []
    for sent in (pg.query(LONG), pg.query("SELECT 1") * 6000):
        told.client(sent)
        full.append(told.conversation.full)
    told.reads()
    assert [*full, told.conversation.full] == [False, True, False]


def test_guardrails_hold_what_they_hold() -> None:
    allowed = guarding.allowance(None)
    told = Late(replace(allowed, classes=frozenset(("read",)), classify=lambda sql: frozenset((sql[:4].lower(),))))
    text = "DROP TABLE t".ljust(AT_ONCE_BYTES + 1)
    assert told.client(pg.query(text) + pg.query("READ 1")) == (b"", b"")
    told.conversation.has_read(told.conversation.look())
    to_target, to_client = told.client(b"")
    assert to_target == pg.query("READ 1")
    assert b"this access does not allow statements of the kind drop" in to_client
