"""The verifier to take away from the ledger's page: the files of this release, as attachments."""

from hashlib import sha256

import pytest

from onepam.evidence.verifiers import VERIFIERS, verifier
from tests.console.browsing import Office


@pytest.mark.anyio
async def test_the_ledger_page_hands_out_the_verifier_with_its_digests(office: Office) -> None:
    auditor = await office.sign_in("aud")
    page = await auditor.read("/ledger")
    for name in VERIFIERS:
        assert f'href="/ledger/verifier/{name}"' in page
        assert sha256(verifier(name)).hexdigest() in page
        answer = await auditor.get(f"/ledger/verifier/{name}")
        assert (answer.status_code, answer.content) == (200, verifier(name))
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for name in ("__init__.py", "verify.pyc", "verify.py%00"):
        assert (await auditor.get(f"/ledger/verifier/{name}")).status_code == 404
