"""Facts of items of a review that somebody wants to keep together: each as of the decision, and whether it is odd."""

from onepam.app.ports import Snapshot
from onepam.app.reviews.decide_item import ItemQuery, UsualQuery
from onepam.domain.reviews.deciding import Usual, UsualFacts
from onepam.kernel.clock import Instant
from onepam.store.db import row
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.review_advice import Circumstances
from onepam.store.facts.reviews import item, items_of


@loads(UsualQuery)
def usual(db: Snapshot, query: UsualQuery, at: Instant) -> UsualFacts:
    found = row(db, f"SELECT * FROM review WHERE review = :review AND {AT}", {"review": query.review, "at": at})
    items = {(each.person, each.role): each for each in items_of(db, found)} if found is not None else {}
    asked = Circumstances(db, at, items.values(), {person for person, _ in query.items})
    return UsualFacts(
        tuple(
            Usual(*key, item(db, ItemQuery(query.actor, query.review, *key), at), bool(asked.odd(items[key])))
            for key in dict.fromkeys(query.items)
            if key in items
        )
    )
