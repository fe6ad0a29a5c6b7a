"""Signals: who tells us at once that a session is revoked or a credential changed, how each fares, and setting one."""

from starlette.responses import Response

from onepam.app.providers.signal_streams import propose_stream, remove_stream
from onepam.console.frame.decision import decisions
from onepam.console.frame.page import Context
from onepam.console.frame.places import ADMINISTERS, SEES_ALL, Place, Shown
from onepam.console.frame.visit import Visit
from onepam.console.providers.provider_wizard import stale
from onepam.console.providers.signals_page import SignalNewPage, SignalsPage, SignalTokenPage
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proposal import ProposalKind
from onepam.domain.providers.signals import Delivery, Stream
from onepam.identity.signals.receiver import Polled, sealed_token
from onepam.identity.tokens import new_token, token_digest
from onepam.kernel.clock import DAY, MINUTE, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.kernel.secret import Secret
from onepam.store.read import providers as provider_rows
from onepam.store.read import signals as rows

MAX_TOKEN_CHARACTERS = 4_000
QUIET_AFTER = 30 * DAY
"""Without a signal or a verification for so long, a stream may be dead without anybody's noticing."""

POLL_LATE = 5 * MINUTE
TOKEN_PREFIX = "osg"  # noqa: S105 - the beginning of our tokens' names
_FIELDS = ("name", "provider", "issuer", "audience", "delivery", "endpoint", "remote")
_WORDS = {
    "session-revoked": "Session revoked",
    "credential-change": "Credential changed",
    "verification": "Verification",
    "stream-updated": "Stream",
}


async def signals_page(visit: Visit) -> Response:
    """All streams, what waits, and what came last."""
    read = visit.services.reader
    forms = await decisions(visit, ProposalKind.SIGNAL_STREAM)
    return visit.page(
        SignalsPage(
            streams=[_row(visit, each) for each in await read(rows.streams, visit.at)],
            proposals=[
                {**_proposed(visit, each), "decision": forms.get(each.stream.change)}
                for each in await read(rows.stream_proposals, visit.at)
            ],
            signals=[_signal(each) for each in await read(rows.signals, visit.at)],
            may_change=visit.me.has(ConsoleRight.ADMINISTER),
        )
    )


async def new(visit: Visit) -> Response:
    """The form of a new stream."""
    if stale(visit):
        return visit.go("/step-up?next=/signals/new")
    return await _form(visit, dict.fromkeys(_FIELDS, "") | {"audience": visit.services.origin, "delivery": "push"})


async def propose(visit: Visit) -> Response:
    """Reads what was typed, asks the transmitter whether it is one, and lays it before another administrator."""
    typed = {name: visit.form.get(name, "").strip() for name in _FIELDS}
    services = visit.services
    ident, pushed = new_id("sst", services.random), typed["delivery"] != Delivery.POLL
    ours = new_token(TOKEN_PREFIX, services.random) if pushed else None
    theirs = _secret(visit)
    if isinstance(theirs, Refused):
        return await _form(visit, typed, theirs)
    wanted = Stream(
        change=new_id("chg", services.random),
        stream=ident,
        name=typed["name"],
        issuer=typed["issuer"],
        audience=typed["audience"],
        delivery=Delivery.PUSH if pushed else Delivery.POLL,
        provider=typed["provider"],
        endpoint="" if pushed else typed["endpoint"],
        remote=typed["remote"],
        digest=token_digest(ours).hex() if ours else None,
        secret=sealed_token(theirs, ident, services.envelope) if theirs else None,
    )
    found = await services.signals.transmitter(wanted.issuer).metadata(visit.wall)
    refused = found if isinstance(found, Refused) else await propose_stream(services.ledger, visit.me.actor, wanted)
    if refused is not None:
        return await _form(visit, typed, refused)
    if ours is None:
        return visit.outcome(None, "/signals", "Proposed: another administrator approves it.")
    return visit.page(SignalTokenPage(called=wanted.name, address=_address(visit, ident), token=_shown(ours)))


async def remove(visit: Visit) -> Response:
    """Ends a stream."""
    if stale(visit):
        return visit.go("/step-up?next=/signals")
    reason = visit.form.get("reason", "")
    refused = await remove_stream(visit.services.ledger, visit.me.actor, visit.path("stream"), reason)
    if refused is not None and refused.code == "signal.unknown":
        return visit.refusal(refused, 404)
    return visit.outcome(refused, "/signals", "Removed: nothing that comes by it is taken any more.")


async def test(visit: Visit) -> Response:
    """Asks the transmitter for a verification, which shows on the page once it has come."""
    found = await visit.services.reader(rows.addressed, None, visit.path("stream"))
    if found is None:
        return visit.refusal(Refused("signal.unknown", "There is no such stream.", "/signals"), 404)
    signals, stream = visit.services.signals, found.stream
    secret = signals.secret(stream)
    if secret is None or not stream.remote:
        refused: Refused | None = Refused(
            "signal.verify",
            "The transmitter's token or its id of the stream is not known here.",
            "Send a test from there.",
        )
    else:
        state = signals.state(stream.stream, visit.wall)
        refused = await signals.transmitter(stream.issuer).verify(stream.remote, secret, state, visit.wall)
    return visit.outcome(refused, "/signals", "Asked: the verification shows here once it has come.")


def _secret(visit: Visit) -> Secret | Refused | None:
    """The transmitter's token as typed; None for none."""
    text = visit.form.get("token", "").strip()
    if not text:
        return None
    if len(text) > MAX_TOKEN_CHARACTERS or not text.isascii() or not text.isprintable() or " " in text:
        return Refused("signal.token", "The transmitter's token is one word of ASCII characters.", "Copy it again.")
    return Secret(text.encode("ascii"))


async def _form(visit: Visit, typed: dict[str, str], refused: Refused | None = None) -> Response:
    providers = await visit.services.reader(provider_rows.providers, None)
    error = {"message": refused.message, "hint": refused.hint, "code": refused.code} if refused is not None else None
    return visit.page(
        SignalNewPage(
            form=typed,
            providers=[(each.provider.provider, each.provider.name) for each in providers],
            error=error,
        ),
        422 if refused is not None else 200,
    )


def _row(visit: Visit, found: rows.StreamRow) -> Context:
    stream, now = found.stream, visit.as_of or visit.now
    polled = visit.services.signals.polled.get(stream.stream) if visit.as_of is None else None
    state, words, trouble = health(found, polled, now)
    return {
        "id": stream.stream,
        "name": stream.name,
        "issuer": stream.issuer,
        "provider": {"id": stream.provider, "name": found.provider_name},
        "delivery": stream.delivery.value,
        "address": _address(visit, stream.stream) if stream.delivery is Delivery.PUSH else stream.endpoint,
        "state": state,
        "words": words,
        "trouble": trouble,
        "last": found.last,
        "verified": found.verified,
        "signals": found.signals,
        "ended": found.ended,
        "can_test": stream.secret is not None and bool(stream.remote),
        "proposed": found.proposed_by_name,
        "approved": found.approved_by_name,
        "since": found.since,
    }


def health(found: rows.StreamRow, polled: Polled | None, now: Instant) -> tuple[str, str, str]:
    """A state of `status`, its words, and what is wrong in a sentence ("" for nothing)."""
    if found.status in ("paused", "disabled"):
        return "finding", found.status.title(), "The transmitter says so."
    if polled is not None and polled.trouble:
        return "finding", "Cannot be fetched", polled.trouble
    if polled is not None and polled.at + POLL_LATE < now:
        return "finding", "Not fetched", "It is not asked any more."
    if found.last is None:
        return "untested", "Nothing yet", ""
    if found.last + QUIET_AFTER < now:
        return "due", "Quiet", f"Nothing came for {(now - found.last) // DAY} days."
    return "proven", "Works", ""


def _proposed(visit: Visit, found: rows.StreamProposalRow) -> Context:
    stream = found.stream
    return {
        "id": stream.change,
        "name": stream.name,
        "new": found.new,
        "issuer": stream.issuer,
        "audience": stream.audience,
        "provider": found.provider_name,
        "delivery": stream.delivery.value,
        "address": _address(visit, stream.stream) if stream.delivery is Delivery.PUSH else stream.endpoint,
        "by": {"id": found.by, "name": found.by_name},
        "at": found.at,
    }


def _signal(found: rows.SignalRow) -> Context:
    return {
        "stream": found.stream_name,
        "word": _WORDS[found.signal],
        "detail": found.detail,
        "person": {"id": found.person, "name": found.person_name} if found.person else None,
        "ended": found.ended,
        "issued": found.issued,
        "at": found.received,
        "reason": found.reason,
    }


def _address(visit: Visit, stream: str) -> str:
    return f"{visit.services.origin}/signals/{stream}"


def _shown(token: Secret) -> str:
    return token.reveal().decode("ascii")


PLACES = (
    Place("GET", "/signals", SEES_ALL, signals_page, Shown("Signals", "link", "Identity")),
    Place("GET", "/signals/new", ADMINISTERS, new),
    Place("POST", "/signals", ADMINISTERS, propose),
    Place("POST", "/signals/{stream}/remove", ADMINISTERS, remove),
    Place("POST", "/signals/{stream}/test", ADMINISTERS, test),
)
