"""What a signer reads: requests, keys and states, each strictly."""

import os
import socket
import stat
import threading
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from onepam.kernel import canonical
from onepam.kernel.errors import Corrupt, Unavailable
from onepam.ledger.merkle import EMPTY_ROOT
from onepam.ledger.note import BadNote, VerifierKey
from onepam.signing.key_file import create_new, load_key
from onepam.signing.signer import MAX_LINE_BYTES, Signer, SignerClient, create_signer
from onepam.signing.stream import State, Stream, beginning
from tests.ledger.written import ORIGIN
from tests.signing.signers import NOW, WRITTEN, A, B, Process, root, show, signed


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"sign",
        b"[]",
        b"{}",
        b'{"op":"shell"}',
        b'{"op": "vkey"}',
        b'{"op":"vkey","x":1}',
        b'{"op":"last","x":1}',
        b'{"op":"sign"}',
        b'{"op":"sign","size":1}',
        b'{"op":"certify","key":"x"}',
        b'{"op":"certify","key":1}',
        b'{"op":"certify"}',
        b'{"batches":[],"bodies":{},"entries":[],"op":"follow"}',
    ],
)
def test_what_is_not_a_request_is_refused(line: bytes, tmp_path: Path, vkey: VerifierKey) -> None:
    reply = canonical.decode(Signer(load_key(tmp_path / "key.pem"), tmp_path / "state", ORIGIN).answer(line))
    assert reply["refused"]["code"] == "signer.malformed"


@pytest.mark.parametrize(
    "change",
    [
        {"size": "1"},
        {"size": True},
        {"size": -1},
        {"time": None},
        {"root": "00"},
        {"root": "  " * 32},
        {"root": 1},
        {"more": 1},
    ],
)
def test_a_request_to_sign_is_read_strictly(change: dict[str, object], tmp_path: Path, vkey: VerifierKey) -> None:
    signer = Signer(load_key(tmp_path / "key.pem"), tmp_path / "state", ORIGIN)
    request = {"op": "sign", "size": 0, "root": EMPTY_ROOT.hex(), "time": 1}
    assert "note" in canonical.decode(signer.answer(canonical.encode(request)))
    reply = canonical.decode(signer.answer(canonical.encode(request | change)))
    assert reply["refused"]["code"] == "signer.malformed"


def b64(data: bytes) -> str:
    return b64encode(data).decode()


FIRST, SECOND = map(b64, WRITTEN.preimages(0, 2))
SIGNATURE = b64(WRITTEN.batches[0].signature)
SHOWN = {"1": b64(WRITTEN.rows[1].body)}


@pytest.mark.parametrize(
    "change",
    [
        {"from": -1},
        {"entries": 1},
        {"entries": [FIRST, 1]},
        {"entries": [FIRST, "?"]},
        {"entries": [FIRST, b64(bytes(100))]},
        {"entries": [SECOND, FIRST]},
        {"bodies": {}},
        {"bodies": []},
        {"bodies": {"1": b64(b"{}")}},
        {"bodies": {"x": ""}},
        {"batches": [[0, 1, "nod_a"]]},
        {"batches": [[0, "1", "nod_a", SIGNATURE]]},
        {"batches": [[0, 1, "nod_a", "?"]]},
        {"more": 1},
    ],
)
def test_what_is_shown_is_read_strictly(change: dict[str, object], tmp_path: Path, vkey: VerifierKey) -> None:
    signer = Signer(load_key(tmp_path / "key.pem"), tmp_path / "state", ORIGIN)
    batches = [[0, 1, "nod_a", SIGNATURE]]
    request: dict[str, object] = {
        "op": "follow", "from": 0, "entries": [FIRST, SECOND], "bodies": SHOWN, "batches": batches
    }  # fmt: skip
    reply = canonical.decode(signer.answer(canonical.encode(request | change)))
    assert reply["refused"]["code"] == "signer.malformed"
    assert canonical.decode(signer.answer(canonical.encode(request))) == {"size": 2}


def test_an_endless_batch_is_refused(tmp_path: Path, vkey: VerifierKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onepam.signing.stream.MAX_BATCH_ENTRIES", 3)
    stream = Stream(vkey, beginning(ORIGIN, continues=False).signed)
    bodies = {row.position: row.body for row in WRITTEN.rows[:4]}
    with pytest.raises(ValueError, match="never so large"):
        stream.follow(WRITTEN.preimages(0, 4), bodies, [])


def test_keys_are_private_ed25519_files(tmp_path: Path, vkey: VerifierKey) -> None:
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        create_signer(tmp_path / "key.pem", tmp_path / "state", ORIGIN)
    with pytest.raises(BadNote):
        create_signer(tmp_path / "k", tmp_path / "s", "a name with spaces")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "key.pem")
    with pytest.raises(Corrupt, match="symbolic link"):
        load_key(link)
    with pytest.raises(FileExistsError):
        create_new(link, b"")
    other = ec.generate_private_key(ec.SECP256R1())
    create_new(tmp_path / "ec", other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    create_new(tmp_path / "no", b"no key")
    for name in ("ec", "no"):
        with pytest.raises(Corrupt, match="key"):
            load_key(tmp_path / name)


@pytest.mark.parametrize(
    "reply", [b"", b"x", b"[]\n", b"{}\n", b'{"vkey":"x","size":true,"root":"00"}\n', b"x" * (MAX_LINE_BYTES + 2), None]
)
def test_a_signer_that_answers_nonsense_or_nothing_is_unavailable(reply: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "s"
    done = threading.Event()

    def serve(listener: socket.socket) -> None:
        for _ in range(4):
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.recv(65536)
                connection.sendall(reply) if reply is not None else done.wait(1)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        client = SignerClient(path, timeout=0.2 if reply is None else 5)
        for ask in (
            client.vkey,
            client.last,
            lambda: client.sign(1, bytes(32), NOW),
            lambda: client.follow(0, [], [], []),
        ):
            with pytest.raises(Unavailable):
                ask()
        done.set()
        thread.join()
    path.unlink()
    with pytest.raises(Unavailable, match="does not answer"):
        client.last()


def test_the_state_is_readable_by_people(start: Callable[..., Process], tmp_path: Path, vkey: VerifierKey) -> None:
    running = start()
    assert isinstance(signed(running.client, 8), bytes)
    assert show(running.client, 8, 9) is None
    assert running.end() == 0
    kept = canonical.decode((tmp_path / "state").read_bytes())
    assert (kept["origin"], kept["root"], kept["size"], kept["time"]) == (ORIGIN, root(8).hex(), 8, NOW)
    assert kept["signed"]["nodes"] == {"nod_a": [1, A.public.encode()], "nod_b": [2, B.public.encode()]}
    assert sorted(os.listdir(tmp_path)) == ["key.pem", "state", "state.lock"]


@pytest.mark.parametrize(
    "change",
    [
        {"size": 7},
        {"more": 1},
        {"time": -1},
        {"signed": {}},
        {"signed": {"more": 1}},
        {"signed": {"era": 1}},
        {"signed": {"size": 3}},
        {"signed": {"peaks": ["00"]}},
        {"signed": {"previous": "00"}},
        {"signed": {"nodes": {"nod_a": 1}}},
        {"signed": {"nodes": {"nod_a": [1, "x"]}}},
    ],
)
def test_a_state_is_read_strictly(change: dict[str, Any], tmp_path: Path, vkey: VerifierKey) -> None:
    state = canonical.decode((tmp_path / "state").read_bytes())
    if change.get("signed"):
        change = {"signed": state["signed"] | change["signed"]}
    with pytest.raises(Corrupt, match="not the state of a signer"):
        State.decode(canonical.encode(state | change), ORIGIN)
