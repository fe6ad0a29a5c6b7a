"""Why a gateway session ended, in one list: what the ledger keeps, what the client hears, what pages and lists say."""

from enum import StrEnum
from typing import Self


class SessionEnd(StrEnum):
    """Why a session ended, or failed before anything passed.

    `words` are for whoever looks at it afterwards; `told` goes to the client while it still listens, as the rest of a
    sentence; it is empty where nobody listens any more, or the door has said why.
    """

    words: str
    told: str

    def __new__(cls, code: str, words: str = "", told: str = "") -> Self:
        """`code` alone finds a member; a member has words."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.words, member.told = words, told
        return member

    @classmethod
    def of(cls, code: str, otherwise: "SessionEnd") -> "SessionEnd":
        """The member for a refusal's code. A code that is none ends a session all the same, as `otherwise`."""
        return next((each for each in cls if each == code), otherwise)

    # Either side
    CLIENT_LEFT = "client.closed", "client left"
    TARGET_LOST = "target.lost", "the connection to the target was lost", "the connection to the target was lost"
    KEYS_STALLED = (
        "keys.stalled",
        "a key exchange was begun and not ended",
        "a key exchange of this session was begun and not ended",
    )
    CLIENT_PROTOCOL = (
        "client.protocol",
        "the client broke the protocol",
        "what the client sent is not of the protocol",
    )
    CLIENT_SETTING = (
        "client.setting",
        "the client asked for a setting that the access does not allow",
        "this client asks for a setting that your access does not allow",
    )
    TARGET_PROTOCOL = (
        "target.protocol",
        "the target broke the protocol",
        "what the target sent is not of the protocol",
    )

    # An order, a time
    KILLED = "killed", "ended by hand", "this session was ended by order"
    EXPIRED = "expired", "its time was over", "the time of this access is over"

    # Who it was
    PERSON_DISABLED = "person.disabled", "the account was disabled", "this account has been disabled"
    PERSON_HELD = (
        "person.held",
        "the directory says that the person has left",
        "your company's directory says that you have left",
    )
    SIGN_IN_REVOKED = "session.revoked", "the sign-in was revoked", "this sign-in was revoked: sign in again"
    FACTORS_REPLACED = (
        "factors.replaced",
        "the factors were replaced",
        "the password or second factor of this account was replaced: sign in again",
    )
    PROVIDER_LOGOUT = (
        "provider.logout",
        "signed out at the identity provider",
        "you signed out at your identity provider",
    )
    KEY_REMOVED = (
        "service.key",
        "the service account's key was removed",
        "the key of this service account was removed",
    )

    # What it rested on: the decision (domain/access/decision.py) says no by now
    ACCESS_NARROWED = (
        "access.narrowed",
        "the access became narrower",
        "this access was narrowed: connect again for what is left of it",
    )
    ACCESS_LOGIN = "access.login", "the login is not allowed there", "this login is not allowed there any more"
    ACCESS_NEEDS_APPROVAL = (
        "access.needs_approval",
        "an approval is needed first",
        "this access has ended: it needs an approval now",
    )
    ACCESS_NOT_YET = (
        "access.not_yet",
        "the approval has not taken effect yet",
        "this access has ended, and the next one has not begun",
    )
    ACCESS_OUTSIDE_HOURS = (
        "access.outside_hours",
        "it was outside of the hours of the access",
        "the hours of this access are over for now",
    )
    ACCESS_LOCKED = "access.locked", "it was locked", "this access was locked"
    ACCESS_TAKEN = "resource.unknown", "no such target in the catalogue", "this access was taken away"
    RESOURCE_MOVED = (
        "resource.moved",
        "the resource moved",
        "the target has another address now: connect again",
    )
    RESOURCE_UNPINNED = (
        "resource.no_pin",
        "nothing is pinned that it is known by",
        "nothing is pinned any more that the target is known by",
    )

    # The gateway
    DISK_LOW = (
        "disk.low",
        "the disk was nearly full, and it wrote most",
        "the disk that holds the recordings is nearly full, and this session wrote most to it",
    )
    RECORDER_FAILED = (
        "recorder.failed",
        "the recording could not go on",
        "this session cannot be recorded any more",
    )
    LEDGER_UNAVAILABLE = (
        "ledger.unavailable",
        "the ledger did not answer",
        "the ledger does not answer, and nothing runs without it",
    )
    GATEWAY_STOPPED = (
        "gateway.stopped",
        "the gateway was being stopped",
        "the gateway is being stopped: connect again in a moment",
    )
    GATEWAY_DIED = "gateway.died", "the gateway stopped in the middle"
    GATEWAY_FAILED = (
        "gateway.failed",
        "the gateway failed before it reached the target",
        "the gateway failed before it reached the target",
    )
    GATEWAY_UNAVAILABLE = "gateway.unavailable", "the gateway could not open it in time"

    # The target was never reached
    TARGET_DOWN = "target.down", "the target did not answer", "the target does not answer"
    TARGET_HANGING = "target.hanging", "the target hung", "the target hangs"
    TARGET_REFUSING = "target.refusing", "the target refused", "the target does not admit us"
    TARGET_HOST_KEY = (
        "target.host_key",
        "the target showed another host key",
        "the target shows another host key than the pinned one",
    )
    TARGET_CERTIFICATE = (
        "target.certificate",
        "the target showed another certificate",
        "the target shows another certificate than the pinned one",
    )
    TARGET_PLAIN = "target.plain", "the target speaks no TLS", "the target speaks no TLS"
    TARGET_SECRET = (
        "target.secret",
        "the vault holds no secret for it",
        "the vault holds no secret for this login of the target",
    )
    TARGET_LEFTOVERS = (
        "target.leftovers",
        "too many users of earlier sessions were left there",
        "users of earlier sessions are left at the target, and no session gets another",
    )
    TARGET_UNRESOLVED = "target.unresolved", "the target's name did not resolve", "the target's name does not resolve"
    TARGET_ADDRESS = "target.address", "the target's address is forbidden", "the target's address is forbidden"
