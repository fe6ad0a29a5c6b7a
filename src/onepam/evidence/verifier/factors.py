"""How old the factors of a session were when it was opened: one column of the report of sessions."""

from __future__ import annotations

from typing import List

from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.refusal import need
from onepam.evidence.verifier.report import Report, Row

MACHINE = "machine"  # the factor of a service, which shows none


def check_age(pack: Contents, report: Report, row: Row) -> None:
    """Whole seconds from the factors to the session; empty where no person showed one."""
    proof = pack.disclosed.body(row.ledger[0]).get("mfa")
    at, factors = (proof.get("at"), proof.get("factors")) if type(proof) is dict else (None, None)
    named: List[object] = factors if type(factors) is list else []
    age = "" if type(at) is not int or MACHINE in named else str((pack.log.time(row.ledger[0]) - at) // 1_000_000)
    same = row.cells[report.columns["factors_age_seconds"]] == age
    need(same, f"{row.where}: factors_age_seconds is not what follows from the entry, {age!r}")
