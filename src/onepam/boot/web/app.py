"""The web side of one process: console at `/`, API at `/api/v1`, SCIM at `/scim/v2`; health and readiness."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.routing import Mount, Route

from onepam.api.app import create_api
from onepam.api.services import ApiServices
from onepam.api.signals import SignalDoor
from onepam.api.transmitter import TransmitterDoor
from onepam.app.ports import EntryProof, LedgerHealth
from onepam.app.providers.count_refusals import ProviderRefusals
from onepam.blobs.document_folder import DocumentFolder
from onepam.boot.clock import wall_clock
from onepam.boot.databases import root, tried
from onepam.boot.identity import Identity
from onepam.console.app import create_console
from onepam.console.frame.packs import Packs
from onepam.console.frame.services import ConsoleServices
from onepam.domain.access.authority import Actor
from onepam.domain.policies.publishing import MOST_BYTES
from onepam.egress.egress import Egress
from onepam.egress.ldap.client import Directory
from onepam.identity.devices import Devices
from onepam.identity.passkeys import RelyingParty
from onepam.identity.signals.receiver import Receiver
from onepam.jobs.job import Jobs
from onepam.jobs.provider_keys import ProviderKeys
from onepam.jobs.sending import Sender
from onepam.jobs.signals import Poller
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.scim.app import ScimDoor
from onepam.scim.oauth import TokenDoor
from onepam.scim.services import ScimServices

if TYPE_CHECKING:
    from onepam.boot.platform import Platform


def create_web(platform: "Platform") -> Starlette:
    """The application that uvicorn serves."""
    identity = Identity.of(platform.config, platform.ssh_port, platform.envelope)
    signals = Receiver(platform.ledger, identity.fetch, platform.envelope)
    sender = _sender(platform, identity)
    devices = Devices(secrets.token_bytes)
    console = create_console(_console(platform, identity, signals, devices))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        jobs = Jobs()
        jobs.start(
            Poller(signals, platform.reader, wall_clock).job(),
            ProviderKeys(platform.ledger, platform.reader, identity.providers, identity.metadata, wall_clock).job(),
            *([sender.job()] if sender else []),
        )
        try:
            yield
        finally:
            await jobs.stop()
            await identity.fetch.aclose()

    scim = _scim(platform)
    routes = [
        *platform.operations.routes(),
        Mount("/api/v1", create_api(_api(platform, devices))),
        Mount("/scim/v2", ScimDoor(scim)),
        Route("/scim/oauth/token", TokenDoor(scim)),
        SignalDoor(signals, platform.reader, wall_clock).route(),
        *(_transmitter(sender).routes() if sender else ()),
        Mount("/", console),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def _sender(platform: "Platform", identity: Identity) -> Sender | None:
    """None where nobody is told: then nothing of a transmitter is there."""
    config = platform.config
    if not config.listeners:
        return None
    return Sender(
        config.data / "signals",
        config.listeners,
        config.url.rstrip("/"),
        platform.envelope,
        secrets.token_bytes,
        platform.reader,
        identity.fetch,
        platform.ledger.size,
    )


def _transmitter(sender: Sender) -> TransmitterDoor:
    return TransmitterDoor(sender.issuer, sender.key, sender.told, wall_clock)


def _documents(platform: "Platform") -> DocumentFolder:
    return DocumentFolder(platform.config.data / "policies", MOST_BYTES, secrets.token_bytes)


def _console(platform: "Platform", identity: Identity, signals: Receiver, devices: Devices) -> ConsoleServices:
    config = platform.config
    host = urlsplit(config.url).hostname or "localhost"
    return ConsoleServices(
        ledger=platform.ledger,
        reader=platform.reader,
        envelope=platform.envelope,
        playback=platform.playback,
        documents=_documents(platform),
        party=RelyingParty(host, "OnePAM", (config.url,)),
        origin=config.url,
        company=config.company,
        ssh_words=lambda login, target: f"ssh {_port(platform, '-p')}{login}@{target}@{config.gateway_name}",
        scp_words=lambda login, target: f"scp {_port(platform, '-P')}FILE {login}@{target}@{config.gateway_name}:",
        health=lambda: _health(platform),
        proof=lambda index: asyncio.to_thread(platform.anchors.proof, index),
        checkpoint=lambda: asyncio.to_thread(platform.anchors.newest),
        clock=platform.ledger.time,
        wall=wall_clock,
        random=secrets.token_bytes,
        probes=platform.probes,
        fetch=identity.fetch,
        openid=identity.openid,
        providers=identity.providers,
        refusals=ProviderRefusals(platform.ledger),
        metadata=identity.metadata,
        packs=Packs(platform.evidence, platform.ledger.time),
        devices=devices,
        postgres=(config.gateway_name, config.postgres_port),
        mysql=(config.gateway_name, config.mysql_port),
        database_root=lambda: root(config, platform.authorities),
        queries=platform.queries,
        scim_traffic=platform.scim_traffic,
        signals=signals,
        keep_days=config.keep_days,
        backup_days=config.backed_up_within,
        statements=platform.statements,
        watchers=platform.watchers,
    )


def _scim(platform: "Platform") -> ScimServices:
    url = platform.config.url.rstrip("/")
    return ScimServices(
        ledger=platform.ledger,
        reader=platform.reader,
        clock=platform.ledger.time,
        random=secrets.token_bytes,
        traffic=platform.scim_traffic,
        url=f"{url}/scim/v2",
        documentation=f"{url}/provisioning",
        envelope=platform.envelope,
    )


def _api(platform: "Platform", devices: Devices) -> ApiServices:
    config = platform.config

    async def proof(index: int) -> EntryProof | None:
        found = await asyncio.to_thread(platform.anchors.proof, index)
        return None if isinstance(found, Refused) else found

    async def pack(actor: Actor, starts: Instant, ends: Instant) -> Path | Refused:
        return await platform.evidence(actor, starts, ends)

    return ApiServices(
        ledger=platform.ledger,
        reader=platform.reader,
        envelope=platform.envelope,
        authorities=platform.authorities,
        playback=platform.playback,
        documents=_documents(platform),
        clock=platform.ledger.time,
        wall=wall_clock,
        random=secrets.token_bytes,
        probes=platform.probes,
        gateway_name=config.gateway_name,
        ssh_port=platform.ssh_port,
        host_key_line=platform.authorities.host.known_hosts_line(
            [config.gateway_name, f"[{config.gateway_name}]:{platform.ssh_port}"]
        ),
        console_url=config.url,
        ledger_health=lambda: _health(platform),
        entry_proof=proof,
        evidence_pack=pack,
        directory=Directory(Egress(config.admitted, frozenset({platform.ssh_port, config.console_port}))),
        devices=devices,
        scim_traffic=platform.scim_traffic,
        keep_days=config.keep_days,
        postgres_port=config.postgres_port,
        mysql_port=config.mysql_port,
        database_root=lambda: root(config, platform.authorities),
        statements=platform.statements,
        watchers=platform.watchers,
        try_secret=lambda resource, login, secret: tried(platform, resource, login, secret),
    )


async def _health(platform: "Platform") -> LedgerHealth:
    looked_at, looked_size = platform.self_check.looked or (None, 0)
    return replace(await asyncio.to_thread(platform.anchors.health), looked_at=looked_at, looked_size=looked_size)


def _port(platform: "Platform", flag: str) -> str:
    return "" if platform.ssh_port == 22 else f"{flag} {platform.ssh_port} "
