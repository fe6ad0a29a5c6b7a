from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from onepam.ledger.checkpoint import (
    MAX_CHECKPOINT_CHARACTERS,
    MAX_ORIGIN_CHARACTERS,
    Checkpoint,
    open_checkpoint,
    parse_size,
    sign_checkpoint,
)
from onepam.ledger.merkle import MAX_SIZE
from onepam.ledger.note import ED25519, BadNote, Note, Verified, VerifierKey, sign

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(32))
LOG = VerifierKey("log.example/a", ED25519, PRIVATE.public_key().public_bytes_raw())
ROOT = b64encode(bytes(range(32))).decode()
lines = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1, max_size=200)


@given(lines, st.integers(0, MAX_SIZE), st.binary(min_size=32, max_size=32), st.lists(lines, max_size=16))
def test_a_signed_checkpoint_opens(origin: str, size: int, root: bytes, extensions: list[str]) -> None:
    checkpoint = Checkpoint(origin, size, root, tuple(extensions))
    opened = open_checkpoint(sign_checkpoint(checkpoint, LOG, PRIVATE.sign), [LOG], origin)
    assert opened.checkpoint == checkpoint
    assert opened.verified == (Verified(LOG, None),)


def test_the_text_of_the_specification() -> None:
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    checkpoint = Checkpoint.parse(text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.text() == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "a\n1\n",
        f"a\n1\n{ROOT}",
        f"\n1\n{ROOT}\n",
        f"a\n01\n{ROOT}\n",
        f"a\n-1\n{ROOT}\n",
        f"a\n+1\n{ROOT}\n",
        f"a\n1 \n{ROOT}\n",
        f"a\n\u0661\n{ROOT}\n",
        f"a\n{MAX_SIZE + 1}\n{ROOT}\n",
        f"a\n{10**30}\n{ROOT}\n",
        f"a\n1\n{ROOT[:-1]}\n",
        "a\n1\nAAAA\n",
        f"a\n1\n{ROOT}\n\n",
        f"a\n1\n{ROOT}\nx\n\ny\n",
        f"a\n1\n{ROOT}\n" + "x\n" * 17,
        f"a\n1\n{ROOT}\n" + "x" * 9000 + "\n",
        "a" * 256 + f"\n1\n{ROOT}\n",
    ],
)
def test_what_is_almost_a_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        Checkpoint.parse(text)
    if text.endswith("\n") and text != "\n":
        with pytest.raises(BadNote):
            open_checkpoint(Note(text, (sign(text, LOG, PRIVATE.sign),)).encode(), [LOG])


def test_another_log_or_another_key_is_refused() -> None:
    data = sign_checkpoint(Checkpoint("a", 0, bytes(32)), LOG, PRIVATE.sign)
    with pytest.raises(BadNote, match="another log"):
        open_checkpoint(data, [LOG], "b")
    with pytest.raises(BadNote, match="no signature"):
        open_checkpoint(data, [VerifierKey(LOG.name, ED25519, bytes(32))])


def test_sizes() -> None:
    assert [parse_size(text) for text in ("0", "10", str(MAX_SIZE))] == [0, 10, MAX_SIZE]
    with pytest.raises(BadNote):
        parse_size("")


@pytest.mark.parametrize("length", [MAX_ORIGIN_CHARACTERS, MAX_ORIGIN_CHARACTERS + 1])
def test_an_origin_may_have_255_characters(length: int) -> None:
    text = "a" * length + f"\n1\n{ROOT}\n"
    if length == 255:
        assert Checkpoint.parse(text).origin == "a" * 255
    else:
        with pytest.raises(BadNote):
            Checkpoint.parse(text)


def test_a_checkpoint_may_have_so_many_characters() -> None:
    head = f"a\n1\n{ROOT}\n"
    longest = head + "x" * (MAX_CHECKPOINT_CHARACTERS - len(head) - 1) + "\n"
    assert Checkpoint.parse(longest).text() == longest
    with pytest.raises(BadNote):
        Checkpoint.parse(longest[:-1] + "x\n")
