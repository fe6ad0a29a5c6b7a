"""The conformance checks of scim2-tester, all of them, over HTTP."""

import asyncio
from pathlib import Path

import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from tests.scim.directory import Directory

pytestmark = pytest.mark.anyio


async def test_every_check_of_the_tester_passes(tmp_path: Path, loopback_port: int) -> None:
    url = f"http://127.0.0.1:{loopback_port}/scim/v2"
    directory = await Directory.create(tmp_path, url)
    app = Starlette(routes=[Mount("/scim/v2", directory.door)])
    server = uvicorn.Server(uvicorn.Config(app, port=loopback_port, log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        results = await asyncio.to_thread(_checked, url, directory.token)
    finally:
        server.should_exit = True
        await serving
        directory.company.close()
    assert [each for each in results if each[0] not in ("SUCCESS", "SKIPPED")] == []
    assert sum(status == "SUCCESS" for status, *_ in results) > 100
    # A search of users and groups at once, which RFC 7644 leaves optional; nothing else may be passed over.
    assert {title for status, title, _ in results if status == "SKIPPED"} <= {"search_with_attributes"}


def _checked(url: str, token: str) -> list[tuple[str, str, str]]:
    # Here, not above: each worker that collects would wait for them, a fifth of all its collecting.
    from scim2_client.engines.httpx2 import SyncSCIMClient
    from scim2_tester import check_server

    with httpx2.Client(base_url=url, headers={"authorization": f"Bearer {token}"}) as http:
        found = check_server(SyncSCIMClient(http))
    return [(each.status.name, str(each.title), str(each.reason)) for each in found]
