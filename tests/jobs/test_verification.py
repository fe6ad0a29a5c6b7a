"""A verification that stumbles says so: what it could not judge is not verified."""

from pathlib import Path

import pytest

from onepam.jobs import verification
from onepam.jobs.verification import STUMBLES, verify_entries
from tests.company import Company

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("stumble", STUMBLES)
async def test_what_a_check_stumbles_over_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stumble: type[Exception]
) -> None:
    company = await Company.create(tmp_path)

    def check(*_: object) -> None:
        raise stumble("nobody foresaw this")

    monkeypatch.setattr(verification, "check", check)
    found = verify_entries(company.path, tmp_path / "log", "log", [])
    assert found.findings == (f"entries: the check broke off, so nothing is known of them: {stumble.__name__}",)
    assert (found.signed, found.lawful) == (None, None)
