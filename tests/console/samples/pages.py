"""Every picture of the console: its template, its reader, its context."""

from dataclasses import replace

from onepam.console.frame.page import PageContext
from onepam.console.frame.rendering import Shell
from onepam.kernel.clock import DAY, SECOND
from tests.console.samples.access import (
    CHANGES,
    GIVEN,
    NOBODYS_ROLE,
    PLANNED,
    PROPOSE,
    RESOURCE,
    RESOURCES,
    ROLE,
    ROLES,
)
from tests.console.samples.activity import (
    CHECKPOINT,
    DATABASE_SESSION,
    LEDGER,
    LEDGER_ALONE,
    LEDGER_DRAWING,
    LEDGER_NOBODY,
    LEDGER_PACK,
    LEDGER_SEARCHED,
    LIVE_SESSION,
    SESSION,
    SESSIONS,
)
from tests.console.samples.company import FRESH_PROOF, MINE, MINE_TO_WAIT, ago, ahead, decision, outside, shell
from tests.console.samples.controls import CONTROL, CONTROLS, NO_RUN, NO_RUNS
from tests.console.samples.entrance import (
    CLI,
    CONFIRM,
    DEVICE,
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
from tests.console.samples.erasing import ERASED, ERASING, TO_ERASE
from tests.console.samples.everyday import (
    APPROVALS,
    DATABASE_TOKEN,
    EMPTY_HOME,
    FLASHES,
    HOME,
    NO_APPROVALS,
    REFUSAL,
    REQUEST,
    SETUP,
)
from tests.console.samples.homes import READING, RUNNING, WATCHING
from tests.console.samples.incidents import INCIDENT_SAMPLES
from tests.console.samples.inspections import INSPECTED, INSPECTIONS
from tests.console.samples.leavers import LEAVERS, NO_LEAVERS
from tests.console.samples.notices import NO_NOTICES, NOTICES, OWN_NOTICES, OWN_NOTICES_UNSENT
from tests.console.samples.people import LEAVER, MFA, NO_MFA, PEOPLE, PERSON, SERVICE
from tests.console.samples.policies import (
    NO_POLICIES,
    POLICIES,
    POLICIES_READER,
    POLICY,
    POLICY_ALTERED,
    POLICY_READER,
    POLICY_RETIRED,
)
from tests.console.samples.proposals import PROPOSALS
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
from tests.console.samples.provisioning import (
    NEW_CLIENT,
    NEW_TOKEN,
    NO_DIRECTORY,
    NOTHING_MATCHES,
    PROVISIONING,
)
from tests.console.samples.querying import QUERY, QUERY_OVER, QUERY_RAN, QUERY_UNSERVED
from tests.console.samples.requests import REQUESTS
from tests.console.samples.reviews import NO_ITEMS, NO_REVIEWS, REVIEW, REVIEWS, TO_SIGN
from tests.console.samples.rights import ALL_USED, DIFFERENCE, NO_DIFFERENCE, NO_ROLES, UNUSED
from tests.console.samples.roster import (
    NO_ROSTER,
    PLAN,
    PLAN_HELD,
    PLAN_INVALID,
    ROSTER,
    ROSTER_HELD,
    ROSTER_NOTHING,
    ROSTER_REFUSED,
)
from tests.console.samples.signals import FORM as SIGNAL_FORM
from tests.console.samples.signals import NO_SIGNALS, SIGNALS, TOKEN
from tests.console.samples.states import (
    APPROVALS_NARROWED,
    APPROVALS_NOTHING,
    QUERY_WAITS,
    REQUESTS_NARROWED,
    REQUESTS_NOTHING,
    RESOURCE_ASKED,
    RESOURCE_LEFT,
    RESOURCE_NOBODYS,
    STATEMENTS_DECIDED,
    STATEMENTS_NOTHING,
)
from tests.console.samples.systems import NO_SYSTEMS, SYSTEM, SYSTEM_HELD, SYSTEM_NOTHING, SYSTEMS, SYSTEMS_INVALID

SAMPLES: dict[str, tuple[Shell, PageContext]] = {
    "sign_in": (outside("/sign-in"), SIGN_IN),
    "exceptions": (shell("/exceptions"), EXCEPTIONS),
    "exceptions-none": (shell("/exceptions"), NO_EXCEPTIONS),
    "sign_in-through": (outside("/sign-in"), SIGN_IN_THROUGH),
    "sign_in-out": (outside("/sign-in"), SIGNED_OUT),
    "sign_in-second-through": (outside("/sign-in"), SECOND_STEP_THROUGH),
    "enrol-through": (outside("/enrol/t0k3n"), replace(ENROL, step="factor", provider="Google")),
    "step_up-through": (shell("/step-up"), STEP_UP_THROUGH),
    "step_up-nowhere": (shell("/step-up"), STEP_UP_NOWHERE),
    "sign_in-second": (outside("/sign-in"), SECOND_STEP),
    **{
        f"enrol-{step}": (outside("/enrol/t0k3n"), replace(ENROL, step=step))
        for step in ("password", "factor", "totp", "codes", "done")
    },
    **{
        f"confirm-{state}": (outside("/confirm/t0k3n"), replace(CONFIRM, state=state))
        for state in ("ask", "done", "over")
    },
    "cli_authorize": (outside("/cli/authorize"), CLI),
    **{
        f"device-{state}": (outside("/cli/device/dev_7k2p"), replace(DEVICE, state=state))
        for state in ("ask", "done", "refused", "over")
    },
    "device-elsewhere": (outside("/cli/device/dev_7k2p"), replace(DEVICE, keyed=False)),
    "recovery": (outside("/sign-in/recovery"), RECOVERY),
    "step_up": (shell("/step-up"), STEP_UP),
    "totp": (shell("/factors/totp"), TOTP),
    "home": (shell("/", MINE), HOME),
    "home-admin": (shell("/"), replace(HOME, setup=SETUP)),
    "home-runs": (shell("/"), RUNNING),
    "home-watches": (shell("/"), WATCHING),
    "home-audits": (shell("/"), READING),
    "home-alerts": (
        shell("/"),
        replace(
            HOME,
            alerts=[
                {"text": "A listener would still open for Vic, who has left.", "href": "/leavers", "state": "finding"},
                {"text": "Nobody is left who may decide what Jonas asks.", "href": "/requests/req_1", "state": "due"},
            ],
        ),
    ),
    "home-terminals": (
        shell("/", MINE),
        replace(
            HOME,
            terminals=[
                {
                    "id": "cnf_1",
                    "target": "db-orders-1",
                    "login": "postgres",
                    "source": "192.0.2.7",
                    "ends": ahead(90 * SECOND),
                }
            ],
        ),
    ),
    "home-empty": (shell("/"), EMPTY_HOME),
    "home-all-open": (shell("/"), replace(HOME, requestable=[], beyond=0)),
    "home-search": (shell("/"), replace(EMPTY_HOME, query="oracle", setup=None)),
    "roster": (shell("/roster"), ROSTER),
    "roster-held": (shell("/roster"), ROSTER_HELD),
    "roster-refused": (shell("/roster"), ROSTER_REFUSED),
    "roster-none": (shell("/roster"), NO_ROSTER),
    "roster-nothing": (shell("/roster"), ROSTER_NOTHING),
    "systems": (shell("/systems"), SYSTEMS),
    "systems-none": (shell("/systems"), NO_SYSTEMS),
    "systems-invalid": (shell("/systems"), SYSTEMS_INVALID),
    "system": (shell("/systems"), SYSTEM),
    "system-held": (shell("/systems"), SYSTEM_HELD),
    "system-nothing": (shell("/systems"), SYSTEM_NOTHING),
    "roster_plan": (shell("/roster/plan"), PLAN),
    "roster_plan-held": (shell("/roster/plan"), PLAN_HELD),
    "roster_plan-invalid": (shell("/roster/plan"), PLAN_INVALID),
    "reviews": (shell("/reviews"), REVIEWS),
    "reviews-none": (shell("/reviews"), NO_REVIEWS),
    "review": (shell("/reviews/rev_4qz"), REVIEW),
    "review-none": (shell("/reviews/rev_4qz"), NO_ITEMS),
    "controls": (shell("/controls"), CONTROLS),
    "controls-none": (shell("/controls"), NO_RUNS),
    "control": (shell("/controls/VND-01"), CONTROL),
    "control-none": (shell("/controls/REV-02"), NO_RUN),
    "review-to-sign": (shell("/reviews/rev_3k7"), TO_SIGN),
    "leavers": (shell("/leavers"), LEAVERS),
    "leavers-none": (shell("/leavers"), NO_LEAVERS),
    "request": (shell("/requests/req_7f2k", flashes=FLASHES), REQUEST),
    "approvals": (shell("/approvals"), APPROVALS),
    "approvals-empty": (shell("/approvals"), NO_APPROVALS),
    "approvals-proposals": (shell("/approvals"), PROPOSALS),
    "approvals-narrowed": (shell("/approvals"), APPROVALS_NARROWED),
    "approvals-nothing": (shell("/approvals"), APPROVALS_NOTHING),
    "sessions": (shell("/sessions"), SESSIONS),
    "sessions-empty": (shell("/sessions"), replace(SESSIONS, sessions=[])),
    **INCIDENT_SAMPLES,
    "inspections": (shell("/inspections"), INSPECTIONS),
    "inspections-empty": (shell("/inspections"), replace(INSPECTIONS, sessions=[])),
    "session-inspected": (
        shell("/sessions"),
        replace(
            SESSION,
            inspection={
                "drawn": [],
                "state": "plain",
                "word": "Not drawn",
                "due": None,
                "said": [INSPECTED],
                "may": False,
            },
        ),
    ),
    "session": (shell("/sessions/ses_3"), SESSION),
    "session-database": (shell("/sessions/ses_3"), DATABASE_SESSION),
    "session-database-decided": (shell("/sessions/ses_1"), STATEMENTS_DECIDED),
    "session-database-nothing": (shell("/sessions/ses_3"), STATEMENTS_NOTHING),
    "session-live": (shell("/sessions/ses_1"), LIVE_SESSION),
    "session-nothing": (
        shell("/sessions/ses_6"),
        replace(SESSION, recording="", events=[], proof=FRESH_PROOF),
    ),
    "people": (shell("/people"), PEOPLE),
    "people-as-of": (shell("/people", as_of=ago(262 * DAY)), PEOPLE),
    "person": (shell("/people/per_jonas"), PERSON),
    "second_factors": (shell("/second-factors"), MFA),
    "second_factors-plain": (shell("/second-factors"), NO_MFA),
    "person-left": (shell("/people/per_jonas"), LEAVER),
    "person-to-erase": (shell("/people/per_jonas"), TO_ERASE),
    "person-erasing": (shell("/people/per_jonas"), ERASING),
    "person-erased": (shell("/people/per_jonas"), ERASED),
    "person-service": (shell("/people/per_ci"), SERVICE),
    "person-service-new": (shell("/people/per_ci"), replace(SERVICE, keys=[])),
    "person-link": (
        shell("/people/per_jonas"),
        replace(
            PERSON,
            link={"url": "https://onepam.example.org/enrol/enr_4fQx", "ends": ahead(DAY)},
            waiting={"alone": None, "decision": decision("enr_1")},
        ),
    ),
    "person-announced": (
        shell("/people/per_jonas"),
        replace(
            PERSON,
            waiting={"alone": ahead(2 * DAY), "decision": decision("enr_1", **MINE_TO_WAIT)},
        ),
    ),
    "providers": (shell("/providers"), PROVIDERS),
    "providers-empty": (shell("/providers"), replace(PROVIDERS, providers=[], proposals=[])),
    "provisioning": (shell("/provisioning"), PROVISIONING),
    "provisioning-empty": (shell("/provisioning"), NO_DIRECTORY),
    "provisioning-nothing": (shell("/provisioning"), NOTHING_MATCHES),
    "provisioning-new": (shell("/provisioning"), NEW_TOKEN),
    "provisioning-client": (shell("/provisioning"), NEW_CLIENT),
    "provider": (shell("/providers/idp_okta"), PROVIDER),
    "provider-declared": (shell("/providers/idp_shibboleth"), DECLARED),
    "provider_new": (shell("/providers/new"), VENDORS),
    "provider_form": (shell("/providers/new"), FORM),
    "provider_form-saml": (shell("/providers"), FORM_SAML),
    "provider_proposed": (shell("/providers/proposed/chg_7"), PROPOSED),
    "provider_proposed-change": (shell("/providers/proposed/chg_7"), CHANGED),
    "provider_test": (shell("/sign-in/return/idp_okta"), TEST),
    "provider_test-failed": (shell("/sign-in/return/idp_okta"), TEST_FAILED),
    "at_provider": (outside("/sign-in"), GOING),
    "at_provider-form": (outside("/sign-in"), GOING_BY_FORM),
    "notices": (shell("/notices"), NOTICES),
    "policies": (shell("/policies"), POLICIES),
    "policies-reader": (shell("/policies"), POLICIES_READER),
    "policies-empty": (shell("/policies"), NO_POLICIES),
    "policy": (shell("/policies/access"), POLICY),
    "policy-reader": (shell("/policies/access"), POLICY_READER),
    "policy-altered": (shell("/policies/access"), POLICY_ALTERED),
    "policy-retired": (shell("/policies/access"), POLICY_RETIRED),
    "own-notices": (shell("/my-notices"), OWN_NOTICES),
    "own-notices-unsent": (shell("/my-notices"), OWN_NOTICES_UNSENT),
    "notices-empty": (shell("/notices"), NO_NOTICES),
    "signals": (shell("/signals"), SIGNALS),
    "signals-empty": (shell("/signals"), NO_SIGNALS),
    "signal_new": (shell("/signals/new"), SIGNAL_FORM),
    "signal_token": (shell("/signals"), TOKEN),
    "requests": (shell("/requests"), REQUESTS),
    "requests-empty": (shell("/requests"), replace(REQUESTS, requests=[])),
    "requests-narrowed": (shell("/requests"), REQUESTS_NARROWED),
    "requests-nothing": (shell("/requests"), REQUESTS_NOTHING),
    "resources": (shell("/resources"), RESOURCES),
    "resource": (shell("/resources/db-orders-1"), RESOURCE),
    "resource-asked": (shell("/resources/db-orders-1"), RESOURCE_ASKED),
    "resource-left": (shell("/resources/db-orders-1"), RESOURCE_LEFT),
    "resource-nobodys": (shell("/resources/db-orders-1"), RESOURCE_NOBODYS),
    "roles": (shell("/roles"), ROLES),
    "roles-empty": (shell("/roles"), replace(ROLES, rows=[], columns=[])),
    "difference": (shell("/difference"), DIFFERENCE),
    "difference-none": (shell("/difference"), NO_DIFFERENCE),
    "unused": (shell("/unused"), UNUSED),
    "unused-none": (shell("/unused"), ALL_USED),
    "unused-empty": (shell("/unused"), NO_ROLES),
    "changes": (shell("/changes"), CHANGES),
    "changes-founding": (
        shell("/changes"),
        replace(
            CHANGES,
            decision=None,
            change={
                **(CHANGES.change or {}),
                "title": "The founding",
                "summary": "44 roles created, 1000 resources created",
                "by": {"id": "", "name": "the first start"},
                "state": "applied",
                "decided_by": "the first start",
                "decided_at": ago(DAY),
                "why": "",
                "ticket": "",
                "planned": False,
            },
        ),
    ),
    "changes-empty": (shell("/changes"), replace(CHANGES, changes=[], change=None)),
    "propose": (shell("/changes/new"), PROPOSE),
    "propose-unkept": (
        shell("/changes/new"),
        replace(PLANNED, text="", replaces="44 roles, 1,000 resources and 6,204 bindings"),
    ),
    "propose-planned": (shell("/changes/new"), PLANNED),
    "propose-role": (shell("/changes/role"), GIVEN),
    "role": (shell("/roles/developer"), ROLE),
    "role-nobody": (shell("/roles/developer"), NOBODYS_ROLE),
    "ledger": (shell("/ledger"), LEDGER),
    "ledger-drawing": (shell("/ledger"), LEDGER_DRAWING),
    "ledger-pack": (shell("/ledger"), LEDGER_PACK),
    "ledger-alone": (shell("/ledger"), LEDGER_ALONE),
    "ledger-searched": (shell("/ledger"), LEDGER_SEARCHED),
    "ledger-nobody": (shell("/ledger"), LEDGER_NOBODY),
    "checkpoint": (shell("/ledger/checkpoint"), CHECKPOINT),
    "checkpoint-long": (shell("/ledger/checkpoint"), replace(CHECKPOINT, svg="", at=None)),
    "database_token": (shell("/"), DATABASE_TOKEN),
    "query": (shell("/databases/query"), QUERY),
    "query-ran": (shell("/databases/query"), QUERY_RAN),
    "query-waits": (shell("/databases/query"), QUERY_WAITS),
    "query-over": (shell("/databases/query"), QUERY_OVER),
    "query-unserved": (shell("/databases/query"), QUERY_UNSERVED),
    "factors": (shell("/factors"), FACTORS),
    "factors-new": (shell("/factors"), NO_FACTORS),
    "refusal": (shell("/sessions"), REFUSAL),
    "refusal-outside": (
        outside("/enrol/x"),
        replace(
            REFUSAL,
            heading="This link no longer works",
            why="It was used, or its 24 hours are over.",
            next={"href": "/sign-in", "word": "Sign in"},
            code="enrol.link_over",
            chain=None,
        ),
    ),
}
"""Picture name -> shell, context."""
