"""Factors, enrolment links, sign-in sessions, certificates and lock-outs."""

import json

from onepam.domain.signing_in import events
from onepam.domain.signing_in.gate import LOCKED, Device
from onepam.kernel.clock import FOREVER
from onepam.store.db import Db
from onepam.store.engine.projections import Place, nothing, projects, state
from onepam.store.engine.tables import StateTable

FACTOR = state(
    StateTable(
        "factor",
        ("factor",),
        {
            "factor": "TEXT NOT NULL",
            "person": "TEXT NOT NULL",
            "kind": "TEXT NOT NULL",
            "policy": "TEXT NOT NULL",
            "label": "TEXT",
            "reference": "TEXT",
            "public": "TEXT",
            "secret": "TEXT",
            "networks": "TEXT",
            "enrolled": "INTEGER NOT NULL",
            "privileged_from": "INTEGER",
            "added_by": "TEXT",
            "counter": "INTEGER NOT NULL",
            "used": "INTEGER",
        },
        (("person", "kind", "valid_until", "valid_from"), ("reference",)),
        personal=("label", "reference", "public", "secret", "networks"),
    )
)
SPENT = state(
    StateTable(
        "spent_recovery_code",
        ("factor", "counter"),
        {"factor": "TEXT NOT NULL", "counter": "INTEGER NOT NULL"},
    )
)
ANSWERED = state(
    StateTable(
        "answered_challenge",
        ("person", "challenge"),
        {"person": "TEXT NOT NULL", "challenge": "TEXT NOT NULL"},
    )
)
"""The challenges of passkeys, and the messages of providers in mid-session, that have served."""

ENROLMENT = state(
    StateTable(
        "enrolment",
        ("enrolment",),
        {
            "enrolment": "TEXT NOT NULL",
            "person": "TEXT NOT NULL",
            "expires": "INTEGER NOT NULL",
            "because": "TEXT NOT NULL",
            "status": "TEXT NOT NULL",
            "proposed_by": "TEXT",
            "opened_by": "TEXT",
            "alone": "INTEGER",
            "token_digest": "TEXT",
        },
        (("token_digest",), ("person",), ("proposed_by",), ("opened_by",), ("status",)),
        personal=("token_digest",),
    )
)
HAND = state(
    StateTable(
        "hand",
        ("maker", "person"),
        {"maker": "TEXT NOT NULL", "person": "TEXT NOT NULL", "since": "INTEGER NOT NULL"},
        (("person",), ("since", "person")),
    )
)
"""Who made the link by which a person enrolled, and when they did."""

SIGN_IN = state(
    StateTable(
        "sign_in",
        ("session",),
        {
            "session": "TEXT NOT NULL",
            "person": "TEXT NOT NULL",
            "kind": "TEXT NOT NULL",
            "proven": "TEXT NOT NULL",
            "mfa_at": "INTEGER NOT NULL",
            "opened": "INTEGER NOT NULL",
            "expires": "INTEGER NOT NULL",
            "parent": "TEXT",
            "token_digest": "TEXT",
            "source": "TEXT",
            "agent": "TEXT",
            "basis": "TEXT NOT NULL",
            "provider": "TEXT NOT NULL",
            "methods": "TEXT NOT NULL",
            "phishing_resistant": "INTEGER NOT NULL",
            "provider_session": "TEXT",
            "name_id": "TEXT",
        },
        (
            ("token_digest",),
            ("person", "opened", "valid_from", "basis"),
            ("parent",),
            ("provider_session",),
            ("provider", "opened"),
        ),
        personal=("token_digest", "source", "agent", "provider_session", "name_id"),
    )
)
LOCKOUT = state(
    StateTable(
        "lockout",
        ("person", "device"),
        {
            "person": "TEXT NOT NULL",
            "device": "TEXT NOT NULL",
            "failures": "INTEGER NOT NULL",
            "locked_until": "INTEGER",
            "tried": "INTEGER NOT NULL",
        },
    )
)

REFUSED_MESSAGE = state(
    StateTable(
        "refused_message",
        ("provider",),
        {
            "provider": "TEXT NOT NULL",
            "person": "TEXT NOT NULL",
            "code": "TEXT NOT NULL",
            "refused": "INTEGER NOT NULL",
        },
    )
)
"""The last message of each provider that was about somebody known, and refused."""

DEVICE = state(
    StateTable(
        "device_sign_in",
        ("session",),
        {"session": "TEXT NOT NULL", "person": "TEXT NOT NULL", "parent": "TEXT", "expires": "INTEGER"},
    )
)
"""How terminals without a browser were answered; without `parent` and `expires`: refused."""

CERTIFICATE = state(
    StateTable(
        "certificate",
        ("session", "serial"),
        {
            "session": "TEXT NOT NULL",
            "serial": "INTEGER NOT NULL",
            "person": "TEXT NOT NULL",
            "issued": "INTEGER NOT NULL",
            "expires": "INTEGER NOT NULL",
            "fingerprint": "TEXT NOT NULL",
        },
        (("person",),),
    )
)


nothing(events.EnrolmentUndecided)


@projects(events.CertificateIssued)
def certificate_issued(db: Db, place: Place, event: events.CertificateIssued) -> None:
    CERTIFICATE.put(
        db,
        place.time,
        session=event.session,
        serial=event.serial,
        person=event.person,
        issued=place.time,
        expires=event.expires,
        fingerprint=event.fingerprint,
    )


@projects(events.EnrolmentProposed)
def enrolment_proposed(db: Db, place: Place, event: events.EnrolmentProposed) -> None:
    ENROLMENT.put(
        db,
        place.time,
        enrolment=event.enrolment,
        person=event.person,
        expires=place.time,
        because=event.because,
        status="proposed",
        proposed_by=event.by,
    )


@projects(events.EnrolmentAnnounced)
def enrolment_announced(db: Db, place: Place, event: events.EnrolmentAnnounced) -> None:
    ENROLMENT.put(
        db,
        place.time,
        enrolment=event.enrolment,
        person=event.person,
        expires=place.time,
        because=event.because,
        status="proposed",
        proposed_by=event.by,
        alone=event.due,
    )


@projects(events.EnrolmentOpened)
def enrolment_opened(db: Db, place: Place, event: events.EnrolmentOpened) -> None:
    ENROLMENT.put(
        db,
        place.time,
        enrolment=event.enrolment,
        person=event.person,
        expires=event.expires,
        because=event.because,
        status="open",
        proposed_by=event.proposed_by,
        opened_by=event.by,
        token_digest=event.token_digest,
    )


@projects(events.EnrolmentUsed)
def enrolment_used(db: Db, place: Place, event: events.EnrolmentUsed) -> None:
    ENROLMENT.end(db, place.time, enrolment=event.enrolment)
    for maker in event.makers:
        HAND.put(db, place.time, maker=maker, person=event.person, since=place.time)


@projects(events.EnrolmentEnded)
def enrolment_ended(db: Db, place: Place, event: events.EnrolmentEnded) -> None:
    ENROLMENT.end(db, place.time, enrolment=event.enrolment)


@projects(events.FactorEnrolled)
def factor_enrolled(db: Db, place: Place, event: events.FactorEnrolled) -> None:
    FACTOR.put(
        db,
        place.time,
        factor=event.factor,
        person=event.person,
        kind=event.kind,
        policy=event.policy,
        label=event.label,
        reference=event.reference,
        public=event.public,
        secret=event.secret,
        networks=event.networks,
        enrolled=place.time,
        privileged_from=event.privileged_from,
        added_by=event.by,
        counter=0,
    )
    if event.challenge:
        ANSWERED.put(db, place.time, person=event.person, challenge=event.challenge)


@projects(events.FactorRemoved)
def factor_removed(db: Db, place: Place, event: events.FactorRemoved) -> None:
    FACTOR.end(db, place.time, factor=event.factor)


@projects(events.FactorUsed)
def factor_used(db: Db, place: Place, event: events.FactorUsed) -> None:
    FACTOR.change(db, place.time, {"factor": event.factor}, counter=event.counter, used=place.time)
    recovers = f"SELECT 1 FROM factor WHERE factor = ? AND valid_until = {FOREVER} AND kind = 'recovery'"
    if db.execute(recovers, (event.factor,)).fetchone():
        SPENT.put(db, place.time, factor=event.factor, counter=event.counter)
    if event.challenge:
        ANSWERED.put(db, place.time, person=event.person, challenge=event.challenge)


@projects(events.SignInFailed)
def sign_in_failed(db: Db, place: Place, event: events.SignInFailed) -> None:
    if event.at_factor is not events.FactorKind.PROVIDER:
        LOCKOUT.put(
            db,
            place.time,
            person=event.person,
            device=event.device,
            failures=event.failures,
            locked_until=event.locked_until,
            tried=event.code == LOCKED,
        )
    if event.provider:
        REFUSED_MESSAGE.put(
            db, place.time, provider=event.provider, person=event.person, code=event.code, refused=place.time
        )


@projects(events.SignedIn)
def signed_in(db: Db, place: Place, event: events.SignedIn) -> None:
    SIGN_IN.put(
        db,
        place.time,
        session=event.session,
        person=event.person,
        kind=event.kind,
        proven=event.proven,
        mfa_at=event.mfa_at,
        opened=place.time,
        expires=event.expires,
        parent=event.parent,
        token_digest=event.token_digest,
        source=event.source,
        agent=event.agent,
        basis=event.basis,
        provider=event.provider,
        methods=event.methods,
        phishing_resistant=event.phishing_resistant,
        provider_session=event.provider_session,
        name_id=event.name_id,
    )
    _forget_failures(db, place, event.person)


def _forget_failures(db: Db, place: Place, person: str) -> None:
    for device in Device:
        LOCKOUT.end(db, place.time, person=person, device=device.value)


@projects(events.SteppedUp)
def stepped_up(db: Db, place: Place, event: events.SteppedUp) -> None:
    _forget_failures(db, place, event.person)
    if event.message:
        ANSWERED.put(db, place.time, person=event.person, challenge=event.message)
    proven = db.execute(
        f"SELECT proven FROM sign_in WHERE session = ? AND valid_until = {FOREVER}", (event.session,)
    ).fetchone()
    if proven is not None:
        SIGN_IN.change(
            db,
            place.time,
            {"session": event.session},
            mfa_at=event.mfa_at,
            proven=tuple(dict.fromkeys((*json.loads(proven[0]), event.factor.value))),
            basis=event.basis,
            phishing_resistant=event.phishing_resistant,
        )


@projects(events.DeviceAllowed)
def device_allowed(db: Db, place: Place, event: events.DeviceAllowed) -> None:
    DEVICE.put(
        db,
        place.time,
        session=event.session,
        person=event.person,
        parent=event.parent,
        expires=event.expires,
    )


@projects(events.DeviceRefused)
def device_refused(db: Db, place: Place, event: events.DeviceRefused) -> None:
    DEVICE.put(db, place.time, session=event.session, person=event.by)


@projects(events.SignedOut)
def signed_out(db: Db, place: Place, event: events.SignedOut) -> None:
    SIGN_IN.end(db, place.time, session=event.session)
