"""The authority table: each rule set, by kind and version. A rule set never changes once it is out; another is added.

An entry is judged by the rule set of the format that wrote it. There is one so far: it holds until an entry says
otherwise (docs/decisions/0041-lawful-by-rules-of-its-own.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from onepam.ledger.lawful.access import access_rules
from onepam.ledger.lawful.controls import control_rules
from onepam.ledger.lawful.delegating import delegating_rules
from onepam.ledger.lawful.door import door_rules
from onepam.ledger.lawful.erasing import erasing_rules
from onepam.ledger.lawful.excepting import excepting_rules
from onepam.ledger.lawful.factors import factor_rules
from onepam.ledger.lawful.incidents import incident_rules
from onepam.ledger.lawful.locking import lock_rules
from onepam.ledger.lawful.login_tokens import login_token_rules
from onepam.ledger.lawful.people import people_rules
from onepam.ledger.lawful.policies import policy_rules
from onepam.ledger.lawful.providers import provider_rules
from onepam.ledger.lawful.provisioning import provisioning_rules
from onepam.ledger.lawful.reducing import reducing_rules
from onepam.ledger.lawful.requests import request_rules
from onepam.ledger.lawful.review_schedule import schedule_rules
from onepam.ledger.lawful.reviews import review_rules
from onepam.ledger.lawful.rostering import rostering_rules
from onepam.ledger.lawful.rule import Rule
from onepam.ledger.lawful.separating import separation_rules
from onepam.ledger.lawful.session_users import session_user_rules
from onepam.ledger.lawful.sessions import session_rules
from onepam.ledger.lawful.signing_in import signing_in_rules
from onepam.ledger.lawful.signing_off import signing_off_rules
from onepam.ledger.lawful.system import system_rules
from onepam.ledger.lawful.systems import account_rules
from onepam.ledger.lawful.target_secrets import target_secret_rules
from onepam.ledger.lawful.waiting_statements import waiting_statement_rules

RuleSet = Mapping[tuple[str, int], Rule]
"""By (kind, version)."""

_ROOMS = (
    access_rules,
    separation_rules,
    rostering_rules,
    account_rules,
    people_rules,
    signing_in_rules,
    factor_rules,
    excepting_rules,
    provider_rules,
    provisioning_rules,
    request_rules,
    delegating_rules,
    schedule_rules,
    review_rules,
    control_rules,
    signing_off_rules,
    reducing_rules,
    policy_rules,
    incident_rules,
    lock_rules,
    door_rules,
    session_rules,
    login_token_rules,
    target_secret_rules,
    session_user_rules,
    waiting_statement_rules,
    system_rules,
    erasing_rules,
)

RULE_SETS: Mapping[int, RuleSet] = MappingProxyType(
    {1: MappingProxyType({(rule.kind, rule.version): rule for room in _ROOMS for rule in room.all})}
)
