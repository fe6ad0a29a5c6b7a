"""What the ledger's page shows by itself, and what it can be narrowed to: the kinds of entries, by their subject."""

from collections.abc import Iterable

BY_MACHINE = frozenset({
    "control.tested", "factor.used", "notice.sent", "probe.made", "probe.ordered", "recording.chunks_sealed",
    "recording.found_good", "recordings.checked", "system.verified",
})  # fmt: skip
"""What OnePAM writes by itself, again and again, or beside what says more: a live session alone fills a page with its
seals."""

_SUBJECTS = {
    "sessions": ("Sessions and recordings", "certificate confirmation door recording recordings session session_user"),
    "requests": ("Requests and grants", "delegation grant proposal request statement"),
    "reviews": ("Access reviews", "review reviews"),
    "people": ("People", "enrolment erasure identity mfa_exception payload person"),
    "sign-ins": ("Sign-ins and factors", "factor login_token sign_in"),
    "access": ("Roles and resources", "binding change group_member lock resource role secret separation"),
    "directories": ("Directories and roster", "directory roster scim_group scim_token scim_user"),
    "systems": ("Other systems", "account_list account_system listed_account"),
    "providers": ("Providers and signals", "group notice notices provider receiver signal signal_stream"),
    "proof": ("Evidence and probes", "anchor control evidence incident policy probe"),
    "host": ("The host", "access backup disk ledger node recovery_key system"),
}
"""By the word in the address: how it is called, and the first parts of its kinds."""

SUBJECTS = {
    "": "All but machine entries",
    **{key: word for key, (word, _) in _SUBJECTS.items()},
    "all": "All entries",
}
"""What the list can be narrowed to: word of the address -> how it is called."""


def narrowed(subject: str, kinds: Iterable[str]) -> tuple[str, ...]:
    """Of these kinds those of the subject; what nobody knows is shown unless a subject was chosen."""
    if subject in _SUBJECTS:
        theirs = frozenset(_SUBJECTS[subject][1].split())
        return tuple(each for each in kinds if each.partition(".")[0] in theirs)
    return tuple(each for each in kinds if subject == "all" or each not in BY_MACHINE)


def subjects_of(kind: str) -> tuple[str, ...]:
    """The subjects that a kind belongs to."""
    return tuple(each for each in _SUBJECTS if narrowed(each, (kind,)))
