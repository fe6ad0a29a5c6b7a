"""The pack as a whole: its manifest, and that files, checkpoint, headers and disclosed entries fit each other."""

from __future__ import annotations

from typing import Any, Tuple

from onepam.evidence.verifier.archive import FIXED, Archive
from onepam.evidence.verifier.canonical import instant, members, parse
from onepam.evidence.verifier.disclosed import Disclosed
from onepam.evidence.verifier.log import Log
from onepam.evidence.verifier.note import read_checkpoint
from onepam.evidence.verifier.refusal import Refused, Spoiled, need

FORMAT = "onepam-evidence-pack/1"


class Contents:
    """A pack whose files are listed, whose headers fit its checkpoint and whose disclosed entries are in the log.

    `name` is that of the checkpoint, the period is begin <= time < until. `sizes` are the numbers of entries of which
    the log shall keep the root. `disclosed` is there once `disclose` has read it.
    """

    disclosed: Disclosed

    def __init__(self, data: bytes, sizes: Tuple[int, ...] = ()) -> None:
        self.files = files = Archive(data)
        try:
            self.manifest = m = read_manifest(files)
        except Refused as error:
            raise Spoiled(str(error)) from None
        self.checkpoint = c = read_checkpoint(files["checkpoint"])
        self.name = f"{c.origin}@{c.size} {c.root.hex()}"
        said = (m["origin"], m["tree_size"], m["checkpoint"])
        need(said == (c.origin, c.size, self.name), "manifest.json: origin, tree size or name is not the checkpoint's")
        members(m["period"], "manifest.json period", **{"from": str, "to": str})
        self.begin, self.until = (instant(m["period"][end], "manifest.json period") for end in ("from", "to"))
        need(self.begin < self.until, "manifest.json: the period is empty")
        self.log = log = Log(files, c, sizes)
        need(log.first == 0 or log.times[0] < self.begin, "range.json: the range begins after the period does")
        need(log.end == c.size or log.times[-1] >= self.until, "range.json: the range ends before the period does")

    def disclose(self) -> None:
        """Reads what is disclosed."""
        self.disclosed = Disclosed(self.files, self.log)


def read_manifest(files: Archive) -> Any:
    """What the pack says of itself, once every file is there that it lists, and no other."""
    missing = [name for name in FIXED if name not in files]
    need(not missing, f"{', '.join(missing)} missing from the pack")
    m = parse(files["manifest.json"], "manifest.json")
    members(m, "manifest.json", format=str, system=dict, origin=str, period=dict, checkpoint=str, tree_size=int,
            log_key=str, witnesses=list, reports=list, files=list)  # fmt: skip
    need(m["format"] == FORMAT, f"manifest.json: format is not {FORMAT}")
    members(m["system"], "manifest.json system", id=str, version=str, environment=str)
    check_files(m, files)
    return m


def check_files(manifest: Any, files: Archive) -> None:
    """Every file is the one that the manifest lists, each of its reports has all its files, and there is no other."""
    listed = {}
    for item in manifest["files"]:
        members(item, "manifest.json files", name=str, sha256=str, size=int)
        need(item["name"] not in listed, f"manifest.json: {item['name']} is listed twice")
        listed[item["name"]] = (item["size"], item["sha256"])
    names = manifest["reports"]
    need(all(type(n) is str for n in names), "manifest.json: a report's name is not text")
    need(sorted(set(names)) == names, "manifest.json: reports doubled or unsorted")
    wanted = {f"reports/{n}.{end}" for n in names for end in ("jsonl", "csv", "envelope.json")} | set(FIXED)
    for name in sorted(set(files) | set(listed) | wanted):
        need(name in files, f"{name} is listed but missing from the pack")
        need(name in wanted, f"{name} belongs to no report that manifest.json names")
        if name != "manifest.json":
            need(name in listed, f"{name} is not listed in manifest.json")
            fits = listed[name] == (files.size(name), files.sha256(name))
            need(fits, f"{name} is not the file that manifest.json lists: its SHA-256 or size differs")
    need("manifest.json" not in listed, "manifest.json cannot list itself")
