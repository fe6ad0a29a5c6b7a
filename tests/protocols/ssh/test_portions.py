"""How much of a stream is taken in one turn of the loop."""

from onepam.protocols.ssh.portions import BULK_BYTES, SHARED_BYTES, TYPING_SECONDS, Portions

STREAM, TYPIST, OTHER = object(), object(), object()


def test_whoever_is_alone_takes_much() -> None:
    portions = Portions()
    assert portions.most(STREAM, 0.0) == BULK_BYTES
    portions.typed(STREAM, 1.0)  # its own keys are no reason
    assert portions.most(STREAM, 1.0) == BULK_BYTES


def test_beside_a_typist_it_is_little_until_they_have_paused() -> None:
    portions = Portions()
    portions.typed(TYPIST, 10.0)
    assert portions.most(STREAM, 10.0) == SHARED_BYTES
    assert portions.most(TYPIST, 10.0) == BULK_BYTES
    portions.typed(TYPIST, 12.0)
    assert portions.most(STREAM, 12.0 + TYPING_SECONDS - 0.1) == SHARED_BYTES
    assert portions.most(STREAM, 12.0 + TYPING_SECONDS) == BULK_BYTES


def test_small_pieces_of_a_stream_do_not_hide_the_typist() -> None:
    portions = Portions()
    portions.typed(TYPIST, 10.0)
    for moment in range(11, 14):
        portions.typed(STREAM, float(moment))
        assert portions.most(STREAM, float(moment)) == SHARED_BYTES
    assert portions.most(STREAM, 10.0 + TYPING_SECONDS) == BULK_BYTES
    assert portions.most(OTHER, 10.0 + TYPING_SECONDS) == SHARED_BYTES
