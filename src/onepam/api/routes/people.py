"""People: adding, disabling, enabling, the links by which they enrol, and the keys of service accounts."""

from typing import Annotated

from fastapi import Query
from pydantic import Field, StringConstraints

from onepam.api.errors import ApiError
from onepam.api.guard import AsOf, Services, Who, done, right
from onepam.api.models import Answer, Body, Done, Happened, Id, MaybeMoment, Moment, Name, Reason, told
from onepam.api.routes.route import Route
from onepam.api.services import ApiServices
from onepam.app.leaving.erase_person import propose_erasure
from onepam.app.people.add_person import add_person
from onepam.app.people.add_service_key import add_service_key
from onepam.app.people.change_person import change_person
from onepam.app.people.disable_person import disable_person
from onepam.app.people.enable_person import enable_person
from onepam.app.people.remove_service_key import remove_service_key
from onepam.app.signing_in.enrol import open_enrolment
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proof import MfaBasis
from onepam.domain.leaving.erasing import ErasureStatus
from onepam.domain.people.adding import Attributes, unknown_person
from onepam.domain.people.events import PersonKind
from onepam.domain.signing_in.service_keys import MAX_NETWORKS, ServiceKey
from onepam.identity.ssh_keys import MAX_LINE_CHARACTERS, parse_public_key
from onepam.identity.tokens import new_token, token_digest
from onepam.kernel.clock import Instant, parse
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.kernel.secret import Secret
from onepam.store.read import people as rows
from onepam.store.read.erasing import seen
from onepam.store.read.everybody import PeopleFilter, people
from onepam.store.read.paging import MOST, Window
from onepam.store.read.proofs_of_sign_in import account

ADMINISTER = right(ConsoleRight.ADMINISTER)


class LastSignIn(Answer):
    """A sign-in; `provider` is empty for ourselves."""

    opened: Moment
    basis: MfaBasis
    provider: str
    provider_name: str
    phishing_resistant: bool


class PersonOut(Answer):
    """A person; `invited` has neither a factor nor a sign-in yet, `live` counts open gateway sessions.

    `origin` is the way they came: `administrator`, `roster`, `scim:PROVIDER`, `claims:PROVIDER`. `last` is the newest
    sign-in, and why it counts as made with a second factor.
    """

    person: str
    kind: PersonKind
    name: str
    email: str | None
    enabled: bool
    invited: bool
    manager: str | None
    owner: str | None
    ends: MaybeMoment
    added: Moment
    roles: list[str]
    factors: list[str]
    last_sign_in: MaybeMoment
    last: LastSignIn | None
    live: int
    origin: str
    because: str
    providers: list[str]


class IdentityOut(Answer):
    """Whose account at a provider it is; `last` is the newest sign-in through that provider."""

    identity: str
    provider: str
    provider_name: str
    user_name: str
    since: Moment
    because: str
    last: MaybeMoment


class LeavingOut(Answer):
    """How the access ended: when the person left, when the news came, and when everything was ended."""

    removed: Moment
    origin: str
    because: str
    left_at: MaybeMoment
    notified: MaybeMoment


class ErasureOut(Answer):
    """What is known of the person is to go (`proposed`), goes (`approved`), or is gone (`finished`): `payloads` so far.
    The entries stay."""

    erasure: str
    status: ErasureStatus
    because: str
    proposed: Moment
    proposed_by: str
    approved: MaybeMoment
    approved_by: str
    payloads: int


class BindingOut(Answer):
    """A role that the person holds, through a group where `group` is not empty."""

    binding: str
    role: str
    group: str
    since: Moment
    ends: MaybeMoment
    source: str
    because: str


class PersonDetail(Answer):
    """A person with their identities, roles, and how their access ended if it did; `erasure` where what is known of
    them is to go."""

    person: PersonOut
    identities: list[IdentityOut]
    bindings: list[BindingOut]
    leaving: LeavingOut | None
    erasure: ErasureOut | None
    history: list[Happened]


class PersonChange(Body):
    """What is known of a person from now on: all of it. A vendor and a service account need an owner and an end."""

    name: Name
    email: Annotated[str, StringConstraints(max_length=320)] | None = None
    manager: Id | None = None
    owner: Id | None = None
    ends: Annotated[str, StringConstraints(max_length=40)] | None = None


class PersonIn(Body):
    """A new person or service account. A vendor needs `owner` (a sponsor) and `ends`, a service its owner and end."""

    name: Name
    email: Annotated[str, StringConstraints(max_length=320)] | None = None
    kind: Annotated[PersonKind, Field(strict=False)] = PersonKind.EMPLOYEE
    manager: Id | None = None
    owner: Id | None = None
    ends: Annotated[str, StringConstraints(max_length=40)] | None = None
    because: Name


class PersonMade(Answer):
    """The new person's id."""

    person: str


class Ended(Answer):
    """What ended with the person's access; `live` gateway sessions are being cut."""

    sign_ins: int
    grants: int
    requests: int
    enrolments: int
    live: int


class Link(Answer):
    """A one-use link, shown once. Without one, `enrolment` waits for a second administrator; or until `due`, when
    whoever asked approves it themselves, because nobody else could."""

    enrolment: str
    link: str | None
    expires: MaybeMoment
    due: MaybeMoment = None


class ErasureMade(Answer):
    """The erasure that waits for another administrator."""

    erasure: str


class ServiceKeyIn(Body):
    """A service account's public key, one line of OpenSSH, and the networks (CIDR) that it may come from."""

    public_key: Annotated[str, StringConstraints(max_length=MAX_LINE_CHARACTERS)]
    networks: Annotated[list[Annotated[str, StringConstraints(max_length=64)]], Field(max_length=MAX_NETWORKS)]


class ServiceKeyOut(Answer):
    """A service account's key in force. One that `waits` opens nothing privileged before another administrator
    registers the same key from the same networks."""

    factor: str
    label: str
    fingerprint: str
    networks: list[str]
    registered: Moment
    waits: bool


class ServiceKeyMade(Answer):
    """The registered key; `waits` as in the list of keys."""

    factor: str
    fingerprint: str
    waits: bool


async def list_people(
    services: Services,
    at: AsOf,
    search: Annotated[str, Query(max_length=100)] = "",
    role: Annotated[str, Query(max_length=100)] = "",
    after: Annotated[str, Query(max_length=64)] = "",
    most: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> list[PersonOut]:
    """People by name, those whose name, address or role has the words of `search`. The next page is that `after` the
    last one's id."""
    found = await services.reader(people, at, PeopleFilter(search=search, role=role), Window(after, most))
    return [PersonOut.model_validate(each) for each in found.rows]


async def read_person(person: Id, services: Services, at: AsOf) -> PersonDetail:
    """One person."""
    found = await services.reader(rows.person, at, person)
    if found is None:
        raise ApiError(unknown_person(person))
    return PersonDetail(
        person=PersonOut.model_validate(found.row),
        identities=[IdentityOut.model_validate(each) for each in found.identities],
        bindings=[BindingOut.model_validate(each) for each in found.bindings],
        leaving=LeavingOut.model_validate(found.leaving) if found.leaving else None,
        erasure=ErasureOut.model_validate(found.erasure) if found.erasure else None,
        history=await services.reader(told, at, found.history),
    )


async def change(person: Id, body: PersonChange, caller: Who, services: Services) -> Done:
    """Replace what is known of a person: name, address, manager, sponsor or owner, and end."""
    known = Attributes(body.name, body.email, body.manager, body.owner, _ends(body.ends))
    done(await change_person(services.ledger, caller.actor, person, known))
    return Done()


async def add(body: PersonIn, caller: Who, services: Services) -> PersonMade:
    """Add a person or a service account."""
    person = new_id("per", services.random)
    known = Attributes(body.name, body.email, body.manager, body.owner, _ends(body.ends))
    done(await add_person(services.ledger, caller.actor, person, body.kind, known, body.because))
    return PersonMade(person=person)


async def disable(person: Id, body: Reason, caller: Who, services: Services) -> Ended:
    """End all access of a person now: sessions of every kind, grants, certificates, links."""
    return Ended.model_validate(done(await disable_person(services.ledger, caller.actor, person, body.reason)))


async def enable(person: Id, body: Reason, caller: Who, services: Services) -> Done:
    """Let a disabled person sign in again."""
    done(await enable_person(services.ledger, caller.actor, person, body.reason))
    return Done()


async def erase(person: Id, body: Reason, caller: Who, services: Services) -> ErasureMade:
    """Propose to erase what is known of somebody who has left. Another administrator must agree; needs a fresh factor.
    The reason stays in the ledger."""
    made = new_id("ers", services.random)
    found = await services.reader(seen, None, person)
    done(await propose_erasure(services.ledger, caller.actor, made, person, body.reason, services.keep_days, found))
    return ErasureMade(erasure=made)


async def enrolment(person: Id, body: Reason, caller: Who, services: Services) -> Link:
    """A link by which the person sets a password and a second factor."""
    made, token = new_id("enr", services.random), new_token("enr", services.random)
    opened = done(
        await open_enrolment(
            services.ledger, caller.actor, person, made, token_digest(token).hex(), body.reason or "invited"
        )
    )
    if opened.expires is not None:
        return _link(services, made, token, opened.expires)
    return Link(enrolment=made, link=None, expires=None, due=opened.alone)


async def add_key(person: Id, body: ServiceKeyIn, caller: Who, services: Services) -> ServiceKeyMade:
    """Register the key by which a service account opens sessions, from these networks only. Needs a fresh factor."""
    key = done(parse_public_key(body.public_key))
    factor = new_id("fac", services.random)
    new = ServiceKey(factor, person, key.comment or key.algorithm, key.fingerprint, key.line, tuple(body.networks))
    waits = done(await add_service_key(services.ledger, caller.actor, new))
    return ServiceKeyMade(factor=factor, fingerprint=key.fingerprint, waits=waits)


async def keys(person: Id, services: Services, at: AsOf) -> list[ServiceKeyOut]:
    """The keys of a service account and the networks that they may come from."""
    found = await services.reader(rows.person, at, person)
    if found is None:
        raise ApiError(unknown_person(person))
    if found.row.kind is not PersonKind.SERVICE:
        return []
    known = await services.reader(account, at, person)
    return [
        ServiceKeyOut(
            factor=each.factor,
            label=each.label,
            fingerprint=each.reference,
            networks=list(each.networks),
            registered=each.enrolled,
            waits=each.privileged_from is not None,
        )
        for each in (known.factors if known else ())
    ]


async def remove_key(person: Id, factor: Id, caller: Who, services: Services) -> Done:
    """Remove a service account's key; the sessions that it opened end."""
    done(await remove_service_key(services.ledger, caller.actor, person, factor))
    return Done()


def _link(services: ApiServices, enrolment: str, token: Secret, expires: Instant) -> Link:
    address = f"{services.console_url}/enrol/{token.reveal().decode('ascii')}"
    return Link(enrolment=enrolment, link=address, expires=expires)


def _ends(text: str | None) -> Instant | None:
    try:
        return parse(text) if text is not None else None
    except ValueError:
        hint = "Such as 2026-12-31T18:00:00+01:00"
        raise ApiError(Refused("input.ends", "The end is not a time with a zone.", hint)) from None


ROUTES = (
    Route("GET", "/people", right(ConsoleRight.ADMINISTER, ConsoleRight.AUDIT), list_people),
    Route("POST", "/people", ADMINISTER, add, 201),
    Route("GET", "/people/{person}", right(ConsoleRight.ADMINISTER, ConsoleRight.AUDIT), read_person),
    Route("PUT", "/people/{person}", ADMINISTER, change),
    Route("POST", "/people/{person}/disable", ADMINISTER, disable),
    Route("POST", "/people/{person}/enable", ADMINISTER, enable),
    Route("POST", "/people/{person}/erasure", ADMINISTER, erase, 201),
    Route("POST", "/people/{person}/enrolment", ADMINISTER, enrolment, 201),
    Route("GET", "/people/{person}/keys", right(ConsoleRight.ADMINISTER, ConsoleRight.AUDIT), keys),
    Route("POST", "/people/{person}/keys", ADMINISTER, add_key, 201),
    Route("POST", "/people/{person}/keys/{factor}/remove", ADMINISTER, remove_key),
)
