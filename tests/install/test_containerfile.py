"""The Containerfile, read and not built: what it copies is there, what it starts is ours, and it runs as nobody."""

import json
import re
import subprocess
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from onepam.boot.config import Config
from tests.boot.installation import ONEPAM
from tests.house.sources import ROOT, kept_files, name

BUILD_TOOLS = re.compile(
    r"\b(gcc|g\+\+|make|build-essential|[\w.+-]+-dev|python3-(?:pip|venv)|npm|nodejs|cargo|git|curl)\b"
)


@dataclass(frozen=True, slots=True)
class Instruction:
    word: str
    rest: str


def instructions() -> list[Instruction]:
    text = re.sub(r"^#.*\n", "", (ROOT / "Containerfile").read_text("utf-8"), flags=re.MULTILINE)
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    return [Instruction(*line.split(maxsplit=1)) for line in lines]


def stages() -> list[list[Instruction]]:
    """The instructions from each FROM to the next; what stands before the first is left out."""
    found: list[list[Instruction]] = []
    for each in instructions():
        if each.word == "FROM":
            found.append([])
        if found:
            found[-1].append(each)
    return found


def of(stage: list[Instruction], word: str) -> list[str]:
    return [each.rest for each in stage if each.word == word]


def test_only_instructions_that_are_known() -> None:
    known = {"ARG", "FROM", "RUN", "COPY", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "ENTRYPOINT", "CMD"}
    assert {each.word for each in instructions()} == known


def test_both_stages_are_of_the_base_that_can_be_given() -> None:
    build, last = stages()
    assert of(build, "FROM") == ["${BASE} AS build"]
    assert of(last, "FROM") == ["${BASE}"]
    assert instructions()[0] == Instruction("ARG", "BASE=debian:12-slim")


def test_what_is_copied_is_there_and_seen() -> None:
    """The wheel is there once `make wheel` has run; all else is kept by git."""
    build, last = stages()
    seen = re.findall(r"^!(.+)$", (ROOT / ".containerignore").read_text("utf-8"), re.MULTILINE)
    kept = {name(path) for path in kept_files()}
    copied = [source for line in of(build, "COPY") for source in line.split()[:-1]]
    assert sorted(copied) == sorted(seen)
    for source in copied:
        assert source in kept or fnmatch("dist/onepam-0.1.0-py3-none-any.whl", source), source
    (line,) = of(last, "COPY")
    origin, source, target = line.split()
    assert origin == "--from=build"
    assert source == target == "/opt/onepam"
    assert any("venv /opt/onepam" in each for each in of(build, "RUN"))


def test_the_last_stage_has_no_build_tool_and_no_privilege() -> None:
    build, last = stages()
    assert BUILD_TOOLS.search(" ".join(of(build, "RUN")))
    assert BUILD_TOOLS.findall(" ".join(of(last, "RUN"))) == []
    (user,) = of(last, "USER")
    assert re.fullmatch(r"([1-9]\d*):([1-9]\d*)", user), (
        "numbers, so that whoever starts it can check that it is not root"
    )
    assert [each.word for each in last].index("USER") < [each.word for each in last].index("ENTRYPOINT")


def test_it_starts_our_program_with_options_that_it_knows() -> None:
    _, last = stages()
    (entry,), (command,) = (of(last, word) for word in ("ENTRYPOINT", "CMD"))
    assert json.loads(entry) == ["/opt/onepam/bin/onepam"], "no shell stands between a stop and the program"
    words = json.loads(command)
    told = subprocess.run([*ONEPAM, words[0], "--help"], capture_output=True, text=True, timeout=120).stdout
    assert {each for each in words if each.startswith("--")} <= set(re.findall(r"--[a-z-]+", told))
    config = Config(Path("/var/lib/onepam"))
    assert of(last, "EXPOSE") == [f"{config.console_port} {config.ssh_port}"]
    assert of(last, "VOLUME") == [str(config.data)]
