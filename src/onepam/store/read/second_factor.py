"""What people's second factors rest on, what resources ask of them, and what sessions were opened with."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onepam.app.ports import Snapshot
from onepam.domain.access.model import MfaRule
from onepam.domain.access.proof import MfaBasis
from onepam.domain.people.events import PersonKind
from onepam.kernel.clock import DAY, Instant
from onepam.store.db import rows
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import mfa_rule
from onepam.store.read.names import provider_name

WINDOW = 30 * DAY
"""How far back the report looks at sessions (microseconds)."""

OWN = ("passkey", "totp")
"""Factors of one's own that serve as a second one."""


@dataclass(frozen=True, slots=True)
class LastSignIn:
    """The newest sign-in of a person: when, and why it counts. `provider` is empty for ourselves."""

    opened: Instant
    basis: MfaBasis
    provider: str
    provider_name: str
    phishing_resistant: bool


@dataclass(frozen=True, slots=True)
class MfaReport:
    """Second factors as of an instant, of people who may sign in.

    `people` counts them by the basis of their newest sign-in, `never` those without one; `own` those with a factor of
    their own by its kind, `without` those who have none and have not been attested one. `machines` are service
    accounts. `rules` are the resources that ask for more, `resources` is how many there are. `sessions` counts the
    sessions of people in the last 30 days by basis, `machine_sessions` those of machines.
    """

    people: Mapping[MfaBasis, int]
    never: int
    own: Mapping[str, int]
    without: tuple[str, ...]
    machines: int
    rules: tuple[tuple[str, MfaRule], ...]
    resources: int
    sessions: Mapping[MfaBasis, int]
    machine_sessions: int

    @property
    def sessions_without(self) -> int:
        """Sessions of people to which nobody vouched for a second factor: under a risk acceptance."""
        return self.sessions.get(MfaBasis.ACCEPTED, 0)


def last_sign_ins(db: Snapshot, at: Instant, person: str | None = None) -> dict[str, LastSignIn]:
    """The newest sign-in by `at` of everybody, or of one, by person."""
    called: dict[str, str] = {}
    found = {}
    for each in rows(
        db,
        "SELECT * FROM (SELECT person, opened, basis, provider, phishing_resistant, row_number() OVER "
        "(PARTITION BY person ORDER BY opened DESC, valid_from DESC) AS newest FROM sign_in "
        f"WHERE valid_from <= :at{' AND person = :person' if person else ''}) newest_sign_in WHERE newest = 1",
        {"at": at, "person": person},
    ):
        provider = each["provider"]
        if provider not in called:
            called[provider] = provider_name(db, at, provider)
        found[each["person"]] = LastSignIn(
            each["opened"], MfaBasis(each["basis"]), provider, called[provider], bool(each["phishing_resistant"])
        )
    return found


def without_factor(db: Snapshot, at: Instant) -> tuple[str, ...]:
    """Who may sign in, has no second factor of their own, and has not been attested one."""
    people = _people(_kinds(db, at))
    return _without(people, _own(db, at), last_sign_ins(db, at))


def mfa_report(db: Snapshot, at: Instant) -> MfaReport:
    """The state of second factors in the whole company."""
    last, own, kinds = last_sign_ins(db, at), _own(db, at), _kinds(db, at)
    people = _people(kinds)
    rules = rows(db, f"SELECT resource, mfa FROM resource WHERE {AT} ORDER BY resource", {"at": at})
    told = _sessions(db, at)
    return MfaReport(
        people=Counter(last[person].basis for person in people if person in last),
        never=sum(person not in last for person in people),
        own={kind: sum(kind in own.get(person, ()) for person in people) for kind in OWN},
        without=_without(people, own, last),
        machines=len(kinds) - len(people),
        rules=tuple((each["resource"], rule) for each in rules if (rule := mfa_rule(each["mfa"])) is not None),
        resources=len(rules),
        sessions={MfaBasis(basis): count for (entry, basis), count in told.items() if entry != "ssh_service_key"},
        machine_sessions=sum(count for (entry, _), count in told.items() if entry == "ssh_service_key"),
    )


def _own(db: Snapshot, at: Instant) -> dict[str, set[str]]:
    own: dict[str, set[str]] = {}
    for each in rows(db, f"SELECT DISTINCT person, kind FROM factor WHERE {AT}", {"at": at}):
        own.setdefault(each["person"], set()).add(each["kind"])
    return own


def _kinds(db: Snapshot, at: Instant) -> dict[str, PersonKind]:
    allowed = f"SELECT person, kind FROM person WHERE enabled = 1 AND {AT} AND (ends IS NULL OR ends > :at)"
    return {each["person"]: PersonKind(each["kind"]) for each in rows(db, allowed, {"at": at})}


def _people(kinds: Mapping[str, PersonKind]) -> list[str]:
    return sorted(person for person, kind in kinds.items() if kind is not PersonKind.SERVICE)


def _without(people: list[str], own: Mapping[str, set[str]], last: Mapping[str, LastSignIn]) -> tuple[str, ...]:
    return tuple(
        person
        for person in people
        if own.get(person, set()).isdisjoint(OWN)
        and (person not in last or last[person].basis is not MfaBasis.ATTESTED)
    )


def _sessions(db: Snapshot, at: Instant) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    each: Any
    for each in rows(
        db,
        "SELECT CASE entry WHEN 'ssh_service_key' THEN entry ELSE '' END AS way, "
        "json_extract(mfa, '$.basis') AS basis, "
        f"count(*) AS number FROM session WHERE opened > :since AND {AT} GROUP BY way, basis",
        {"since": at - WINDOW, "at": at},
    ):
        found[each["way"], each["basis"]] = each["number"]
    return found
