"""How values look outside: times as RFC 3339 in UTC, durations in seconds, nothing that was not asked for."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainSerializer, StringConstraints, WithJsonSchema

from onepam.app.ports import Snapshot
from onepam.kernel.clock import FOREVER, SECOND, Instant, iso
from onepam.kernel.limits import MAX_NAME_CHARACTERS, MAX_TEXT_CHARACTERS
from onepam.store.read import moments as history
from onepam.store.read.names import Called

_DATE_TIME = {"type": "string", "format": "date-time"}


def _moment(at: int | None) -> str | None:
    return None if at is None or at >= FOREVER else iso(Instant(at))


Moment = Annotated[int, PlainSerializer(_moment), WithJsonSchema(_DATE_TIME)]
"""An instant."""

MaybeMoment = Annotated[int | None, PlainSerializer(_moment), WithJsonSchema({"anyOf": [_DATE_TIME, {"type": "null"}]})]
"""An instant, or null for what has not happened or has no end."""

Seconds = Annotated[int, PlainSerializer(lambda span: span // SECOND), WithJsonSchema({"type": "integer"})]
"""A duration."""

Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME_CHARACTERS)]
Text = Annotated[str, StringConstraints(max_length=4 * MAX_TEXT_CHARACTERS)]
"""Free text; the rules of `kernel.text` are applied to it, so that its refusals are worded."""

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Answer(BaseModel):
    """What the API gives; built from the rows of `store.read`."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Body(BaseModel):
    """What the API takes: exactly these fields, of exactly these types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Reason(Body):
    """Somebody's words."""

    reason: Text = ""


class Done(Answer):
    """It is so now, and in the ledger."""

    done: bool = True


class Chain(Answer):
    """Why an access was possible; each link is an id, empty where there is none."""

    role: str
    role_version: str
    permission: str
    binding: str
    group: str
    request: str
    approval_by: str
    grant: str


class Happened(Answer):
    """An entry of the ledger about the object."""

    index: int
    time: Moment
    kind: str
    by: str | None = None
    words: str


def told(db: Snapshot, at: Instant, moments: Iterable[history.Moment]) -> list[Happened]:
    """The entries behind an object, in words; people and providers by their names."""
    called = Called(db, at)
    return [
        Happened(
            index=each.index,
            time=each.time,
            kind=each.kind,
            by=getattr(each.event, "by", None),
            words=history.told(each.event, called),
        )
        for each in moments
    ]
