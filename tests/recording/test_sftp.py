"""SFTP in passing: what happens to files is recorded, however the stream is cut, and what cannot be read ends it."""

from contextlib import suppress
from hashlib import sha256
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.recording import sftp
from onepam.recording.frames import FileOperation
from onepam.recording.sftp import Sftp, SftpBroken

READ, WRITE, APPEND, CREATE = 1, 2, 4, 8


def string(data: bytes) -> bytes:
    return pack(">I", len(data)) + data


def packet(kind: int, *fields: bytes) -> bytes:
    return string(bytes([kind]) + b"".join(fields))


def u32(value: int) -> bytes:
    return pack(">I", value)


def u64(value: int) -> bytes:
    return pack(">Q", value)


def opening(request: int, path: bytes, flags: int) -> bytes:
    return packet(3, u32(request), string(path), u32(flags), u32(0))


def closing(request: int, handle: bytes = b"h") -> bytes:
    return packet(4, u32(request), string(handle))


def reading(request: int, offset: int, length: int = 32768, handle: bytes = b"h") -> bytes:
    return packet(5, u32(request), string(handle), u64(offset), u32(length))


def writing(request: int, offset: int, data: bytes, handle: bytes = b"h") -> bytes:
    return packet(6, u32(request), string(handle), u64(offset), string(data))


def status(request: int, code: int = 0) -> bytes:
    return packet(101, u32(request), u32(code), string(b"words"), string(b"en"))


def handle(request: int, name: bytes = b"h") -> bytes:
    return packet(102, u32(request), string(name))


def data(request: int, content: bytes) -> bytes:
    return packet(103, u32(request), string(content))


class Exchange:
    """A client and a server talking past one `Sftp`."""

    def __init__(self) -> None:
        self.sftp = Sftp(1)
        self.operations: list[FileOperation] = []

    def ask(self, *packets: bytes) -> "Exchange":
        self.operations += self.sftp.asked(b"".join(packets), 10)
        return self

    def answer(self, *packets: bytes) -> "Exchange":
        self.operations += self.sftp.answered(b"".join(packets), 20)
        return self

    def said(self) -> list[tuple[int, str, str, str]]:
        return [(each.number, each.operation, each.path, each.outcome) for each in self.operations]


def upload(path: bytes, pieces: list[bytes]) -> Exchange:
    exchange = Exchange().ask(packet(1, u32(3))).answer(packet(2, u32(3)))
    exchange.ask(opening(1, path, WRITE | CREATE)).answer(handle(1))
    offset = 0
    for number, piece in enumerate(pieces, 2):
        exchange.ask(writing(number, offset, piece))
        offset += len(piece)
    for number, _ in enumerate(pieces, 2):
        exchange.answer(status(number))
    return exchange.ask(closing(99)).answer(status(99))


def test_an_upload_is_summed_up() -> None:
    content = [b"a" * 32768, b"b" * 100]
    exchange = upload(b"/srv/file", content)
    assert exchange.operations == [
        FileOperation(10, 1, 1, "open", "/srv/file", "asked", detail="write create"),
        FileOperation(
            20, 1, 1, "write", "/srv/file", "ok", size=32868, sha256=sha256(b"".join(content)).hexdigest()
        ),
    ]  # fmt: skip


def test_a_download_ends_at_the_end_of_the_file() -> None:
    exchange = Exchange().ask(opening(1, b"/etc/passwd", READ)).answer(handle(1))
    exchange.ask(reading(2, 0), reading(3, 32768), reading(4, 65536))
    exchange.answer(data(2, b"x" * 32768), data(3, b"y" * 10), status(4, 1))
    exchange.ask(reading(5, 32778)).answer(status(5, 1)).ask(closing(6)).answer(status(6))
    read = exchange.operations[-1]
    assert (read.operation, read.size, read.sparse) == ("read", 32778, False)
    assert read.sha256 == sha256(b"x" * 32768 + b"y" * 10).hexdigest()


def test_reads_and_writes_of_one_file_are_two_records() -> None:
    exchange = Exchange().ask(opening(1, b"f", READ | WRITE)).answer(handle(1))
    exchange.ask(reading(2, 0), writing(3, 0, b"new")).answer(data(2, b"old!"), status(3))
    exchange.ask(closing(4)).answer(status(4))
    assert [(each.operation, each.size) for each in exchange.operations[1:]] == [("write", 3), ("read", 4)]


@pytest.mark.parametrize(
    "between",
    [
        [(writing(2, 5, b"x"), status(2))],
        [(writing(2, 0, b"x"), status(2)), (writing(3, 7, b"x"), status(3)), (writing(4, 1, b"x"), status(4))],
        [(writing(2, 0, b"x"), status(2, 4))],
        [(writing(2, 0, b"x"), status(2)), (packet(10, u32(3), string(b"h"), u32(1), u64(0)), status(3))],
    ],
    ids=["from the middle", "out of order", "refused", "truncated"],
)
def test_what_is_not_written_whole_and_in_order_has_no_digest(between: list[tuple[bytes, bytes]]) -> None:
    exchange = Exchange().ask(opening(1, b"f", WRITE)).answer(handle(1))
    for question, reply in between:
        exchange.ask(question).answer(reply)
    exchange.ask(closing(9)).answer(status(9))
    assert (exchange.operations[-1].sha256, exchange.operations[-1].sparse) == (None, True)


def test_appending_has_no_digest_and_attributes_without_a_size_keep_it() -> None:
    exchange = Exchange().ask(opening(1, b"f", WRITE | APPEND)).answer(handle(1)).ask(writing(2, 0, b"x"))
    exchange.answer(status(2)).ask(closing(3)).answer(status(3))
    assert (exchange.operations[-1].size, exchange.operations[-1].sparse) == (1, True)
    exchange = Exchange().ask(opening(1, b"f", WRITE)).answer(handle(1)).ask(writing(2, 0, b"xyz")).answer(status(2))
    exchange.ask(packet(10, u32(3), string(b"h"), u32(4), u32(0o644))).answer(status(3))
    exchange.ask(packet(10, u32(4), string(b"h"), u32(1), u64(3))).answer(status(4))
    exchange.ask(closing(5)).answer(status(5))
    assert exchange.operations[-1].sha256 == sha256(b"xyz").hexdigest()
    assert [each.operation for each in exchange.operations] == ["open", *["setstat"] * 4, "write"]


def test_an_empty_file_is_recorded() -> None:
    exchange = upload(b"empty", [])
    assert (exchange.operations[-1].operation, exchange.operations[-1].size) == ("write", 0)
    assert exchange.operations[-1].sha256 == sha256(b"").hexdigest()
    exchange = Exchange().ask(opening(1, b"e", READ)).answer(handle(1)).ask(closing(2)).answer(status(2))
    assert (exchange.operations[-1].operation, exchange.operations[-1].size) == ("read", 0)


def test_what_changes_something_is_recorded_before_and_after() -> None:
    exchange = Exchange().ask(
        packet(13, u32(1), string(b"gone")),
        packet(14, u32(2), string(b"dir"), u32(0)),
        packet(15, u32(3), string(b"dir")),
        packet(18, u32(4), string(b"old"), string(b"new")),
        packet(20, u32(5), string(b"aim"), string(b"link")),
        packet(9, u32(6), string(b"mode"), u32(0)),
        packet(200, u32(7), string(b"posix-rename@openssh.com"), string(b"a"), string(b"b")),
        packet(200, u32(8), string(b"hardlink@openssh.com"), string(b"c"), string(b"d")),
        packet(200, u32(9), string(b"lsetstat@openssh.com"), string(b"l"), u32(0)),
        packet(200, u32(10), string(b"unheard-of@example.org"), string(b"?")),
        packet(200, u32(11), string(b"statvfs@openssh.com"), string(b"/")),
    )
    exchange.answer(*(status(number, number % 4) for number in range(1, 11)), packet(201, u32(11), b"..."))
    asked, settled = exchange.said()[:10], exchange.said()[10:]
    assert [each[1:3] for each in asked] == [
        ("remove", "gone"), ("mkdir", "dir"), ("rmdir", "dir"), ("rename", "old"), ("symlink", "link"),
        ("setstat", "mode"), ("rename", "a"), ("link", "c"), ("setstat", "l"), ("extended", "unheard-of@example.org"),
    ]  # fmt: skip
    assert [each.target for each in exchange.operations[:8]] == ["", "", "", "new", "aim", "", "b", "d"]
    assert {each[3] for each in asked} == {"asked"}
    assert [each[3] for each in settled] == [
        "end of file", "no such file", "permission denied", "ok", "end of file", "no such file", "permission denied",
        "ok", "end of file", "no such file",
    ]  # fmt: skip
    assert [each[0] for each in asked] == [each[0] for each in settled] == list(range(1, 11))


def test_a_refused_open_a_listing_and_an_odd_status() -> None:
    exchange = Exchange().ask(opening(1, b"secret", READ), packet(11, u32(2), string(b"/home")))
    exchange.answer(status(1, 3), handle(2, b"d")).ask(packet(12, u32(3), string(b"d")), closing(4, b"d"))
    exchange.answer(packet(104, u32(3), b"names"), status(4)).ask(packet(13, u32(5), string(b"x"))).answer(
        status(5, 77)
    )
    assert exchange.said() == [
        (1, "open", "secret", "asked"),
        (2, "list", "/home", "asked"),
        (1, "open", "secret", "permission denied"),
        (2, "list", "/home", "ok"),
        (3, "remove", "x", "asked"),
        (3, "remove", "x", "status 77"),
    ]


def test_server_side_copies_have_no_digest() -> None:
    exchange = (
        Exchange().ask(opening(1, b"from", READ), opening(2, b"to", WRITE)).answer(handle(1, b"a"), handle(2, b"b"))
    )
    copy = packet(200, u32(3), string(b"copy-data"), string(b"a"), u64(0), u64(0), string(b"b"), u64(0))
    exchange.ask(copy).answer(status(3)).ask(closing(4, b"b")).answer(status(4))
    assert [(each.operation, each.path, each.target) for each in exchange.operations[2:4]] == [
        ("copy", "from", "to")
    ] * 2
    assert exchange.operations[-1].sparse
    with pytest.raises(SftpBroken, match="not open"):
        Exchange().ask(copy)


def test_an_end_in_the_middle_is_unfinished() -> None:
    exchange = Exchange().ask(opening(1, b"f", WRITE)).answer(handle(1)).ask(writing(2, 0, b"abc"))
    exchange.ask(packet(13, u32(3), string(b"other")))
    ended = exchange.sftp.ended(30)
    assert [(each.at, each.operation, each.path, each.outcome) for each in ended] == [
        (30, "remove", "other", "unfinished"),
        (30, "write", "f", "unfinished"),
    ]
    assert (ended[1].size, ended[1].sha256) == (0, None)


def test_a_hostile_name_travels_tagged() -> None:
    assert upload(b"\xff\xfe", []).operations[0].path == "base64://4="


def test_odd_answers_change_nothing() -> None:
    exchange = Exchange().answer(status(5), data(6, b"unasked"), handle(7))
    exchange.ask(opening(1, b"f", READ)).answer(handle(1)).ask(closing(2), closing(3)).answer(status(2), status(3))
    exchange.ask(packet(13, u32(4), string(b"x"))).answer(handle(4))
    assert exchange.said() == [
        (1, "open", "f", "asked"),
        (1, "read", "f", "ok"),
        (2, "remove", "x", "asked"),
        (2, "remove", "x", "reply of type 102"),
    ]


@pytest.mark.parametrize(
    ("question", "named"),
    [
        (packet(3, u32(1), u32(500), b"short"), "before its fields"),
        (packet(13), "before its fields"),
        (u32(0), "0 bytes"),
        (u32(1 << 20), "1048576 bytes"),
        (packet(21, u32(1)), "type 21 is no request"),
        (packet(13, u32(1), string(bytes(16385))), "at most 16384"),
        (closing(1, b"unknown"), "not open"),
        (closing(1, bytes(257)), "at most 256"),
        (packet(13, u32(1), string(b"a")) + packet(13, u32(1), string(b"b")), "asked again"),
    ],
)
def test_requests_that_cannot_be_read_end_the_stream(question: bytes, named: str) -> None:
    with pytest.raises(SftpBroken, match=named):
        Exchange().ask(question)


def test_the_longest_path_is_taken_and_no_longer_one() -> None:
    longest = b"p" * sftp.MAX_PATH_BYTES
    exchange = Exchange().ask(opening(1, longest, READ)).answer(handle(1)).ask(closing(2)).answer(status(2))
    assert {each.path for each in exchange.operations} == {longest.decode()}
    with pytest.raises(SftpBroken, match=f"at most {sftp.MAX_PATH_BYTES}"):
        Exchange().ask(opening(1, longest + b"p", READ))


def test_answers_that_cannot_be_read_end_the_stream() -> None:
    with pytest.raises(SftpBroken, match="version 6"):
        Exchange().answer(packet(2, u32(6)))
    with pytest.raises(SftpBroken, match="type 99 is no reply"):
        Exchange().answer(packet(99, u32(1)))


def test_open_files_and_waiting_requests_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sftp, "MAX_HANDLES", 2)
    monkeypatch.setattr(sftp, "MAX_PENDING", 3)
    exchange = Exchange()
    for number in range(2):
        exchange.ask(opening(number, b"f", READ)).answer(handle(number, b"%d" % number))
    with pytest.raises(SftpBroken, match="more than 2 files"):
        exchange.ask(opening(7, b"f", READ)).answer(handle(7, b"7"))
    with pytest.raises(SftpBroken, match="more than 3 requests"):
        Exchange().ask(*(packet(13, u32(number), string(b"f")) for number in range(4)))


def test_a_client_that_asks_far_ahead_makes_it_crowded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sftp, "CROWDED", 3)
    exchange = Exchange().ask(opening(1, b"f", READ)).answer(handle(1))
    crowded = []
    for step in (reading(2, 0), reading(3, 0), reading(4, 0)):
        exchange.ask(step)
        crowded.append(exchange.sftp.crowded)
    exchange.answer(data(2, b"x"))
    assert [*crowded, exchange.sftp.crowded] == [False, False, True, False]


def test_whoever_waits_is_told_why_the_transfer_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(request: int) -> bytes:
        return packet(101, u32(request), u32(4), string(b"why"), string(b""))

    exchange = Exchange().ask(opening(1, b"f", READ)).answer(handle(1)).ask(reading(5, 0), reading(6, 0))
    assert exchange.sftp.refusals("why") == told(5) + told(6)
    with pytest.raises(SftpBroken, match="not open"):
        exchange.ask(reading(7, 0, handle=b"none"))
    assert exchange.sftp.refusals("why") == told(7) + told(5) + told(6)
    monkeypatch.setattr(sftp, "CROWDED", 1)
    assert exchange.sftp.refusals("why") == told(7)
    exchange.answer(data(5, b"x")[:-1])
    assert exchange.sftp.refusals("why") == b""  # in the middle of a reply nothing can be said


@given(st.lists(st.binary(max_size=3000), max_size=6), st.integers(1, 900))
def test_any_chunking_gives_the_same_operations(pieces: list[bytes], size: int) -> None:
    asked, answered = bytearray(), bytearray()

    class Noted(Exchange):
        def ask(self, *packets: bytes) -> "Exchange":
            asked.extend(b"".join(packets))
            return super().ask(*packets)

        def answer(self, *packets: bytes) -> "Exchange":
            answered.extend(b"".join(packets))
            return super().answer(*packets)

    whole = Noted().ask(opening(1, b"f", WRITE)).answer(handle(1))
    begun = len(asked), len(answered)
    offset = 0
    for number, piece in enumerate(pieces, 2):
        whole.ask(writing(number, offset, piece))
        offset += len(piece)
    written = len(asked)
    whole.answer(*(status(number) for number in range(2, 2 + len(pieces)))).ask(closing(99)).answer(status(99))

    cut = Exchange()

    def feed(stream: bytearray, start: int, end: int, into: str) -> None:
        for at in range(start, end, size):
            getattr(cut, into)(bytes(stream[at : min(at + size, end)]))

    feed(asked, 0, begun[0], "ask")
    feed(answered, 0, begun[1], "answer")
    feed(asked, begun[0], written, "ask")
    feed(answered, begun[1], len(answered) - len(status(99)), "answer")
    feed(asked, written, len(asked), "ask")
    feed(answered, len(answered) - len(status(99)), len(answered), "answer")
    assert cut.operations == whole.operations


@given(st.binary(max_size=400), st.binary(max_size=400))
def test_noise_is_refused_or_harmless(question: bytes, reply: bytes) -> None:
    exchange = Exchange()
    with suppress(SftpBroken):
        exchange.ask(question).answer(reply)
    assert len(exchange.operations) < 100
