"""Reviews of access, what was decided in them, and what is withheld after them."""

from onepam.domain.access.review_schedule import ReviewsSet
from onepam.domain.reviews import events
from onepam.store.db import Db
from onepam.store.engine.projections import Place, projects, state
from onepam.store.engine.tables import StateTable

REVIEW = state(
    StateTable(
        "review",
        ("review",),
        {
            "review": "TEXT NOT NULL",
            "period": "TEXT NOT NULL",
            "scope": "TEXT NOT NULL",
            "items": "INTEGER NOT NULL",
            "digest": "TEXT NOT NULL",
            "opened": "INTEGER NOT NULL",
            "closes": "INTEGER NOT NULL",
            "suspends": "TEXT NOT NULL",
            "fallback": "TEXT",
            "opened_by": "TEXT",
            "closed": "INTEGER",
            "kept": "INTEGER",
            "removed": "INTEGER",
            "unanswered": "INTEGER",
            "beyond": "INTEGER NOT NULL",
        },
        (("opened",),),
    )
)
DECISION = state(
    StateTable(
        "review_decision",
        ("review", "person", "role"),
        {
            "review": "TEXT NOT NULL",
            "person": "TEXT NOT NULL",
            "role": "TEXT NOT NULL",
            "verdict": "TEXT NOT NULL",
            "decided": "INTEGER NOT NULL",
            "decider": "TEXT NOT NULL",
            "answers": "TEXT NOT NULL",
            "note": "TEXT",
        },
        (("person",), ("role",)),
        personal=("note",),
    )
)
PASSED = state(
    StateTable(
        "review_passed",
        ("review", "person", "role"),
        {
            "review": "TEXT NOT NULL",
            "person": "TEXT NOT NULL",
            "role": "TEXT NOT NULL",
            "passed_to": "TEXT NOT NULL",
            "because": "TEXT NOT NULL",
            "passed_by": "TEXT NOT NULL",
            "note": "TEXT",
        },
        (("person",), ("passed_to",)),
        personal=("note",),
    )
)
REMINDED = state(
    StateTable(
        "review_reminded",
        ("review", "person"),
        {
            "review": "TEXT NOT NULL",
            "person": "TEXT NOT NULL",
            "stage": "TEXT NOT NULL",
            "waiting": "INTEGER NOT NULL",
            "reminded": "INTEGER NOT NULL",
        },
    )
)
WITHHELD = state(
    StateTable(
        "role_withheld",
        ("person", "role"),
        {
            "person": "TEXT NOT NULL",
            "role": "TEXT NOT NULL",
            "review": "TEXT NOT NULL",
            "because": "TEXT NOT NULL",
            "withheld": "INTEGER NOT NULL",
            "withheld_by": "TEXT",
        },
        (("review",), ("withheld",)),
    )
)

REDUCED = state(
    StateTable(
        "role_reduced",
        ("person", "role"),
        {
            "person": "TEXT NOT NULL",
            "role": "TEXT NOT NULL",
            "review": "TEXT NOT NULL",
            "until": "INTEGER NOT NULL",
            "reduced": "INTEGER NOT NULL",
            "reduced_by": "TEXT NOT NULL",
        },
        (("review",), ("until",)),
    )
)
SIGNED = state(
    StateTable(
        "review_signed",
        ("review",),
        {
            "review": "TEXT NOT NULL",
            "signed": "INTEGER NOT NULL",
            "signer": "TEXT NOT NULL",
            "kept": "INTEGER NOT NULL",
            "removed": "INTEGER NOT NULL",
            "unanswered": "INTEGER NOT NULL",
            "not_remediated": "INTEGER NOT NULL",
            "rubber_stamps": "TEXT NOT NULL",
            "note": "TEXT",
            "idx": "INTEGER NOT NULL",
        },
        (("idx",),),
        naming=("note",),
    )
)
SCHEDULE = state(
    StateTable(
        "review_schedule",
        ("schedule",),
        {
            "schedule": "TEXT NOT NULL",
            "every": "TEXT NOT NULL",
            "lasts": "INTEGER NOT NULL",
            "suspends": "TEXT NOT NULL",
            "fallback": "TEXT",
            "holidays": "TEXT NOT NULL",
            "triggers": "TEXT NOT NULL",
            "change": "TEXT NOT NULL",
        },
    )
)


@projects(ReviewsSet)
def reviews_set(db: Db, place: Place, event: ReviewsSet) -> None:
    SCHEDULE.put(
        db,
        place.time,
        schedule="reviews",
        every=event.every,
        lasts=event.lasts,
        suspends=event.suspends,
        fallback=event.fallback,
        holidays=event.holidays,
        triggers=event.on,
        change=event.change,
    )


@projects(events.ReviewOpened)
def review_opened(db: Db, place: Place, event: events.ReviewOpened) -> None:
    REVIEW.put(
        db,
        place.time,
        review=event.review,
        period=event.period,
        scope=event.scope,
        items=event.items,
        digest=event.digest,
        opened=place.time,
        closes=event.closes,
        suspends=event.suspends,
        fallback=event.fallback,
        opened_by=event.by,
        beyond=event.beyond,
    )


@projects(events.ReviewDecided)
def review_decided(db: Db, place: Place, event: events.ReviewDecided) -> None:
    DECISION.put(
        db,
        place.time,
        review=event.review,
        person=event.person,
        role=event.role,
        verdict=event.verdict,
        decided=place.time,
        decider=event.by,
        answers=event.answers,
        note=event.note,
    )
    REDUCED.end(db, place.time, person=event.person, role=event.role)


@projects(events.RoleReduced)
def role_reduced(db: Db, place: Place, event: events.RoleReduced) -> None:
    REDUCED.put(
        db,
        place.time,
        person=event.person,
        role=event.role,
        review=event.review,
        until=event.until,
        reduced=place.time,
        reduced_by=event.by,
    )


@projects(events.ReviewPassed)
def review_passed(db: Db, place: Place, event: events.ReviewPassed) -> None:
    PASSED.put(
        db,
        place.time,
        review=event.review,
        person=event.person,
        role=event.role,
        passed_to=event.to,
        because=event.because,
        passed_by=event.by,
        note=event.note,
    )


@projects(events.ReviewReminded)
def review_reminded(db: Db, place: Place, event: events.ReviewReminded) -> None:
    if event.stage is events.Stage.ESCALATED:  # of what waits for somebody else
        return
    REMINDED.put(
        db,
        place.time,
        review=event.review,
        person=event.person,
        stage=event.stage,
        waiting=event.waiting,
        reminded=place.time,
    )


@projects(events.ReviewClosed)
def review_closed(db: Db, place: Place, event: events.ReviewClosed) -> None:
    REVIEW.change(
        db,
        place.time,
        {"review": event.review},
        closed=place.time,
        kept=event.kept,
        removed=event.removed,
        unanswered=event.unanswered,
    )


@projects(events.RoleWithheld)
def role_withheld(db: Db, place: Place, event: events.RoleWithheld) -> None:
    WITHHELD.put(
        db,
        place.time,
        person=event.person,
        role=event.role,
        review=event.review,
        because=event.because,
        withheld=place.time,
        withheld_by=event.by,
    )
    REDUCED.end(db, place.time, person=event.person, role=event.role)


@projects(events.RoleReturned)
def role_returned(db: Db, place: Place, event: events.RoleReturned) -> None:
    WITHHELD.end(db, place.time, person=event.person, role=event.role)


@projects(events.ReviewSignedOff)
def review_signed_off(db: Db, place: Place, event: events.ReviewSignedOff) -> None:
    SIGNED.put(
        db,
        place.time,
        review=event.review,
        signed=place.time,
        signer=event.by,
        kept=event.kept,
        removed=event.removed,
        unanswered=event.unanswered,
        not_remediated=event.not_remediated,
        rubber_stamps=event.rubber_stamps,
        note=event.note,
        idx=place.index,
    )
