"""A transmitter that signs whatever a test wants, a small company whose people it watches over, and our door."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_bytes
from typing import Any

import httpx2
from joserfc import jwk
from starlette.applications import Starlette

from onepam.api.signals import SignalDoor
from onepam.app.providers.approve_provider import approve_provider
from onepam.app.providers.propose_provider import propose_provider
from onepam.app.providers.signal_streams import approve_stream, propose_stream
from onepam.domain.access.proof import MfaBasis
from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.providers.entering import subject_digest
from onepam.domain.providers.events import IdentityLinked, ProviderRule
from onepam.domain.providers.setting import Provider
from onepam.domain.providers.signals import Delivery, SignalReceived, Stream
from onepam.domain.signing_in.events import SignedOut, SignInKind
from onepam.egress.fetch import Fetch
from onepam.identity.signals.receiver import Receiver, sealed_token
from onepam.identity.tokens import new_token, token_digest
from onepam.kernel.clock import SECOND
from onepam.kernel.secret import Secret
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys
from tests.company import Company, record
from tests.identity.oidc.hostile import RSA, Answer, Hostile, hostile_provider, minted

CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
SSF = "https://schemas.openid.net/secevent/ssf/event-type/"
REVOKED = f"{CAEP}session-revoked"
CHANGED = f"{CAEP}credential-change"
VERIFIED = f"{SSF}verification"
UPDATED = f"{SSF}stream-updated"
AUDIENCE = "https://pam.example.com"
PROVIDER_ISSUER = "https://idp.example.com"
EVE = {"format": "iss_sub", "iss": PROVIDER_ISSUER, "sub": "00u-eve"}
TYPE = "application/secevent+jwt"


@contextmanager
def transmitter() -> Iterator[Hostile]:
    """A hostile provider that also says where its signals come from."""
    with hostile_provider() as running:
        running.answers["/.well-known/ssf-configuration"] = Answer(
            {
                "spec_version": "1_0",
                "issuer": running.issuer,
                "jwks_uri": f"{running.issuer}/jwks",
                "verification_endpoint": f"{running.issuer}/verify",
            }
        )
        running.answers["/verify"] = Answer(status=204)
        yield running


@dataclass
class Watch:
    """All of it; `stream` is pushed, and in force."""

    company: Company
    transmitter: Hostile
    receiver: Receiver
    envelope: Envelope
    client: httpx2.AsyncClient
    stream: Stream
    token: Secret

    def claims(self, event: str = REVOKED, sub_id: Any = EVE, **changes: Any) -> dict[str, Any]:
        """Of a token that is right but for what is changed; `said` is what stands in the event."""
        said = changes.pop("said", {"reason_admin": {"en": "Landspeed violated"}})
        good = {
            "iss": self.transmitter.issuer,
            "aud": AUDIENCE,
            "iat": self.company.clock.now // SECOND + 1,
            "jti": f"set-{token_bytes(6).hex()}",
            "sub_id": sub_id,
            "events": {event: said},
        }
        return {name: value for name, value in (good | changes).items() if value is not ...}

    def token_of(self, claims: Any, key: jwk.Key | bytes = RSA, algorithm: str = "RS256", **header: Any) -> str:
        return minted(claims, key, algorithm, **{"typ": "secevent+jwt", **header})

    async def push(self, token: str | bytes, **headers: str) -> httpx2.Response:
        """A message as a transmitter posts it."""
        sent = {
            "Content-Type": TYPE,
            "Accept": "application/json",
            "Authorization": f"Bearer {self.token.reveal().decode()}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return await self.client.post(f"/signals/{self.stream.stream}", content=token, headers=sent)

    async def signal(self, event: str = REVOKED, sub_id: Any = EVE, **changes: Any) -> httpx2.Response:
        """A right message, pushed."""
        return await self.push(self.token_of(self.claims(event, sub_id, **changes)))

    async def came_by(self, person: str, session: str, named: str = "", parent: str | None = None) -> None:
        """A sign-in of the person through the provider, which calls it `named`."""
        opened = replace(
            self.company.signed_in(person),
            session=session,
            provider="idp_1",
            basis=MfaBasis.ATTESTED,
            token_digest=f"{session:0>64}",
            provider_session=named,
            parent=parent,
            kind=SignInKind.CLI if parent else SignInKind.CONSOLE,
        )
        await record(self.company.ledger, opened)

    def told(self) -> list[Any]:
        """The signals and the ends of sign-ins in the ledger."""
        db = connect(self.company.path)
        try:
            every = [each.event for each in entries(db, 0, self.company.ledger.size())]
        finally:
            db.close()
        return [each for each in every if isinstance(each, SignalReceived | SignedOut)]

    def ended(self) -> dict[str, str]:
        """The sign-ins that ended, and why."""
        return {each.session: each.because for each in self.told() if isinstance(each, SignedOut)}

    def signals(self) -> list[SignalReceived]:
        return [each for each in self.told() if isinstance(each, SignalReceived)]


RULE = ProviderRule(attests=("mfa",), domains=("example.com",))
OKTA = Provider("chg_1", "idp_1", ProviderKind.OIDC, "Okta", f'{{"issuer":"{PROVIDER_ISSUER}"}}', RULE, "sealed")


def pushed(issuer: str, token: Secret, change: str = "chg_2", stream: str = "sst_1") -> Stream:
    digest = token_digest(token).hex()
    return Stream(change, stream, f"Okta {stream}", issuer, AUDIENCE, Delivery.PUSH, "idp_1", "", "", digest, None)


async def set_stream(company: Company, wanted: Stream) -> None:
    """ada proposes, bob approves."""
    assert await propose_stream(company.ledger, company.actor("ada"), wanted) is None
    assert await approve_stream(company.ledger, company.actor("bob"), wanted.change) is None


def fetched(watch: Watch, change: str = "chg_3", stream: str = "sst_2") -> Stream:
    """A stream that we fetch."""
    secret = sealed_token(Secret(b"poll-token"), stream, watch.envelope)
    issuer = watch.transmitter.issuer
    return Stream(
        change,
        stream,
        f"Okta {stream}",
        issuer,
        AUDIENCE,
        Delivery.POLL,
        "idp_1",
        f"{issuer}/poll",
        "their-stream",
        None,
        secret,
    )


@asynccontextmanager
async def watching(folder: Path) -> AsyncIterator[Watch]:
    """Okta's people are eve (by subject) and whoever has an address at example.com."""
    company = await Company.create(folder)
    assert await propose_provider(company.ledger, company.actor("ada"), OKTA, None) is None
    assert await approve_provider(company.ledger, company.actor("bob"), "chg_1") is None
    linked = IdentityLinked("idn_1", "idp_1", "eve", "scim", None, subject_digest("idp_1", "00u-eve"), "00u-eve", "eve")
    await record(company.ledger, linked)
    token = new_token("osg", token_bytes)
    envelope = Envelope(FileKeys.create(folder / "keys.json", token_bytes), token_bytes)
    with transmitter() as running:
        fetch = Fetch(running.egress)
        receiver = Receiver(company.ledger, fetch, envelope)
        stream = pushed(running.issuer, token)
        await set_stream(company, stream)
        app = Starlette(routes=[SignalDoor(receiver, company.reader, company.clock).route()])
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=AUDIENCE) as client:
            yield Watch(company, running, receiver, envelope, client, stream, token)
        await fetch.aclose()
    company.close()
