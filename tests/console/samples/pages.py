"""Every picture of the console: its template, its reader, its context."""

from onepam.console.rendering import Shell
from onepam.kernel.clock import DAY, SECOND
from tests.console.samples.access import CHANGES, PLANNED, PROPOSE, RESOURCE, RESOURCES, ROLES
from tests.console.samples.activity import CHECKPOINT, LEDGER, LEDGER_ALONE, LIVE_SESSION, SESSION, SESSIONS
from tests.console.samples.company import FRESH_PROOF, MINE, Context, ago, ahead, outside, shell
from tests.console.samples.entrance import (
    CLI,
    CONFIRM,
    ENROL,
    EXCEPTIONS,
    FACTORS,
    NO_EXCEPTIONS,
    NO_FACTORS,
    RECOVERY,
    SECOND_STEP,
    SECOND_STEP_THROUGH,
    SIGN_IN,
    SIGN_IN_THROUGH,
    SIGNED_OUT,
    STEP_UP,
    STEP_UP_NOWHERE,
    STEP_UP_THROUGH,
    TOTP,
)
from tests.console.samples.everyday import APPROVALS, EMPTY_HOME, FLASHES, HOME, REFUSAL, REQUEST, SETUP
from tests.console.samples.leavers import LEAVERS, NO_LEAVERS
from tests.console.samples.notices import NO_NOTICES, NOTICES
from tests.console.samples.people import LEAVER, MFA, NO_MFA, PEOPLE, PERSON, SERVICE
from tests.console.samples.providers import (
    CHANGED,
    DECLARED,
    FORM,
    FORM_SAML,
    GOING,
    GOING_BY_FORM,
    PROPOSED,
    PROVIDER,
    PROVIDERS,
    TEST,
    TEST_FAILED,
    VENDORS,
)
from tests.console.samples.provisioning import NEW_CLIENT, NEW_TOKEN, NO_DIRECTORY, PROVISIONING
from tests.console.samples.roster import (
    NO_ROSTER,
    PLAN,
    PLAN_HELD,
    PLAN_INVALID,
    ROSTER,
    ROSTER_HELD,
    ROSTER_REFUSED,
)
from tests.console.samples.signals import FORM as SIGNAL_FORM
from tests.console.samples.signals import NO_SIGNALS, SIGNALS, TOKEN

SAMPLES: dict[str, tuple[str, Shell, Context]] = {
    "sign_in": ("sign_in.html", outside("/sign-in"), SIGN_IN),
    "exceptions": ("exceptions.html", shell("/exceptions"), EXCEPTIONS),
    "exceptions-none": ("exceptions.html", shell("/exceptions"), NO_EXCEPTIONS),
    "sign_in-through": ("sign_in.html", outside("/sign-in"), SIGN_IN_THROUGH),
    "sign_in-out": ("sign_in.html", outside("/sign-in"), SIGNED_OUT),
    "sign_in-second-through": ("sign_in.html", outside("/sign-in"), SECOND_STEP_THROUGH),
    "enrol-through": ("enrol.html", outside("/enrol/t0k3n"), {**ENROL, "step": "factor", "provider": "Google"}),
    "step_up-through": ("step_up.html", shell("/step-up"), STEP_UP_THROUGH),
    "step_up-nowhere": ("step_up.html", shell("/step-up"), STEP_UP_NOWHERE),
    "sign_in-second": ("sign_in.html", outside("/sign-in"), SECOND_STEP),
    **{
        f"enrol-{step}": ("enrol.html", outside("/enrol/t0k3n"), {**ENROL, "step": step})
        for step in ("password", "factor", "totp", "codes", "done")
    },
    **{
        f"confirm-{state}": ("confirm.html", outside("/confirm/t0k3n"), {**CONFIRM, "state": state})
        for state in ("ask", "done", "over")
    },
    "cli_authorize": ("cli_authorize.html", outside("/cli/authorize"), CLI),
    "cli_authorize-device": ("cli_authorize.html", outside("/cli/authorize"), {**CLI, "device": True, "redirect": ""}),
    "recovery": ("recovery.html", outside("/sign-in/recovery"), RECOVERY),
    "step_up": ("step_up.html", shell("/step-up"), STEP_UP),
    "totp": ("totp.html", shell("/factors/totp"), TOTP),
    "home": ("home.html", shell("/", MINE), HOME),
    "home-admin": ("home.html", shell("/"), {**HOME, "setup": SETUP}),
    "home-alerts": (
        "home.html",
        shell("/"),
        {
            **HOME,
            "alerts": [
                {"text": "A listener would still open for Vic, who has left.", "href": "/leavers", "state": "finding"},
                {"text": "Nobody is left who may decide what Jonas asks.", "href": "/requests/req_1", "state": "due"},
            ],
        },
    ),
    "home-terminals": (
        "home.html",
        shell("/", MINE),
        {
            **HOME,
            "terminals": [
                {
                    "id": "cnf_1",
                    "target": "db-orders-1",
                    "login": "postgres",
                    "source": "192.0.2.7",
                    "ends": ahead(90 * SECOND),
                }
            ],
        },
    ),
    "home-empty": ("home.html", shell("/"), EMPTY_HOME),
    "home-all-open": ("home.html", shell("/"), {**HOME, "requestable": [], "beyond": 0}),
    "home-search": ("home.html", shell("/"), {**EMPTY_HOME, "query": "oracle", "setup": None}),
    "roster": ("roster.html", shell("/roster"), ROSTER),
    "roster-held": ("roster.html", shell("/roster"), ROSTER_HELD),
    "roster-refused": ("roster.html", shell("/roster"), ROSTER_REFUSED),
    "roster-none": ("roster.html", shell("/roster"), NO_ROSTER),
    "roster_plan": ("roster_plan.html", shell("/roster/plan"), PLAN),
    "roster_plan-held": ("roster_plan.html", shell("/roster/plan"), PLAN_HELD),
    "roster_plan-invalid": ("roster_plan.html", shell("/roster/plan"), PLAN_INVALID),
    "leavers": ("leavers.html", shell("/leavers"), LEAVERS),
    "leavers-none": ("leavers.html", shell("/leavers"), NO_LEAVERS),
    "request": ("request.html", shell("/requests/req_7f2k", flashes=FLASHES), REQUEST),
    "approvals": ("approvals.html", shell("/approvals"), APPROVALS),
    "approvals-empty": ("approvals.html", shell("/approvals"), {"waiting": [], "decided": [], "stranded": []}),
    "sessions": ("sessions.html", shell("/sessions"), SESSIONS),
    "sessions-empty": ("sessions.html", shell("/sessions"), {**SESSIONS, "sessions": [], "total": 0}),
    "session": ("session.html", shell("/sessions/ses_3"), SESSION),
    "session-live": ("session.html", shell("/sessions/ses_1"), LIVE_SESSION),
    "session-nothing": (
        "session.html",
        shell("/sessions/ses_6"),
        {**SESSION, "recording": "", "events": [], "proof": FRESH_PROOF},
    ),
    "people": ("people.html", shell("/people"), PEOPLE),
    "people-as-of": ("people.html", shell("/people", as_of=ago(262 * DAY)), PEOPLE),
    "person": ("person.html", shell("/people/per_jonas"), PERSON),
    "second_factors": ("second_factors.html", shell("/second-factors"), MFA),
    "second_factors-plain": ("second_factors.html", shell("/second-factors"), NO_MFA),
    "person-left": ("person.html", shell("/people/per_jonas"), LEAVER),
    "person-service": ("person.html", shell("/people/per_ci"), SERVICE),
    "person-service-new": ("person.html", shell("/people/per_ci"), {**SERVICE, "keys": []}),
    "person-link": (
        "person.html",
        shell("/people/per_jonas"),
        {
            **PERSON,
            "link": {"url": "https://onepam.example.org/enrol/enr_4fQx", "ends": ahead(DAY)},
            "agree": {"id": "enr_1", "by": "per_lena", "mine": False, "alone": None, "may": True},
        },
    ),
    "person-announced": (
        "person.html",
        shell("/people/per_jonas"),
        {**PERSON, "agree": {"id": "enr_1", "by": "per_lena", "mine": True, "alone": ahead(2 * DAY), "may": False}},
    ),
    "providers": ("providers.html", shell("/providers"), PROVIDERS),
    "providers-empty": ("providers.html", shell("/providers"), {**PROVIDERS, "providers": [], "proposals": []}),
    "provisioning": ("provisioning.html", shell("/provisioning"), PROVISIONING),
    "provisioning-empty": ("provisioning.html", shell("/provisioning"), NO_DIRECTORY),
    "provisioning-new": ("provisioning.html", shell("/provisioning"), NEW_TOKEN),
    "provisioning-client": ("provisioning.html", shell("/provisioning"), NEW_CLIENT),
    "provider": ("provider.html", shell("/providers/idp_okta"), PROVIDER),
    "provider-declared": ("provider.html", shell("/providers/idp_shibboleth"), DECLARED),
    "provider_new": ("provider_new.html", shell("/providers/new"), VENDORS),
    "provider_form": ("provider_form.html", shell("/providers/new"), FORM),
    "provider_form-saml": ("provider_form.html", shell("/providers"), FORM_SAML),
    "provider_proposed": ("provider_proposed.html", shell("/providers/proposed/chg_7"), PROPOSED),
    "provider_proposed-change": ("provider_proposed.html", shell("/providers/proposed/chg_7"), CHANGED),
    "provider_test": ("provider_test.html", shell("/sign-in/return/idp_okta"), TEST),
    "provider_test-failed": ("provider_test.html", shell("/sign-in/return/idp_okta"), TEST_FAILED),
    "at_provider": ("at_provider.html", outside("/sign-in"), GOING),
    "at_provider-form": ("at_provider.html", outside("/sign-in"), GOING_BY_FORM),
    "notices": ("notices.html", shell("/notices"), NOTICES),
    "notices-empty": ("notices.html", shell("/notices"), NO_NOTICES),
    "signals": ("signals.html", shell("/signals"), SIGNALS),
    "signals-empty": ("signals.html", shell("/signals"), NO_SIGNALS),
    "signal_new": ("signal_new.html", shell("/signals/new"), SIGNAL_FORM),
    "signal_token": ("signal_token.html", shell("/signals"), TOKEN),
    "resources": ("resources.html", shell("/resources"), RESOURCES),
    "resource": ("resource.html", shell("/resources/db-orders-1"), RESOURCE),
    "roles": ("roles.html", shell("/roles"), ROLES),
    "roles-empty": ("roles.html", shell("/roles"), {**ROLES, "rows": [], "columns": []}),
    "changes": ("changes.html", shell("/changes"), CHANGES),
    "changes-empty": ("changes.html", shell("/changes"), {**CHANGES, "changes": [], "change": None}),
    "propose": ("propose.html", shell("/changes/new"), PROPOSE),
    "propose-planned": ("propose.html", shell("/changes/new"), PLANNED),
    "ledger": ("ledger.html", shell("/ledger"), LEDGER),
    "ledger-alone": ("ledger.html", shell("/ledger"), LEDGER_ALONE),
    "checkpoint": ("checkpoint.html", shell("/ledger/checkpoint"), CHECKPOINT),
    "checkpoint-long": ("checkpoint.html", shell("/ledger/checkpoint"), {**CHECKPOINT, "svg": "", "at": None}),
    "factors": ("factors.html", shell("/factors"), FACTORS),
    "factors-new": ("factors.html", shell("/factors"), NO_FACTORS),
    "refusal": ("refusal.html", shell("/sessions"), REFUSAL),
    "refusal-outside": (
        "refusal.html",
        outside("/enrol/x"),
        {
            **REFUSAL,
            "heading": "This link no longer works",
            "why": "It was used, or its 24 hours are over.",
            "next": {"href": "/sign-in", "word": "Sign in"},
            "code": "enrol.link_over",
            "chain": None,
        },
    ),
}
"""Picture name -> template, shell, context."""
