"""What guardrails let through, in one line."""

import pytest

from onepam.console.frame.wording import guard_words
from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.kernel.clock import MINUTE

READ, WRITE, DDL, OTHER = StatementClass.READ, StatementClass.WRITE, StatementClass.DDL, StatementClass.OTHER
ASK_WRITE, ASK_DDL = StatementClass.ASK_WRITE, StatementClass.ASK_DDL


@pytest.mark.parametrize(
    ("guardrails", "words"),
    [
        (None, ""),
        (Guardrails((READ,)), "read"),
        (Guardrails((READ, OTHER, WRITE)), "read, write and other"),
        (Guardrails((READ, OTHER, ASK_WRITE)), "read and other; write once somebody has said yes"),
        (Guardrails((ASK_WRITE, ASK_DDL)), "write and ddl once somebody has said yes"),
        (Guardrails((READ,), 10_000, 2 * MINUTE), "read; at most 10,000 rows; at most 120 s"),
    ],
)
def test_what_passes_in_words(guardrails: Guardrails | None, words: str) -> None:
    assert guard_words(guardrails) == words
