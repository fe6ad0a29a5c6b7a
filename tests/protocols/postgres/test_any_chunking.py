"""Whatever comes, and in whatever pieces: the effects are those of the same bytes in one piece, nothing reaches the
target that is not recorded, and no bytes are a fault of ours."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from onepam.protocols.postgres.machine import Conversation
from onepam.protocols.sql.events import Allowance, Done, Event, Run, Step, Text
from tests.protocols.postgres import messages as pg

CLASSES = {"SELECT": "read", "INSERT": "write", "COPY": "read"}


def classify(sql: str) -> frozenset[str] | None:
    """A judge of the test's own."""
    word = sql.partition(" ")[0]
    return frozenset((CLASSES[word],)) if word in CLASSES else None


GUARDED = Allowance(frozenset(("read",)), 3, classify)
ALLOWANCES = st.sampled_from([Allowance(), GUARDED, Allowance(text=10, parameter=2)])

TEXTS = st.sampled_from(
    ["SELECT 1", "INSERT 1", "COPY t FROM STDIN", "what is this", "", "SELECT " + "x" * 300_000,
     "SELECT password " + "x" * 600, "INSERT password " + "x" * 600]
)  # fmt: skip
NAMES = st.sampled_from(["", "a", "b"])
VALUES = st.lists(st.none() | st.binary(max_size=5) | st.just(b"x" * 70_000), max_size=3)
ASKED = st.one_of(
    st.builds(pg.query, TEXTS),
    st.builds(pg.parse, NAMES, TEXTS),
    st.builds(pg.bind, NAMES, NAMES, VALUES),
    st.builds(pg.bind, NAMES, NAMES, st.just([b"x" * 300_000])),
    st.builds(pg.describe, st.sampled_from("SP"), NAMES),
    st.builds(pg.close, st.sampled_from("SP"), NAMES),
    st.builds(pg.execute, NAMES, st.integers(0, 3)),
    st.builds(pg.function, st.integers(0, 9), VALUES),
    st.builds(pg.copy_data, st.binary(max_size=9)),
    st.sampled_from([pg.SYNC, pg.FLUSH, pg.COPY_DONE, pg.copy_fail("no")]),
)


@dataclass
class Server:
    """Answers as PostgreSQL does, as far as its manual says ("Message Flow"). `seed` decides what fails, and how many
    rows there are."""

    seed: int
    names: set[bytes] = field(default_factory=set)
    portals: dict[bytes, int] = field(default_factory=dict)
    texts: dict[bytes, bytes] = field(default_factory=dict)
    ran: list[bytes] = field(default_factory=list)
    skipping: bool = False
    copying: str = ""
    rest: bytes = b""

    def take(self, data: bytes) -> bytes:
        self.rest += data
        answers = b""
        while len(self.rest) >= 5 and len(self.rest) > (length := struct.unpack_from("!i", self.rest, 1)[0]):
            kind, body = chr(self.rest[0]), self.rest[5 : 1 + length]
            self.rest = self.rest[1 + length :]
            answers += self.one(kind, body)
        return answers

    def chance(self, among: int) -> bool:
        self.seed = (self.seed * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.seed >> 33) % among == 0

    def one(self, kind: str, body: bytes) -> bytes:
        if self.copying:
            return self.copied(kind)
        if self.skipping and kind != "S":
            return b""
        if kind in "dcfH":
            return b""
        if kind == "S":
            self.skipping = False
            return pg.ready()
        if kind == "F":
            self.ran.append(b"function %d" % struct.unpack_from("!i", body)[0])
            return pg.message("V", b"\0\0\0\1x") + pg.ready()
        if kind == "Q":
            return self.query(body[:-1])
        if self.chance(6):
            return self.failed()
        return self.extended(kind, body)

    def failed(self) -> bytes:
        self.skipping = True
        return pg.error("22012", "it failed")

    def query(self, text: bytes) -> bytes:
        self.ran.append(text)
        if self.chance(6):
            return pg.error("22012", "it failed") + pg.ready()
        if text.startswith(b"COPY"):
            self.copying = "Q"
            return pg.copy_response("G")
        if not text:
            return pg.EMPTY + pg.ready()
        rows = pg.row(b"1") * 5 if self.chance(3) else b""
        return pg.described("a") + rows + pg.complete("SELECT 1") + pg.ready()

    def extended(self, kind: str, body: bytes) -> bytes:
        if kind == "P":
            name, _, rest = body.partition(b"\0")
            self.texts[name] = rest.partition(b"\0")[0]
            return pg.PARSED
        if kind == "B":
            portal, statement, _ = body.split(b"\0", 2)
            if statement not in self.texts:
                return self.failed()
            self.portals[portal] = 5 if self.chance(3) else 0
            self.names.add(portal)
            self.bound_text(portal, self.texts[statement])
            return pg.BOUND
        if kind == "C":
            (self.texts if body[:1] == b"S" else self.portals).pop(body[1:-1], None)
            return pg.CLOSED
        if kind == "D":
            return pg.message("t", b"\0\0") + pg.NO_DATA if body[:1] == b"S" else pg.described("a")
        return self.execute(body[: body.index(0)], struct.unpack("!i", body[-4:])[0])

    def bound_text(self, portal: bytes, text: bytes) -> None:
        self.texts[b"portal " + portal] = text

    def execute(self, portal: bytes, most: int) -> bytes:
        if portal not in self.portals:
            return self.failed()
        text = self.texts[b"portal " + portal]
        self.ran.append(text)
        if text.startswith(b"COPY"):
            self.copying = "E"
            return pg.copy_response("G")
        rows = self.portals[portal]
        if most and rows > most:
            self.portals[portal] = rows - most
            return pg.row(b"1") * most + pg.SUSPENDED
        self.portals[portal] = 0
        return pg.row(b"1") * rows + (pg.complete(f"SELECT {rows}") if text else pg.EMPTY)

    def copied(self, kind: str) -> bytes:
        if kind in "dHS":
            return b""
        how, self.copying = self.copying, ""
        if kind == "c":
            answer = pg.complete("COPY 1")
        else:
            answer = pg.error("57014", "no")
            self.skipping = how == "E"
        return answer + (pg.ready() if how == "Q" else b"")


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(edges)]


@dataclass
class Effects:
    to_target: bytes = b""
    to_client: bytes = b""
    texts: dict[int, bytes] = field(default_factory=dict)
    others: list[Event] = field(default_factory=list)
    fault: str = ""

    def heard(self, events: list[Event] | tuple[Event, ...]) -> None:
        for each in events:
            if isinstance(each, Text):
                self.texts[each.statement] = self.texts.get(each.statement, b"") + each.text
            else:
                self.others.append(each)


def asked_of(conversation: Conversation, data: bytes) -> Iterator[Step]:
    """What follows from bytes of the client's; texts that are read beside the loop are, at once."""
    yield conversation.from_client(data)
    while conversation.reading is not None:
        conversation.has_read(conversation.look())
        yield conversation.from_client(b"")


def conversed(asked: list[bytes], cuts: list[int], allowance: Allowance, seed: int) -> Effects:
    """Each of `asked` goes to a server, in pieces, and its answers come back, in pieces."""
    conversation, server, effects = Conversation(allowance), Server(seed), Effects()
    for data in asked:
        answers = b""
        for piece in pieces(data, cuts):
            for step in asked_of(conversation, piece):
                effects.heard(step.events)
                sent = b"".join(step.to_target)
                effects.to_target += sent
                effects.to_client += b"".join(step.to_client)
                effects.fault += step.fault.message if step.fault else ""
                answers += server.take(sent)
        while answers:
            more = b""
            for piece in pieces(answers, cuts):
                step = conversation.from_target(piece)
                effects.heard(step.events)
                effects.to_client += b"".join(step.to_client)
                effects.fault += step.fault.message if step.fault else ""
                sent = b"".join(step.to_target)
                effects.to_target += sent
                more += server.take(sent)
            answers = more
    effects.heard(conversation.end())
    return effects


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.lists(ASKED, min_size=1, max_size=8).map(b"".join), max_size=6),
    st.lists(st.integers(0, 400_000), max_size=6),
    ALLOWANCES,
    st.integers(0, 2**64 - 1),
)
def test_any_chunking_has_the_same_effects(
    asked: list[bytes], cuts: list[int], allowance: Allowance, seed: int
) -> None:
    assert conversed(asked, cuts, allowance, seed) == conversed(asked, [], allowance, seed)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.lists(ASKED, min_size=1, max_size=8).map(b"".join), max_size=6), st.integers(0, 2**64 - 1))
def test_the_target_is_sent_whole_messages_and_runs_only_what_is_recorded_and_allowed(
    asked: list[bytes], seed: int
) -> None:
    """However late a text is read: answers may come meanwhile, errors among them."""
    conversation, server, effects = Conversation(GUARDED), Server(seed), Effects()

    def came(step: Step) -> None:
        effects.heard(step.events)
        answers = server.take(b"".join(step.to_target))
        assert server.rest == b""
        recorded = {effects.texts[each.statement] for each in effects.others if isinstance(each, Run)}
        assert set(server.ran) <= recorded
        assert all(classify(text.decode()) == frozenset(("read",)) for text in server.ran)
        if answers:
            came(conversation.from_target(answers))

    for data in asked:
        came(conversation.from_client(data))
        while conversation.reading is not None and server.chance(2):
            conversation.has_read(conversation.look())
            came(conversation.from_client(b""))
    effects.heard(conversation.end())
    begun = [each.execution for each in effects.others if isinstance(each, Run)]
    ended = [each.execution for each in effects.others if isinstance(each, Done)]
    assert begun == list(range(1, len(begun) + 1))
    assert sorted(ended) == begun  # each has one end, and nothing ends that did not begin


@given(st.lists(st.binary(max_size=60) | ASKED, max_size=8), st.lists(st.integers(0, 500), max_size=4), ALLOWANCES)
def test_no_bytes_of_a_client_are_a_fault_of_ours(sent: list[bytes], cuts: list[int], allowance: Allowance) -> None:
    conversation = Conversation(allowance)
    for piece in pieces(b"".join(sent), cuts):
        conversation.from_client(piece)
    conversation.end()


ANSWERS = st.one_of(
    st.sampled_from([pg.PARSED, pg.BOUND, pg.CLOSED, pg.NO_DATA, pg.SUSPENDED, pg.EMPTY, pg.ready(), pg.ready("E")]),
    st.sampled_from([pg.complete("SELECT 1"), pg.row(b"1"), pg.described("a"), pg.error("22012", "x"), pg.notice("n")]),
    st.sampled_from([pg.copy_response("G"), pg.copy_response("H"), pg.copy_data(b"x"), pg.setting("a", "b")]),
    st.sampled_from([pg.error("57P01", "x", "FATAL"), pg.message("V", b"x"), pg.COPY_DONE, b"E\0\0\0\5\0"]),
    st.binary(max_size=30),
)


@given(
    st.lists(ASKED, max_size=8), st.lists(ANSWERS, max_size=12), st.lists(st.integers(0, 300), max_size=4), ALLOWANCES
)
def test_no_bytes_of_a_target_are_a_fault_of_ours(
    sent: list[bytes], answers: list[bytes], cuts: list[int], allowance: Allowance
) -> None:
    effects = []
    for these in (cuts, []):
        conversation, found = Conversation(allowance), Effects()
        conversation.from_client(b"".join(sent))
        for piece in pieces(b"".join(answers), these):
            step = conversation.from_target(piece)
            found.to_client += b"".join(step.to_client)
            found.heard(step.events)
        found.heard(conversation.end())
        effects.append(found)
    assert effects[0] == effects[1]
