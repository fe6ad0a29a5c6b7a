"""What is to be probed: the proofs of somebody that the ledger knows, and which of them a node has asked about."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from onepam.app.ports import Snapshot
from onepam.domain.access.model import Permission
from onepam.domain.leaving.probing import Probe, ProbedProof, ProbePath, ProbePurpose, ProbeResult
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.signing_in.events import SignInKind
from onepam.kernel.clock import DAY, Instant
from onepam.store.db import row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import bound_roles, permissions

MOST_PROOFS = 10
"""Of each kind, the newest."""

REVOKING = tuple(
    each.value
    for each in (
        SessionEnd.EXPIRED, SessionEnd.ACCESS_TAKEN, SessionEnd.SIGN_IN_REVOKED, SessionEnd.PROVIDER_LOGOUT
    )
)  # fmt: skip
"""Besides `access.…`, why a session is cut because what it rested on was taken away. A kill takes away nothing else."""

_LISTENERS = {"postgres": ProbePath.POSTGRES, "mysql": ProbePath.MYSQL}
"""For databases, by what a resource speaks."""

_Target = tuple[str, Mapping[str, str], tuple[str, ...]]
"""A resource with its labels and logins."""

MOST_TARGETS = 3
MOST_SAMPLED = 5
"""People a day of whom it is tried whether they could come in without a second factor."""


@dataclass(frozen=True, slots=True)
class Due:
    """Somebody whose proofs are to be probed since `since`, and why."""

    person: str
    since: Instant
    purpose: ProbePurpose


def due(db: Snapshot, at: Instant, after: Instant, settled: int = 0, most: int = 100) -> tuple[Due, ...]:
    """Who has left, or was ordered to be probed, after `after` and `settled` microseconds ago; the oldest first."""
    found = rows(
        db,
        f"SELECT person, removed AS since, 'leaver' AS purpose FROM leaver WHERE removed > :after AND {AT} "
        f"UNION ALL SELECT person, ordered, 'ordered' FROM probe_order WHERE ordered > :after AND {AT} "
        "ORDER BY since LIMIT :most",
        {"after": after, "at": at, "most": most},
    )
    found = [each for each in found if each["since"] <= at - settled]
    return tuple(Due(each["person"], each["since"], ProbePurpose(each["purpose"])) for each in found)


@dataclass(frozen=True, slots=True)
class Revoked:
    """An access of somebody who stays was revoked at `since`; `probe` asks for it again."""

    probe: Probe
    since: Instant


@dataclass(frozen=True, slots=True)
class Probed:
    """The latest answer after a revocation; `code` as in `ProbeMade`."""

    made: Instant
    purpose: ProbePurpose
    result: ProbeResult
    code: str


def revoked(
    db: Snapshot,
    at: Instant,
    after: Instant,
    node: str,
    settled: int,
    most: int,
    *,
    databases: frozenset[ProbePath] = frozenset(),
) -> tuple[Revoked, ...]:
    """Access that ended after `after` and `settled` microseconds ago, and that `node` has not probed since; the oldest
    first. Ended are grants, whatever a session rested on that was cut for it, and what a review withholds: of that the
    first resource that nothing else gives. `databases` as in `probes`."""
    found = rows(
        db,
        f"SELECT person, resource, login, max(ended) AS since FROM ({_ENDED}) AS e "
        f"WHERE EXISTS (SELECT 1 FROM person p WHERE p.person = e.person AND p.enabled = 1 "
        "AND p.valid_from <= :at AND :at < p.valid_until) AND NOT EXISTS (SELECT 1 FROM probe q "
        "WHERE q.person = e.person AND q.resource = e.resource AND q.login = e.login AND q.purpose = 'revoked' "
        "AND q.node = :node AND q.made > e.ended) GROUP BY person, resource, login ORDER BY since LIMIT :most",
        {"after": after, "at": at, "until": at - settled, "node": node, "most": most},
    )
    ended = [(each["since"], each["person"], each["resource"], each["login"]) for each in found]
    ended += islice(_withheld(db, at, after, Instant(at - settled), node), most)
    return tuple(
        Revoked(_of_revoked(db, at, {"person": person, "resource": resource, "login": login}, databases), since)
        for since, person, resource, login in sorted(dict.fromkeys(ended))[:most]
    )


def _withheld(
    db: Snapshot, at: Instant, after: Instant, until: Instant, node: str
) -> Iterator[tuple[Instant, str, str, str]]:
    """Since when, from whom, and what of a role that a review withholds, where the node has not asked since."""
    found = rows(
        db,
        "SELECT w.person, w.role, w.withheld FROM role_withheld w JOIN person p ON p.person = w.person "
        "AND p.enabled = 1 AND p.valid_from <= :at AND :at < p.valid_until WHERE w.withheld > :after "
        "AND w.withheld <= :until AND w.valid_from <= :at AND :at < w.valid_until ORDER BY w.withheld",
        {"after": after, "until": until, "at": at},
    )
    if not found:
        return
    targets = _targets(db, at)
    for person, role, since in found:
        resource, login = _only(db, at, targets, person, role)
        of = {"person": person, "resource": resource, "login": login, "node": node, "since": since, "at": at}
        if resource and row(db, _ASKED, of) is None:
            yield since, person, resource, login


def only_by(db: Snapshot, at: Instant, person: str, role: str) -> tuple[str, str]:
    """A resource and a login that a withheld role gave somebody and nothing else gives; two empty words without any."""
    return _only(db, at, _targets(db, at), person, role)


def _targets(db: Snapshot, at: Instant) -> list[_Target]:
    known = rows(db, f"SELECT resource, labels, logins FROM resource WHERE {AT} ORDER BY resource", {"at": at})
    return [(name, json.loads(labels), tuple(json.loads(logins))) for name, labels, logins in known]


def _only(db: Snapshot, at: Instant, targets: list[_Target], person: str, role: str) -> tuple[str, str]:
    held, withheld = bound_roles(db, person, at), {each["role"] for each in _of(db, at, person)}
    gone = [permission for each in held if each.role == role for permission in each.permissions]
    left = [permission for each in held if each.role not in withheld for permission in each.permissions]
    return next(_only_by(targets, gone, left), ("", ""))


_ASKED = (
    "SELECT 1 FROM probe WHERE person = :person AND resource = :resource AND login = :login "
    f"AND purpose = 'revoked' AND node = :node AND made > :since AND {AT}"
)


def _of(db: Snapshot, at: Instant, person: str) -> list[Any]:
    return rows(db, f"SELECT role FROM role_withheld WHERE person = :person AND {AT}", {"person": person, "at": at})


def _only_by(targets: list[_Target], gone: list[Permission], left: list[Permission]) -> Iterator[tuple[str, str]]:
    """Resources and logins that these permissions gave, and that none of the others gives."""
    for name, labels, logins in targets:
        for login in logins:
            gave, gives = (
                any(each.covers(labels) and each.admits(login, logins) for each in those) for those in (gone, left)
            )
            if gave and not gives:
                yield name, login


_ENDED = f"""
SELECT person, resource, json_extract(substance, '$.login') AS login, valid_until AS ended FROM access_grant
WHERE valid_until > :after AND valid_until <= :until
UNION ALL SELECT person, resource, login, closed FROM session
WHERE closed > :after AND closed <= :until AND {AT}
AND (closed_because LIKE 'access.%' OR closed_because IN {REVOKING})"""


def takes_away(because: str) -> bool:
    """Whether a session that was cut for this is followed by a probe."""
    return because.startswith("access.") or because in REVOKING


def _of_revoked(db: Snapshot, at: Instant, found: Any, databases: frozenset[ProbePath]) -> Probe:
    """With the newest certificate, or without one the bare account: the access is judged before the proof."""
    path = _path(db, at, found["resource"], databases)
    blank = Probe("", found["person"], path, ProbedProof.ACCOUNT, ProbePurpose.REVOKED)
    proof = next(_certificates(db, at, blank), blank)
    return replace(proof, resource=found["resource"], login=found["login"])


def probed_after(db: Snapshot, at: Instant, person: str, resource: str, login: str, ended: Instant) -> Probed | None:
    """What the probe after a revocation found; None where there was none (yet)."""
    found = row(
        db,
        "SELECT made, purpose, result, code FROM probe WHERE person = :person AND resource <> '' AND made > :ended AND "
        "((purpose = 'revoked' AND resource = :resource AND login = :login) OR purpose = 'leaver') "
        f"AND {AT} ORDER BY made DESC LIMIT 1",
        {"person": person, "resource": resource, "login": login, "ended": ended, "at": at},
    )
    if found is None:
        return None
    return Probed(found["made"], ProbePurpose(found["purpose"]), ProbeResult(found["result"]), found["code"])


def probed_since(
    db: Snapshot, at: Instant, taken: Mapping[tuple[str, str], Instant]
) -> dict[tuple[str, str], tuple[str, Probed]]:
    """Of people and the roles that were taken from them, since when: the newest answer since then at what the role
    reaches, and which resource that is. What was not asked is not in it."""
    of = {"people": json.dumps(sorted({person for person, _ in taken})), "at": at}
    made = rows(db, _PROBED_OF_ALL, of) if taken else []
    targets = {"targets": json.dumps(sorted({each["resource"] for each in made})), "at": at}
    labels = {name: json.loads(said) for name, said in (rows(db, _LABELS, targets) if made else ())}
    named = {"roles": json.dumps(sorted({role for _, role in taken})), "at": at}
    gives = {role: permissions(said) for role, said in (rows(db, _GIVES, named) if made else ())}
    found = dict[tuple[str, str], tuple[str, Probed]]()
    for each in made:
        answer = Probed(each["made"], ProbePurpose(each["purpose"]), ProbeResult(each["result"]), each["code"])
        for (person, role), since in taken.items():
            reaches = each["person"] == person and each["resource"] in labels and answer.made > since
            if reaches and any(one.covers(labels[each["resource"]]) for one in gives.get(role, ())):
                found[person, role] = each["resource"], answer
    return found


_PROBED_OF_ALL = (
    "SELECT person, resource, made, purpose, result, code FROM probe WHERE person IN "
    f"(SELECT value FROM json_each(:people)) AND resource <> '' AND purpose IN ('revoked', 'leaver') AND {AT} "
    "ORDER BY made"
)
_LABELS = f"SELECT resource, labels FROM resource WHERE resource IN (SELECT value FROM json_each(:targets)) AND {AT}"
_GIVES = f"SELECT role, permissions FROM role WHERE role IN (SELECT value FROM json_each(:roles)) AND {AT}"


def probes(
    db: Snapshot, at: Instant, asked: Due, node: str, *, databases: frozenset[ProbePath] = frozenset()
) -> tuple[Probe, ...]:
    """Every question about a person that the listeners of `node` were not asked since; ids are still empty.
    `databases`: it listens for clients of databases, too."""
    known = rows(
        db,
        f"SELECT path, proof, reference, resource, login FROM probe "
        "WHERE person = :person AND node = :node AND made > :since AND result <> 'unanswered' "
        f"AND purpose <> 'no_mfa' AND {AT}",  # the daily question is another one, even where it came just now
        {"person": asked.person, "node": node, "since": asked.since, "at": at},
    )
    done = {tuple(each) for each in known}
    return tuple(
        each
        for each in _questions(db, at, asked, databases)
        if (each.path.value, each.proof.value, each.reference, each.resource, each.login) not in done
    )


def daily(db: Snapshot, at: Instant, node: str, *, databases: frozenset[ProbePath] = frozenset()) -> tuple[Probe, ...]:
    """For the way in without a second factor: enabled people, by the bare account and by their registered keys. Empty
    where the node was asked within a day. `databases` as in `probes`."""
    last = row(db, "SELECT max(made) FROM probe WHERE purpose = 'no_mfa' AND node = :node", {"node": node})
    if last is not None and last[0] is not None and last[0] > at - DAY:
        return ()
    people = rows(
        db,
        "SELECT p.person FROM person p WHERE p.enabled = 1 AND p.kind <> 'service' AND p.valid_from <= :at "
        "AND :at < p.valid_until AND (p.ends IS NULL OR p.ends > :at) ORDER BY random() LIMIT :most",
        {"at": at, "most": MOST_SAMPLED},
    )
    found: list[Probe] = []
    for person in (each["person"] for each in people):
        blank = Probe("", person, ProbePath.SSH, ProbedProof.ACCOUNT, ProbePurpose.NO_MFA)
        found += _at_targets(db, at, (blank, *_keys(db, at, blank, still=True)), databases)
    return tuple(found)


def _questions(db: Snapshot, at: Instant, asked: Due, databases: frozenset[ProbePath]) -> Iterator[Probe]:
    blank = Probe("", asked.person, ProbePath.SSH, ProbedProof.ACCOUNT, asked.purpose)
    yield from _at_targets(db, at, (blank, *_certificates(db, at, blank), *_keys(db, at, blank)), databases)
    if databases:
        yield from _tokens(db, at, blank, databases)
    yield from _sign_ins(db, at, blank)


def _path(db: Snapshot, at: Instant, resource: str, databases: frozenset[ProbePath]) -> ProbePath:
    """Where an account and a certificate are asked about: SSH's listener decides alike for what is behind any other.
    MySQL's takes tokens alone, and would refuse for want of one before it looked at the access."""
    path = _listener(db, at, resource, databases)
    return ProbePath.POSTGRES if path is ProbePath.POSTGRES else ProbePath.SSH


def _listener(db: Snapshot, at: Instant, resource: str, databases: frozenset[ProbePath]) -> ProbePath | None:
    """This process's listener that speaks what the resource does, or did until it was removed; None without one."""
    found = row(
        db,
        "SELECT kind FROM resource WHERE resource = :resource AND valid_from <= :at ORDER BY valid_from DESC LIMIT 1",
        {"resource": resource, "at": at},
    )
    path = _LISTENERS.get(found["kind"]) if found is not None else None
    return path if path in databases else None


def _at_targets(db: Snapshot, at: Instant, proofs: tuple[Probe, ...], databases: frozenset[ProbePath]) -> list[Probe]:
    """Each proof at where its person last was; where they never were, at any target there is."""
    of = {"person": proofs[0].person, "at": at, "most": MOST_TARGETS}
    targets = rows(
        db,
        f"SELECT resource, login, max(opened) AS last FROM session WHERE person = :person AND {AT} "
        "GROUP BY resource, login ORDER BY last DESC LIMIT :most",
        of,
    ) or rows(
        db,
        f"SELECT resource, json_extract(logins, '$[0]') AS login FROM resource WHERE {AT} ORDER BY resource LIMIT 1",
        of,
    )
    paths = {target["resource"]: _path(db, at, target["resource"], databases) for target in targets}
    return [
        replace(
            proof,
            path=proof.path if proof.proof is ProbedProof.SSH_KEY else paths[target["resource"]],
            resource=target["resource"],
            login=target["login"] or "root",
        )
        for proof in proofs
        for target in targets
    ]


def _certificates(db: Snapshot, at: Instant, blank: Probe) -> Iterator[Probe]:
    for each in rows(
        db,
        "SELECT session, serial, fingerprint FROM certificate "
        f"WHERE person = :person AND expires > :at AND {AT} ORDER BY issued DESC LIMIT :most",
        {"person": blank.person, "at": at, "most": MOST_PROOFS},
    ):
        yield replace(
            blank,
            proof=ProbedProof.CERTIFICATE,
            reference=str(each["serial"]),
            sought=each["fingerprint"],
            sign_in=each["session"],
        )


def _keys(db: Snapshot, at: Instant, blank: Probe, *, still: bool = False) -> Iterator[Probe]:
    """Registered SSH keys, also those that ended; `still`: only those in force."""
    for each in rows(
        db,
        "SELECT factor, max(reference) AS reference FROM factor "
        "WHERE person = :person AND kind = 'ssh_key' AND reference IS NOT NULL "
        f"AND valid_from <= :at {'AND :at < valid_until' if still else ''} "
        "GROUP BY factor ORDER BY max(valid_from) DESC LIMIT :most",
        {"person": blank.person, "at": at, "most": MOST_PROOFS},
    ):
        yield replace(blank, proof=ProbedProof.SSH_KEY, reference=each["factor"], sought=each["reference"])


def _tokens(db: Snapshot, at: Instant, blank: Probe, databases: frozenset[ProbePath]) -> Iterator[Probe]:
    """Login tokens whose time is not over, each at what it was got for."""
    for each in rows(
        db,
        "SELECT token, digest, resource, login FROM login_token WHERE person = :person "
        f"AND coalesce(ends, expires) > :at AND digest IS NOT NULL AND {AT} ORDER BY expires DESC LIMIT :most",
        {"person": blank.person, "at": at, "most": MOST_PROOFS},
    ):
        path = _listener(db, at, each["resource"], databases)
        if path is None:
            continue
        yield replace(
            blank,
            path=path,
            proof=ProbedProof.TOKEN,
            reference=each["token"],
            sought=each["digest"],
            resource=each["resource"],
            login=each["login"],
        )


def _sign_ins(db: Snapshot, at: Instant, blank: Probe) -> Iterator[Probe]:
    """Cookies and CLI tokens whose time is not over, whether their sessions were ended or not."""
    for each in rows(
        db,
        "SELECT session, max(kind) AS kind, max(token_digest) AS token_digest FROM sign_in "
        "WHERE person = :person AND expires > :at AND valid_from <= :at AND token_digest IS NOT NULL "
        "GROUP BY session ORDER BY max(opened) DESC LIMIT :most",
        {"person": blank.person, "at": at, "most": 2 * MOST_PROOFS},
    ):
        console = each["kind"] == SignInKind.CONSOLE
        yield replace(
            blank,
            path=ProbePath.CONSOLE if console else ProbePath.API,
            proof=ProbedProof.COOKIE if console else ProbedProof.TOKEN,
            reference=each["session"],
            sought=each["token_digest"],
        )
