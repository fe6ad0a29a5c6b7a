"""Writes the examples and tables in docs/format.md: `python scripts/format_doc.py`.

The examples are those of the vectors, the tables those by which `verify.py` judges: the page cannot say anything else.
"""

import json
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "format.md"
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from onepam.evidence.verifier import rules  # noqa: E402
from onepam.evidence.verifier.disclosed import UPCASTS  # noqa: E402
from onepam.evidence.verifier.lacking import OLDER_READMES, README_SHA256  # noqa: E402
from onepam.evidence.verifier.rules import CHOSEN, DERIVED, PERIOD, REPORTS, Sources, columns_of  # noqa: E402
from scripts import vectors  # noqa: E402

WIDTH = 118
COLUMNS = "<!-- columns -->\n"


def page() -> str:
    """The page with its examples and tables."""
    text = PAGE.read_text("utf-8")
    for name, lines in _EXAMPLES.items():
        block = f"```text {name}\n" + "".join(f"{line}\n" for line in lines()) + "```"
        text, count = re.subn(rf"(?ms)^```text {name}\n.*?^```$", lambda found: block, text)  # noqa: B023
        if count != 1:
            raise ValueError(f"{PAGE.name} has {count} examples named {name}")
    said = set(re.findall(r"(?m)^```text (\w+)$", text))
    if said != set(_EXAMPLES):
        raise ValueError(f"{PAGE.name} has examples that nobody makes: {said ^ set(_EXAMPLES)}")
    head, mark, _ = text.partition(COLUMNS)
    return head + mark + "\n".join(_tables()) + "\n"


def _vector(name: str) -> Any:
    return json.loads((vectors.FOLDER / f"{name}.json").read_text("ascii"))


def _wrapped(label: str, data: str) -> Iterator[str]:
    """A long text over several lines, behind its label."""
    room = WIDTH - 12
    for at in range(0, len(data), room):
        yield f"{label if at == 0 else '':12}{data[at : at + room]}"


def _canonical() -> Iterator[str]:
    for each in _vector("canonical")["encodings"][2::2]:
        yield bytes.fromhex(each["bytes"]).decode()
        yield from _wrapped("", each["bytes"])


def _time() -> Iterator[str]:
    return (f"{each['microseconds']:<20}{each['text']}" for each in _vector("time")["times"])


def _entry() -> Iterator[str]:
    one = _vector("entry")["entries"][2]
    labels = {
        "header": "header",
        "body": "body",
        "body_sha256": "its SHA-256",
        "leaf": "leaf",
        "salt": "salt",
        "payload": "payload",
    }
    return (line for name, label in labels.items() for line in _wrapped(label, one[name]))


def _tree() -> Iterator[str]:
    found = _vector("tree")
    for n in range(3):
        yield from _wrapped(f"leaf {n}", found["leaves"][n])
    yield from _wrapped("root of 3", found["roots"][3])
    yield from _wrapped("root of 11", found["roots"][11])
    one = found["ranges"][3]
    said = f"[{one['first']}, {one['end']}) of {one['tree_size']}, of the leaves SHA-256(00 \u2016 n), n = 0 to 10"
    yield f"{'range':12}{said}"
    for side in ("left", "right"):
        yield from (line for each in one[side] for line in _wrapped(side, each))


def _tiles() -> Iterator[str]:
    found = _vector("tiles")
    for each in found["names"]:
        level = "entries" if each["level"] < 0 else f"level {each['level']}"
        yield f"{level:9} index {each['index']:<9} width {each['width']:<5} {each['name']}"
    bundle = next(each for each in found["files"] if "entries" in each["name"])
    yield f"{bundle['name']} begins with"
    yield from _wrapped("", bundle["bytes"][: 2 * (2 + int(bundle["bytes"][:4], 16))])


def _note() -> Iterator[str]:
    found = _vector("note")
    yield from (each["vkey"] for each in found["keys"][1:3])
    yield ""
    yield from found["cosigned"]["note"].rstrip("\n").split("\n")


def _batch() -> Iterator[str]:
    one = _vector("batch")["batches"][1]
    yield from one["text"].rstrip("\n").split("\n")
    yield ""
    yield f"signed by {one['node']}: {one['signature']}"
    yield ""
    first = json.loads(_vector("entry")["entries"][0]["body"])
    yield from first["certificate"].rstrip("\n").split("\n")


def _recording() -> Iterator[str]:
    found = _vector("recording")
    one = found["records"][1]
    yield from _wrapped("header", found["header"])
    yield from _wrapped("record 1", one["record"])
    yield from _wrapped("its nonce", one["nonce"])
    yield from _wrapped("data", one["associated_data"])
    yield from _wrapped("plaintext", one["plaintext"])
    for n, head in enumerate(found["heads"]):
        yield from _wrapped(f"head[{n}]", head)
    yield from _wrapped("key", found["wrapped"]["key"])
    yield from _wrapped("wrapped", found["wrapped"]["wrapped"])


def _pack() -> Iterator[str]:
    found = _vector("pack")
    yield from _wrapped("range.json", found["range"])
    yield from _wrapped("payloads", found["payloads"][0])
    yield from _wrapped("", found["payloads"][1])
    yield from _wrapped("CSV fields", ",".join(each["field"] for each in found["csv"][:4]))
    yield from _wrapped("envelope", found["envelope"])


def _readme() -> Iterator[str]:
    yield from README_SHA256


def _rules() -> Iterator[str]:
    for name, rule in PERIOD.items():
        yield name
        yield from _listed("heads", rule.heads)
        yield from _listed("followed by", rule.follows)
        yield from _listed("link", rule.link)
        yield from _listed("people", [f"{kind} {path}" for kind, path in rule.people])
        yield from _listed("chain", [rule.chain] if rule.chain else [])
        yield from _listed("beside", rule.beside)


def _listed(label: str, words: Iterable[str]) -> Iterator[str]:
    line = ""
    for word in words:
        if line and len(line) + len(word) + 16 > WIDTH:
            yield f"  {label:12}{line},"
            label, line = "", ""
        line += f", {word}" if line else word
    if line:
        yield f"  {label:12}{line}"


def _tables() -> Iterator[str]:
    for name, columns in DERIVED.items():
        yield from _table(f"`{name}`", columns)
    yield "\n*Chosen*:"
    for name, columns in CHOSEN.items():
        yield from _table(f"`{name}`", columns)


def _table(title: str, columns: Mapping[str, Sources]) -> Iterator[str]:
    yield f"\n| {title} | says |\n| --- | --- |"
    for column, sources in columns.items():
        yield f"| `{column}` | {'; '.join(map(_source, sources))} |"


def _source(source: list[str]) -> str:
    kind, path, *condition = source
    if not condition:
        return f"`{kind}` `{path}`"
    return f"`{kind}` `{path}` if `{condition[0]}` = `{condition[1]}` `{condition[2]}`"


def _released() -> Iterator[str]:
    for name in REPORTS:
        yield from (
            name,
            f"  version {', '.join(map(str, rules.VERSIONS.get(name, (1,))))}",
            f"  title   {rules.TITLES[name]}",
        )
        yield from textwrap.wrap(
            f"columns {', '.join(columns_of(name, rules.newest_of(name)))}",
            WIDTH,
            initial_indent="  ",
            subsequent_indent=" " * 10,
        )


def _since() -> Iterator[str]:
    """Of each report, the columns that an older version has not."""
    for name, columns in rules.SINCE.items():
        for version in rules.VERSIONS[name][:-1]:
            without = ", ".join(column for column, since in columns.items() if since > version)
            yield from textwrap.wrap(f"{name} {version}: {without}", WIDTH, subsequent_indent="  ")


def _versions() -> Iterator[str]:
    """Kinds with more than one version, as far as the verifier reads them."""
    found = dict[str, int]()
    for kind, version in UPCASTS:
        found[kind] = max(found.get(kind, 1), version + 1)
    yield from (f"{kind} 2 to {newest}" for kind, newest in sorted(found.items()))
    if not found:
        yield "none: every kind has version 1 and no other"


_EXAMPLES: dict[str, Callable[[], Iterator[str]]] = {
    "canonical": _canonical,
    "released": _released,
    "reasons": lambda: iter(rules.LEFT_OUT),
    "time": _time,
    "versions": _versions,
    "entry": _entry,
    "tree": _tree,
    "tiles": _tiles,
    "note": _note,
    "batch": _batch,
    "recording": _recording,
    "rules": _rules,
    "pack": _pack,
    "readme": _readme,
    "since": _since,
    "older": lambda: iter(OLDER_READMES),
}


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
