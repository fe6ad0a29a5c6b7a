"""The authority table: each rule set, by kind and version. A rule set never changes once it is out; another is added.

An entry is judged by the rule set of the format that wrote it. There is one so far: it holds until an entry says
otherwise (docs/decisions/0041-lawful-by-rules-of-its-own.md).
"""

from collections.abc import Mapping
from types import MappingProxyType

from onepam.ledger.lawful import (
    access,
    erasing,
    factors,
    people,
    providers,
    provisioning,
    requests,
    sessions,
    signing_in,
    system,
)
from onepam.ledger.lawful.rule import Rule

RuleSet = Mapping[tuple[str, int], Rule]
"""By (kind, version)."""

_ROOMS = (access, people, signing_in, factors, providers, provisioning, requests, sessions, system, erasing)

RULE_SETS: Mapping[int, RuleSet] = MappingProxyType(
    {1: MappingProxyType({(rule.kind, rule.version): rule for room in _ROOMS for rule in room.rules.all})}
)
