"""What this release leaves behind, in one folder: what every later release must still read, fold, verify and play."""

import asyncio
import json
import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from onepam.app.host.announced import continue_after_loss
from onepam.app.host.revoke_node import revoke_node
from onepam.app.leaving.erase_person import approve_erasure, propose_erasure
from onepam.domain.history.event import kinds
from onepam.domain.history.system import PayloadsErased
from onepam.domain.host.announcing import Announcement
from onepam.domain.host.continuing import Loss
from onepam.jobs.erasing import Erasing
from onepam.kernel.clock import DAY, Instant
from onepam.ledger.checkpoint import Checkpoint
from onepam.store.engine.database import connect
from onepam.store.engine.entries import size_of
from scripts import forms
from tests.company import START
from tests.golden.company import ORIGINS, PEOPLE, RECOVERY, WITNESS, GoldenCompany
from tests.golden.life import Life, life
from tests.store.events import fresh, write
from tests.store.samples import sample


def make(folder: Path) -> None:
    """Writes the folder, which must be empty."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kinds.txt").write_text(forms.page(), "utf-8")
    _every_kind(folder / "every-kind.db")
    asyncio.run(_company(folder / "company"))


def _every_kind(path: Path) -> None:
    made = path.with_name("made.db")
    with closing(fresh(made)) as writer:
        for kind in kinds():
            made_up = sample(kind.record)
            if isinstance(made_up, PayloadsErased):
                made_up = replace(made_up, indexes=())  # none of the other entries is about its person
            write(writer, made_up)
    _whole(made, path)


async def _company(folder: Path) -> None:
    """Three logs, one after the other: the first loses its tail, the second its signer."""
    company, lost = GoldenCompany(folder), folder / "copy.db"
    await _first_log(company)
    first = company.keep_checkpoint(1)
    company.copy_database(lost)
    with life(company, "nod_gate") as process:
        await process.begin()
        await process.sign_in("eve")
    gone = Checkpoint.parse(company.publish().decode().partition("\n\n")[0] + "\n")
    assert gone.size > first.size
    company.restore(lost)
    with life(company, "nod_host") as process:
        loss = Loss(ORIGINS[1], ORIGINS[0], gone.size, gone.root.hex(), first.size, "the disk died")
        assert await continue_after_loss(process.ledger, loss, RECOVERY, "ann_1", process.node) is None
    company.go_on(1)
    second = await _second_log(company)
    await _lose_the_signer(company, second)
    company.go_on(2)
    await _third_log(company)
    company.keep_checkpoint(3)
    keys = {
        "about": "a company that does not exist: nothing here is a secret",
        "log": [each.key.encode() for each in company.signers],
        "seeds": [each.seed.hex() for each in company.signers],
        "sessions": company.sessions,
        "witness": WITNESS.encode(),
    }
    (folder / "keys.json").write_text(json.dumps(keys, indent=1) + "\n")
    _whole(company.data / "ledger.db", folder / "whole.db")
    (folder / "whole.db").rename(company.data / "ledger.db")
    shutil.rmtree(folder / "packs")


async def _first_log(company: GoldenCompany) -> None:
    with life(company, "nod_gate") as process:
        await process.found()
        await process.begin()
        await process.sign_in(*PEOPLE)
        await process.grant("eve")
        await process.session("terminal", "eve", "web-1", "deploy")
        await process.session("command", "eve", "dev-1", "app")
        await process.session("excerpt", "eve", "dev-1", "app")
        await process.session("statements", "eve", "orders", "app")
        await process.session("files", "eve", "dev-1", "app", killed=True)
        await process.refused_and_failed()
        await process.vendors_come_and_go()
        await process.take_roster()
        await process.much()
        await _erase(process, "vic")
        await process.check()
        await process.pack("first", START, Instant(START + DAY))
    with life(company, "nod_host") as process:
        assert await revoke_node(process.ledger, "nod_gate", "root", "its machine was stolen") is None
    with life(company, "nod_gate") as process:
        await process.begin()


async def _erase(process: Life, who: str) -> None:
    await process.sign_in("ada", "ben")
    name, person = process.new("ers"), process.company.ids[who]
    proposed = await propose_erasure(process.ledger, process.actor("ada"), name, person, "asked for it", 0)
    assert proposed is None, proposed
    assert await approve_erasure(process.ledger, process.actor("ben"), name) is None
    await Erasing(process.ledger, process.reader, lambda: True).turn()


async def _second_log(company: GoldenCompany) -> Checkpoint:
    with life(company, "nod_gate") as process:
        await process.begin()
        await process.sign_in("eve", "aud")
        await process.crash("eve")
        await process.check()
        await process.pack("after-a-loss", START, Instant(START + DAY))
    return company.keep_checkpoint(2)


async def _lose_the_signer(company: GoldenCompany, head: Checkpoint) -> None:
    """Announced; a day in which nobody cancels it; done. Nobody certifies who writes it."""
    loss = Loss(ORIGINS[2], ORIGINS[1], head.size, head.root.hex(), head.size, "its key is gone", signer=True)
    for waits in (True, False):
        with life(company, "nod_host", certified=False) as process:
            answer = await continue_after_loss(process.ledger, loss, "", "ann_2", process.node)
        assert isinstance(answer, Announcement) is waits, answer
        company.clock.advance(DAY)


async def _third_log(company: GoldenCompany) -> None:
    with life(company, "nod_gate") as process:
        await process.begin()
        await process.sign_in("eve", "max", "aud")
        await process.grant("eve")
        begin = company.clock.now
        await process.session("terminal", "eve", "web-1", "deploy")
        await process.check()
        await process.pack("whole", START, Instant(START + 7 * DAY))
        with patch("onepam.evidence.draw.MAX_EARLIER", 0):
            await process.pack("late", begin, Instant(START + 7 * DAY))


def _whole(path: Path, kept: Path) -> None:
    """One file, and nothing of it in a log beside."""
    with closing(connect(path)) as db:
        assert size_of(db)
        db.execute("VACUUM INTO ?", (str(kept),))
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()
