"""Between a good proof and a session, whatever the protocol: the question to the one door, and the confirmation.

A protocol proves who its client is. From there all ways in are alike: whoever waits for a confirmation keeps the place
in the crowd, a session is registered before it is opened, a permit once given is accounted for though the client leaves
meanwhile, refusals are recorded, and a gateway that is stopping admits nobody.
"""

import asyncio
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic

from onepam.app.open_session import Challenge, Knock, Opened, open_session
from onepam.app.sessions.close_session import fail_session
from onepam.app.sessions.confirm import ask_confirmation
from onepam.app.sessions.refuse_session import refuse_session
from onepam.domain.sessions.clients import Client, told
from onepam.domain.sessions.confirmation import LIFETIME, Ask
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import EntryPoint, SessionFailed
from onepam.gateway.crowd import Place
from onepam.gateway.session import Gateway, Legs, R, Session, T
from onepam.gateway.settling import settle
from onepam.kernel.clock import SECOND
from onepam.kernel.errors import Fault, Refused
from onepam.kernel.ids import new_id
from onepam.kernel.text import printable

MAX_ASKED_CHARACTERS = 200
"""Of what a refused client asked for."""

MAX_CLIENT_CHARACTERS = 100
"""Of what a client says it is, and as many of the database that it wants."""

CONSOLE = "OnePAM console"
"""What our own pages say they are; of anybody else it is noted that they only say so."""

_STOPPED = Refused("gateway.stopped", "The gateway is being stopped.", "Connect again in a moment.")
_OURS = "".join(CONSOLE.casefold().split())
_UNCONFIRMED = Refused("confirmation.missing", "Not confirmed.")


@dataclass(frozen=True, slots=True)
class Proven:
    """Somebody whose proof was good, by which entry point. `sign_in` (of a certificate) or `key` (of a service account)
    is what the door rests on; of a person's registered key neither, so a confirmation is asked for. `token` is the id
    of a login token, beside the sign-in behind it."""

    person: str
    entry: EntryPoint
    sign_in: str | None = None
    key: str | None = None
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Unfit:
    """Somebody holds a proof of `whose` that is not good as they use it: that is recorded with whose it is."""

    whose: Proven
    refused: Refused


@dataclass(frozen=True, slots=True)
class Admission(Generic[T, R]):
    """One client's way from its proof to its session. `source` is its address, `client` what it says it is; `say` shows
    lines to whoever sits there, who has not been let in yet. `ours`: it is a page of this process. `database`: the one
    that it wants at the target, where it names one."""

    gateway: Gateway
    legs: Legs[T, R]
    place: Place
    source: str
    client: str
    say: Callable[[str], None]
    ours: bool = False
    database: str = ""

    async def enter(self, who: Proven, login: str, target: str) -> R | Refused:
        """From proof to permit and the beginning of the session. Raises `Fault`: then nothing has begun."""
        self.place.vouch()
        answer = await self._ask(self._knock(who, login, target))
        if isinstance(answer, Challenge):
            confirmation = await self._confirmed(who.person, login, target)
            if isinstance(confirmation, Refused):
                return confirmation
            answer = await self._ask(self._knock(who, login, target, confirmation))
        return _UNCONFIRMED if isinstance(answer, Challenge) else answer

    async def refuse(self, entry: EntryPoint, person: str | None, asked: str, refused: Refused) -> None:
        """Records that somebody held a proof, and that it, or what was asked, was not good."""
        self.place.vouch()
        session = new_id("ses", self.gateway.random)
        asked = printable(asked, MAX_ASKED_CHARACTERS)
        await refuse_session(self.gateway.ledger, session, entry, person, asked, self.source, refused)

    def _knock(self, who: Proven, login: str, target: str, confirmation: str | None = None) -> Knock:
        client = CONSOLE if self.ours else _stranger(printable(self.client, MAX_CLIENT_CHARACTERS))
        return Knock(
            session=new_id("ses", self.gateway.random),
            entry=who.entry,
            person=who.person,
            target=target,
            login=login,
            node=self.gateway.node,
            source=self.source,
            client=told(Client(client, printable(self.database, MAX_CLIENT_CHARACTERS))),
            sign_in=who.sign_in,
            confirmation=confirmation,
            key=who.key,
            token=who.token,
        )

    async def _ask(self, knock: Knock) -> R | Challenge | Refused:
        """The door's answer. A client that leaves meanwhile does not stop it: a permit once given is accounted for."""
        return await asyncio.shield(self.gateway.tasks.spawn(self._answer(knock)))

    async def _answer(self, knock: Knock) -> R | Challenge | Refused:
        gateway = self.gateway
        if gateway.tasks.stopping:  # whoever is registered already hears the stop itself
            return _STOPPED
        session = Session(gateway, self.legs)
        live = gateway.live.register(knock.session, knock.person, knock.target, session.end, session.tell, knock.key)
        answer: Opened | Challenge | Refused | None = None
        try:
            answer = await open_session(gateway.ledger, knock)
        except Fault:
            # It may still take effect once the ledger answers; this comes after it.
            failed = SessionFailed(knock.session, SessionEnd.GATEWAY_UNAVAILABLE)
            gateway.tasks.spawn(settle(lambda: fail_session(gateway.ledger, failed)))
            raise
        finally:
            if not isinstance(answer, Opened):
                gateway.live.unregister(knock.session)
        if not isinstance(answer, Opened):
            return answer
        gateway.live.opened(live, answer)
        return await session.begin(answer)

    async def _confirmed(self, person: str, login: str, target: str) -> str | Refused:
        """The id of the confirmation that this client's person gave in the browser."""
        gateway = self.gateway
        confirmation, (code, digest) = new_id("cnf", gateway.random), gateway.new_code()
        waiting = asyncio.ensure_future(gateway.live.confirmation(confirmation, LIFETIME / SECOND))
        try:
            expires = await ask_confirmation(
                gateway.ledger, Ask(confirmation, person, target, login, self.source, digest)
            )
            if isinstance(expires, Refused):
                return expires
            self.say(
                f"\nConfirm {login}@{target} in your browser within 2 minutes:\n\n"
                f"    {gateway.console_url}/confirm/{confirmation}\n\n"
                f"and type this code there:   {code}\n\n"
            )
            refused = await waiting
            return refused if refused is not None else confirmation
        finally:
            waiting.cancel()


def _stranger(client: str) -> str:
    """What a client says it is; none passes for a page of ours."""
    letters = "".join(each for each in unicodedata.normalize("NFKC", client).casefold() if each.isalnum())
    return f'client that says "{client}"'[:MAX_CLIENT_CHARACTERS] if _OURS in letters else client


def refusal_words(refused: Refused, console_url: str = "") -> str:
    """Why not, and what to do, as lines for a terminal."""
    hint = refused.hint_at(console_url)
    return f"\nOnePAM: {refused.message}\n" + (f"        {hint}\n" if hint else "") + "\n"
