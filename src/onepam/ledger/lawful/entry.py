"""An entry as the rules see it, and what they say of one that had no right to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

from onepam.kernel.instant import Instant


class Entry(NamedTuple):
    """Where an entry stands, and its body as it is stored."""

    position: int
    time: Instant
    kind: str
    body: Mapping[str, Any]


class Authority(Enum):
    """By whose authority an entry may come about. The values are for people."""

    PERSON = "a person, signed in"
    HOST = "a command on the host, before the first sign-in"
    RECOVERY = "recover-access"
    DIRECTORY = "a SCIM token in force"
    ROSTER = "the staff roster"
    PROVIDER = "an identity provider in force"
    STREAM = "a signal stream in force"
    FACTOR = "a factor that was shown, or a link that was used"
    AGREED = "what two administrators agreed to"
    CAUSE = "another entry of the same command"
    TIME = "time, as an earlier entry set it"
    DOOR = "the door, over proofs"
    NODE = "a process of the installation"
    STRANGER = "whoever tried: nothing is gained by it"


class Unjudged(Enum):
    """What the history does not hold, or only in payloads: no rule judges it, so that "yes" does not say it."""

    PROOF = "codes, keys, tokens, links and secrets, which the gateway verified"
    TRIES = "counters of wrong tries"
    NETWORK = "the network that somebody came from"
    MESSAGE = "what a provider, a transmitter, a directory or the roster said"
    GAIN = "who would gain by a change of the roles that waits (it is asked when it is applied)"
    ADDRESS = "the addresses of targets, and those by which people are found"
    LIMIT = "how many may wait, or be there, at a time"
    BRAKE = "whether a directory's brake had to hold what it ended"
    TARGET = "whether the target showed the pinned key"
    CUT = "whether a running session was cut when the access ended that it rests on"
    CONTENT = "what stands in a file of the roles that two people saw: whether what was changed by it is that"
    TAKEN = "who could have decided until whoever decided alone took that from them"
    REASON = "why something ended by itself"
    ZONE = "by which offset from UTC the clocks of a time zone go"
    CLASS = "of which class a statement is, as the gateway read it"
    TESTS = "what a test of a control found, beyond that its verdict is that of its numbers"
    HOST = "the recovery key, and who has a shell on the host"
    LOSS = "what is lost"
    SPOKE = "whether lists and files that were erased named that person, and whether all that spoke of them went"
    KEPT = (
        "how long the configuration keeps what is known of a leaver, and whether the roster or a file still named them"
    )


@dataclass(frozen=True)
class Unlawful:
    """An entry that used a right which the history did not give: which entry, what right, and why not, for people."""

    position: int
    kind: str
    right: str
    why: str

    def words(self) -> str:
        """One line."""
        return f"entry {self.position} ({self.kind}): {self.right}: {self.why}"
