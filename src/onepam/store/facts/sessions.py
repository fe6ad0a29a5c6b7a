"""Facts of a knock at the door."""

import json

from onepam.app.open_session import ConfirmationFacts, KnockFacts, KnockQuery
from onepam.domain.event import decoder
from onepam.domain.sessions import MfaProof
from onepam.kernel.clock import Instant
from onepam.store.database import Db, row
from onepam.store.facts.holdings import access_facts
from onepam.store.facts.registry import loads
from onepam.store.tables import AT

_mfa = decoder(MfaProof)


@loads(KnockQuery)
def knock(db: Db, query: KnockQuery, at: Instant) -> KnockFacts:
    return KnockFacts(
        access=access_facts(db, query.person, query.target, at),
        sign_in=_sign_in(db, query, at),
        confirmation=_confirmation(db, query, at),
    )


def _sign_in(db: Db, query: KnockQuery, at: Instant) -> MfaProof | None:
    if query.sign_in is None:
        return None
    found = row(
        db,
        f"SELECT proven, mfa_at FROM sign_in WHERE session = :session AND person = :person AND {AT} AND expires > :at",  # noqa: S608
        {"session": query.sign_in, "person": query.person, "at": at},
    )
    return MfaProof(query.sign_in, tuple(json.loads(found["proven"])), found["mfa_at"]) if found else None


def _confirmation(db: Db, query: KnockQuery, at: Instant) -> ConfirmationFacts | None:
    if query.confirmation is None:
        return None
    found = row(
        db,
        f"SELECT * FROM confirmation WHERE confirmation = :confirmation AND {AT}",  # noqa: S608
        {"confirmation": query.confirmation, "at": at},
    )
    if found is None:
        return None
    return ConfirmationFacts(
        person=found["person"],
        resource=found["resource"],
        login=found["login"],
        expires=found["expires"],
        status=found["status"],
        mfa=_mfa(json.loads(found["mfa"])) if found["mfa"] else None,
    )
