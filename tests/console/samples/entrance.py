"""Sign-in, enrolment, confirming a terminal, the command line, my factors."""

from dataclasses import replace

from onepam.console.sessions.confirming_page import ConfirmPage
from onepam.console.signing_in.device_page import DevicePage
from onepam.console.signing_in.entrance_page import (
    CliAuthorizePage,
    EnrolPage,
    RecoveryPage,
    SignInPage,
    StepUpPage,
)
from onepam.console.signing_in.exceptions_page import ExceptionsPage
from onepam.console.signing_in.factors_page import FactorsPage, TotpPage
from onepam.kernel.clock import DAY, HOUR, SECOND
from tests.console.samples.company import NOW, Context, ago, ahead, decision

PASSKEY = {"options": "/sign-in/passkey/options", "verify": "/sign-in/passkey"}
QR = (
    "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCA5ID"
    "kiPjxwYXRoIGQ9Ik0wIDBoM3YzSDB6TTYgMGgzdjNINnpNMCA2aDN2M0gwek00IDRoMnYySDR6TTcgN2gydjJIN3oiLz48L3N2Zz"
    "4="
)

SIGN_IN = SignInPage(
    step="password",
    login="",
    error="",
    hint="",
    methods=["totp", "passkey"],
    passkey=PASSKEY,
    next="/",
    providers=[],
    through="",
    note="",
)
SIGN_IN_THROUGH = replace(
    SIGN_IN,
    providers=[{"id": "okta", "name": "Okta"}, {"id": "partners", "name": "Partners"}],
    error="Okta cannot be reached: it did not answer within 10 s.",
    hint="Sessions that are open go on. Try again soon, or sign in in another way.",
)
SIGNED_OUT = replace(SIGN_IN_THROUGH, error="", hint="", note="You are signed out.")
SECOND_STEP = replace(
    SIGN_IN,
    step="second",
    error="That code was not accepted.",
    hint="Wait for the next one; each works once.",
)
SECOND_STEP_THROUGH = replace(SECOND_STEP, through="provider", error="", hint="")
CODES = ["7K2P-M4QX", "Q9DT-3WLA", "H5NV-8RJC", "2BXE-6YKU", "W4GS-P7ZM", "L8CF-1THN", "V3QA-9DEK", "J6RY-5XBW"]
ENROL = EnrolPage(
    step="password",
    person={"name": "Priya Raman", "login": "priya"},
    provider="",
    token="t0k3n",
    ends=ahead(22 * HOUR),
    errors={},
    min_length=14,
    passkey=PASSKEY,
    totp={"svg": QR, "secret": "JBSW Y3DP EHPK 3PXP", "account": "priya"},
    codes=CODES,
)
CONFIRM = ConfirmPage(
    state="ask",
    token="t0k3n",
    person={"name": "Jonas Lindqvist"},
    source="10.4.1.17",
    client="OpenSSH_9.2p1",
    target="db-orders-1",
    login="postgres",
    ends=ahead(108 * SECOND),
    error="",
    stale=False,
)
CLI = CliAuthorizePage(
    person={"name": "Jonas Lindqvist"},
    client="jonas@thinkpad",
    source="10.4.1.17",
    redirect="http://127.0.0.1:43121/",
    state="s7",
    hours=12,
)
DEVICE = DevicePage(
    state="ask",
    device="dev_7k2p",
    person={"name": "Jonas Lindqvist"},
    client="jonas@build-7",
    source="10.4.1.17",
    keyed=True,
    hours=12,
    ends=ahead(108 * SECOND),
    error="",
)

FACTORS = FactorsPage(
    asked=None,
    passkeys=[
        {
            "id": "fac_1",
            "name": "ThinkPad",
            "since": ago(140 * DAY),
            "last_used": ago(3 * HOUR),
            "device": "this device",
        }
    ],
    totp={"id": "fac_2", "since": ago(319 * DAY), "last_used": ago(60 * DAY)},
    recovery={"left": 2, "made": ago(319 * DAY)},
    new_codes=[],
    keys=[
        {
            "id": "key_1",
            "name": "jonas@thinkpad",
            "fingerprint": "SHA256:uYl1cJm2Vd4xHs8PzRwTb6GfEaLiOoKyUcQk3v0nNq7",
            "algorithm": "ssh-ed25519",
            "since": ago(90 * DAY),
            "last_used": ago(HOUR),
        }
    ],
    cli=[
        {
            "id": "cli_1",
            "machine": "jonas@thinkpad",
            "since": ago(HOUR),
            "ends": ahead(11 * HOUR),
            "source": "10.4.1.17",
        }
    ],
    passkey={"options": "/factors/passkeys/options", "verify": "/factors/passkeys"},
    may_remove=True,
    errors={},
    notice="",
)
NO_FACTORS = replace(
    FACTORS,
    asked={"by": "Lena Vogel", "alone": None, "decision": decision("enr_1", decides=False)},
    passkeys=[],
    totp=None,
    keys=[],
    cli=[],
    new_codes=CODES,
    may_remove=False,
    recovery={"left": 8, "made": NOW},
    errors={"key": "That is a private key. Paste the .pub file, and replace the key you just showed."},
    notice="A replaced factor opens nothing privileged for an hour.",
)
RECOVERY = RecoveryPage(error="")
STEP_UP = StepUpPage(
    leads={"href": "/approvals", "word": "Approvals"},
    methods=["totp", "passkey"],
    passkey=PASSKEY,
    next="/approvals",
    error="",
    provider="",
)
STEP_UP_THROUGH = replace(STEP_UP, provider="Okta")
STEP_UP_NOWHERE = replace(STEP_UP, methods=[])
TOTP = TotpPage(svg=QR, typed="JBSW Y3DP EHPK 3PXP", error="That code was not accepted.")
_EXCEPTION: Context = {
    "id": "exc_1",
    "person": {"id": "per_5", "name": "Tomas Berg"},
    "reason": "No phones are allowed on the shop floor.",
    "control": "Signs in from the shop's own network only; keys are on order.",
    "proposed_by": "Mira Okafor",
    "proposed": ago(2 * HOUR),
    "accepted_by": "",
    "accepted": None,
    "ends": ahead(30 * 24 * HOUR),
    "may_end": True,
}
EXCEPTIONS = ExceptionsPage(
    waiting=[{**_EXCEPTION, "decision": decision("exc_1")}],
    accepted=[{**_EXCEPTION, "id": "exc_2", "accepted_by": "Lena Vogt", "accepted": ago(HOUR)}],
    may_propose=True,
    latest=ahead(90 * 24 * HOUR),
    email="",
)
NO_EXCEPTIONS = replace(EXCEPTIONS, waiting=[], accepted=[], may_propose=False)
