"""Taking a node's key out of force."""

import pytest

from onepam.domain.history.commit import Decided
from onepam.domain.host.nodes import NodeFacts, NodeRevoked, revoke
from onepam.kernel.errors import Refused


def test_a_key_in_force_is_revoked_with_name_and_reason() -> None:
    decided = revoke(NodeFacts("nod_1+id+key"), "nod_1", " Ada  Admin ", "the machine was stolen")
    assert decided == Decided((NodeRevoked("nod_1", "nod_1+id+key", "Ada Admin", "the machine was stolen"),), None)


@pytest.mark.parametrize(
    ("key", "by", "because", "code"),
    [
        (None, "Ada", "why", "node.unknown"),
        ("k", "Ada\x07", "why", "text.not_plain"),
        ("k", "A" * 201, "why", "text.too_long"),
        ("k", "Ada", "\u202e", "text.not_plain"),
        ("k", "Ada", "w" * 501, "text.too_long"),
    ],
)
def test_without_a_key_a_name_or_a_reason_nothing_is(key: str | None, by: str, because: str, code: str) -> None:
    refused = revoke(NodeFacts(key), "nod_1", by, because)
    assert isinstance(refused, Refused)
    assert refused.code == code
