"""Health, readiness and metrics: what a balancer and a scraper are told, and who is told nothing."""

import asyncio
import json
import os
import re
import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families

from onepam.boot.config import BadConfig, Config
from onepam.boot.web.exposition import Family, Histogram, Sample, text
from onepam.domain.host.disk import DiskStage
from onepam.domain.sessions.events import SessionOpened
from onepam.gateway.disk import Space
from onepam.recording.frames import Marker
from onepam.signing.signer import SignerClient
from tests.gateway_fixture import outcome, running_gateway
from tests.gateway_process import Failed, elsewhere, started, up

pytestmark = pytest.mark.anyio

TOKEN = "a token that nobody guesses"
SECONDS = 120.0


def asked(address: str, path: str, token: str = "", *, method: str = "GET") -> tuple[int, str]:
    connection = HTTPConnection(address, timeout=60)
    with closing(connection):
        connection.request(method, path, headers={"Authorization": f"Bearer {token}"} if token else {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8")


async def ask(address: str, path: str, token: str = "") -> tuple[int, str]:
    return await asyncio.to_thread(asked, address, path, token)


def measured(exposition: str) -> dict[tuple[str, str], float]:
    """Each value by its name and first label, as Prometheus' own parser reads them."""
    families = list(text_string_to_metric_families(exposition))
    assert families
    assert all(family.documentation and family.type in {"gauge", "counter", "histogram"} for family in families)
    samples = [sample for family in families for sample in family.samples]
    return {(each.name, next(iter(each.labels.values()), "")): each.value for each in samples}


def token_file(folder: Path, token: str = TOKEN) -> str:
    path = folder / "metrics-token"
    path.touch(mode=0o600)
    path.write_text(f"{token}\n", "utf-8")
    return str(path)


async def test_metrics_are_told_to_nobody_unless_the_configuration_says(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        address = f"127.0.0.1:{gateway.platform.config.console_port}"
        assert (await ask(address, "/metrics", TOKEN))[0] == 404
        assert await ask(address, "/healthz") == (200, "alive\n")
        status, told = await ask(address, "/readyz")
        assert status == 200, told
        assert json.loads(told) == {
            "ready": True,
            "checks": dict.fromkeys(("ledger", "clock", "signer", "disk", "listeners"), "ok"),
        }


async def test_what_keeps_people_out_makes_it_not_ready(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        platform = gateway.platform
        address = f"127.0.0.1:{platform.config.console_port}"

        async def until(name: str, word: str, status: int) -> None:
            async with asyncio.timeout(SECONDS):
                while (told := await ask(address, "/readyz")) is not None:
                    found = json.loads(told[1])["checks"]
                    if found[name] == word and told[0] == status:
                        return
                    await asyncio.sleep(0.2)

        await until("disk", "ok", 200)
        real = platform.disk._look
        platform.disk._look = lambda folder: Space(1 << 20, 1 << 40)
        platform.disk.look()
        await until("disk", "full", 503)
        platform.disk._look = lambda folder: Space(platform.disk.marks.reserve + 1, 1 << 40)
        platform.disk.look()
        await until("disk", DiskStage.LOW.value, 200)
        platform.disk._look = real
        platform.disk.look()
        await until("disk", "ok", 200)

        with closing(sqlite3.connect(platform.database, isolation_level=None, check_same_thread=False)) as stuck:
            stuck.execute("BEGIN IMMEDIATE")
            await until("ledger", "unavailable", 503)
            stuck.execute("ROLLBACK")
        await until("ledger", "ok", 200)

        platform.operations.checks._signer = SignerClient(tmp_path / "nobody", 1)
        await until("signer", "away", 200)
        platform.operations.checks.listening.discard("ssh")
        await until("listeners", "closed", 503)


async def test_one_look_serves_all_who_waited_for_it_however_long_it_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, looks = [0.0], Counter[str]()
    clock = SimpleNamespace(monotonic=lambda: now[0], time=time.time)
    async with running_gateway(tmp_path) as gateway:
        checks, measuring = gateway.platform.operations.checks, gateway.platform.operations.measuring

        def slow(of: object, name: str) -> None:
            real = getattr(of, name)

            async def look() -> object:
                looks[name] += 1
                now[0] += 5
                return await real()

            monkeypatch.setattr(of, name, look)

        monkeypatch.setattr("onepam.boot.web.readiness.time", clock)
        monkeypatch.setattr("onepam.boot.web.measuring.time", clock)
        slow(checks, "_look")
        slow(measuring, "_follow")
        stand = await asyncio.gather(*(checks.look() for _ in range(6)))
        assert looks["_look"] == 1
        await asyncio.gather(*(measuring.measure(each) for each in stand))
        assert looks["_follow"] == 1
        now[0] += 5
        await measuring.measure(await checks.look())
        assert (looks["_look"], looks["_follow"]) == (2, 2)


@pytest.mark.parametrize("shared", [False, True])
async def test_metrics_tell_what_happened_in_a_form_that_prometheus_reads(tmp_path: Path, shared: bool) -> None:
    more = {"metrics_token_file": token_file(tmp_path)}
    async with running_gateway(tmp_path, **({} if shared else {"metrics_address": "127.0.0.1:0"}), **more) as gateway:
        platform = gateway.platform
        console = f"127.0.0.1:{platform.config.console_port}"
        address = console if shared else f"127.0.0.1:{platform.operations.port}"
        if not shared:
            assert (await ask(console, "/metrics", TOKEN))[0] == 404
            assert await ask(address, "/healthz") == (200, "alive\n")
            assert (await ask(address, "/readyz"))[0] == 200
            assert (await ask(address, "/sign-in"))[0] == 404
        for wrong in ("", "another token that is as long", TOKEN.upper()):
            status, told = await ask(address, "/metrics", wrong)
            assert (status, told) == (401, "a token is needed\n")

        before = measured((await ask(address, "/metrics", TOKEN))[1])
        assert before["onepam_sessions_live", ""] == 0
        person = await gateway.person()
        client = await gateway.working(person)
        refused = await gateway.run(*gateway.ssh(person, "true", user="somebody@web-1"))
        assert refused.status == 255
        async with asyncio.timeout(SECONDS):
            while True:
                status, exposition = await ask(address, "/metrics", TOKEN)
                now = measured(exposition)
                if now["onepam_sessions_live", ""] == 1 and [each for each in now if each[0].endswith("refused_total")]:
                    break
                await asyncio.sleep(0.3)
        assert now["onepam_sessions_opened_total", ""] == 1
        assert sum(value for (name, _), value in now.items() if name == "onepam_sessions_refused_total") == 1
        assert now["onepam_recorder_bytes_total", ""] > 0
        assert now["onepam_ledger_entries", ""] > before["onepam_ledger_entries", ""]
        assert now["onepam_ledger_commit_seconds_count", ""] > before["onepam_ledger_commit_seconds_count", ""]
        assert now["onepam_ledger_commit_seconds_bucket", "+Inf"] == now["onepam_ledger_commit_seconds_count", ""]
        assert now["onepam_ledger_uncovered_entries", "signer"] >= 0
        published = (platform.config.data / "log" / "checkpoint").stat().st_mtime
        assert 0 <= now["onepam_ledger_checkpoint_age_seconds", ""] <= time.time() - published + 2
        os.utime(platform.config.data / "log" / "checkpoint", (published, published - 3600))
        assert now["onepam_ready", ""] == now["onepam_ready_check", "ledger"] == 1
        assert now["onepam_disk_free_bytes", ""] < now["onepam_disk_size_bytes", ""]
        assert person.id not in exposition
        assert TOKEN not in exposition
        assert client.stdin is not None
        client.stdin.close()
        await outcome(client, None)
        assert set(listed()) == {line.split()[2] for line in exposition.splitlines() if line.startswith("# TYPE ")}


def listed() -> list[str]:
    """The metrics that the manual lists."""
    page = Path(__file__).parents[2] / "docs" / "monitoring.md"
    return re.findall(r"^\| `(onepam_\w+)` \|", page.read_text("utf-8"), re.MULTILINE)


async def test_a_new_token_needs_no_restart_and_one_that_can_be_guessed_no_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = token_file(tmp_path)
    async with running_gateway(tmp_path, metrics_token_file=path) as gateway:
        address = f"127.0.0.1:{gateway.platform.config.console_port}"
        assert (await ask(address, "/metrics", TOKEN))[0] == 200
        token_file(tmp_path, "another token that nobody guesses")
        assert (await ask(address, "/metrics", TOKEN))[0] == 401
        assert (await ask(address, "/metrics", "another token that nobody guesses"))[0] == 200
        token_file(tmp_path, "short")
        assert [(await ask(address, "/metrics", each))[0] for each in ("short", "", TOKEN)] == [503] * 3
        said = [each.message for each in caplog.records if "told to nobody" in each.message]
        assert len(said) == 1
        assert "fewer than 20 characters" in said[0]
        token_file(tmp_path)
        assert (await ask(address, "/metrics", TOKEN))[0] == 200
    for words, change in (
        ("fewer than 20 characters", lambda: token_file(tmp_path, "short")),
        ("open to others", lambda: os.chmod(token_file(tmp_path), 0o644)),
        ("cannot be read", lambda: os.unlink(path)),
    ):
        change()
        found = await asyncio.to_thread(up, tmp_path, metrics_token_file=path)
        assert isinstance(found, Failed)
        assert words in found.words


@pytest.mark.parametrize(
    "wrong", ["9464", "localhost:9464", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:1/x", "::1:9464"]
)
def test_an_address_that_is_none(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(BadConfig, match="an IP address and a port"):
        _ = Config(tmp_path, metrics_address=wrong).metrics_at


def test_an_address_that_others_reach_needs_a_token(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="needs metrics_token_file"):
        _ = Config(tmp_path, metrics_address="0.0.0.0:9464").metrics_at
    assert Config(tmp_path, metrics_address="0.0.0.0:9464", metrics_token_file="x").metrics_at == ("0.0.0.0", 9464)
    assert Config(tmp_path, metrics_address="[::1]:9464").metrics_at == ("::1", 9464)


def test_odd_words_and_numbers_are_read_as_they_were_meant() -> None:
    seconds = Histogram((0.1, 1))
    for each in (0.05, 0.1, 0.5, 7):
        seconds.observe(each)
    odd = 'a "quoted" \\ word\nand a line'
    families = [
        Family("odd_total", "counter", odd, [Sample(1.5, (("code", odd),))]),
        Family("none_yet", "gauge", "empty", []),
        Family("odd_seconds", "histogram", "how long", seconds.samples()),
    ]
    counter, none, histogram = text_string_to_metric_families(text(families))
    assert counter.documentation == odd
    assert [(each.labels, each.value) for each in counter.samples] == [({"code": odd}, 1.5)]
    assert none.samples == []
    found = {(each.name, each.labels.get("le", "")): each.value for each in histogram.samples}
    assert found == {
        ("odd_seconds_bucket", "0.1"): 2,
        ("odd_seconds_bucket", "1"): 3,
        ("odd_seconds_bucket", "+Inf"): 4,
        ("odd_seconds_sum", ""): 7.65,
        ("odd_seconds_count", ""): 4,
    }


async def test_a_stop_lets_sessions_go_on_admits_nobody_and_a_second_signal_hurries(tmp_path: Path) -> None:
    with elsewhere(tmp_path) as (gateway, egress):
        process = started(tmp_path, egress=egress, drain_seconds=100_000, metrics_address="127.0.0.1:0")
        console = urlsplit(process.console).netloc
        await gateway.record(gateway.resource("web-1"))
        gateway.platform.ssh_port = process.ssh_port
        person = await gateway.person()
        ends_itself, cut = await gateway.working(person), await gateway.working(person)
        terminal = await gateway.start(*gateway.ssh(person, "-tt", "echo ready; sleep 100000"))
        assert terminal.stdout is not None
        assert terminal.stderr is not None
        async with asyncio.timeout(SECONDS):
            assert (await terminal.stdout.readline()).strip() == b"ready"
        process.popen.terminate()
        async with asyncio.timeout(SECONDS):
            told_at_once = (await terminal.stderr.readuntil(b"latest")).decode()
        assert "OnePAM: the gateway is being stopped: this session ends at 20" in told_at_once
        async with asyncio.timeout(SECONDS):
            while (told := await ask(console, "/readyz"))[0] != 503:  # noqa: ASYNC110 - another process works
                await asyncio.sleep(0.1)
        assert json.loads(told[1])["checks"]["gateway"] == "stopping"
        assert await ask(console, "/healthz") == (200, "alive\n")
        assert (await gateway.run(*gateway.ssh(person, "true"))).status == 255
        done = await outcome(ends_itself, b"still\n")
        assert (done.status, done.stdout) == (0, b"still\n")
        assert process.popen.poll() is None
        threading.Timer(0.1, process.popen.terminate).start()
        last_words = (await outcome(cut, None)).stderr
        assert "the gateway is being stopped" in last_words
        assert "at the latest" not in last_words, "no program hears what is for people"
        await outcome(terminal, None)
        assert await asyncio.to_thread(process.popen.wait, SECONDS) == 0
        opened = gateway.events(SessionOpened)
        assert len(opened) == 3
        marks = [each.text for one in opened for each in gateway.recorded(one.session) if isinstance(each, Marker)]
        assert len(marks) == 1
        assert marks[0].endswith("at the latest")


async def test_sessions_have_their_time_and_no_more(tmp_path: Path) -> None:
    with elsewhere(tmp_path) as (gateway, egress):
        process = started(tmp_path, egress=egress, drain_seconds=2)
        await gateway.record(gateway.resource("web-1"))
        gateway.platform.ssh_port = process.ssh_port
        client = await gateway.working(await gateway.person())
        assert await asyncio.to_thread(process.stop) >= 2
        assert "the gateway is being stopped" in (await outcome(client, None)).stderr
