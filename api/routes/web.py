"""The web page. It is files in `api/web` that the browser runs as they are; all it knows it asks this API for."""

from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

router = APIRouter()

_FOLDER = Path(__file__).parent.parent / "web"
#: The page runs no script and shows no style or picture but its own, is in no frame, and talks to nobody else.
#: `blob:` is what a person chose or downloads; `require-trusted-types-for` forbids turning text into markup at all.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_COMMON = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
_HEADERS = _COMMON | {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}


@router.get("/", include_in_schema=False)
async def show_page() -> Response:
    """Show the web page."""
    return FileResponse(_FOLDER / "index.html", headers=_HEADERS)


class PageFiles(StaticFiles):
    """Scripts, styles and messages of the page; asked for again each time, and answered with 304."""

    def __init__(self) -> None:
        super().__init__(directory=_FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with a file and the headers of the page."""
        response = await super().get_response(path, scope)
        response.headers.update(_COMMON)
        return response
