"""The launcher: what its templates are given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext


@dataclass(frozen=True, slots=True)
class HomePage(PageContext):
    """Home: what the reader's hats ask, one below the other, and the launcher.

    `waits`: none, or {total, first (list of {id, title, by, at})}: for whoever decides
    `runs`: the reader administers; `lights`: list of {word, state, says, at (Instant or none), href (or none)}
    `wall`: none, or of `health.wall`: for whoever watches; `reading`: none, or of `reading.read_room`: for auditors
    `launcher`: whether what follows is shown: not to those who reach nothing and have something else to do here
    `query`: what was searched
    `open`: list of {resource {id, name, kind, labels}, login, ends (Instant, FOREVER when standing), ready (bool: what
        it is known by is pinned), pin (what that is, in words), command (str, "" where the gateway does not listen for
        its clients), more (list of [word, command]), token (bool: its clients ask for a
        login token), chain}
    `requestable`: list of {resource {id, name, kind, labels}, options (list of {value, login, role, longest,
        opens (str)}), approvers (str), approvals (how many say yes), ticket_required (bool), ticket (its pattern, or
        ""), ahead and weekly (how far ahead, and for how long within weekly hours; 0: not at all), pending (request id
        or none)}
    `beyond`: how many more may be requested than are listed
    `open_beyond`: how many more are open
    `requests`: list of {id, resource (name), login, status (or "over"), at, ends (Instant or none), waiting_for
        (str), when (its schedule in words, or ""), withheld (bool: a review withholds its role)}
    `sessions`: list of {id, resource (name), login, started, ended (Instant or none), state}
    `terminals`: list of {id, target (name), login, source (address), ends}: terminals that wait for this person's
        confirmation
    `alerts`: list of {text, href, state ("finding" | "due")}: what reviews took from the reader, and what
        administrators must see
    `setup`: none, or {done, steps (list of {title, text, done, href})}: an administrator's checklist while not
        finished
    """

    template: ClassVar = "home.html"

    query: str
    open: list[Context]
    requestable: list[Context]
    beyond: int
    open_beyond: int
    requests: list[Context]
    sessions: list[Context]
    terminals: list[Context]
    waits: Context | None
    runs: bool
    lights: list[Context]
    wall: Context | None
    reading: Context | None
    launcher: bool
    alerts: list[Context]
    setup: Context | None
