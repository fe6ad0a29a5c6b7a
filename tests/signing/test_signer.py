"""The real process on a real socket; SIGKILL where it hurts most."""

import signal
import socket
import stat
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from onepam.kernel.errors import Corrupt, Refused, Unavailable
from onepam.ledger.authors import SEAM
from onepam.ledger.checkpoint import open_checkpoint
from onepam.ledger.merkle import EMPTY_ROOT
from onepam.ledger.note import VerifierKey
from onepam.signing.author import Certificate
from onepam.signing.signer import MAX_LINE_BYTES, SignerClient, create_signer, run_signer
from tests.ledger.written import LOG, ORIGIN, Key, two_nodes
from tests.signing.signers import NOW, OTHER, A, Process, code, root, show, signed


def test_it_signs_what_nodes_wrote_and_nothing_else(
    start: Callable[..., Process], vkey: VerifierKey, tmp_path: Path
) -> None:
    running = start()
    client = running.client
    assert stat.S_IMODE(running.socket.stat().st_mode) == 0o600
    assert client.vkey() == vkey
    assert client.last() == (0, EMPTY_ROOT, 0)
    for size in (0, 5, 8, 100):
        note = signed(client, size)
        assert isinstance(note, bytes)
        head = open_checkpoint(note, [vkey], ORIGIN).checkpoint
        assert (head.size, head.root) == (size, root(size)) == client.last()[:2]
    assert client.sign(100, root(100), NOW) == note
    for size, value, expected in (
        (99, root(99), "signer.rolled_back"),
        (0, EMPTY_ROOT, "signer.rolled_back"),
        (100, root(100, OTHER), "signer.forked"),
        (101, root(100), "signer.place"),
    ):
        assert code(client.sign(size, value, NOW)) == expected
    assert client.last() == (100, root(100), 100)
    assert running.end() == 0
    assert not running.socket.exists()
    assert start().client.last() == (100, root(100), 100)


_SIGNALLED_WHILE_IT_ENDS = """
import asyncio.selector_events, signal
closed = asyncio.selector_events.BaseSelectorEventLoop.close
def close(self):
    closed(self)
    signal.raise_signal(signal.SIGTERM)
asyncio.selector_events.BaseSelectorEventLoop.close = close
"""


def test_a_signal_while_it_ends_is_written_into_no_descriptor(start: Callable[..., Process], vkey: VerifierKey) -> None:
    running = start(_SIGNALLED_WHILE_IT_ENDS)
    running.process.send_signal(signal.SIGTERM)
    _, words = running.process.communicate(timeout=20)
    assert running.process.returncode == 0
    assert b"wakeup" not in words


_SIGNALLED_WHEN_IT_LISTENS = """
import signal, socket
class Signalled(socket.socket):
    def listen(self, backlog):
        super().listen(backlog)
        signal.raise_signal(signal.SIGTERM)
socket.socket = Signalled
"""


def test_a_signal_as_soon_as_it_listens_ends_it_in_order(start: Callable[..., Process], vkey: VerifierKey) -> None:
    running = start(_SIGNALLED_WHEN_IT_LISTENS)
    running.process.communicate(timeout=20)
    assert running.process.returncode == 0
    assert not running.socket.exists()


def test_a_fork_is_refused_after_a_restart_too(start: Callable[..., Process], vkey: VerifierKey) -> None:
    running = start()
    assert isinstance(signed(running.client, 10), bytes)
    assert running.end(signal.SIGKILL) == -signal.SIGKILL
    assert running.socket.exists()
    again = start().client
    assert code(signed(again, 20, OTHER)) == "signer.unwritten", "the chain of batches is another one"
    assert code(again.sign(10, root(10, OTHER), NOW)) == "signer.forked"
    assert isinstance(signed(again, 20), bytes)


def test_entries_that_nobody_wrote_are_named_and_never_signed(start: Callable[..., Process], vkey: VerifierKey) -> None:
    client = start().client
    assert isinstance(signed(client, 8), bytes)
    forged, a, _ = two_nodes()
    thief = Key("nod_t")
    forged.write(a)
    forged.write(thief, ("binding.added", {"person": "per_1"}))
    refused = show(client, 8, 10, forged)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.message) == (
        "signer.unwritten",
        "No node of this ledger wrote entries 9 to 9: its batch is of nod_t, which has no key in force there.",
    )
    assert client.last() == (8, root(8), 9), "it went past what was somebody's"
    assert code(client.sign(10, forged.root(10), NOW)) == "signer.place"
    forged.batches.pop()
    assert show(client, 9, 10, forged) is None, "without a batch it waits for one"
    assert code(client.sign(10, forged.root(10), NOW)) == "signer.place"
    assert code(show(client, 99, 100)) == "signer.place"
    assert isinstance(signed(client, 100), bytes), "what the nodes wrote goes on"


def test_a_node_is_certified_writes_and_is_revoked_in_the_middle(
    start: Callable[..., Process], vkey: VerifierKey
) -> None:
    client = start().client
    began = int(time.time())
    first, second, third = (each.number for each in map(certified, [client] * 3))
    assert began <= first < second < third
    ledger, a, _ = two_nodes()
    c = Key("nod_c")
    given = client.certify(c.public)
    assert isinstance(given, Certificate)
    assert given.number > third
    assert given.note == LOG.certify(given.number, c.public)
    ledger.write(c, ledger.certified(c, given.number))
    ledger.write(a, ledger.revoked(c))
    assert isinstance(signed(client, 10, ledger), bytes)
    ledger.write(c)
    assert "nod_c, which has no key in force" in str(show(client, 10, 11, ledger))


def certified(client: SignerClient) -> Certificate:
    found = client.certify(Key("nod_x").public)
    assert isinstance(found, Certificate)
    return found


@pytest.mark.parametrize("key", [ORIGIN, "log.example/b", "witness"])
def test_only_nodes_are_certified(key: str, start: Callable[..., Process], vkey: VerifierKey) -> None:
    assert code(start().client.certify(Key(key).public)) == "signer.malformed"  # type: ignore[arg-type]


def test_a_batch_may_come_in_pieces(start: Callable[..., Process], vkey: VerifierKey) -> None:
    client = start().client
    for end in (3, 4, 6, 7, 8):
        begin = {3: 0, 4: 3, 6: 4, 7: 6, 8: 7}[end]
        assert show(client, begin, end) is None
    assert client.last() == (0, EMPTY_ROOT, 8)
    assert isinstance(client.sign(8, root(8), NOW), bytes)


def test_who_begins_anew_is_followed_from_there(start: Callable[..., Process], vkey: VerifierKey) -> None:
    client = start().client
    assert isinstance(signed(client, 5), bytes)
    assert show(client, 5, 7) is None
    assert client.last().followed == 5, "the batch is not there yet"
    assert show(client, 5, 8) is None
    assert client.last().followed == 8
    assert show(client, 5, 50) is None, "again from what was signed"
    assert isinstance(client.sign(50, root(50), NOW), bytes)


def test_a_stop_half_way_through_a_backlog_costs_a_stretch(start: Callable[..., Process], vkey: VerifierKey) -> None:
    running = start("signer.KEPT_EVERY = 30")
    for begin in range(0, 60, 20):
        assert show(running.client, begin, begin + 20) is None
    assert running.end(signal.SIGKILL) == -signal.SIGKILL
    again = start().client
    assert again.last() == (0, EMPTY_ROOT, 40)
    assert show(again, 40, 100) is None
    assert isinstance(again.sign(100, root(100), NOW), bytes)


def test_what_was_only_followed_binds_it_to_nothing(start: Callable[..., Process], vkey: VerifierKey) -> None:
    client = start().client
    assert isinstance(signed(client, 8), bytes)
    assert show(client, 8, 100, OTHER) is None
    assert code(client.sign(100, root(100), NOW)) == "signer.forked"
    assert isinstance(signed(client, 100), bytes)


DIE = "import os, signal\nreal = signer.replace_private\n"


def test_killed_between_its_state_and_its_answer_it_signs_the_same_again(
    start: Callable[..., Process], vkey: VerifierKey
) -> None:
    running = start(DIE + "def die(*a): real(*a); os.kill(os.getpid(), signal.SIGKILL)\nsigner.replace_private = die")
    assert show(running.client, 0, 10) is None
    with pytest.raises(Unavailable):
        running.client.sign(10, root(10), NOW)
    assert running.process.wait(20) == -signal.SIGKILL
    again = start().client
    assert again.last() == (10, root(10), 10)
    assert code(again.sign(10, root(10, OTHER), NOW)) == "signer.forked"
    note = again.sign(10, root(10), NOW)
    assert isinstance(note, bytes)
    assert open_checkpoint(note, [vkey]).checkpoint.size == 10


def test_killed_before_its_state_is_in_place_it_has_signed_nothing(
    start: Callable[..., Process], vkey: VerifierKey
) -> None:
    running = start("import os, signal\nos.replace = lambda *a: os.kill(os.getpid(), signal.SIGKILL)")
    assert show(running.client, 0, 10) is None
    with pytest.raises(Unavailable):
        running.client.sign(10, root(10), NOW)
    assert running.process.wait(20) == -signal.SIGKILL
    again = start().client
    assert again.last() == (0, EMPTY_ROOT, 0)
    assert isinstance(signed(again, 12, OTHER), bytes)


def test_a_state_that_cannot_be_written_gives_no_signature(start: Callable[..., Process], vkey: VerifierKey) -> None:
    full = "import errno\ndef full(*a): raise OSError(errno.ENOSPC, 'No space left on device')\n"
    client = start(full + "signer.replace_private = full").client
    assert code(signed(client, 10)) == "signer.state"
    assert code(client.certify(A.public)) == "signer.state"  # type: ignore[arg-type]
    assert client.last() == (0, EMPTY_ROOT, 10)


def test_a_signer_that_continues_begins_at_its_seam(start: Callable[..., Process], tmp_path: Path) -> None:
    ledger, a, _ = two_nodes()
    ledger.add()
    ledger.write(Key("nod_s"), (SEAM, {"origin": "log.example/other"}))
    ledger.write(Key("nod_s"), (SEAM, {"origin": ORIGIN}))
    create_signer(tmp_path / "key.pem", tmp_path / "state", ORIGIN, continues=True)
    client = start().client
    new = Key("nod_a", 2)
    given = client.certify(new.public)
    assert isinstance(given, Certificate)
    ledger.write(new, ledger.certified(new, given.number, certificate=given.note))
    assert isinstance(signed(client, len(ledger.rows), ledger), bytes)
    ledger.write(a)
    assert code(show(client, 12, 13, ledger)) == "signer.unwritten"


def test_at_the_seam_to_another_log_a_signer_ends(start: Callable[..., Process], vkey: VerifierKey) -> None:
    ledger, a, _ = two_nodes()
    ledger.write(a, (SEAM, {"origin": "log.example/b"}))
    client = start().client
    assert code(signed(client, 9, ledger)) == "signer.continued"
    assert isinstance(signed(client, 8, ledger), bytes)


def test_long_lines_and_slow_clients_harm_nobody_else(start: Callable[..., Process], vkey: VerifierKey) -> None:
    running = start()
    with ExitStack() as others:
        slow = []
        for _ in range(10):
            connection = others.enter_context(socket.socket(socket.AF_UNIX))
            connection.connect(str(running.socket))
            connection.sendall(b'{"op"')
            slow.append(connection)
        with socket.socket(socket.AF_UNIX) as greedy, suppress(OSError):
            greedy.connect(str(running.socket))
            greedy.settimeout(5)
            greedy.sendall(b"x" * (MAX_LINE_BYTES + 70_000))
            assert greedy.recv(100) == b""
        assert running.client.last() == (0, EMPTY_ROOT, 0)
        assert running.end() == 0


def test_more_connections_than_allowed_are_closed(start: Callable[..., Process], vkey: VerifierKey) -> None:
    running = start()
    with ExitStack() as others:
        for _ in range(16):
            connection = others.enter_context(socket.socket(socket.AF_UNIX))
            connection.connect(str(running.socket))
            connection.sendall(b'{"op":"vkey"}\n')
            assert connection.recv(10_000).startswith(b'{"vkey"')
        with pytest.raises(Unavailable):
            running.client.last()


def test_only_one_process_holds_a_state(start: Callable[..., Process], vkey: VerifierKey, tmp_path: Path) -> None:
    running = start()
    with pytest.raises(Unavailable, match="another process"):
        run_signer(tmp_path / "key.pem", tmp_path / "state", tmp_path / "other.sock", ORIGIN)
    assert running.client.vkey() == vkey


def test_it_does_not_start_on_what_it_cannot_trust(tmp_path: Path, vkey: VerifierKey) -> None:
    key, state, path = tmp_path / "key.pem", tmp_path / "state", tmp_path / "s"
    with pytest.raises(Corrupt, match="another ledger"):
        run_signer(key, state, path, "log.example/b")
    path.write_text("a file of somebody")
    with pytest.raises(Unavailable, match="not a socket"):
        run_signer(key, state, path, ORIGIN)
    path.unlink()
    for file in (key, state):
        file.chmod(0o640)
        with pytest.raises(Corrupt, match="chmod 600"):
            run_signer(key, state, path, ORIGIN)
        file.chmod(0o600)
    for content in (b"{}", b"[]", b"x", b'{"origin":"log.example/a"}', b"x" * 5000):
        state.write_bytes(content)
        with pytest.raises(Corrupt):
            run_signer(key, state, path, ORIGIN)
    state.unlink()
    with pytest.raises(FileNotFoundError):
        run_signer(key, state, path, ORIGIN)
    key.unlink()
    with pytest.raises(FileNotFoundError):
        run_signer(key, state, path, ORIGIN)
    assert not path.exists()
