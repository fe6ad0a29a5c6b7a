"""`onepam ledger verify`: on the machine of the ledger, or any with a copy of it, without the running platform."""

import contextlib
import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.progress import Progress

from onepam.boot.clock import wall_clock
from onepam.boot.on_ledger import existing, kept_key
from onepam.domain.sessions.recordings import Checked
from onepam.jobs.eras import Seam, origin_of, place, place_unnamed, roots_of, seams
from onepam.jobs.outside import (
    AnotherKey,
    NotOutside,
    anchor_of,
    beside,
    from_checkpoint,
    from_signer,
    from_witness,
    written_down,
)
from onepam.jobs.recordings_standing import recordings_read, recordings_standing
from onepam.jobs.verification import Verdict, damaged, unread, unreadable, verify_entries, verify_state
from onepam.kernel.errors import Corrupt, Unavailable
from onepam.ledger.check import Anchor
from onepam.ledger.findings import What
from onepam.ledger.lawful.judging import Lawful, cannot
from onepam.ledger.lawful.rows import of_rows
from onepam.ledger.note import VerifierKey
from onepam.ledger.verdict import ExitCode, History, Recordings, Word, exit_code, history
from onepam.signing.signer import SignerClient
from onepam.store.engine.database import DatabaseError, connect

Outside = tuple[list[str], list[Path], tuple[int, str] | None, Path | None]
"""Where anchors come from: witnesses (URL or file), files of checkpoints, a head that was written down, a signer."""

MOST_TOLD = 10
"""Findings that are told without `--verbose`."""


class Judged(typer.Exit):
    """How a verification ended: the code of `ExitCode`, whether the history is `anchored` and intact, and those
    findings by which it is `altered`. That it ends before an anchor is none of them: then it is a copy `too_old`."""

    def __init__(self, code: int, findings: list[str], *, anchored: bool) -> None:
        super().__init__(code)
        self.anchored = anchored
        self.altered = [each for each in findings if not each.startswith(f"{What.ROLLED_BACK}: ")]
        self.too_old = len(self.altered) < len(findings)


@dataclass
class _Given:
    """What the command line gave: the log's key, the witnesses', the anchors, and what was wrong with what is here."""

    key: VerifierKey
    logs: list[VerifierKey]
    key_given: bool
    witnesses: list[VerifierKey]
    seams: list[Seam]
    anchors: list[Anchor] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    def take(self, found: Anchor | str | None) -> None:
        """An anchor, or what does not fit; None is of what is said to be lost."""
        if isinstance(found, str):
            self.findings.append(found)
        elif found is not None:
            self.anchors.append(found)


def verify_ledger(
    data: Path,
    log_keys: list[str],
    witness_keys: list[str],
    outside: Outside,
    *,
    state: bool,
    recordings: bool,
    as_json: bool,
    verbose: bool = False,
) -> NoReturn:
    """Says what is found, and ends the program with the code for it (`Judged`)."""
    witnesses = outside[0]
    existing(data)
    try:
        logs = [VerifierKey.parse(each) for each in log_keys or (_own_key(data),)]
        found, readable = damaged(data / "ledger.db")
        if not readable:
            _end_damaged(found, logs, bool(log_keys), as_json=as_json, verbose=verbose)
        with closing(connect(data / "ledger.db", read_only=True)) as db:
            origin, known = origin_of(db), seams(db)
        key = next((each for each in logs if each.name == origin), logs[0])
        given = _Given(key, logs, bool(log_keys), [VerifierKey.parse(each) for each in witness_keys], known)
        if witnesses and not given.witnesses:
            raise typer.BadParameter("give the witness's key too", param_hint="--witness-key")
        _gather(given, data, outside)
    except DatabaseError as error:
        _end_damaged([*found, unread("entries", error)], logs, bool(log_keys), as_json=as_json, verbose=verbose)
    except OSError as error:
        raise typer.BadParameter(f"{error.filename} cannot be read: {error.strerror}") from None
    except (ValueError, Corrupt) as error:
        raise typer.BadParameter(str(error)) from None
    with Progress(console=Console(stderr=True), transient=True, disable=as_json) as bars:
        keys = [key, *(each for each in given.logs if each != key), *given.witnesses]
        verdict = verify_entries(
            data / "ledger.db", data / "log", key.name, keys, given.anchors, progress=_bar(bars, "entries")
        )
        findings = [*found, *given.findings, *verdict.findings]
        if given.witnesses and not verdict.witnessed and not witnesses:
            findings.append("checkpoint: no witness of the given keys has cosigned it")
        if state:
            findings += _state(data, _bar(bars, "state tables"), broken=bool(findings))
        try:
            standing, bad = _recordings(data, recordings, _bar(bars, "recordings"))
        except (Corrupt, Unavailable) as error:
            if not findings:
                raise
            findings.append(f"recordings: not judged, for the database is damaged: {error}")
            standing, bad = Recordings(0), []
    lost = [each.words() for each in verdict.seams]
    answer = history(verdict.size, verdict.head_at, len(findings), verdict.held, lost)
    lawful = verdict.lawful or of_rows().end()  # of no entry, where none could be read
    told = exit_code(answer, lawful.found, standing)
    judged = Judged(told, findings, anchored=answer.word is Word.INTACT)
    tell = _tell_json if as_json else _tell
    findings += [f"recording {each.session}: {each.condition.value}: {each.found}" for each in bad]
    tell(_Answer(given, verdict, answer, lawful, standing, findings, state, told), verbose=verbose)
    raise judged


def _end_damaged(
    findings: list[str], logs: list[VerifierKey], given: bool, *, as_json: bool, verbose: bool
) -> NoReturn:
    """The database is not one whose entries can be asked: that is the finding, and nothing else was judged."""
    nothing, verdict = Recordings(0), unreadable(findings)
    answer = history(0, verdict.head_at, len(findings), ())
    tell = _tell_json if as_json else _tell
    tell(
        _Answer(
            _Given(logs[0], logs, given, [], []),
            verdict,
            answer,
            of_rows().end(),
            nothing,
            findings,
            False,
            ExitCode.BROKEN,
        ),
        verbose=verbose,
    )
    raise Judged(ExitCode.BROKEN, findings, anchored=False)


def _state(data: Path, told: Callable[[int, int], None], *, broken: bool) -> list[str]:
    """What the state tables differ in. Raises `Unavailable`, unless the ledger is `broken` already: a row of the
    release that is gone makes its database look like another build's."""
    try:
        return verify_state(data / "ledger.db", told)
    except Unavailable as error:
        if not broken:
            raise
        return [f"state: not judged, for the database is damaged: {error}"]


def _recordings(data: Path, read: bool, told: Callable[[int, int], None]) -> tuple[Recordings, list[Checked]]:
    """What reading every recording says now, or what the gateway's own checks have said."""
    if read:
        return recordings_read(data, wall_clock, told)
    return recordings_standing(data / "ledger.db", wall_clock)


def _gather(given: _Given, data: Path, outside: Outside) -> None:
    """The anchors that were given, and what the signer beside the database remembers. Raises `ValueError`."""
    witnesses, checkpoints, head, signer = outside
    origin, root_of = given.key.name, roots_of(data / "ledger.db")
    given.anchors += [from_witness(each, data, given.witnesses, origin) for each in witnesses]
    for file in checkpoints:
        try:
            found = from_checkpoint(file, data, [*given.logs, *given.witnesses])
        except AnotherKey as error:
            if given.key_given:
                raise
            given.findings.append(f"log-key: not the key that lies with the database, {given.key.encode()}: {error}")
            continue
        placed: Anchor | str | None = anchor_of(found, str(file))
        if found.checkpoint.origin != origin:
            placed = place(anchor_of(found, str(file)), found.checkpoint.origin, given.seams, root_of)
        given.take(placed)
    if head is not None:
        given.take(place_unnamed(written_down(*head), given.seams, root_of))
    if signer is not None:
        if not given.key_given:
            raise NotOutside("a signer anchors by its key: give it from elsewhere, with --log-key")
        given.anchors += [anchor] if (anchor := from_signer(signer, data, given.key, wall_clock)) else []
    given.take(beside(data / "signer", origin))


def _own_key(data: Path) -> str:
    """The key that the running signer answers for; without one, the key must be given."""
    try:
        return SignerClient(data / "signer" / "socket").vkey().encode()
    except Unavailable:
        with contextlib.suppress(FileNotFoundError):
            return kept_key(data)
        raise typer.BadParameter("the signer does not run; give its key", param_hint="--log-key") from None


def _bar(bars: Progress, name: str) -> Callable[[int, int], None]:
    task = bars.add_task(name, total=None)
    return lambda done, of: bars.update(task, completed=done, total=of)


@dataclass(frozen=True, slots=True)
class _Answer:
    """All that is told: the three lines, what was found, and with which code the program ends."""

    given: _Given
    verdict: Verdict
    history: History
    lawful: Lawful
    recordings: Recordings
    findings: list[str]
    state: bool
    code: ExitCode


def _tell(answer: _Answer, *, verbose: bool) -> None:
    """The three lines first; what was found, and the rest; and, where they have scrolled away by then, once more."""
    verdict, lines = answer.verdict, _three_lines(answer)
    found = [f"FOUND  {each}" for each in answer.findings]
    found += [f"UNLAWFUL  {each.words()}" for each in answer.lawful.findings]
    _say(*lines, "")
    _say(*(found if verbose else found[:MOST_TOLD]))
    if len(found) > MOST_TOLD and not verbose:
        _say(f"and {len(found) - MOST_TOLD} more: --verbose lists all")
    if found:
        _say("")
    _say(f"root {verdict.root}" if verdict.root else "no root: the entries that are left make no tree")
    _say(_published(verdict))
    if verdict.unjudged:
        _say(f"who wrote {verdict.unjudged} entries was not judged: the key of their log is not known; --log-key")
    if not answer.state:
        _say("the state tables were not compared")
    if not answer.given.key_given:
        _say("the key that lies with the database was taken; give --log-key to check who signed")
    if not any(each.outside for each in answer.given.anchors):
        _say("give an anchor from outside: --witness, --checkpoint, --at-least or --signer")
    _say(f"lawful does not judge {'; '.join(cannot())}" if verbose else "what no rule of lawful judges: --verbose")
    if found or verbose:
        _say("", *lines)


def _three_lines(answer: _Answer) -> tuple[str, str, str]:
    return (
        f"history     {answer.history.line()}",
        f"lawful      {answer.lawful.line()}",
        f"recordings  {answer.recordings.line()}",
    )


def _say(*lines: str) -> None:
    for each in lines:
        typer.echo(each)


def _tell_json(answer: _Answer, *, verbose: bool) -> None:
    """All of it, `verbose` or not."""
    verdict, recordings, lawful = answer.verdict, answer.recordings, answer.lawful
    told: dict[str, Any] = {
        "exit": int(answer.code),
        "history": {"word": answer.history.word.value, "reason": answer.history.reason},
        "lawful": {
            "findings": [asdict(each) for each in lawful.findings],
            "found": lawful.found,
            "entries": lawful.entries,
            "rule_set": lawful.rule_set,
            "not_judged": cannot(),
        },
        "recordings": {
            "total": recordings.total,
            "checked": recordings.checked,
            "as_of": recordings.as_of,
            "disposed": recordings.disposed,
            "missing": recordings.missing,
            "cut": recordings.cut,
            "altered": recordings.altered,
            "foreign": recordings.foreign,
            "unopened": recordings.unopened,
        },
        "seams": [asdict(each) for each in verdict.seams],
        "entries": verdict.size,
        "root": verdict.root or None,
        "signed": verdict.signed,
        "witnessed": verdict.witnessed if verdict.signed is not None else None,
        "anchors": [
            {"holder": each.anchor.holder, "size": each.anchor.size, "outside": each.anchor.outside}
            for each in verdict.held
        ],
        "authors_not_judged": verdict.unjudged,
        "log_key_given": answer.given.key_given,
        "state_compared": answer.state,
        "findings": answer.findings,
    }
    typer.echo(json.dumps(told, indent=2))


def _published(verdict: Verdict) -> str:
    """What the checkpoint beside the database says of the entries; nothing where they do not give it."""
    if verdict.signed is None:
        return "the entries do not give the root of the checkpoint that is published here"
    witnessed = f"{verdict.witnessed} entries are witnessed" if verdict.witnessed else "no independent witness"
    return f"{verdict.signed} of {verdict.size} entries are under the checkpoint that is published here; {witnessed}"
