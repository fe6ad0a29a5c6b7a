"""What the console's pages need from outside; `boot` makes one."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from onepam.app.ports import Documents, EntryProof, Ledger, LedgerHealth, Reader
from onepam.app.providers.count_refusals import ProviderRefusals
from onepam.app.provisioning.traffic import ScimTraffic
from onepam.console.frame.packs import Packs
from onepam.console.frame.queries import Queries
from onepam.domain.host.backups import BACKUP_DAYS
from onepam.domain.leaving.erasing import KEEP_DAYS
from onepam.egress.fetch import Fetch
from onepam.gateway.ask_first import WaitingStatements
from onepam.gateway.guesses import Guesses
from onepam.gateway.playback import Playback
from onepam.gateway.probes import Probes
from onepam.gateway.watching import Watchers
from onepam.identity.devices import Devices
from onepam.identity.oidc.relying_party import RelyingParty as OpenIdParty
from onepam.identity.passkeys import RelyingParty
from onepam.identity.providers import Providers
from onepam.identity.saml.reading import MetadataReader
from onepam.identity.signals.receiver import Receiver
from onepam.kernel.clock import Clock
from onepam.kernel.errors import Refused
from onepam.kernel.ids import RandomBytes
from onepam.ledger.checkpoint import Checkpoint
from onepam.vault.envelope import Envelope


@dataclass(frozen=True, slots=True)
class ConsoleServices:
    """`origin` is the console's exact origin as browsers send it; `ssh_words(login, target)` the command to copy.
    `postgres` and `mysql` are the host and port that clients of those connect to, port 0 where the gateway does not
    listen.

    `statements` is what those say that wait for somebody's yes, `watchers` who watches which session.
    `fetch` is how anything leaves for an identity provider, `openid` signs people in by OpenID Connect, and
    `providers` makes what the ledger keeps of a provider ready for use. `signals` takes what transmitters tell.
    `metadata` reads a SAML provider's again. `refusals` counts what providers send that lets nobody in;
    `scim_traffic` is how the requests of directories went. `checkpoint` is the newest that is signed, with its note,
    or None. `packs` draws evidence. `devices` are terminals without a browser that wait. `clock` is the ledger's time,
    `wall` this machine's clock, for what is compared with somebody else's. `database_root` is the certificate (PEM) by
    which clients of databases know the gateway, empty where an operator's own is shown. `queries` are the pages
    at which somebody asks a database. `keep_days`: for so long a leaver's data are kept in any case. `backup_days`: how
    old the newest backup may be, 0 where nobody watches. `documents` are those of policies.
    """

    ledger: Ledger
    reader: Reader
    envelope: Envelope
    playback: Playback
    party: RelyingParty
    origin: str
    company: str
    ssh_words: Callable[[str, str], str]
    scp_words: Callable[[str, str], str]
    health: Callable[[], Awaitable[LedgerHealth]]
    proof: Callable[[int], Awaitable[EntryProof | Refused]]
    checkpoint: Callable[[], Awaitable[tuple[Checkpoint, bytes] | None]]
    clock: Clock
    wall: Clock
    random: RandomBytes
    probes: Probes
    fetch: Fetch
    openid: OpenIdParty
    providers: Providers
    signals: Receiver
    refusals: ProviderRefusals
    metadata: MetadataReader
    packs: Packs
    devices: Devices
    documents: Documents
    database_root: Callable[[], bytes] = bytes
    queries: Queries = field(default_factory=Queries)
    postgres: tuple[str, int] = ("", 0)
    mysql: tuple[str, int] = ("", 0)
    scim_traffic: ScimTraffic = field(default_factory=ScimTraffic)
    guesses: Guesses = field(default_factory=Guesses)
    keep_days: int = KEEP_DAYS
    backup_days: int = BACKUP_DAYS
    statements: WaitingStatements = field(default_factory=WaitingStatements)
    watchers: Watchers = field(default_factory=Watchers)

    @property
    def secure(self) -> bool:
        """Whether cookies may demand TLS: not for a try on http://localhost."""
        return self.origin.startswith("https://")
