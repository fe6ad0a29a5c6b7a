"""Two hundred altered packs, from one seed: `verify.py` and the platform's own reading agree on each.

In a browser the same is asked of `verify.html`: tests/evidence/test_verify_html.py.
"""

import re

import pytest

from tests.evidence.altered import KINDS, Altered, altered_packs
from tests.evidence.company import History
from tests.evidence.conftest import Check
from tests.evidence.second_reading import second_reading

COUNT = 200


@pytest.fixture(scope="module")
def packs(company: History, honest: bytes) -> list[Altered]:
    return list(altered_packs(company, honest, COUNT))


def test_every_kind_is_there_several_times(packs: list[Altered]) -> None:
    assert len(packs) == COUNT >= 5 * len(KINDS)
    assert len({pack.name for pack in packs}) > COUNT // 2, "they are not the same over and over"
    assert {pack.code for pack in packs} == {1, 2, 3, 7}


def test_verify_py_and_the_platform_agree_on_each(packs: list[Altered], check: Check) -> None:
    for pack in packs:
        keys = [word for key in pack.log_keys for word in ("--log-key", key)]
        keys += [word for key in pack.witness_keys for word in ("--witness-key", key)]
        code, result = check(pack.data, *keys)
        assert code == pack.code, (pack.name, result["verdict"])
        assert re.search(pack.names, result["verdict"]), (pack.name, pack.names, result["verdict"])
        code, said = second_reading(pack.data, list(pack.log_keys), list(pack.witness_keys))
        assert code == pack.code, (pack.name, said)
        assert re.search(pack.names, said), (pack.name, pack.names, said)
