"""What a log may hold, if whoever writes it cheats, and no pack may say: bodies of no form, and erasures by others."""

import json

import pytest

from onepam.evidence.pack import Erased
from onepam.kernel.clock import SECOND, Instant
from tests.evidence.conftest import Check
from tests.evidence.verifier.test_lawful import KEY, good, packed
from tests.ledger.lawful.story import Story


def logged(told: Story, kind: str, body: object) -> int:
    """One entry more, whatever its body is; its index."""
    last = told.rows[-1]
    text = json.dumps(body, separators=(",", ":")).encode()
    told.rows.append(last._replace(position=last.position + 1, time=Instant(last.time + SECOND), kind=kind, body=text))
    return last.position + 1


@pytest.mark.parametrize("body", [[], "text", None, 1])
def test_a_body_that_is_no_object_is_refused_though_the_log_has_it(body: object, check: Check) -> None:
    told = good()
    index = logged(told, "disk.recovered", body)
    code, result = check(packed(told), *KEY)
    assert code == 1
    assert f"body of entry {index}: not an object" in result["verdict"]


@pytest.mark.parametrize(("kind", "erases"), [("payload.erased", True), ("disk.recovered", False)])
def test_a_payload_is_erased_by_no_entry_of_another_kind(kind: str, erases: bool, check: Check) -> None:
    told = good()
    of = next(row.position for row in told.rows if b'"payload":"' in row.body)
    by = logged(told, kind, {"erasure": "ers_1", "indexes": [of], "naming": False, "person": "eve"})
    code, result = check(packed(told, erased=[Erased(of, by)]), *KEY)
    said = f"payloads.jsonl: entry {by} does not erase the payload of entry {of}"
    assert (code == 1, said in result["verdict"]) == (not erases, not erases)
