"""Facts of login tokens."""

from onepam.app.ports import Snapshot
from onepam.app.sessions.issue_token import IssueQuery
from onepam.domain.sessions.login_tokens import IssueFacts, TokenFacts
from onepam.kernel.clock import Instant
from onepam.store.db import row
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import access_facts, actor_facts


@loads(IssueQuery)
def issuing(db: Snapshot, query: IssueQuery, at: Instant) -> IssueFacts:
    person = query.actor.person
    found = row(
        db,
        f"SELECT count(*) FROM login_token WHERE person = :person AND expires > :at AND ends IS NULL AND {AT}",
        {"person": person, "at": at},
    )
    access = access_facts(db, person, query.resource, at)
    return IssueFacts(actor_facts(db, query.actor, at), access, found[0] if found else 0)


def token_facts(db: Snapshot, token: str | None, at: Instant) -> TokenFacts | None:
    """A token as it stands; None where there is none."""
    if token is None:
        return None
    found = row(db, f"SELECT * FROM login_token WHERE token = :token AND {AT}", {"token": token, "at": at})
    if found is None:
        return None
    live = row(
        db, f"SELECT count(*) FROM login_token_session WHERE token = :token AND {AT}", {"token": token, "at": at}
    )
    return TokenFacts(
        person=found["person"],
        resource=found["resource"],
        login=found["login"],
        sign_in=found["sign_in"],
        source=found["source"],
        expires=found["expires"],
        ends=found["ends"],
        live=live[0] if live else 0,
    )
