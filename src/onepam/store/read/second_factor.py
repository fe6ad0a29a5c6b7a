"""What people's second factors rest on, what resources ask of them, and what sessions were opened with."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.domain.access.model import MfaRule
from onepam.domain.access.proof import MfaBasis
from onepam.kernel.clock import DAY, Instant
from onepam.store.db import row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.holders import PRESENT
from onepam.store.facts.holdings import mfa_rule
from onepam.store.read.names import provider_name

WINDOW = 30 * DAY
"""How far back the report looks at sessions (microseconds)."""

OWN = ("passkey", "totp")
"""Factors of one's own that serve as a second one."""

MOST = 500
"""People that the report names at most."""

NEWEST_BASIS = """coalesce((SELECT s.basis FROM sign_in s WHERE s.person = p.person AND s.valid_from <= :at
    ORDER BY s.opened DESC LIMIT 1), '')"""
"""SQL: what the newest sign-in of the person `p` rests on; empty where there is none."""
_HAS = (
    "EXISTS (SELECT 1 FROM factor f WHERE f.person = p.person AND f.kind = '{}' "
    "AND f.valid_from <= :at AND :at < f.valid_until)"
)
HAS_OWN = f"({' OR '.join(_HAS.format(kind) for kind in reversed(OWN))})"
"""SQL: whether the person `p` has a second factor of their own; what most have is looked for first."""
_MACHINE = "p.kind = 'service'"
_PEOPLE = f"{PRESENT} AND NOT {_MACHINE}"
_WITHOUT = f"NOT {HAS_OWN} AND {NEWEST_BASIS} <> 'attested'"
_ALIKE = f"""
WITH each AS MATERIALIZED (SELECT
    {" + ".join(f"CASE WHEN {_HAS.format(kind)} THEN {1 << bit} ELSE 0 END" for bit, kind in enumerate(OWN))} AS own,
    {NEWEST_BASIS} AS basis, CASE WHEN {_MACHINE} THEN 1 ELSE 0 END AS machine
    FROM person p WHERE {PRESENT})
SELECT own, basis, machine, count(*) AS number FROM each GROUP BY own, basis, machine"""
"""Each person is looked at once: `own` has a bit for each of `OWN`, `machine` is 1 for a service account."""
_COUNTED = tuple(each for each in MfaBasis if each is not MfaBasis.OWN)
_SESSIONS = f"""
SELECT count(*), count(*) FILTER (WHERE entry = 'ssh_service_key'),
    {", ".join(f"count(*) FILTER (WHERE basis = '{each.value}' AND entry <> 'ssh_service_key')" for each in _COUNTED)}
FROM session WHERE opened > :since AND {AT}"""
"""All, those of machines, and those of people by each basis but one: that one is the rest."""


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
    their own by its kind, `without` (`without_total` in number, `MOST` are named) those who have none and have not
    been attested one. `machines` are service
    accounts. `rules` are the resources that ask for more, `resources` is how many there are. `sessions` counts the
    sessions of people in the last 30 days by basis, `machine_sessions` those of machines.
    """

    people: Mapping[MfaBasis, int]
    never: int
    own: Mapping[str, int]
    without: tuple[str, ...]
    without_total: int
    machines: int
    rules: tuple[tuple[str, MfaRule], ...]
    resources: int
    sessions: Mapping[MfaBasis, int]
    machine_sessions: int

    @property
    def sessions_without(self) -> int:
        """Sessions of people to which nobody vouched for a second factor: under a risk acceptance."""
        return self.sessions.get(MfaBasis.ACCEPTED, 0)


def last_sign_ins(db: Snapshot, at: Instant, people: Sequence[str]) -> dict[str, LastSignIn]:
    """The newest sign-in by `at` of each of these, by person."""
    called: dict[str, str] = {}
    found = {}
    for each in rows(
        db,
        "SELECT n.value AS person, s.opened, s.basis, s.provider, s.phishing_resistant FROM json_each(:people) n "
        "JOIN sign_in s ON s.person = n.value AND s.valid_from <= :at ORDER BY s.opened, s.valid_from",
        {"at": at, "people": json.dumps(people)},
    ):
        provider = each["provider"]
        if provider not in called:
            called[provider] = provider_name(db, at, provider)
        found[each["person"]] = LastSignIn(
            each["opened"], MfaBasis(each["basis"]), provider, called[provider], bool(each["phishing_resistant"])
        )
    return found


def count_without_factor(db: Snapshot, at: Instant) -> int:
    """How many may sign in, have no second factor of their own, and have not been attested one."""
    found = row(db, f"SELECT count(*) FROM person p WHERE {_PEOPLE} AND {_WITHOUT}", {"at": at})
    return found[0] if found else 0


def mfa_report(db: Snapshot, at: Instant) -> MfaReport:
    """The state of second factors in the whole company."""
    people, own, never, without_total, machines = Counter[MfaBasis](), Counter[str](), 0, 0, 0
    for each in rows(db, _ALIKE, {"at": at}):
        if each["machine"]:
            machines += each["number"]
            continue
        basis = MfaBasis(each["basis"]) if each["basis"] else None
        never += 0 if basis else each["number"]
        if basis is not None:
            people[basis] += each["number"]
        for bit, kind in enumerate(OWN):
            own[kind] += each["number"] if each["own"] & 1 << bit else 0
        if basis is not MfaBasis.ATTESTED and not each["own"]:
            without_total += each["number"]
    without = f"SELECT p.person FROM person p WHERE {_PEOPLE} AND {_WITHOUT} ORDER BY p.person LIMIT {MOST}"
    rules = rows(db, f"SELECT resource, mfa FROM resource WHERE {AT} ORDER BY sort", {"at": at})
    sessions, machine_sessions = _sessions(db, at)
    return MfaReport(
        people=people,
        never=never,
        own={kind: own[kind] for kind in OWN},
        without=tuple(each["person"] for each in rows(db, without, {"at": at})) if without_total else (),
        without_total=without_total,
        machines=machines,
        rules=tuple((each["resource"], rule) for each in rules if (rule := mfa_rule(each["mfa"])) is not None),
        resources=len(rules),
        sessions=sessions,
        machine_sessions=machine_sessions,
    )


def _sessions(db: Snapshot, at: Instant) -> tuple[dict[MfaBasis, int], int]:
    """Those of people by basis, where there are any, and how many were of machines."""
    found = row(db, _SESSIONS, {"since": at - WINDOW, "at": at})
    total, machines, *people = found or (0, 0)
    counted = {MfaBasis.OWN: total - machines - sum(people), **dict(zip(_COUNTED, people, strict=True))}
    return {basis: number for basis, number in counted.items() if number}, machines
