"""Looking somebody up before it is known who they are: by e-mail, token, passkey or SSH key."""

import json
from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.domain.access.authority import Actor, ActorFacts, present
from onepam.domain.people.events import PersonKind
from onepam.domain.signing_in.events import FactorKind, SignInKind
from onepam.kernel.clock import Instant
from onepam.store.db import Row, row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import actor_facts
from onepam.store.facts.sign_in import provider_of


@dataclass(frozen=True, slots=True)
class Factor:
    """A factor in force with what verifies it: `secret` is sealed or a hash, `public` the public half.

    `networks` are those that a service account's key may come from; of any other factor empty.
    """

    factor: str
    person: str
    kind: FactorKind
    label: str
    reference: str
    public: str
    secret: str
    counter: int
    enrolled: Instant
    used: Instant | None
    privileged_from: Instant | None
    networks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Whose SSH key it is; `factor` is the key's id."""

    factor: str
    person: str
    kind: PersonKind


@dataclass(frozen=True, slots=True)
class Account:
    """A person as the sign-in page needs them; `provider` is the name of one in force that they sign in through."""

    person: str
    name: str
    email: str
    enabled: bool
    factors: tuple[Factor, ...]
    provider: str = ""

    def of(self, kind: FactorKind) -> tuple[Factor, ...]:
        """The factors of one kind."""
        return tuple(each for each in self.factors if each.kind is kind)


def account_by_email(db: Snapshot, at: Instant, email: str) -> Account | None:
    """The enabled account with this address, whatever its capitals."""
    found = row(
        db,
        f"SELECT person FROM person WHERE lower(email) = lower(:email) AND enabled = 1 AND {AT}",
        {"email": email, "at": at},
    )
    return account(db, at, found["person"]) if found else None


def people_meant(db: Snapshot, at: Instant, wanted: str) -> list[str]:
    """The ids of who is meant by an id or an address: who has it now; where nobody does, those who had left with it."""
    known = f"SELECT person FROM person WHERE {AT} AND kind <> 'service' AND "
    of = {"wanted": wanted, "at": at}
    same = "lower(email) = lower(:wanted)"
    for which in ("person = :wanted", f"{same} AND enabled = 1", same):
        if found := [each["person"] for each in rows(db, f"{known}{which} ORDER BY 1", of)]:
            return found
    return []


def account(db: Snapshot, at: Instant, person: str) -> Account | None:
    """One person's account."""
    of = {"person": person, "at": at}
    found = row(db, f"SELECT name, email, enabled FROM person WHERE person = :person AND {AT}", of)
    if found is None:
        return None
    factors = rows(db, f"SELECT * FROM factor WHERE person = :person AND {AT} ORDER BY enrolled", of)
    return Account(
        person,
        found["name"] or "",
        found["email"] or "",
        bool(found["enabled"]),
        tuple(_factor(each) for each in factors),
        provider_of(db, person, at),
    )


def factor_by_reference(db: Snapshot, at: Instant, kind: FactorKind, reference: str) -> Factor | None:
    """The passkey with a credential id, or the SSH key with a fingerprint."""
    found = row(
        db,
        f"SELECT * FROM factor WHERE reference = :reference AND kind = :kind AND {AT}",
        {"reference": reference, "kind": kind.value, "at": at},
    )
    return _factor(found) if found else None


def key_holder(db: Snapshot, at: Instant, fingerprint: str) -> KeyHolder | None:
    """Who registered the SSH key with this fingerprint, or for which service account it was."""
    found = row(
        db,
        "SELECT f.factor, f.person, p.kind FROM factor f JOIN person p ON p.person = f.person "
        "WHERE f.reference = :reference AND f.kind = 'ssh_key' AND f.valid_from <= :at AND :at < f.valid_until "
        "AND p.valid_from <= :at AND :at < p.valid_until",
        {"reference": fingerprint, "at": at},
    )
    return KeyHolder(found["factor"], found["person"], PersonKind(found["kind"])) if found else None


def spent_codes(db: Snapshot, at: Instant, person: str) -> int:
    """How many of the person's recovery codes were used."""
    found = row(
        db,
        "SELECT count(*) FROM spent_recovery_code s JOIN factor f ON f.factor = s.factor "
        "WHERE f.person = :person AND f.valid_from <= :at AND :at < f.valid_until AND s.valid_from <= :at",
        {"person": person, "at": at},
    )
    return int(found[0]) if found else 0


def enrolment_person(db: Snapshot, at: Instant, token_digest: str) -> str | None:
    """Whose link this is, while it is good."""
    found = row(
        db,
        f"SELECT person FROM enrolment WHERE token_digest = :digest AND status = 'open' AND expires > :at AND {AT}",
        {"digest": token_digest, "at": at},
    )
    return found["person"] if found else None


def acting(
    db: Snapshot, at: Instant, token_digest: str, source: str, kind: SignInKind = SignInKind.CONSOLE
) -> tuple[Actor, ActorFacts] | None:
    """Who is behind the token of a session of this kind, with their rights; None where the token is dead."""
    found = row(
        db,
        f"SELECT session, person FROM sign_in WHERE token_digest = :digest AND kind = :kind AND expires > :at AND {AT}",
        {"digest": token_digest, "kind": kind.value, "at": at},
    )
    if found is None:
        return None
    actor = Actor(found["person"], found["session"], source)
    facts = actor_facts(db, actor, at)
    return (actor, facts) if present(facts, at) is None else None


def _factor(found: Row) -> Factor:
    return Factor(
        factor=found["factor"],
        person=found["person"],
        kind=FactorKind(found["kind"]),
        label=found["label"] or "",
        reference=found["reference"] or "",
        public=found["public"] or "",
        secret=found["secret"] or "",
        counter=found["counter"],
        enrolled=found["enrolled"],
        used=found["used"],
        privileged_from=found["privileged_from"],
        networks=tuple(json.loads(found["networks"] or "[]")),
    )


def anybody_signed_in(db: Snapshot, at: Instant) -> bool:
    """Whether the installation is in use: from the first sign-in on, nothing is founded any more."""
    return row(db, "SELECT 1 FROM entry WHERE kind = 'sign_in.opened' LIMIT 1") is not None
