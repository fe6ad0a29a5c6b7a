"""`onepam outbox test`: one test notice to each receiver of the configuration, sent from this host, now."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import typer

from onepam.boot.clock import wall_clock
from onepam.boot.config import Config, load
from onepam.boot.receivers import receivers_of
from onepam.domain.telling.outbox import MAIL, SECURITY, Notice, Occurrence
from onepam.egress.outbox.send import Later, Letter, Send
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Fault, Refused


def send_test(config: Path, to: list[str]) -> None:
    """Sends, says how each receiver took it, and ends the program with the code for that."""
    results = asyncio.run(_send(load(config, Path("var/onepam")), tuple(to)))
    if not results:
        typer.echo("The configuration names no receiver: set mail_server, webhooks, chats or syslog.")
    for receiver, refused in results.items():
        words = f"FAILED  {refused.code}: {refused.message} {refused.hint}".rstrip() if refused else "taken"
        typer.echo(f"{receiver}: {words}")
    raise typer.Exit(0 if results and not any(results.values()) else 1)


async def _send(config: Config, to: tuple[str, ...]) -> dict[str, Refused | None]:
    receivers = receivers_of(config, frozenset({config.ssh_port, config.console_port}))
    url, now = config.url.rstrip("/"), wall_clock()
    addresses = to or receivers.security
    results: dict[str, Refused | None] = {}
    for receiver, send in receivers.senders.items():
        if receiver == MAIL and not addresses:
            results[MAIL] = Refused("mail.recipient", "No address is known.", "Give --to, or set mail_security.")
            continue
        said = "This is a test of OnePAM's notices: nothing has happened."
        happened = Occurrence(0, now, "outbox.test", f"test {now}", said, "/notices", alarm=False)
        letter = Letter(
            Notice(receiver, 0, now, 1, happened),
            addresses,
            f"{url}/notices",
            config.origin,
            urlsplit(url).hostname or "",
        )
        results[SECURITY if receiver == MAIL and not to else receiver] = await _tried(send, letter, now)
    for fetch in receivers.fetches:
        await fetch.aclose()
    return results


async def _tried(send: Send, letter: Letter, now: Instant) -> Refused | None:
    """One receiver's answer; a fault on this host, such as a secret's file that is gone, is of that receiver alone."""
    try:
        answer = await send(letter, now)
        return answer.refused if isinstance(answer, Later) else answer
    except (Fault, OSError) as fault:
        return Refused("outbox.fault", str(fault))
