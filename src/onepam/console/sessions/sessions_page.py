"""Sessions: what its templates are given."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from onepam.console.frame.page import Context, PageContext


@dataclass(frozen=True, slots=True)
class SessionsPage(PageContext):
    """Sessions, the live ones first.

    `filter`: {q (str), state ("" | "live" | "closed" | "refused" | "gap"), days (int)}
    `sessions`: list of {id, state, person {id, name} or none, resource (name), login, database (at its start, or ""),
        entry ("ssh" …), source, started, ended (Instant or none), recording (wording.recording_state),
        checked (Instant or none), partial (bool: by policy), counts (str: "2 shells or commands, 3 file records"),
        because (str: ended why)}
    `pager`: of parts/ui.html
    `counted`: how many sessions and refusals the list has, in words
    """

    template: ClassVar = "sessions.html"

    filter: Context
    sessions: list[Context]
    pager: Context
    counted: str


@dataclass(frozen=True, slots=True)
class SessionPage(PageContext):
    """One session: player, timeline, proof.

    `session`: {id, state, person {id, name}, resource {id, name, kind, labels}, login, entry, source, client,
        began_in (the database at its start, or ""), made_user (the user made for it, and its role; both "" for none),
        started, ended (or none), last_byte (or none: nobody saw it),
        probe ({state, word, at} or none: after it was cut), ends (Instant: at the latest), because (str: ended
        why, ""), factor (str: why it counts), resistant (bool), factor_age (microseconds at the opening; none for a
        machine), approval {by, by_id, at, request} or
        none, recording (wording.recording_state), found (str: what is wrong with it, or ""), checked (Instant or
        none: last held against the ledger), read_now (bool: this page has read all of it against the ledger's head),
        gap (str), bytes (int: recorded; of a database, of rows), database (bool: statements, no terminal), host_key
        (str), live_kill {sessions, people} or none}
    `counts`: list of [count, word]: "2 shells or commands"; empty while it is live and not shown to the
        reader
    `events`: list of {at (microseconds from the start), kind ("channel" | "command" | "file" | "resize" | "gap" |
        "end"), title, detail}
    `statements`: of a database's session {lines (list of {at, time (Instant), statement (number), has_text, text, cut,
        values (list of str), state, outcome, words, transaction, rows (int or none), size (bytes), lasted (str)}),
        outcomes (list of (value, word)), filter {q, outcome}, pager}; none for others, and where none can be read
    `recording`: path of the asciicast v3, or "" when there is nothing to play
    `unplayable`: why the reader may not see it, or ""
    `inspection`: {drawn (list of words: why, empty where it was not), state, word, due (Instant or none), said: list of
        {by, verdict, concern, note, at}, may (bool: the reader may say what they saw)}; none while it runs
    `frame`: path of the player's frame
    `watching`: who watches it live now, list of {id, name}; empty where the reader may not see its contents
    """

    template: ClassVar = "session.html"

    session: Context
    counts: list[Any]
    events: list[Context]
    statements: Context | None
    recording: str
    unplayable: str
    frame: str
    may_kill: bool
    may_export: bool
    inspection: Context | None
    chain: list[Context]
    proof: Context
    watching: list[Context] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PlayerFramePage(PageContext):
    """The player's frame: served with rendering.PLAYER_CSP and nothing of the reader in it."""

    template: ClassVar = "player_frame.html"
