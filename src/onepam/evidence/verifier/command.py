"""Verify a OnePAM evidence pack. One file, Python 3.9 or newer, standard library only. It shares no code with OnePAM
but the rules of what is lawful, which are one text in both.

    python3 -I verify.py pack.zip --log-key KEY... [--witness-key KEY]... [--checkpoint FILE]... [--at-least SIZE ROOT]
                         [--all-signatures | --draw SEED] [--verbose | --json]

KEY is a verifier key (name+id+base64) or a file that holds one; of a log that goes on after a loss, the key of before,
too. Get it outside the pack: what stands inside the pack speaks for itself only. An anchor says from outside that the
history was not rewritten: a witness that cosigned, a checkpoint or the size and root of one that was kept elsewhere.

Of the signatures of batches (which node wrote what) a share is checked. It is drawn by a seed that is taken anew each
time, so that nobody knows it who makes a pack; the verdict names it, and --draw SEED draws the same again. Take no seed
that came with the pack. --all-signatures checks all, about a thousand a second.

Exit 0: anchored and intact, and all was judged that a pack has. 7: anchored and nothing wrong, but something is
lacking, left out or was not judged. 6: not broken, but a right was used that the history did not give. 5: not broken,
but the pack says of a recording that it is missing, cut or altered. 3: consistent but not anchored, or the author was
not checked. 2: nothing was judged: the arguments are wrong, name no pack, or this Python is too old. 4: nothing was
judged, or the answer could not be written: memory, disk or output failed. 1: anything else, any error in the pack
included. Where several apply: 1, 6, 5, 3, 7. docs/format.md describes the format.

The verdict is the first line and the last. --verbose lists what is proved and what is not, --json has it always.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from onepam.evidence.verifier.anchors import anchors_from_outside
from onepam.evidence.verifier.answer import Answer
from onepam.evidence.verifier.batches import draw_of
from onepam.evidence.verifier.refusal import Refused, Spoiled, Unfinished, Usage, counted, show
from onepam.evidence.verifier.verdict import verify

INTACT, BROKEN, USAGE, UNANCHORED, FAULT, RECORDINGS, UNLAWFUL, INCOMPLETE = 0, 1, 2, 3, 4, 5, 6, 7
"""Exit codes; docs/evidence.md has the table."""


class _Arguments(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise Usage(f"usage: {message}")


def _arguments() -> argparse.ArgumentParser:
    parser = _Arguments(prog="verify.py", description="Verify a OnePAM evidence pack.", allow_abbrev=False)
    parser.add_argument("pack", help="the pack, a zip file")
    parser.add_argument("--log-key", action="append", default=[], help="the log's verifier key or a file with it, "
                        "obtained outside the pack; may be repeated")  # fmt: skip
    parser.add_argument("--witness-key", action="append", default=[], help="the same for a witness; may be repeated")
    parser.add_argument("--checkpoint", action="append", default=[], help="a signed checkpoint that was kept elsewhere")
    parser.add_argument("--at-least", nargs=2, metavar=("SIZE", "ROOT"), help="a tree head that was written down")
    parser.add_argument("--all-signatures", action="store_true", help="check the signatures of all batches")
    parser.add_argument("--draw", metavar="SEED", help="draw the signatures to check as another verdict did")
    parser.add_argument("--verbose", action="store_true", help="list what the pack is, what is proved and what is not")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


class Outcome(NamedTuple):
    """What is printed, and the exit code. `told` is the verdict without what the pack lacks, which has a list."""

    code: int
    verdict: str
    history: str
    answer: Answer
    told: str


def main(arguments: Optional[List[str]] = None) -> int:
    """Runs the command line and returns the exit code (see the head of this file)."""
    arguments = sys.argv[1:] if arguments is None else arguments
    outcome = _run(arguments)
    try:
        if sys.stdout is None:
            raise OSError("there is no standard output")
        if "--json" in arguments:
            _print_json(outcome)
        else:
            _print(outcome, "--verbose" in arguments)
    except (OSError, ValueError) as error:
        return _unwritten(error)
    return outcome.code


def _unwritten(error: Exception) -> int:
    """The answer could not be told: says so where it still can, and gives up what is left of it."""
    try:
        sys.stderr.write(f"NOT FINISHED: the answer could not be written: {show(error)}\n")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python tries again as it ends
    except (OSError, ValueError, AttributeError):
        pass
    return FAULT


def _run(arguments: List[str]) -> Outcome:
    try:
        options = _arguments().parse_args(arguments)
        anchors = anchors_from_outside(options.checkpoint, options.at_least)
        draw = draw_of(options.all_signatures, options.draw)
        return _outcome(verify(options.pack, options.log_key, options.witness_key, tuple(anchors), draw))
    except Usage as error:
        return _not_judged(USAGE, f"NOT JUDGED: {error}", "not judged")
    except (Unfinished, MemoryError, KeyboardInterrupt) as error:
        said = {MemoryError: "not enough memory for this pack", KeyboardInterrupt: "it was stopped"}.get(
            type(error), str(error)
        )
        return _not_judged(FAULT, f"NOT JUDGED: {said}", f"not judged: {said}")
    except Spoiled as error:
        return _not_judged(BROKEN, f"REFUSED: {error}", "not judged: the pack is not as it was drawn")
    except Refused as error:
        said = str(error)
    except Exception as error:  # fail closed, whatever it was
        said = f"{type(error).__name__}: {error}"
    return _not_judged(BROKEN, f"REFUSED: {said}", f"broken: {said}")


def _not_judged(code: int, verdict: str, history: str) -> Outcome:
    nothing = Answer()
    nothing.recordings = "not judged"
    return Outcome(code, verdict, history, nothing, verdict)


def _outcome(answer: Answer) -> Outcome:
    lacking = "; ".join([*answer.doubts, *filter(None, [answer.unanchored])])
    code, verdict = INTACT, "VERIFIED"
    if not answer.whole:
        code, verdict = INCOMPLETE, "NOT ALL WAS JUDGED; nothing wrong was found in the rest"
    history = f"anchored and intact: {answer.entries}, by {' and by '.join(answer.anchors)}"
    if lacking:
        code, verdict = UNANCHORED, f"CONSISTENT IN ITSELF, NOT ANCHORED: {lacking}"
        history = f"consistent but not anchored: {answer.entries}; {lacking}"
    if answer.bad:
        code = RECORDINGS
        verdict += f"; {counted(answer.bad, 'recording')} not as sealed: see the line recordings"
    if answer.found:
        code = UNLAWFUL
        verdict += f"; NOT LAWFUL: {answer.lawful}"
    if answer.unchecked:
        others = counted(answer.unchecked, "batch", "batches")
        verdict += f"; the signatures of {others} were not checked: --all-signatures checks them"
    return Outcome(code, ". ".join([*answer.lacks, verdict]), history, answer, verdict)


def _lines(outcome: Outcome) -> Dict[str, str]:
    answer = outcome.answer
    return {"history": outcome.history, "lawful": answer.lawful, "recordings": answer.recordings}


def _print_json(outcome: Outcome) -> None:
    answer = outcome.answer
    lists: Tuple[Tuple[str, List[str]], ...] = (
        ("lacks", answer.lacks), ("about", answer.about), ("proved", answer.proved),
        ("not_proved", answer.not_proved), ("unlawful", answer.unlawful))  # fmt: skip
    result: Dict[str, Any] = {"exit": outcome.code, "verdict": show(outcome.verdict)}
    result.update((name, [show(text) for text in texts]) for name, texts in lists)
    result.update((name, show(text)) for name, text in _lines(outcome).items())
    print(json.dumps(result, indent=2), flush=True)


def _print(outcome: Outcome, verbose: bool) -> None:
    """The verdict first and last, and between them what it rests on."""
    answer = outcome.answer
    if outcome.code != USAGE:
        lacking = counted(len(answer.lacks), "thing is", "things are")
        print(
            f"{lacking} missing or left out, said below; {show(outcome.told)}" if answer.lacks else show(outcome.told)
        )
        _print_list("LACKING", answer.lacks)
        if verbose:
            _print_list("PACK", answer.about)
            _print_list("PROVED", answer.proved)
            _print_list("NOT PROVED", answer.not_proved)
        elif answer.proved:
            again = f" --draw {answer.seed}" if answer.seed else ""
            found = f"what is proved ({len(answer.proved)}), and what is not ({len(answer.not_proved)})"
            print(f"--verbose{again} lists {found}")
        _print_list("UNLAWFUL", answer.unlawful)
        for name, text in _lines(outcome).items():
            print(f"{name:11} {show(text)}")
    print(show(outcome.told), flush=True)


def _print_list(title: str, texts: List[str]) -> None:
    print("".join([f"{title}\n"] + [f"  - {show(text)}\n" for text in texts]) if texts else "", end="")


if __name__ == "__main__":
    gc.disable()  # nothing here refers to itself, and to look for what does takes longer the more is read
    sys.exit(main())
