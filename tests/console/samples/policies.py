"""Policies: in force, read, not read, altered and retired."""

from dataclasses import replace

from onepam.console.frame.page import Context
from onepam.console.policies.policies_page import PoliciesPage, PolicyPage
from onepam.kernel.clock import DAY, HOUR
from tests.console.samples.company import ago, ahead

DIGEST = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"


def row(**changes: object) -> Context:
    return {
        "id": "access", "title": "Access control", "version": 3, "owner": "Max Example", "review_by": ahead(80 * DAY),
        "late": False, "waits": True, "confirmed": None, "asked": 2840, "done": 2711, "digest": DIGEST,
        "readers": "everybody", "published": ago(9 * DAY), "looked_through": None, "type": "md", **changes,
    }  # fmt: skip


def version(number: int) -> Context:
    return {"version": number, "title": "Access control", "digest": DIGEST, "published": ago((40 - 9 * number) * DAY),
            "by": "Ada Example", "type": "md"}  # fmt: skip


OTHERS = [
    row(id="incidents", title="What to do in an incident", version=1, waits=False, confirmed=ago(3 * HOUR)),
    row(id="suppliers", title="Suppliers", version=12, waits=False, late=True, review_by=ago(DAY), owner="Eve Example"),
]
ENDINGS = ["md", "txt", "pdf", "docx", "odt"]
POLICIES = PoliciesPage([row(), *OTHERS], oversees=True, may_publish=True, endings=ENDINGS, most_mib=5)
POLICIES_READER = replace(POLICIES, oversees=False, may_publish=False)
NO_POLICIES = PoliciesPage([], oversees=False, may_publish=False, endings=ENDINGS, most_mib=5)
TEXT = "# Access control\n\nNobody shares a key. Whoever leaves loses all access on the same day.\n" + "Line.\n" * 30
POLICY = PolicyPage(
    id="access",
    title="Access control",
    policy=row(),
    text=TEXT,
    altered=False,
    missing=[
        {"id": "per_eve", "name": "Eve Example", "times": 2},
        {"id": "per_vic", "name": "Vic Example", "times": 0},
    ],
    left=127,
    versions=[version(3), version(2), version(1)],
    oversees=True,
    may_publish=True,
    may_look=True,
)
POLICY_READER = replace(
    POLICY, missing=[], left=0, oversees=False, may_publish=False, may_look=False,
    policy=row(waits=False, confirmed=ago(HOUR), type="pdf"), text="",
)  # fmt: skip
POLICY_ALTERED = replace(POLICY, altered=True, text="", missing=[], left=0)
POLICY_RETIRED = replace(POLICY, policy=None, text="", missing=[], left=0, may_look=False)
