"""Each case of the audit has its tests, and they are there."""

import re

import pytest

from tests.house.sources import ROOT
from tests.tampering.cases import AT_DATABASES, CASES, Case


@pytest.mark.parametrize("case", [*CASES, *AT_DATABASES], ids=lambda each: each.done)
def test_a_case_has_tests_that_are_there(case: Case) -> None:
    assert case.tests
    for file, function in case.tests:
        text = (ROOT / file).read_text("utf-8")
        assert re.search(rf"^(async )?def {function}\(", text, re.MULTILINE), f"{file}::{function}"
