"""PostgreSQL's own regression tests show the same through the whole gateway as directly, by file and byte; and
the journals have each of their sessions whole."""

import pytest

from onepam.recording.statements import Outcome
from tests.conformance.databases.both_ways import BothWays
from tests.conformance.databases.regression import names, shown
from tests.conformance.databases.suites import differences

pytestmark = [pytest.mark.anyio, pytest.mark.conformance, pytest.mark.timeout(2 * 3600)]

LEAST, STATEMENTS = 210, 25_000
"""So many files, and statements in the journals, at least."""


async def test_the_same_as_directly(both: BothWays) -> None:
    person = await both.person()
    direct = await shown(both, both.direct)
    through = await shown(both, await both.through(person))
    assert list(direct) == list(through) == names()
    assert len(direct) >= LEAST
    assert not [name for name, said in through.items() if not said]
    unlike = {name for name in direct if direct[name] != through[name]}
    if unlike:  # what differs between two runs directly tells nothing
        again = await shown(both, both.direct)
        unlike -= {name for name in direct if direct[name] != again[name]}
    assert unlike == {each.test for each in differences() if each.suite == "regression"}
    journals = await both.journals(person)
    assert len(journals) >= len(direct)
    outcomes = [finished.outcome for journal in journals for _, _, finished in journal]
    assert len(outcomes) >= STATEMENTS
    assert outcomes.count(Outcome.OK) > outcomes.count(Outcome.ERROR) > 0
