"""The web side of one process: the console at `/`, the API at `/api/v1`."""

from typing import TYPE_CHECKING

from fastapi import FastAPI

if TYPE_CHECKING:
    from onepam.boot.platform import Platform


def create_web(platform: "Platform") -> FastAPI:
    """The application that uvicorn serves."""
    return FastAPI(title="OnePAM", docs_url=None, redoc_url=None, openapi_url=None)
