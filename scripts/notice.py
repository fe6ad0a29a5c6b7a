"""NOTICE and sbom.cdx.json (CycloneDX 1.6): every locked part with its licence, and the texts of what is shipped.

`scripts/lock` runs it. What a Python library says of its licence is read where it is installed; of npm packages the
lock says it. Parts are named by package URL (purl): a name, a version, and no place to get it from.
"""

import base64
import json
import re
import tomllib
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from onepam import __version__

ROOT = Path(__file__).resolve().parent.parent
NOTICE, SBOM = ROOT / "NOTICE", ROOT / "sbom.cdx.json"
LOCKS = ("runtime", "dev", "build", "node")
NPM_LOCKS = ("ui/package-lock.json", "tests/oidc_provider/package-lock.json")

SAID = {
    "asyncssh": "EPL-2.0 OR GPL-2.0-or-later",
    "colorama": "BSD-3-Clause",  # Windows only
    "httpx2-jsfetch": "BSD-3-Clause",  # Emscripten only
    "jinja2": "BSD-3-Clause",
    "pyasn1-modules": "BSD-2-Clause",
    "segno": "BSD-3-Clause",
    "uvloop": "MIT OR Apache-2.0",
    "htmx.org": "0BSD",
    "pyodide": "MPL-2.0 AND PSF-2.0 AND MIT",  # with the Python inside it
}
"""Where the metadata is ambiguous, not SPDX, or not on this machine; read in the package itself."""

WORDS = {
    "apache 2.0": "Apache-2.0",
    "apache license": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd 2-clause license": "BSD-2-Clause",
    "isc license": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "the unlicense (unlicense)": "Unlicense",
}
_SPDX = re.compile(r"[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+-]+)*")

COPIED = """\
Tabler Icons (MIT, Copyright (c) 2020-2026 Paweł Kuna) are copied, single drawings, into ui/icons. Bootstrap (MIT,
Copyright (c) 2011-2026 The Bootstrap Authors) is inside @tabler/core.
"""

MIT = """\
Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE."""

HEAD = """\
OnePAM
Copyright the OnePAM authors

Licensed under the Apache License, Version 2.0 (see LICENSE).

OnePAM uses the libraries below as unmodified dependencies, installed from their own distributions. The locks
(locks/*.lock, ui/package-lock.json) name the exact versions. No library that is available under the GPL only is needed:
asyncssh is used under EPL-2.0. `make lock` writes this file and sbom.cdx.json.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One locked package. `kind` is its purl type; `needs` are purls; `digest` is SHA-512 in hex, of npm packages.
    `elsewhere` says that it is needed on some systems only."""

    kind: str
    name: str
    version: str
    licence: str
    needs: tuple[str, ...] = ()
    digest: str = ""
    elsewhere: bool = False

    @property
    def purl(self) -> str:
        """As the package-url specification writes it."""
        return f"pkg:{self.kind}/{quote(self.name, safe='/')}@{quote(self.version)}"


@dataclass(slots=True)
class _Pin:
    version: str
    marker: bool
    by: set[str] = field(default_factory=set)


def pins(lock: str) -> dict[str, _Pin]:
    """The pins of a Python lock, and by which other package each is needed."""
    found: dict[str, _Pin] = {}
    pin: _Pin | None = None
    for line in (ROOT / "locks" / f"{lock}.lock").read_text("utf-8").splitlines():
        if begun := re.match(r"([A-Za-z0-9._-]+)==([^ ;\\]+)( ;)?", line):
            pin = found[begun[1]] = _Pin(begun[2], bool(begun[3]))
        elif pin is not None and (by := re.fullmatch(r"    #(?: via|  ) +([A-Za-z0-9._-]+)(?: \(.*\))?", line)):
            pin.by.add(by[1])
    return found


def licence_of(name: str) -> str:
    """The SPDX expression of an installed library. Raises `LookupError` where nothing says it in known words."""
    if name in SAID:
        return SAID[name]
    try:
        metadata = distribution(name).metadata
    except PackageNotFoundError:
        raise LookupError(
            f"{name} is not installed here: say its licence in scripts/notice.py, or install it"
        ) from None
    classifiers = [
        each.rpartition("::")[2].strip() for each in metadata.get_all("Classifier") or [] if "License" in each
    ]
    said = (*(metadata.get_all("License-Expression") or []), *(metadata.get_all("License") or []), *classifiers)
    for words in said:
        first = words.strip().partition("\n")[0].strip()
        known = WORDS.get(first.lower())
        if known or _SPDX.fullmatch(first):
            return known or first
    raise LookupError(f"{name} does not say its licence in words that scripts/notice.py knows")


def python_parts(lock: str) -> list[Part]:
    """What a Python lock names, in order."""
    found = pins(lock)
    needs: dict[str, set[str]] = {name: set() for name in found}
    for name, pin in found.items():
        for by in pin.by & found.keys():
            needs[by].add(f"pkg:pypi/{name}@{pin.version}")
    return [
        Part("pypi", name, pin.version, licence_of(name), tuple(sorted(needs[name])), elsewhere=pin.marker)
        for name, pin in sorted(found.items())
    ]


def npm_parts(lock: str, *, shipped: bool) -> list[Part]:
    """What an npm lock names; `shipped`: what is built into the console, else what builds and tests it."""
    packages: dict[str, dict[str, Any]] = json.loads((ROOT / lock).read_text("utf-8"))["packages"]
    versions = {path.rpartition("node_modules/")[2]: each["version"] for path, each in packages.items() if path}
    found = []
    for path, each in packages.items():
        name = path.rpartition("node_modules/")[2]
        if not path or bool(each.get("dev")) is shipped:
            continue
        integrity = each.get("integrity", "").partition("sha512-")[2]
        needs = {
            Part("npm", other, versions[other], "").purl for other in each.get("dependencies", {}) if other in versions
        }
        digest = base64.b64decode(integrity).hex() if integrity else ""
        licence = SAID.get(name) or each["license"]
        found.append(
            Part("npm", name, each["version"], licence, tuple(sorted(needs)), digest, bool(each.get("optional")))
        )
    return sorted(found, key=lambda part: part.name)


def shipped_parts() -> list[Part]:
    """What runs with OnePAM: its libraries, and what is inside the console's assets."""
    return [*python_parts("runtime"), *npm_parts(NPM_LOCKS[0], shipped=True)]


def notice() -> str:
    """The text of NOTICE."""
    runtime, console = python_parts("runtime"), npm_parts(NPM_LOCKS[0], shipped=True)
    ours = {part.name for part in (*runtime, *console)}
    tools = {part.name: part for lock in LOCKS[1:] for part in python_parts(lock) if part.name not in ours}
    for lock in NPM_LOCKS:
        for part in (*npm_parts(lock, shipped=False), *(npm_parts(lock, shipped=True) if lock != NPM_LOCKS[0] else ())):
            if part.name not in ours and not part.elsewhere:
                tools.setdefault(part.name, part)
    texts = "\n\n".join(f"--- {part.name} {part.version}\n\n{_text(part)}" for part in console)
    return "\n".join(
        (
            HEAD,
            "Runtime, Python\n" + _lines(runtime),
            "Shipped inside the wheel, built into the console's assets\n" + _lines(console),
            COPIED,
            "Development and tests only\n" + _lines(sorted(tools.values(), key=lambda part: part.name.lower())),
            f"Licences of what is shipped inside the wheel\n\n{texts}\n",
        )
    )


def sbom() -> str:
    """The bill of materials: what is shipped and what runs, nothing that only builds or tests it."""
    parts = shipped_parts()
    with (ROOT / "pyproject.toml").open("rb") as file:
        direct = {re.split(r"[><=!~\[; ]", each)[0] for each in tomllib.load(file)["project"]["dependencies"]}
    npm = json.loads((ROOT / NPM_LOCKS[0]).read_text("utf-8"))["packages"][""]["dependencies"]
    own = f"pkg:pypi/onepam@{__version__}"
    depends = [{"ref": own, "dependsOn": sorted(part.purl for part in parts if part.name in direct | npm.keys())}]
    depends += [{"ref": part.purl, "dependsOn": list(part.needs)} for part in parts]
    told = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, ' '.join([own, *(part.purl for part in parts)]))}",
        "version": 1,
        "metadata": {"component": _component(Part("pypi", "onepam", __version__, "Apache-2.0"), "application")},
        "components": [_component(part, "library") for part in parts],
        "dependencies": depends,
    }
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def _component(part: Part, kind: str) -> dict[str, Any]:
    group, _, name = part.name.rpartition("/")
    found: dict[str, Any] = {"type": kind, "bom-ref": part.purl}
    found |= {"group": group} if group else {}
    found |= {"name": name, "version": part.version, "purl": part.purl}
    found["licenses"] = [{"expression": part.licence}]
    if kind == "library":
        found["scope"] = "optional" if part.elsewhere else "required"
    if part.digest:
        found["hashes"] = [{"alg": "SHA-512", "content": part.digest}]
    return found


def _lines(parts: list[Part]) -> str:
    return "".join(f"  {part.name:36}{part.licence}{' (not everywhere)' if part.elsewhere else ''}\n" for part in parts)


def _text(part: Part) -> str:
    """The licence as the package brings it, or as it stands in ui/licences; of one that brings none, whose it is.
    Apache-2.0 is in LICENSE."""
    folder = ROOT / "ui" / "node_modules" / part.name
    if part.licence == "Apache-2.0":
        return "Apache License, Version 2.0: the text is in LICENSE."
    for path in (*(ROOT / "ui" / "licences").glob(f"{part.name}.txt"), *sorted(folder.glob("LICEN[CS]E*"))):
        return "\n".join(line.rstrip() for line in path.read_text("utf-8").strip().splitlines())
    author = json.loads((folder / "package.json").read_text("utf-8")).get("author", "its authors")
    name = author["name"] if isinstance(author, dict) else re.sub(r"\s*[<(].*", "", author)
    if part.licence != "MIT":
        raise LookupError(f"{part.name} brings no text of its licence, {part.licence}: give it in scripts/notice.py")
    return f"MIT License\n\nCopyright (c) {name}\n\n{MIT}"


if __name__ == "__main__":
    NOTICE.write_text(notice(), "utf-8")
    SBOM.write_text(sbom(), "utf-8")
    print(f"NOTICE, sbom.cdx.json: {len(shipped_parts())} parts run or are shipped")
