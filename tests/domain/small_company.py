"""A company of four and its file, read without a ledger."""

from dataclasses import replace
from typing import Any

from onepam.domain.access.model import Action, Substance
from onepam.domain.matrix.file import read_access, resolve
from onepam.domain.matrix.matrix import Matrix, Someone
from onepam.kernel.clock import HOUR, Instant

NOW = Instant(1_750_000_000_000_000)
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC4Wv0P6B/rhoR7KvjYV/FNBYckni9jyxz0IO/WmyHWD"

FILE = f"""\
version: 1
groups:
  engineers: {{members: [eve@example.com]}}
resources:
  web:
    kind: ssh
    address: web.example.com:22
    labels: {{env: prod}}
    owner: ada@example.com
    logins: [app, root]
    host_keys: ["{KEY}"]
roles:
  admin: {{purpose: administers, owner: ada@example.com, console: [administer]}}
  lead: {{purpose: leads, owner: ada@example.com, console: [approve]}}
  dev:
    purpose: develops
    owner: ada@example.com
    permissions:
      prod:
        {{actions: [shell, exec], where: {{env: prod}}, logins: [app], mode: request, longest: 4h, approvers: [lead]}}
bindings:
  - {{role: admin, person: ada@example.com, because: founded it}}
  - {{role: admin, person: bob@example.com, because: founded it}}
  - {{role: lead, person: max@example.com, because: leads}}
  - {{role: dev, group: engineers, because: builds}}
"""
WIDER = FILE.replace("longest: 4h", "longest: 6h")
NARROWER = FILE.replace("longest: 4h", "longest: 2h")
NAMES = ("ada", "bob", "max", "eve")
PEOPLE = tuple(Someone(name, f"{name}@example.com", True, None) for name in NAMES)


def base(text: str = FILE) -> Matrix:
    found = resolve(read_access(text), PEOPLE)
    assert isinstance(found, Matrix), [str(each) for each in found.problems]
    return found


def substance(**changes: Any) -> Substance:
    role = base().roles["dev"]
    made = Substance("eve", "web", "app", "dev", role.version(), "prod", (Action.SHELL, Action.EXEC), HOUR)
    return replace(made, **changes)
