"""One request to the console: who asks, from where, as of when, and what they sent."""

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from onepam.console.frame.page import PageContext
from onepam.console.frame.places import Place
from onepam.console.frame.refusal_page import RefusalPage
from onepam.console.frame.rendering import CSP, Flash, Shell, render
from onepam.console.frame.rendering import Reader as Somebody
from onepam.console.frame.services import ConsoleServices
from onepam.domain.access.authority import Actor, ActorFacts
from onepam.domain.access.model import ConsoleRight
from onepam.kernel.clock import MINUTE, Instant
from onepam.kernel.errors import Fault, Refused
from onepam.kernel.secret import Secret
from onepam.store.read.alarms import Alarm

SESSION_COOKIE = "onepam_session"
CSRF_COOKIE = "onepam_csrf"
FLOW_COOKIE = "onepam_flow"
FLASH_COOKIE = "onepam_flash"
FLOW_LIFETIME = 10 * MINUTE


@dataclass(frozen=True, slots=True)
class Member:
    """The signed-in person behind a visit."""

    actor: Actor
    facts: ActorFacts
    name: str
    detail: str

    def has(self, *rights: ConsoleRight) -> bool:
        """Whether any held role carries any of the rights."""
        return any(self.facts.roles_with(right) for right in rights)

    def may(self, place: Place) -> bool:
        """Whether a place opens for them."""
        return not place.needs.rights or self.has(*place.needs.rights)


@dataclass(slots=True)
class Visit:
    """The request with all that is known of it. `at` is the instant that pages show: now, or `as_of`.

    `nonce` is the browser's own, `csrf` what its forms carry: bound to it and to its session.

    `now` is the ledger's time, which everything of ours is compared with; `wall` is this machine's clock, for what
    somebody else's clock said: the codes of an app, a provider's message, a certificate. `side_bar` are all places that
    are shown to whoever may.
    """

    services: ConsoleServices
    request: Request
    source: str
    now: Instant
    wall: Instant
    side_bar: tuple[Place, ...]
    nonce: str = ""
    csrf: str = ""
    as_of: Instant | None = None
    member: Member | None = None
    form: Mapping[str, str] = field(default_factory=dict)
    file: bytes = b""
    json: Any = None
    waiting: int = 0
    changes: int = 0
    live: int = 0
    reviews: int = 0
    answers: bool = False
    flashes: tuple[Flash, ...] = ()
    alarms: tuple[Alarm, ...] = ()

    def __post_init__(self) -> None:
        known = self.cookie(CSRF_COOKIE)
        self.nonce = known if len(known) == 43 else secrets.token_urlsafe(32)
        self.csrf = csrf_token(self.nonce, self.cookie(SESSION_COOKIE))

    @property
    def me(self) -> Member:
        """The signed-in person, on routes that need one."""
        assert self.member is not None
        return self.member

    @property
    def at(self) -> Instant | None:
        """For the reader: None is now."""
        return self.as_of

    def path(self, name: str) -> str:
        """A part of the address."""
        return str(self.request.path_params[name])

    @property
    def moment(self) -> Instant:
        """The instant that this visit shows: for what is read in several parts, which must be of one."""
        return self.as_of if self.as_of is not None else self.now

    def wants_sheet(self) -> bool:
        """Whether the list is to be downloaded, all of it: `?as=csv`."""
        return self.request.query_params.get("as") == "csv"

    def shown(self) -> tuple[Place, ...]:
        """The side bar of whoever is signed in: what opens for them."""
        mine = (place for place in self.side_bar if self.me.may(place))
        return tuple(place for place in mine if self.answers or not (place.shown and place.shown.answering))

    def shell(self) -> Shell:
        """What every page knows."""
        somebody = None
        if self.member is not None:
            somebody = Somebody(self.member.actor.person, self.member.name, self.member.detail, self.shown())
        url = self.request.url
        return Shell(
            now=self.as_of if self.as_of is not None else self.now,
            path=url.path,
            csrf=self.csrf,
            reader=somebody,
            as_of=self.as_of,
            here=url.path + (f"?{url.query}" if url.query else ""),
            waiting=self.waiting,
            changes=self.changes,
            live=self.live,
            reviews=self.reviews,
            flashes=self.flashes,
            alarms=self.alarms,
        )

    def page(self, page: PageContext, status: int = 200, csp: str = CSP) -> Response:
        """A rendered page."""
        return HTMLResponse(render(page, self.shell()), status, headers={"Content-Security-Policy": csp})

    def back(self, otherwise: str) -> str:
        """Where the form that was sent stands, as it says itself."""
        return following(self.form.get("back", ""), otherwise)

    def refusal(self, refused: Refused, status: int = 403) -> Response:
        """The page that says no: what, why, what next."""
        hint = refused.hint
        following = {"href": hint, "word": "Go on"} if hint.startswith("/") else None
        why = "" if following else hint
        page = RefusalPage(heading=refused.message, why=why, next=following, code=refused.code, chain=None)
        return self.page(page, status)

    def go(self, path: str, flash: Flash | None = None) -> Response:
        """A redirect after a POST, with what happened shown on the next page."""
        response = RedirectResponse(path, 303)
        if flash is not None:
            value = json.dumps([flash.kind, flash.text[:500], flash.hint[:500]]).encode()
            self.set_cookie(response, FLASH_COOKIE, urlsafe_b64encode(value).decode("ascii"), 60)
        return response

    def outcome(self, refused: Refused | None, path: str, done: str) -> Response:
        """The usual end of a POST: done, or why not, on `path`."""
        if refused is None:
            return self.go(path, Flash("done", done))
        return self.go(
            path, Flash("refused", refused.message, refused.hint if not refused.hint.startswith("/") else "")
        )

    # --- Cookies ---------------------------------------------------------------------------------------------------

    def cookie(self, name: str) -> str:
        """What the browser sent; empty where it sent none."""
        return self.request.cookies.get(self._called(name), "")

    def drop_cookie(self, response: Response, name: str) -> None:
        """The browser forgets it."""
        self.set_cookie(response, name, "", 0)

    def _called(self, name: str) -> str:
        """Over https no neighbouring host and no page without TLS can set or replace it (RFC 6265bis, 4.1.3.2)."""
        return f"__Host-{name}" if self.services.secure else name

    # --- What a browser carries between the steps of a flow ----------------------------------------------------------

    def flow(self, cookie: str = FLOW_COOKIE) -> dict[str, Any]:
        """What an earlier step sealed into the browser; empty when there is none, or it has lapsed."""
        text = self.cookie(cookie)
        try:
            sealed = urlsafe_b64decode(text.encode("ascii"))
            kept = json.loads(self.services.envelope.open(Secret(sealed).reveal(), _about(cookie)).reveal())
        except (ValueError, Fault):
            return {}
        if not isinstance(kept, dict) or int(kept.get("until", 0)) < self.now:
            return {}
        return kept

    def keep(
        self, response: Response, flow: Mapping[str, Any], cookie: str = FLOW_COOKIE, lasts: int = FLOW_LIFETIME
    ) -> Response:
        """Seals the flow's state for its next step, for ten minutes (or for `lasts` microseconds)."""
        value = json.dumps({**flow, "until": self.now + lasts}).encode()
        sealed = self.services.envelope.seal(Secret(value), _about(cookie))
        self.set_cookie(response, cookie, urlsafe_b64encode(sealed).decode("ascii"), lasts // 1_000_000)
        return response

    def forget(self, response: Response, cookie: str = FLOW_COOKIE) -> Response:
        """Ends the flow: its challenge or seed serves nobody again."""
        self.drop_cookie(response, cookie)
        return response

    def set_cookie(self, response: Response, name: str, value: str, seconds: int) -> None:
        """A host-only cookie that scripts cannot read and other sites do not send."""
        response.set_cookie(
            self._called(name),
            value,
            max_age=seconds,
            path="/",
            secure=self.services.secure,
            httponly=True,
            samesite="lax",
        )


def csrf_token(nonce: str, session: str) -> str:
    """Of one browser and one session: that of before the sign-in, or of another session, is good for nothing."""
    return sha256(f"{nonce}.{session}".encode()).hexdigest()


def following(path: str, otherwise: str = "/") -> str:
    """A path of our own, never another site's."""
    fitting = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and len(path) < 2000
    return path if fitting else otherwise


def _about(cookie: str) -> bytes:
    """What is sealed for one cookie is good in no other."""
    return f"console-flow/{cookie}".encode("ascii")
