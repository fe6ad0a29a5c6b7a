"""The tour: a small company, real targets, and links by which its people enrol. It approves nothing by itself."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

from onepam.boot.config import Config
from onepam.boot.demo.database import LOGINS, MADE, MADE_BY, NONE, ROLE, DemoDatabase, start_database
from onepam.boot.demo.founding import Founder, Founding
from onepam.boot.demo.target import DemoTarget, free_port, start_target
from onepam.boot.platform import Platform, settled
from onepam.boot.recovery_key import Made, found_recovery_key
from onepam.boot.stopping import Stop
from onepam.store.read.proofs_of_sign_in import account_by_email

PEOPLE = (
    ("Ada Admin", "ada@demo.example", "administrator: sets things up"),
    ("Ben Backup", "ben@demo.example", "second administrator: agrees to what widens access"),
    ("Mia Manager", "mia@demo.example", "manager: approves requests"),
    ("Eve Engineer", "eve@demo.example", "engineer: asks for access"),
    ("Aude Auditor", "aude@demo.example", "auditor: reads everything, changes nothing"),
)

USUAL_PORT = 5433
"""Of our listener for databases, where it is free."""

_TOUR = tuple(f"{name}@demo.example" for name in ("eve", "mia", "aude", "ada", "ben"))
"""In which order the tour of README.md enrols them; whoever it does not comes last."""

ACCESS = """\
version: 1

groups:
  administrators: {{members: [ada@demo.example, ben@demo.example]}}
  engineering: {{members: [eve@demo.example, mia@demo.example]}}

resources:
  web-1:
    kind: ssh
    address: 127.0.0.1:{port}
    labels: {{env: prod, tier: web}}
    owner: mia@demo.example
    logins: [{login}]
    host_keys: ["{host_key}"]
  db-1:
    kind: ssh
    address: 127.0.0.1:{port}
    labels: {{env: prod, tier: data}}
    owner: ben@demo.example
    logins: [{login}]
    host_keys: ["{host_key}"]
  dev-1:
    kind: ssh
    address: 127.0.0.1:{port}
    labels: {{env: dev}}
    owner: mia@demo.example
    logins: [{login}]
    host_keys: ["{host_key}"]
{database}
roles:
  engineer:
    purpose: Builds and runs the product
    owner: mia@demo.example
    permissions:
      develop:
        {{actions: [shell, exec, sftp], where: {{env: dev}}, logins: ["*"], mode: standing, longest: 8h}}
      repair-production:
        actions: [shell, exec, sftp]
        where: {{env: prod, tier: web}}
        logins: ["*"]
        mode: request
        longest: 4h
        approvers: [approver]
        ahead: 30d
        weekly: 30d
{queries}  data-keeper:
    purpose: Mends the databases of production
    owner: ben@demo.example
    permissions:
      mend-data:
        actions: [shell, exec]
        where: {{tier: data}}
        logins: ["*"]
        mode: request
        longest: 2h
        approvers: [approver]
        administrative: true
  approver:
    purpose: Decides who may repair production, and when
    owner: ada@demo.example
    console: [approve]
  administrator:
    purpose: Sets OnePAM up and keeps it healthy
    owner: ada@demo.example
    console: [administer, monitor, audit]
  auditor:
    purpose: Reads evidence
    owner: ada@demo.example
    console: [audit]

separate:
  audit:
    roles: [engineer, auditor]
    because: Nobody audits what they built

bindings:
  - {{role: engineer, group: engineering, because: everybody who builds}}
  - {{role: approver, person: mia@demo.example, because: leads engineering}}
  - {{role: administrator, group: administrators, because: run the company's systems}}
  - {{role: data-keeper, person: ben@demo.example, because: looks after the databases}}
  - {{role: auditor, person: aude@demo.example, because: external auditor}}
"""


_DATABASE = """\
  orders:
    kind: postgres
    address: 127.0.0.1:{port}
    labels: {{env: prod, tier: orders}}
    owner: ben@demo.example
    logins: [{logins}]
    tls: ["{pin}"]
    session_users: {users}
"""
_QUERIES = """\
      read-orders:
        actions: [query]
        where: {tier: orders}
        logins: [reporting, analysis]
        mode: standing
        longest: 8h
        guardrails: {statements: [read, other], rows: 10000, timeout: 30s}
      mend-orders:
        actions: [query]
        where: {tier: orders}
        logins: [app]
        mode: request
        longest: 1h
        approvers: [approver]
"""


async def run_demo(config: Config, ready_file: Path | None, *, with_database: bool = True) -> None:
    """Runs the platform with the tour's company until it is stopped."""
    stop = Stop()
    config = replace(config, environment="demo", company="Demo", origin="demo.onepam.local")
    platform = Platform(config)
    target = await start_target(config.data / "target", platform.authorities.target.public_line)
    database: DemoDatabase | None = None
    try:
        if with_database:
            database = await asyncio.to_thread(start_database, beside(config.data))
        admitted = [each.port for each in (target, database) if each is not None]
        egress = (*(f"127.0.0.1/32:{port}" for port in admitted), *config.egress)
        listening = config.postgres_port or (free_port(USUAL_PORT) if database is not None else 0)
        platform.config = replace(config, egress=egress, postgres_port=listening)
        async with platform.running():
            kept = await _set_up(platform, target, database)
            links = await _links(platform)
            settled()
            if ready_file is not None:
                platform.write_ready_file(ready_file)
            _tell(platform, target, links, (database.words if database else NONE) if with_database else "", kept)
            await stop.heeded(platform)
    finally:
        target.stop()
        if database is not None:
            await asyncio.to_thread(database.stop)


async def _set_up(platform: Platform, target: DemoTarget, database: DemoDatabase | None) -> str:
    """The company and its recovery key, where they are not there; what to say of the key's digest. Raises `CannotFound`
    when its file does not fit."""
    if await platform.reader(account_by_email, None, PEOPLE[0][1]) is not None:
        return ""
    kept = await found_recovery_key(platform.ledger, platform.config, _show_recovery_key)
    founding = Founding(platform.ledger, platform.reader)
    await founding.people(tuple(Founder(name, email) for name, email, _ in PEOPLE), "demo company")
    text = access_text(target.port, target.login, target.host_key, database)
    await founding.matrix(text, "demo access.yaml")
    return kept


def beside(data: Path) -> Path:
    """Where the database lies: in a backup of the data it has no business."""
    return data.with_name(f"{data.name}-database")


def access_text(port: int, login: str, host_key: str, database: DemoDatabase | None = None) -> str:
    """The company's access.yaml, for a target and a database, where there is one."""
    resource, queries = "", ""
    if database is not None:
        logins, users = ", ".join((*LOGINS, MADE)), f"{{made_by: {MADE_BY}, member_of: {{{MADE}: {ROLE}}}}}"
        resource = _DATABASE.format(port=database.port, logins=logins, pin=database.pin, users=users)
        queries = _QUERIES
    return ACCESS.format(port=port, login=login, host_key=host_key, database=resource, queries=queries)


async def _links(platform: Platform) -> dict[str, str]:
    """A fresh enrolment link for each person who has no factor yet; none once somebody has signed in."""
    founding = Founding(platform.ledger, platform.reader)
    found = {email: await founding.link(email, platform.config.url) for _, email, _ in PEOPLE}
    return {email: link for email, link in found.items() if link is not None}


def _show_recovery_key(made: Made) -> None:
    """Shown on a terminal; else it is put beside its digest, for the owner's eyes."""
    if sys.stdout.isatty():
        sys.stdout.write("\n  " + made.key_words().replace("\n", "\n  ") + "\n")
    else:
        once = made.file.with_name(made.file.name + ".once")
        once.touch(mode=0o600)
        once.write_text(made.key + "\n", "ascii")
        sys.stdout.write(f"  The recovery key lies in {once}: write it down, and delete the file.\n\n")
    sys.stdout.flush()


def _tell(platform: Platform, target: DemoTarget, links: dict[str, str], database: str, kept: str) -> None:
    """What to do next; `kept` is where the recovery key's digest lies, if it was made now. Links are secrets: they are
    shown on a terminal only."""
    url, port = platform.config.url, platform.ssh_port
    say = sys.stdout.write
    if kept:
        say(f"  {kept}\n")
    say(f"\n  OnePAM runs.  Console: {url}\n  The target is {target.words}.\n")
    if database:
        at = f", at port {platform.config.postgres_port}" if platform.config.postgres_port else ""
        say(f"  Beside it: {database}{at}.\n")
    say("\n")
    say("  The tour goes on in README.md. Its steps:\n\n")
    if links and sys.stdout.isatty():
        say("  2-3. Enrol Eve, then Mia, each in a browser window of her own (a private one for the second):\n\n")
        for name, email, words in sorted(PEOPLE, key=lambda each: _TOUR.index(each[1])):
            if email in links:
                say(f"       {name:14} {words}\n       {'':14} {links[email]}\n")
    elif links:
        say("  2-3. Enrol its people. Their links are shown on a terminal only: stop this, and start it in one.\n")
    else:
        say("  2-3. Sign in; whoever has not enrolled yet is given a link by Ada, on their page under People.\n")
    say("\n  4.   As Eve, register your SSH key under My factors.\n  5.   Knock with the client you have:\n\n")
    say(f"       ssh -p {port} {target.login}@web-1@localhost\n\n")
    say("  6.   It says where to ask. Ask there as Eve, approve as Mia in the other window.\n  7.   Knock again.\n")
    say("  8.   Watch the recording under Sessions.   9-11. Verify, hand it to an auditor, attack a copy: README.md.\n")
    if platform.config.postgres_port:
        say("  12.  A database: enrol Ada, give the vault its password, and connect as Eve with psql: README.md.\n")
    say("  13.  A review takes it away again: README.md.\n")
    say("\n  Stop with Ctrl-C.\n\n")
    sys.stdout.flush()
