"""Knocks at the doors of a company, and its founding on a writer: what the benchmarks measure on."""

import random
from collections.abc import Iterator

from onepam.app.open_session import Knock
from onepam.app.sessions.close_session import NoFacts
from onepam.boot.demo.company import (
    TEAMS,
    Command,
    carried_out,
    is_production,
    own_role,
    person_id,
    resource_id,
    sign_in_id,
)
from onepam.domain.sessions.events import EntryPoint
from onepam.kernel.ids import new_id
from onepam.store.engine.writer import Writer

PATIENCE = 600.0
"""Seconds for one of these commands: on a machine that is busy otherwise, thousands of events take their time."""


def settle(writer: Writer, commands: Iterator[Command]) -> int:
    """Appends the commands; how many events there were."""
    return sum(writer.commit(NoFacts(), carried_out(command), PATIENCE).result for command in commands)


def knocks(people: int, resources: int, seed: int = 1) -> Iterator[Knock]:
    """Random people, for ever, at targets that their roles reach."""
    chance = random.Random(seed)
    while True:
        number = chance.randrange(people)
        target = chance.randrange(resources // len(TEAMS)) * len(TEAMS) + TEAMS.index(own_role(number))
        if is_production(target):
            continue
        yield Knock(
            session=new_id("ses", chance.randbytes),
            entry=EntryPoint.SSH_CERTIFICATE,
            person=person_id(number),
            target=resource_id(target),
            login="deploy",
            node="gateway-1",
            source="192.0.2.17",
            client="SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3",
            sign_in=sign_in_id(number),
        )
