"""Facts of a review's sign-off: what it came to, and who had a part in it."""

from onepam.app.ports import Snapshot
from onepam.app.reviews.sign_off import SigningQuery
from onepam.domain.reviews.events import Withheld
from onepam.domain.reviews.signing_off import SigningFacts
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import actor_facts
from onepam.store.facts.reduced import reduced_of
from onepam.store.facts.reviews import decisions_of, review_of, withheld_of


@loads(SigningQuery)
def signing(db: Snapshot, query: SigningQuery, at: Instant) -> SigningFacts:
    of = {"review": query.review, "at": at}
    found = row(db, f"SELECT * FROM review WHERE review = :review AND {AT}", of)
    return SigningFacts(
        actor=actor_facts(db, query.actor, at),
        review=review_of(found) if found is not None else None,
        items=found["items"] if found is not None else 0,
        decisions=decisions_of(db, query.review, at),
        withheld=withheld_of(db, query.review, at),
        signed=row(db, f"SELECT 1 FROM review_signed WHERE review = :review AND {AT}", of) is not None,
        took_part=took_part(db, query.review, at),
        lost=lost_in_silence(db, query.review, query.actor.person, at),
        reduced=reduced_of(db, at, query.review),
    )


def took_part(db: Snapshot, review: str, at: Instant) -> frozenset[str]:
    """Who decided anything in a review, also what somebody decided otherwise later."""
    found = rows(
        db, "SELECT DISTINCT decider FROM review_decision WHERE review = :review AND valid_from <= :at",
        {"review": review, "at": at},
    )  # fmt: skip
    return frozenset(each["decider"] for each in found)


def lost_in_silence(db: Snapshot, review: str, person: str, at: Instant) -> bool:
    """Whether a review withholds something from somebody because nobody answered."""
    of = {"review": review, "person": person, "at": at}
    lost = f"SELECT 1 FROM role_withheld WHERE review = :review AND because = '{Withheld.SILENCE}' AND person = :person"
    return row(db, f"{lost} AND {AT}", of) is not None
