"""Alterations of the checkpoint and its signatures, also by somebody who holds the signing key."""

from base64 import b64decode, b64encode

import pytest

from tests.evidence.company import (
    LOG,
    NO_WITNESS,
    ORIGIN,
    STRANGER,
    WITNESS,
    History,
    Signer,
    history,
    pack_input,
    written,
)  # fmt: skip
from tests.evidence.conftest import Check
from tests.evidence.forge import Attacks, Forge, malleable

ATTACKS = Attacks()
add = ATTACKS.add

# --- the checkpoint and its signatures ---


@add("another root, the signature kept", "checkpoint: the signature|root")
def _(f: Forge) -> None:
    f.take_checkpoint(f.files["checkpoint"].replace(f.text().split(b"\n")[2], b64encode(bytes(32))))


@add("a smaller size, the signature kept", "beyond the checkpoint|signature")
def _(f: Forge) -> None:
    f.take_checkpoint(f.files["checkpoint"].replace(b"\n318\n", b"\n317\n"))


@add("one bit of the log's signature", "the signature by the log's key .* does not fit")
def _(f: Forge) -> None:
    lines = f.signature_lines()
    raw = bytearray(b64decode(lines[0].split()[-1]))
    raw[20] ^= 1
    f.note(f.text(), f"\u2014 {ORIGIN} {b64encode(raw).decode()}\n".encode(), lines[1])


@add("S + L in the log's signature", "the signature by the log's key .* does not fit")
def _(f: Forge) -> None:
    lines = f.signature_lines()
    f.note(f.text(), malleable(lines[0]), lines[1])


@add("S + L in the cosignature", "the signature by witness .* does not fit")
def _(f: Forge) -> None:
    lines = f.signature_lines()
    f.note(f.text(), lines[0], malleable(lines[1]))


@add("a valid signature and a broken one of the same key", "the signature by the log's key .* does not fit")
def _(f: Forge) -> None:
    lines = f.signature_lines()
    f.note(f.text(), lines[0], malleable(lines[0]), lines[1])


@add("more signatures than a note has", "checkpoint: more than 32 signatures")
def _(f: Forge) -> None:
    lines = f.signature_lines()
    others = [f"\u2014 other{number}.example AAAAAAAA\n".encode() for number in range(31)]
    f.note(f.text(), *lines, *others)


@add("a name of a key longer than any", "checkpoint: broken signature line")
def _(f: Forge) -> None:
    f.note(f.text(), *f.signature_lines(), f"\u2014 {'x' * 256} AAAAAAAA\n".encode())


@add("another time in the cosignature", "the signature by witness .* does not fit")
def _(f: Forge) -> None:
    lines = f.signature_lines()
    raw = bytearray(b64decode(lines[1].split()[-1]))
    raw[11] ^= 1
    f.note(f.text(), lines[0], f"\u2014 {WITNESS.name} {b64encode(raw).decode()}\n".encode())


@add("signed again with another key of the same name", "no signature by the log's key")
def _(f: Forge) -> None:
    f.note(f.text(), STRANGER.line(f.text()), f.signature_lines()[1])
    f.edit("manifest.json", lambda m: m.update(log_key=STRANGER.vkey()))


@add("signed with another key under the log's key id", "the signature by the log's key .* does not fit")
def _(f: Forge) -> None:
    raw = b64decode(STRANGER.line(f.text()).split()[-1])
    f.note(f.text(), f"\u2014 {ORIGIN} {b64encode(LOG.id() + raw[4:]).decode()}\n".encode(), f.signature_lines()[1])


@add("the cosignature taken away", "no signature by witness")
def _(f: Forge) -> None:
    f.note(f.text(), f.signature_lines()[0])
    f.edit("manifest.json", lambda m: m.update(witnesses=[]))


@add("cosigned by another key of the witness's name", "no signature by witness")
def _(f: Forge) -> None:
    f.note(f.text(), f.signature_lines()[0], NO_WITNESS.line(f.text(), 1_775_000_000))
    f.edit("manifest.json", lambda m: m.update(witnesses=[NO_WITNESS.vkey()]))


@add("a plain signature of the witness instead of a cosignature", "no signature by witness")
def _(f: Forge) -> None:
    plain = Signer(WITNESS.name, 1, WITNESS.seed)
    f.note(f.text(), f.signature_lines()[0], plain.line(f.text()))


@add("a witness named that never cosigned", "no signature by witness w2")
def _(f: Forge) -> None:
    f.edit("manifest.json", lambda m: m["witnesses"].append(Signer("w2", 4, b"2" * 32).vkey()))


@add("another origin, signed by the log's key", "manifest.json: origin|another name than the log")
def _(f: Forge) -> None:
    text = f.text().replace(ORIGIN.encode(), b"log.example.com/other")
    f.note(text, LOG.line(text), WITNESS.line(text, 1_775_000_000))


@add("another origin throughout", "another name than the log")
def _(f: Forge) -> None:
    text = f.text().replace(ORIGIN.encode(), b"log.example.com/other")
    f.take_checkpoint(text + b"\n" + LOG.line(text) + WITNESS.line(text, 1_775_000_000))


@add("no signature at all", "not a signed note|broken signature|JSON|not enough|checkpoint")
def _(f: Forge) -> None:
    f.files["checkpoint"] = f.text()


@add("a control character in the note", "checkpoint: control characters")
def _(f: Forge) -> None:
    f.files["checkpoint"] = f.files["checkpoint"].replace(b"\n", b"\r\n", 1)


@add("a size with a leading zero", "checkpoint: bad tree size")
def _(f: Forge) -> None:
    f.files["checkpoint"] = f.files["checkpoint"].replace(b"\n318\n", b"\n0318\n")


@add("the manifest names another checkpoint", "manifest.json: origin, tree size or name")
def _(f: Forge) -> None:
    f.edit("manifest.json", lambda m: m.update(tree_size=400))


# --- by somebody who holds the signing key, and not the witness's ---


def _rebuilt(h: History, old: History) -> bytes:
    """A pack of another history, signed by the log's own key, with the witness's line of the true one."""
    new, cosignature = h.checkpoint(witnesses=()), old.checkpoint().splitlines(keepends=True)[-1]
    return written(pack_input(h, checkpoint=new + cosignature))


@add("signing key: an entry changed and everything rebuilt", "the signature by witness .* does not fit")
def _(f: Forge) -> bytes:
    return _rebuilt(history(seed=1), f.h)


@add("signing key: rolled back and grown again", "the signature by witness .* does not fit")
def _(f: Forge) -> bytes:
    return _rebuilt(history(sessions=89), f.h)


@add("signing key: an honest prefix, the tail cut", "the signature by witness .* does not fit")
def _(f: Forge) -> bytes:
    h = history()
    del h.entries[-3:]
    return _rebuilt(h, f.h)


@add("signing key: rebuilt, no word of a witness", "no signature by witness")
def _(f: Forge) -> bytes:
    return written(pack_input(history(seed=1), checkpoint=history(seed=1).checkpoint(witnesses=()), witnesses=()))


@add("signing key: rebuilt, cosigned by a key of the forger", "no signature by witness")
def _(f: Forge) -> bytes:
    h = history(seed=1)
    return written(pack_input(h, checkpoint=h.checkpoint(witnesses=[NO_WITNESS]), witnesses=[NO_WITNESS.vkey()]))


@pytest.mark.parametrize("name", ATTACKS.table, ids=str)
def test_refused_and_named(name: str, company: History, honest: bytes, check: Check) -> None:
    ATTACKS.assert_refused(name, Forge(company, honest), check)


def test_an_attack_that_only_the_witness_reveals_is_not_called_intact_without_it(check: Check) -> None:
    """What is proved without a witness's key is weaker, and the verifier says so."""
    h = history(seed=1)
    rebuilt = written(pack_input(h, checkpoint=h.checkpoint(witnesses=()), witnesses=()))
    code, result = check(rebuilt, "--log-key", LOG.vkey())
    assert code == 3
    assert any("no independent witness" in line for line in result["not_proved"])
    assert result["history"].startswith("consistent but not anchored")
