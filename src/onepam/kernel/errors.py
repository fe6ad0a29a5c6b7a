"""Refusals are values that people read; faults are exceptions that operators read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refused:
    """A considered "no".

    `code` is stable and for programs (`request.self_approval`), `message` says what happened and why in one sentence,
    `hint` says what to do next (may name a console path such as `/access?resource=web-1`).
    """

    code: str
    message: str
    hint: str = ""

    def hint_at(self, console_url: str) -> str:
        """The hint for somebody who is not in the console: its path is an address there."""
        lead, colon, path = self.hint.rpartition(": ")
        return f"{lead}{colon}{console_url}{path}" if path.startswith("/") else self.hint


class Fault(Exception):
    """Something broke that was not the caller's doing. The docstring of a subclass is its meaning."""


class Unavailable(Fault):
    """A part we depend on did not answer in its bound; nothing was changed and trying again is safe."""


class Corrupt(Fault):
    """Stored data contradicts itself or its proof; named in the message, and never repaired silently."""
