"""The verdict on a pack: everything is read and held together, and what cannot be proved is said."""

from __future__ import annotations

import os
import stat
from typing import List, Tuple

from onepam.evidence.verifier.anchors import Anchor, check_authors, hold_anchors
from onepam.evidence.verifier.answer import Answer
from onepam.evidence.verifier.archive import MAX_TOTAL
from onepam.evidence.verifier.batches import OWN_DRAW, Draw, check_batches
from onepam.evidence.verifier.beside import Beside
from onepam.evidence.verifier.canonical import iso
from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.judging import judge_reports
from onepam.evidence.verifier.lacking import find_lacking
from onepam.evidence.verifier.lawful import judge_entries, say_lawful
from onepam.evidence.verifier.refusal import Unfinished, Usage, cause, counted, need
from onepam.evidence.verifier.seams import find_seams


def verify(
    path: str,
    log_keys: List[str],
    witness_keys: List[str],
    anchors: Tuple[Anchor, ...] = (),
    draw: Draw = OWN_DRAW,
) -> Answer:
    """What the pack at `path` proves. Raises `Refused` where it does not prove what it claims, `Usage` where keys,
    anchors or the file cannot be read or do not fit, `Unfinished` where the disk fails. `draw`: which signatures of
    batches are checked."""
    pack, answer = Contents(_read(path), tuple(anchor.size for anchor in anchors)), Answer()
    log = pack.log
    pack.disclose()
    with Beside(log.end - log.first, lambda: judge_entries(pack)) as judged:
        pack.disclosed.read_newest()
        seams = find_seams(pack)
        answer.not_proved += [seam.words() for seam in seams]
        reports = judge_reports(pack, answer)
        find_lacking(pack, reports, answer)
        keys = check_authors(pack, log_keys, witness_keys, answer)
        hold_anchors(pack, seams, anchors, keys, answer)
        check_batches(pack, seams, keys, draw, answer)
    say_lawful(pack, judged.found, answer)
    first = f"entries {log.first} to {log.end - 1} of {pack.checkpoint.origin}"
    answer.entries = "; ".join([first, answer.signatures, *(seam.words() for seam in seams)])
    answer.about[:0] = [
        f"log {pack.manifest['origin']}, system {' '.join(pack.manifest['system'].values())}",
        f"period {iso(pack.begin)} to {iso(pack.until)}",
        *([] if answer.about else ["no reports"]),
    ]
    _say_of_the_log(pack, answer)
    if not answer.anchors:
        answer.unanchored = _no_anchor(pack)
    return answer


def _read(path: str) -> bytes:
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            raise Usage(f"{path} is {'a folder' if stat.S_ISDIR(mode) else 'no file'}: give the pack, a zip file")
        file = open(path, "rb")  # noqa: SIM115
    except (OSError, ValueError) as error:
        raise Usage(f"the pack {path} cannot be read: {cause(error)}") from None
    with file:
        size = os.fstat(file.fileno()).st_size
        need(size <= MAX_TOTAL, "the pack is larger than the bound")
        try:
            return file.read(size)  # a Python of 32 bits cannot even ask for more than the bound
        except OSError as error:
            raise Unfinished(f"the pack cannot be read to its end: {cause(error)}") from None


def _say_of_the_log(pack: Contents, answer: Answer) -> None:
    log = pack.log
    bodies, payloads, erased = pack.disclosed.counts()
    answer.proved[:0] = [
        f"entries {log.first} to {log.end - 1} are whole in the log: none missing, doubled, reordered or changed",
        *(f"class {name}: {counted(after - first, 'entry', 'entries')}, numbers {first} to {after - 1} without a gap"
          for name, (first, after) in sorted(log.counters.items())),
        f"in the log: {counted(bodies, 'disclosed entry', 'disclosed entries')}, {counted(payloads, 'payload')}",
        f"gone, each by an entry that says so: {counted(erased, 'payload')}",
    ]  # fmt: skip
    answer.not_proved += [
        "that everything that happened was logged: what is proved is that the log is whole",
        "the envelopes (who drew a report, when, by which query): the exporter's words; compare them with the system",
    ]
    if log.times[-1] < pack.until:
        newest = iso(log.times[-1])
        answer.not_proved.append(f"anything after {newest}, the newest entry; the period ends {iso(pack.until)}")
    if not _is_running(pack.files["verify.py"]):
        answer.not_proved.append("the pack's verify.py: it is not the program you are running; do not run it")


def _is_running(program: bytes) -> bool:
    try:
        with open(__file__, "rb") as file:
            return file.read() == program
    except OSError:
        return False


def _no_anchor(pack: Contents) -> str:
    """What to give where nothing from outside says that the history was not rewritten."""
    cosigned = [name for name, raw in pack.checkpoint.note.signatures if len(raw) != 68]  # a plain signature has 4 + 64
    if cosigned or pack.manifest["witnesses"]:
        named = (cosigned or [str(pack.manifest["witnesses"][0]).split("+")[0]])[0]
        return f"the pack names the witness {named}: give --witness-key"
    return "no anchor from outside: give --checkpoint or --at-least with what was kept elsewhere"
