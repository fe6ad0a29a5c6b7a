"""Leavers: what they held as their access ended, and when the last of it did, by the entries of sign-ins and sessions.

What was held rests on entries of any age: in a range that does not begin with the log's first entry, and where one of
these entries is not disclosed, the columns are the exporter's words.
"""

from __future__ import annotations

from typing import Dict, List, Optional

from onepam.evidence.verifier.answer import Answer
from onepam.evidence.verifier.canonical import MAX_INTEGER, iso
from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.refusal import Refused, counted
from onepam.evidence.verifier.report import Report, Row
from onepam.evidence.verifier.rules import BY_RULE, CLOSED, HOLDING, LEFT, OPENED, SIGNED_IN, SIGNED_OUT, SSH, SYSTEMS
from onepam.kernel.instant import DAY


class Way:
    """A way in that ran, a sign-in or a session: whose, until when at the latest (us since 1970), by which entry it
    ended, and of a session the last byte as that entry says it."""

    __slots__ = ("closing", "expires", "last_byte", "person", "system")

    def __init__(self, person: str, system: str, expires: int) -> None:
        self.person, self.system, self.expires = person, system, expires
        self.closing: Optional[int] = None
        self.last_byte: Optional[int] = None


class Leaving:
    """What each head of the report held then; `judged` is false where the pack does not tell all of it."""

    def __init__(self, pack: Contents, report: Report, heads: List[int]) -> None:
        self._log, self._body, self._report = pack.log, pack.disclosed.body, report
        self._held: Dict[int, List[Way]] = {head: [] for head in heads}
        told = pack.log.all_of((*HOLDING, LEFT), 0, MAX_INTEGER + 1) if heads else []
        self._hidden = sum(index not in pack.disclosed for index in told)
        self.judged = pack.log.first == 0 and not self._hidden
        if self.judged:
            self._fold(told)

    def _fold(self, told: List[int]) -> None:
        every: Dict[str, List[Way]] = {}
        running: Dict[str, Dict[str, Way]] = {}
        for index in told:
            kind, body = self._log.kind(index), self._body(index)
            who = str(body.get("person"))
            what = f"{kind.partition('.')[0]} {body.get('session')}"
            if kind == LEFT:
                if index in self._held:
                    mine, now = running.get(who, {}).values(), self._log.time(index)
                    self._held[index] = [each for each in mine if each.expires > now]
            elif kind in (SIGNED_IN, *OPENED):
                signed_in, expires = kind == SIGNED_IN, body.get("expires")
                until = expires if signed_in and type(expires) is int else MAX_INTEGER
                way = Way(who, str(body.get("kind")) if signed_in else SSH, until)
                every.setdefault(what, []).append(way)
                running.setdefault(who, {})[what] = way
            else:
                last = body.get("last_byte") if kind == CLOSED else None
                for way in every.pop(what, ()) if kind == SIGNED_OUT else every.get(what, ()):
                    way.closing, way.last_byte = index, last if type(last) is int else None
                    running[way.person].pop(what, None)

    def _ended(self, way: Way) -> int:
        """When it ended; `MAX_INTEGER` where it runs still at the range's newest entry."""
        closed = MAX_INTEGER if way.closing is None else self._log.time(way.closing)
        if way.system == SSH:
            return closed if way.last_byte is None else way.last_byte
        ended = min(closed, way.expires)
        return ended if ended <= self._log.times[-1] else MAX_INTEGER

    def ends(self, head: int) -> List[int]:
        """The entries that ended it: of each system the last one, and that of the session whose bytes ended last."""
        found: List[int] = []
        for system in SYSTEMS:
            closed = [(self._ended(each), each.closing) for each in self._held[head]
                      if each.system == system and each.closing is not None]  # fmt: skip
            found += [max(each for _, each in closed)] if closed else []
            found += [max(closed)[1]] if closed and system == SSH else []
        return found

    def check(self, row: Row) -> None:
        """One row."""
        for column, text in self._words(row.ledger[0]).items():
            if row.cells[self._report.columns[column]] != text:
                raise Refused(f"{row.where}: {column} is not what follows from the entries, {text!r}")

    def _words(self, head: int) -> Dict[str, str]:
        removed, body, words, ends = self._log.time(head), self._body(head), {}, []
        for system, name in SYSTEMS.items():
            mine = [each for each in self._held[head] if each.system == system]
            ended = max([removed, *map(self._ended, mine)])
            ends.append(ended)
            unseen = any(self._ended(each) == ended and self._is_unseen(each) for each in mine)
            words[f"{name}_held"], words[f"{name}_removed"] = str(len(mine)), iso(removed)
            words[f"{name}_ended"] = ("unknown, before " if unseen else "") + _stamp(ended)
        sessions = [each.closing for each in self._held[head] if each.system == SSH]
        closed = [self._log.time(closing) for closing in sessions if closing is not None]
        words["recordings_verified"] = iso(max(closed)) if sessions and len(closed) == len(sessions) else ""
        news = [at for at in (body.get("left_at"), body.get("notified")) if type(at) is int]
        span = max(ends) - min([removed, *news])
        runs = max(ends) >= MAX_INTEGER
        words["milliseconds"] = "" if runs else str(span // 1000)
        words["within_24_hours"] = "no" if runs or span > DAY else "yes"
        return words

    def _is_unseen(self, way: Way) -> bool:
        closed = way.closing is not None and self._log.kind(way.closing) == CLOSED
        return way.system == SSH and closed and way.last_byte is None

    def finish(self, answer: Answer) -> None:
        """After the last row: which columns are not held against anything, and why."""
        if self.judged:
            return
        self._report.words = BY_RULE[self._report.name]
        if self._hidden:
            entries = f"{counted(self._hidden, 'entry', 'entries')} of sign-ins and sessions"
            answer.lack(f"The pack withholds {entries}: what leavers held, and when it ended, is its maker's word")


def _stamp(at: int) -> str:
    return iso(at) if at < MAX_INTEGER else "runs still"
