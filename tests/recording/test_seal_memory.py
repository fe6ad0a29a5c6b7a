"""What a sealer holds between chunks."""

from onepam.kernel.clock import Instant
from onepam.recording import seal
from onepam.recording.frames import Frame, Opened, Output, Stream
from onepam.recording.open import Reader
from onepam.recording.seal import Sealer

KEY = bytes(range(32))
OPENED = Opened(0, "ses_1", "per_1", "res_1", "root", "ssh", Instant(1_700_000_000_000_000))


def test_a_bulk_stream_keeps_its_compressor_and_an_idle_session_none() -> None:
    sealer, kept = Sealer("rec_1", KEY), list[bool]()
    data = bytearray(sealer.header)
    chunks: list[list[Frame]] = [
        [OPENED, Output(1, 1, Stream.STDOUT, bytes(seal.MAX_CHUNK_BYTES))],
        [Output(2, 1, Stream.STDOUT, b"idle")],
    ]
    for chunk in chunks:
        for frame in chunk:
            sealer.append(frame)
        data += sealer.seal()[0]
        kept.append(sealer._compressor is not None)
    assert kept == [True, False]
    assert list(Reader([bytes(data)], KEY, sealer.head, final=False)) == [*chunks[0], *chunks[1]]
