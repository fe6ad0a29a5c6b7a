"""Signals that we fetch (RFC 8936): acknowledged once they are in the ledger, refused by name, known again."""

import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from onepam.egress.egress import Admitted, Egress
from onepam.egress.fetch import Fetch
from onepam.identity.signals.receiver import Receiver
from onepam.identity.signals.transmitter import Transmitter, well_known
from onepam.jobs.signals import Poller
from onepam.kernel.clock import MINUTE, SECOND
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from tests.company import refused
from tests.identity.oidc.hostile import OTHER, Answer
from tests.identity.signals.watch import Watch, fetched, set_stream

pytestmark = pytest.mark.anyio


class Queue:
    """A transmitter's queue as RFC 8936 has it: what is neither acknowledged nor refused comes again."""

    def __init__(self) -> None:
        self.waiting: dict[str, str] = {}
        self.asked: list[dict[str, Any]] = []
        self.most = 50
        self.broken = False

    def answer(self, asked: dict[str, Any], authorization: str) -> tuple[int, Any]:
        self.asked.append(asked)
        if authorization != "Bearer poll-token":
            return 401, {}
        if self.broken:
            return 200, ["nothing of the kind"]
        for ident in (*asked.get("ack", ()), *asked.get("setErrs", {})):
            self.waiting.pop(ident, None)
        some = dict(list(self.waiting.items())[: self.most])
        return 200, {"sets": some, "moreAvailable": len(some) < len(self.waiting)}


@contextmanager
def polled(queue: Queue) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, said = queue.answer(asked, self.headers.get("Authorization", ""))
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *said: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=lambda: server.serve_forever(0.02))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
async def queue(watch: Watch) -> AsyncIterator[Queue]:
    """Behind the stream sst_2, which is fetched; the receiver may reach it."""
    queue = Queue()
    with polled(queue) as port:
        egress = Egress((Admitted.parse(f"127.0.0.1/32:{port}"), *watch.transmitter.egress.admitted))
        fetch = Fetch(egress)
        watch.receiver = Receiver(watch.company.ledger, fetch, watch.envelope)
        await set_stream(watch.company, replace(fetched(watch), endpoint=f"http://127.0.0.1:{port}/poll"))
        yield queue
        await fetch.aclose()


async def test_what_waits_is_fetched_and_acknowledged(watch: Watch, queue: Queue) -> None:
    poller = Poller(watch.receiver, watch.company.reader, watch.company.clock)
    queue.most = 2
    nobody = {"format": "opaque", "id": "00u-nobody"}
    queue.waiting = {f"id-{number}": watch.token_of(watch.claims(sub_id=nobody)) for number in range(4)}
    queue.waiting["id-eve"] = watch.token_of(watch.claims())
    await poller.turn()
    assert queue.waiting == {}
    assert len(watch.signals()) == 5
    assert watch.ended() == {"sgn_eve": "session.revoked"}
    assert [len(each["ack"]) for each in queue.asked] == [0, 2, 2, 1]
    assert all(each["returnImmediately"] is True and each["maxEvents"] == 50 for each in queue.asked)
    assert watch.receiver.polled["sst_2"].trouble == ""


async def test_a_wrong_one_is_refused_by_name_and_holds_up_nothing(watch: Watch, queue: Queue) -> None:
    poller = Poller(watch.receiver, watch.company.reader, watch.company.clock)
    queue.waiting = {
        "bad": watch.token_of(watch.claims(), OTHER),
        "odd": "no token",
        "good": watch.token_of(watch.claims()),
    }
    await poller.turn()
    assert queue.waiting == {}
    assert {each: said["err"] for each, said in queue.asked[1]["setErrs"].items()} == {
        "bad": "invalid_key",
        "odd": "invalid_request",
    }
    assert watch.ended() == {"sgn_eve": "session.revoked"}


async def test_what_comes_again_is_known_again(watch: Watch, queue: Queue) -> None:
    queue.waiting = {"one": watch.token_of(watch.claims())}
    again = dict(queue.waiting)
    for _ in range(3):
        queue.waiting = dict(again)
        await Poller(watch.receiver, watch.company.reader, watch.company.clock).turn()  # as after a crash
        assert queue.waiting == {}
    assert len(watch.signals()) == 1


async def test_without_its_keys_nothing_is_acknowledged(watch: Watch, queue: Queue) -> None:
    keys = watch.transmitter.answers.pop("/jwks")
    queue.waiting = {"one": watch.token_of(watch.claims())}
    poller = Poller(watch.receiver, watch.company.reader, watch.company.clock)
    await poller.turn()
    assert "one" in queue.waiting
    assert "keys" in watch.receiver.polled["sst_2"].trouble
    watch.transmitter.answers["/jwks"] = keys
    watch.company.clock.advance(10 * SECOND)
    await poller.turn()
    assert queue.waiting == {}
    assert watch.receiver.polled["sst_2"].trouble == ""


async def test_a_transmitter_that_is_down_or_odd_is_told_of(watch: Watch, queue: Queue) -> None:
    poller = Poller(watch.receiver, watch.company.reader, watch.company.clock)
    queue.broken = True
    await poller.turn()
    assert "cannot be read" in watch.receiver.polled["sst_2"].trouble
    queue.broken = False
    await poller.turn()
    assert watch.receiver.polled["sst_2"].trouble == ""
    assert watch.told() == []


async def test_one_stream_that_cannot_be_opened_holds_up_no_other(watch: Watch, queue: Queue) -> None:
    foreign = fetched(watch, change="chg_4", stream="sst_4")
    await set_stream(watch.company, replace(foreign, stream="sst_5", name="Foreign"))  # sealed for sst_4
    await set_stream(watch.company, replace(foreign, change="chg_5", stream="sst_6", name="Odd", secret="***"))
    queue.waiting = {"one": watch.token_of(watch.claims())}
    await Poller(watch.receiver, watch.company.reader, watch.company.clock).turn()
    assert queue.waiting == {}
    assert watch.receiver.polled["sst_2"].trouble == ""
    assert watch.receiver.polled["sst_5"].trouble != "" != watch.receiver.polled["sst_6"].trouble


async def test_asking_for_a_verification(watch: Watch) -> None:
    sender, now = watch.receiver.transmitter(watch.transmitter.issuer), watch.company.clock()
    assert await sender.verify("their-stream", Secret(b"t"), "state", now) is None
    watch.transmitter.answers["/verify"] = Answer(status=429)
    refused(await sender.verify("their-stream", Secret(b"t"), "state", now), "signal.verify")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"issuer": "https://other.example"}, "signal.discovery"),
        ({"jwks_uri": None}, "signal.discovery"),
        ({"jwks_uri": "ftp://x"}, "signal.discovery"),
        ({"jwks_uri": ["https://x"]}, "signal.discovery"),
        ({"verification_endpoint": "javascript:alert(1)"}, "signal.discovery"),
        ({"verification_endpoint": None}, ""),
    ],
)
async def test_what_a_transmitter_says_of_itself(watch: Watch, changes: dict[str, Any], code: str) -> None:
    issuer = watch.transmitter.issuer
    said = {"issuer": issuer, "jwks_uri": f"{issuer}/jwks", "verification_endpoint": f"{issuer}/verify", **changes}
    kept = {name: value for name, value in said.items() if value is not None}
    watch.transmitter.answers["/.well-known/ssf-configuration"] = Answer(kept)
    fetch = Fetch(watch.transmitter.egress)
    sender, now = Transmitter(fetch, issuer), watch.company.clock()
    found = await sender.metadata(now)
    if code:
        refused(found, code)
        refused(await sender.keys(now), code)
        refused(await sender.verify("s", Secret(b"t"), "", now), code)
    else:
        assert not isinstance(found, Refused)
        refused(await sender.verify("s", Secret(b"t"), "", now), "signal.verify")
    await fetch.aclose()


async def test_an_issuer_that_is_none(watch: Watch) -> None:
    fetch = Fetch(watch.transmitter.egress)
    now = watch.company.clock()
    for issuer in ("", "x", "https://", "https://a b", f"{watch.transmitter.issuer}/other"):
        refused(await Transmitter(fetch, issuer).metadata(now), "signal.discovery")
    assert well_known("https://tr.example/a/") == "https://tr.example/.well-known/ssf-configuration/a"
    watch.company.clock.advance(MINUTE)
    await fetch.aclose()
