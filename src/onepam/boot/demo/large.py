"""The demo at company size: 5,000 people and a month of what they did, on the real ledger, with five guests to look."""

import asyncio
import secrets
import sys
from dataclasses import replace
from pathlib import Path

from onepam.boot.clock import wall_clock
from onepam.boot.config import Config
from onepam.boot.demo.company import ADMINISTRATOR, APPROVER, AUDITOR, SECURITY, TEAMS
from onepam.boot.demo.month import LARGE, Guest, lay
from onepam.boot.demo.variety import Variety
from onepam.boot.platform import Platform, settled
from onepam.boot.publishing import author_of
from onepam.boot.stopping import Stop
from onepam.identity.tokens import new_token, token_digest
from onepam.jobs.eras import follow_seams
from onepam.jobs.recording_check import new_key_beside
from onepam.jobs.signer_process import SignerProcess

GUESTS = (
    ("Ada Admin", "ada@demo.example", (ADMINISTRATOR,)),
    ("Sam Security", "sam@demo.example", (SECURITY,)),
    ("Mia Manager", "mia@demo.example", (APPROVER, TEAMS[0])),
    ("Eve Engineer", "eve@demo.example", TEAMS[:3]),
    ("Aude Auditor", "aude@demo.example", (AUDITOR,)),
)
BAR = 40
"""Characters of the progress bar."""


async def run_large_demo(config: Config, ready_file: Path | None) -> None:
    """Runs the platform with the large company until it is stopped; its history is made where there is none."""
    stop = Stop()
    config = replace(config, environment="demo", company="Large demo", origin="demo.onepam.local")
    platform = Platform(config)
    links = {} if platform.database.exists() else await asyncio.to_thread(_found, platform)
    async with platform.running():
        if ready_file is not None:
            platform.write_ready_file(ready_file)
        settled()
        _tell(platform, links)
        await stop.heeded(platform)


def _found(platform: Platform) -> dict[str, str]:
    """Lays the history, and gives the guests' links by address. What breaks off leaves nothing."""
    config = platform.config
    tokens = {email: new_token("enr", secrets.token_bytes) for _, email, _ in GUESTS}
    guests = [Guest(name, email, roles, token_digest(tokens[email]).hex()) for name, email, roles in GUESTS]
    began = follow_seams(platform.database, config.data, config.origin)
    signers = SignerProcess(config.signer_socket, config.data / "signer", config.origin, began)
    try:
        author = author_of(platform.node.name, signers)
        until, new_key = wall_clock(), new_key_beside(platform.recordings, platform.envelope, secrets.token_bytes)
        variety = Variety(LARGE.people, author.node, until, platform.recordings, new_key)
        lay(platform.database, author, LARGE, until, _show, guests, variety)
    except BaseException:
        for each in (*config.data.glob(f"{platform.database.name}*"), *platform.recordings.iterdir()):
            each.unlink()
        raise
    finally:
        signers.stop()
    return {email: f"/enrol/{token.reveal().decode('ascii')}" for email, token in tokens.items()}


def _show(done: int, all_: int) -> None:
    """A bar on a terminal."""
    if sys.stderr.isatty() and (done == all_ or done % 20 == 0):
        full = done * BAR // all_
        sys.stderr.write(f"\r  Making a month of history  [{'#' * full}{'.' * (BAR - full)}] {done * 100 // all_} %")
        sys.stderr.write("\n" if done == all_ else "")
        sys.stderr.flush()


def _tell(platform: Platform, links: dict[str, str]) -> None:
    """What to do next. Links are secrets: they are shown on a terminal only."""
    url, say = platform.config.url, sys.stdout.write
    say(f"\n  OnePAM runs with a large demo company.  Console: {url}\n\n")
    if links and sys.stdout.isatty():
        say("  Enrol these guests within a day, each in a browser window of its own:\n")
        for name, email, roles in GUESTS:
            say(f"       {name:14} {', '.join(roles)}\n       {'':14} {url}{links[email]}\n")
    elif links:
        say("  Enrolment links are shown on a terminal only, at the first start: begin again in a new folder.\n")
    say("\n  Its servers are names only: nothing answers there. Of its sessions the last ones have recordings.\n")
    say("  Stop with Ctrl-C.\n\n")
    sys.stdout.flush()
