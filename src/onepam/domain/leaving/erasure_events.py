"""Erasing somebody's personal data as events: what one administrator proposed, another agreed to, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass

from onepam.domain.history.event import event


@event(
    "erasure.proposed",
    klass="person",
    alarm=True,
    control="LOG-04 CHG-01",
    words="{by} proposed to erase the personal data of {person}: {because}",
)
@dataclass(frozen=True, slots=True)
class ErasureProposed:
    """The personal data of somebody who has left shall go, if another administrator agrees. `because` outlives them: it
    names nobody. `keep_days` is for how long after they left the configuration keeps them in any case (days).
    `documents` are the entries of lists and files about many that name them: their payloads go whole, and no others.
    `counts`: how many payloads of each kind spoke of them as it was proposed, for whoever is asked to agree."""

    erasure: str
    person: str
    by: str
    because: str
    keep_days: int
    documents: tuple[int, ...]
    counts: Mapping[str, int]


@event(
    "erasure.approved",
    klass="person",
    control="LOG-04 CHG-01",
    words="{by} agreed to erase the personal data of {person}, as {proposed_by} proposed: {because}",
)
@dataclass(frozen=True, slots=True)
class ErasureApproved:
    """From now on the payloads go, in as many entries (`payload.erased`) as it takes. The account never comes back."""

    erasure: str
    person: str
    because: str
    proposed_by: str
    by: str


@event(
    "erasure.ended",
    klass="person",
    control="LOG-04",
    words="{by} ended the proposal to erase the personal data of {person}: {because}",
)
@dataclass(frozen=True, slots=True)
class ErasureEnded:
    """The proposal is void, and nothing was erased. `because` is the code of what made it so; `by` is None for time."""

    erasure: str
    person: str
    because: str
    by: str | None


@event(
    "erasure.finished",
    klass="person",
    alarm=True,
    control="LOG-04",
    words="The personal data of {person} are erased, in {payloads} entries",
)
@dataclass(frozen=True, slots=True)
class ErasureFinished:
    """Nothing is left to erase; `payloads` are gone in all."""

    erasure: str
    person: str
    payloads: int
