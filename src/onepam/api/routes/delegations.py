"""Delegations: who decides for whom on requests."""

from typing import Annotated

from pydantic import StringConstraints

from onepam.api.errors import ApiError
from onepam.api.guard import SIGNED_IN, AsOf, Services, Who, done
from onepam.api.models import Answer, Body, Done, Id, Moment, Name, Text
from onepam.api.routes.requests import OVERSEERS
from onepam.api.routes.route import Route
from onepam.app.requests import delegate as cases
from onepam.domain.requests.delegating import NOBODY
from onepam.kernel.clock import Instant, parse
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.store.read.concerned import meant
from onepam.store.read.delegations import delegations


class DelegationOut(Answer):
    """`to` decides on requests for `person` from `begins` until `ends`."""

    delegation: str
    person: str
    person_name: str
    to: str
    to_name: str
    begins: Moment
    ends: Moment
    reason: str | None


class DelegateIn(Body):
    """Whom: an id, an address or a whole name. `begins` null: from now on."""

    to: Name
    begins: Annotated[str, StringConstraints(max_length=40)] | None = None
    ends: Annotated[str, StringConstraints(max_length=40)]
    reason: Text = ""


class Delegated(Answer):
    """The delegation that was made."""

    delegation: str
    begins: Moment
    ends: Moment


async def list_delegations(caller: Who, services: Services, at: AsOf, everybody: bool = False) -> list[DelegationOut]:
    """Those of mine that are not over, given and taken; everybody's for administrators and auditors."""
    if everybody and not caller.may(*OVERSEERS):
        raise ApiError(Refused("right.missing", "You see your own delegations only.", "onepam delegate"))
    found = await services.reader(delegations, at, None if everybody else caller.actor.person)
    return [DelegationOut.model_validate(each) for each in found]


async def delegate(body: DelegateIn, caller: Who, services: Services) -> Delegated:
    """Somebody else who approves decides for me, while I am away."""
    people = await services.reader(meant, None, body.to)
    if len(people) != 1:
        raise ApiError(NOBODY)
    begins = Instant(0) if body.begins is None else _time("begins", body.begins)
    made = await cases.delegate(
        services.ledger,
        caller.actor,
        new_id("dlg", services.random),
        people[0],
        begins,
        _time("ends", body.ends),
        body.reason,
    )
    return Delegated.model_validate(done(made))


async def end(delegation: Id, caller: Who, services: Services) -> Done:
    """End one that I gave, or that I was given."""
    done(await cases.end_delegation(services.ledger, caller.actor, delegation))
    return Done()


def _time(name: str, text: str) -> Instant:
    try:
        return parse(text)
    except ValueError:
        refused = Refused(f"input.{name}", f"{name} is not a time with a zone.", "Such as 2026-03-03T14:00:00Z")
        raise ApiError(refused, 400) from None


ROUTES = (
    Route("GET", "/delegations", SIGNED_IN, list_delegations),
    Route("POST", "/delegations", SIGNED_IN, delegate, 201),
    Route("POST", "/delegations/{delegation}/end", SIGNED_IN, end),
)
