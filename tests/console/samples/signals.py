"""Streams of signals."""

from onepam.console.providers.signals_page import SignalNewPage, SignalsPage, SignalTokenPage
from onepam.kernel.clock import DAY, HOUR, MINUTE
from tests.console.samples.company import JONAS, MINE_TO_WAIT, TOMAS, Context, ago, decision


def stream(**more: object) -> Context:
    return {
        "id": "sst_okta", "name": "Okta", "issuer": "https://example.okta.com",
        "provider": {"id": "idp_okta", "name": "Okta"}, "delivery": "push",
        "address": "https://pam.example.com/signals/sst_okta", "state": "proven", "words": "Works", "trouble": "",
        "last": ago(3 * HOUR), "verified": ago(2 * DAY), "signals": 1204, "ended": 37, "can_test": True,
        "proposed": "Jonas Weber", "approved": "Tomas Novak", "since": ago(90 * DAY), **more,
    }  # fmt: skip


def proposal(**more: object) -> Context:
    return {
        "id": "chg_7", "name": "Endpoint protection", "new": True, "issuer": "https://edr.example.com",
        "audience": "https://pam.example.com", "provider": "Okta", "delivery": "poll",
        "address": "https://edr.example.com/ssf/poll", "by": {"id": JONAS["id"], "name": JONAS["name"]},
        "at": ago(HOUR), "decision": decision("chg_7"), **more,
    }  # fmt: skip


def signal(**more: object) -> Context:
    return {
        "stream": "Okta", "word": "Session revoked", "detail": "", "person": {"id": TOMAS["id"], "name": TOMAS["name"]},
        "ended": 2, "issued": ago(3 * HOUR + MINUTE), "at": ago(3 * HOUR), "reason": "Landspeed violated", **more,
    }  # fmt: skip


SIGNALS = SignalsPage(
    streams=[
        stream(),
        stream(id="sst_edr", name="Endpoint protection", delivery="poll", state="finding", can_test=False,
               words="Cannot be fetched",
               trouble="edr.example.com did not answer within 10 seconds.", last=None, verified=None),
    ],
    proposals=[proposal(), proposal(id="chg_8", new=False, decision=decision("chg_8", **MINE_TO_WAIT))],
    signals=[signal(), signal(word="Credential changed", detail="revoke", person=None, ended=0, reason="")],
    may_change=True,
)  # fmt: skip
NO_SIGNALS = SignalsPage(streams=[], proposals=[], signals=[], may_change=True)
FORM = SignalNewPage(
    form={
        "name": "Okta", "provider": "idp_okta", "issuer": "https://example.okta.com",
        "audience": "https://pam.example.com", "delivery": "push", "endpoint": "", "remote": "",
    },
    providers=[("idp_okta", "Okta"), ("idp_entra", "Entra ID")],
    error={"message": "The transmitter publishes no keys.", "hint": "Ask its operator.", "code": "signal.discovery"},
)  # fmt: skip
TOKEN = SignalTokenPage(
    called="Okta",
    address="https://pam.example.com/signals/sst_okta",
    token="osg_" + "x" * 43,
)
