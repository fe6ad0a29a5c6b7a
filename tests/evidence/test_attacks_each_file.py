"""Each file of a pack, whichever there are: altered, emptied, left out, or exchanged with that of another pack."""

from collections.abc import Callable

import pytest

from tests.evidence.company import History, history, pack_input, written
from tests.evidence.conftest import KEYS, Check
from tests.evidence.forge import Forge, rezip, unzip

NOT_OF_THE_LOG = {"README.txt", "verify.py"}
"""What the log says nothing of: whoever verifies uses a verify.py from elsewhere, and a README that we did not write is
the first thing that the verdict says."""


def flipped(content: bytes) -> bytes:
    """One bit in the middle."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


ALTERATIONS: dict[str, Callable[[bytes], bytes]] = {
    "a bit": flipped,
    "its end cut off": lambda content: content[:-1],
    "emptied": lambda content: b"",
    "twice": lambda content: content * 2,
}


@pytest.mark.parametrize("alteration", ALTERATIONS)
def test_a_file_that_is_not_the_one_listed_is_named(
    alteration: str, company: History, drawn_pack: bytes, check: Check
) -> None:
    for name in unzip(drawn_pack):
        forge = Forge(company, drawn_pack)
        forge.files[name] = ALTERATIONS[alteration](forge.files[name])
        code, result = check(rezip(forge.files), *KEYS)
        assert (code, result["proved"]) == (1, []), name
        assert name in result["verdict"], result["verdict"]


def test_a_file_that_is_left_out_is_named(company: History, drawn_pack: bytes, check: Check) -> None:
    for name in unzip(drawn_pack):
        forge = Forge(company, drawn_pack)
        del forge.files[name]
        code, result = check(rezip(forge.files), *KEYS)
        assert (code, result["proved"]) == (1, []), name
        assert name in result["verdict"], result["verdict"]


@pytest.mark.parametrize("alteration", ALTERATIONS)
def test_with_a_manifest_to_fit_it_is_refused_all_the_same(
    alteration: str, company: History, drawn_pack: bytes, check: Check
) -> None:
    taken = set()
    for name in unzip(drawn_pack).keys() - {"manifest.json"}:
        forge = Forge(company, drawn_pack)
        forge.files[name] = ALTERATIONS[alteration](forge.files[name])
        code, result = check(forge.seal(), *KEYS)
        assert (code == 1) == (not result["proved"]), name
        taken |= {name} if code != 1 else set()
    assert taken <= NOT_OF_THE_LOG


def test_the_file_of_another_pack_is_refused(company: History, drawn_pack: bytes, check: Check) -> None:
    other = unzip(written(pack_input(history(seed=1))))
    taken = set()
    for name, content in unzip(drawn_pack).items():
        if name == "manifest.json" or other.get(name, content) == content:
            continue
        forge = Forge(company, drawn_pack)
        forge.files[name] = other[name]
        code, _ = check(forge.seal(), *KEYS)
        taken |= {name} if code != 1 else set()
    assert not taken
