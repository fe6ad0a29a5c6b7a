"""Every kind of entry is judged: what may write one, and what it asks of the history, stands in the table of rules."""

from onepam.domain.history.event import every_version
from onepam.ledger.lawful.entry import Unjudged
from onepam.ledger.lawful.table import RULE_SETS
from scripts import rooms

rooms.load()


def test_every_kind_of_entry_has_its_rule() -> None:
    """In each of its versions: what was written in an older one is judged as long as it is read."""
    known = {(kind.name, kind.version) for kind in every_version()}
    assert set(RULE_SETS[max(RULE_SETS)]) == known, "a rule in src/onepam/ledger/lawful/, of the kind's subject"


def test_every_rule_says_by_whose_authority_and_what_right() -> None:
    for rule in RULE_SETS[max(RULE_SETS)].values():
        assert rule.authority, rule.kind
        assert rule.right[:1].islower(), rule.kind
        assert not rule.right.endswith("."), rule.kind


def test_what_no_rule_judges_is_named_by_a_rule() -> None:
    assert {each for rule in RULE_SETS[max(RULE_SETS)].values() for each in rule.cannot} == set(Unjudged)
