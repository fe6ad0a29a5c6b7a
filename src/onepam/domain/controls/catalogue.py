"""The catalogue: each control with its test. What it asks of which rows stands in `store/read/controls/`.

A rule that changes gets another version, and its text says the new one; the runs of the older stay as they were. The
titles are ours: the text of the criteria is not quoted.
"""

from collections.abc import Mapping
from types import MappingProxyType

from onepam.domain.controls.control import Control, Severity, Test

QUARTER, YEAR = 90, 365
"""Days that the population of what happens reaches back."""

_NOT_ELSEWHERE = "accounts and rights of systems that OnePAM neither carries nor is told of"


def _test(
    control: Control, rule: str, blind: str, *, version: int = 1, days: int = 0, **params: int
) -> tuple[str, Test]:
    return control.id, Test(control, version, rule, blind, days, params)


TESTS: Mapping[str, Test] = MappingProxyType(
    dict(
        (
            _test(
                Control(
                    "IDN-01", "Each account is one person's, or a service's that somebody owns", ("CC6.1", "CC6.2")
                ),
                "Each enabled account of a person has exactly one living entry of the staff roster; a service "
                "account has an owner who has one. The roster that is in force came within the last 24 hours, else "
                "nothing is tested.",
                f"who uses the account; {_NOT_ELSEWHERE}",
                roster_hours=24,
            ),
            _test(
                Control("MFA-01", "Sessions are opened under a second factor", ("CC6.1", "CC6.6")),
                "Each session of a person in the last 90 days was opened under a second factor that was shown within "
                "the 12 hours before. One under an accepted risk is excluded: MFA-04 is of those.",
                "ways into the targets beside the gateway, and whether the factor was in its owner's hand",
                days=QUARTER,
                age_hours=12,
            ),
            _test(
                Control(
                    "MFA-04",
                    "Exceptions from the second factor are signed, and end",
                    ("CC6.1", "CC3.2"),
                    Severity.MEDIUM,
                ),
                "Each exception of the last 90 days was accepted by somebody else than who proposed it and than whom "
                "it is for, gives a reason and what helps instead, and ends within a year.",
                "whether what is said to help does",
                days=QUARTER,
                longest_days=YEAR,
            ),
            _test(
                Control("OFF-01", "Access ends within a day of leaving", ("CC6.2",)),
                "From the earliest news of each leaver of the last 90 days to the last byte of whatever they held: "
                "at most 24 hours.",
                f"leavers whom no roster, directory or administrator told us of; {_NOT_ELSEWHERE}",
                days=QUARTER,
                most_hours=24,
            ),
            _test(
                Control("OFF-02", "Nobody is let in after leaving", ("CC6.2", "CC7.2")),
                "No sign-in and no session of a leaver of the last 90 days was opened after their access was removed "
                "and before it was given back.",
                _NOT_ELSEWHERE,
                days=QUARTER,
            ),
            _test(
                Control("OFF-03", "Behind each account elsewhere stands somebody who is here", ("CC6.1", "CC6.2")),
                "Behind each account on the list that is in force of another system stands a person, or the owner of "
                "a service, whose account here works. A list that was made more than 31 days ago tests nothing.",
                "accounts that a list leaves out, systems of which no list was brought, and accounts on targets",
                list_days=31,
            ),
            _test(
                Control(
                    "OFF-06", "Every listener refuses a leaver, and what a review removed, when it is asked", ("CC6.2",)
                ),
                "Of each leaver of the last 90 days whose proofs could be shown, every listener refused the last of "
                "each proof; and of each role that a review took in that time from somebody who is here, and that "
                "opened what nothing else opens, the last listener that was asked did not let them in by it. Where "
                "no listener was asked or answered, it is not tested.",
                "ways into the targets beside the gateway; grants that ran out: see PRV-04",
                version=2,
                days=QUARTER,
            ),
            _test(
                Control("VND-01", "A vendor's access has a sponsor and an end", ("CC6.2", "CC9.2")),
                "Each enabled vendor has exactly one living entry of the roster, a sponsor who has one, a contract's "
                "end, and an end of access that is neither later nor more than 90 days ahead. The roster came within "
                "the last 24 hours, else nothing is tested.",
                "what the contract says",
                roster_hours=24,
                ahead_days=90,
            ),
            _test(
                Control("PRV-01", "Each grant was asked for, with a reason, and approved by somebody else", ("CC6.2",)),
                "Each grant of the last 90 days has its request with a reason, and an approval by somebody else that "
                "is not later than its beginning, or by a rule of its role, which is told as such.",
                "whether the reason is true",
                version=2,
                days=QUARTER,
            ),
            _test(
                Control("PRV-02", "Nobody gives themselves access", ("CC6.2",)),
                "Each binding made in the last 90 days came with a change of access.yaml; and it was not proposed and "
                "decided by nobody but the person who has it. Each grant approved in that time was not approved by "
                "somebody whose own access its holder had approved within the 90 days before; what a rule of its role "
                "approved is told as such, and came of a role that two people had changed, as CHG-01 tests.",
                "more than two people who approve each other's in a circle",
                version=3,
                days=QUARTER,
            ),
            _test(
                Control(
                    "PRV-03",
                    "Accounts come from the directory, the roster or an administrator who says why",
                    ("CC6.2",),
                ),
                "Each account that was added in the last 90 days came by SCIM, a provider's sign-in or the roster, "
                "or was added by an administrator with a reason.",
                _NOT_ELSEWHERE,
                days=QUARTER,
            ),
            _test(
                Control("PRV-04", "Access on request ends in time", ("CC6.2", "CC6.3")),
                "Each grant that ended or should have ended in the last 90 days had its receipt at most 60 seconds "
                "after its end, and no session under it ran longer.",
                "nothing of what the gateway carries",
                days=QUARTER,
                late_seconds=60,
            ),
            _test(
                Control("RBC-01", "What people can do is what the role matrix says", ("CC6.3",)),
                "Each role and resource is as the file in force says, each binding and member of its groups comes "
                "from it, and no grant runs that no role in force gives. Where its text is not kept, nothing is "
                "tested.",
                "who a directory puts into a group that a role is bound to; rights on the targets beside the gateway",
            ),
            _test(
                Control("RBC-02", "Each role has an owner and a purpose, and is reviewed each year", ("CC6.3",)),
                "Each role has an owner who is here, a purpose, and was in a review of everybody's access that ended "
                "within the last 12 months, or is younger.",
                "whether the purpose is what it is used for",
                version=2,
                reviewed_days=YEAR,
            ),
            _test(
                Control("RBC-03", "Roles are held by groups", ("CC6.3",), Severity.LOW),
                "No binding in force names a person; but for vendors and service accounts, whose bindings end or "
                "have an owner.",
                "who is in the group, and why",
            ),
            _test(
                Control("LPV-01", "Few people administer", ("CC6.3",), Severity.MEDIUM),
                "At most 10 of 100 people hold a role that administers OnePAM or has a permission marked "
                "administrative; four may always.",
                "whether the job of those who do needs it",
                most_percent=10,
                always=4,
            ),
            _test(
                Control("LPV-02", "What nobody uses is taken within 30 days", ("CC6.3",), Severity.MEDIUM),
                "Each role of each person that opens something was used by a session in the last 120 days, is held "
                "for less, or was kept by a review since it was unused for 90 days.",
                "what people do on targets beside the gateway",
            ),
            _test(
                Control("LPV-03", "Roles that are kept apart are not held together", ("CC6.3", "CC5.1")),
                "Nobody who is here holds two of the roles that a separation names; who is excused until a day is "
                "excluded. Without a separation nothing is tested.",
                "roles that should be kept apart, and are not",
            ),
            _test(
                Control("LPV-04", "Privileged access is on request", ("CC6.3",)),
                "Each permission of a role that somebody holds, and that is privileged on a resource that is there, "
                "is on request.",
                "rights in the targets themselves, and in OnePAM's own console",
            ),
            _test(
                Control(
                    "REV-01",
                    "Reviews of access take place when they are due, end in time, and are signed off",
                    ("CC6.2", "CC6.3", "CC4.1"),
                ),
                "Each review that fell due in the last 12 months was opened within a day, ended within a day of "
                "its last day, and was signed off within 14 days of its end; or has time left.",
                "how carefully it was decided: see REV-05",
                version=2,
                days=YEAR,
                late_hours=24,
                signed_days=14,
            ),
            _test(
                Control("REV-02", "A review is of everything", ("CC6.2",)),
                "The items of each review of the last 12 months, worked out again from what there was at its "
                "opening, have the number and the digest that its opening says.",
                _NOT_ELSEWHERE,
                days=YEAR,
            ),
            _test(
                Control("REV-03", "Whoever decides may, and not on themselves", ("CC6.3",)),
                "Whoever made each decision of the last 90 days was somebody else than its person, and was then what "
                "they decided as: named, manager, sponsor, owner of the role or system, or fallback.",
                "whether they know what the role gives",
                days=QUARTER,
            ),
            _test(
                Control("REV-04", "What a review removes is gone in time", ("CC6.2",)),
                "Each removal of the last 90 days was withheld at once, and is carried out (no binding gives the "
                "role any more) within 14 days, or has time left. Of another system: it is gone from its list or "
                "directory by then. What was kept until a day gives nothing an hour after that.",
                "that another system's list is true",
                version=2,
                days=QUARTER,
                most_days=14,
            ),
            _test(
                Control("REV-05", "Reviews are read before they are signed", ("CC4.1",), Severity.MEDIUM),
                "Nobody who decided on at least 50 items of a review of the last 12 months kept more than 95 of 100 "
                "of them with less than 2 seconds between two decisions (median).",
                "what somebody thinks who takes their time",
                days=YEAR,
                items=50,
                kept_percent=95,
                median_milliseconds=2000,
            ),
            _test(
                Control("REV-06", "What nobody answers is escalated, then withheld", ("CC6.2",)),
                "Of each review of the last 12 months that ended with items nobody decided on, those who decide were "
                "told at the last stage, and what silence takes was withheld or kept later.",
                "whether they read what they were told",
                days=YEAR,
            ),
            _test(
                Control("LOG-01", "Sessions are recorded from start to end", ("CC7.2",)),
                "Each session that ended in the last 90 days has a recording without a gap, whose chunks were "
                "verified when it was closed.",
                "what was done beside the gateway; whether the files are there still is asked by the daily check of "
                "recordings",
                days=QUARTER,
            ),
            _test(
                Control("LOG-03", "The history is whole and lawful", ("CC7.2", "CC2.1")),
                "The newest entries were verified within the last 48 hours, all of them and whether they are lawful "
                "within the last 8 days, and nothing was found.",
                "what never was an entry",
                tail_hours=48,
                whole_days=8,
            ),
            _test(
                Control("MON-03", "What was drawn is inspected by somebody else, in time", ("CC7.2", "CC4.1")),
                "Each session that was drawn in the last 90 days was inspected by somebody else within 7 days of its "
                "end, or of its recording's being found bad; or has time left.",
                "how carefully it was looked at; who may inspect what, the inspection itself asks",
                days=QUARTER,
            ),
            _test(
                Control(
                    "MON-05",
                    "Incidents are dealt with in time, by two where they weigh much",
                    ("CC7.3", "CC7.4", "CC7.5"),
                ),
                "Each incident that is open, or was closed in the last 12 months, is or was closed by its day, by "
                "nobody who is linked as its cause or whose session belongs to it; one that was ever of high "
                "severity by nobody who answered for it; and something was noted or linked to it before.",
                "incidents that nobody opened; whether what was done helps",
                days=YEAR,
            ),
            _test(
                Control("CHG-01", "Who may reach what is changed by two", ("CC8.1", "CC7.1")),
                "Each change of access.yaml that was decided on in the last 90 days and gives somebody more was "
                "approved by somebody else than proposed it; the first one, before anybody signed in, aside.",
                "changes of the host, its configuration and its software",
                days=QUARTER,
            ),
            _test(
                Control("EVD-01", "Every control is tested", ("CC2.1", "CC4.1"), Severity.MEDIUM),
                "On each of the last 90 days on which the installation stood from its beginning to its end, each "
                "control of this catalogue has a run of that day; of those that were there then.",
                "whether the rules ask the right question",
                days=QUARTER,
            ),
        )
    )
)
"""By the id of the control, in the order in which they are shown."""
