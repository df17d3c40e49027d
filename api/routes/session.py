"""Sessions of browsers: a page shows a key once, and the browser keeps a cookie that no script can read."""

from fastapi import APIRouter, Request, Response, status

from api.credentials import SESSION_COOKIE, Admission, read_key
from api.dependencies import CallerDep, ServicesDep
from api.problems_in_openapi import problems
from api.schemas.service import SessionView
from facefleet.errors import NotAuthenticated
from facefleet.identity.caller import OPERATOR

router = APIRouter(prefix="/v1/session", tags=["session"])


@router.post("", responses=problems(401, 429))
def begin_session(request: Request, response: Response, caller: CallerDep, services: ServicesDep) -> SessionView:
    """Sign in: whoever shows a key gets a cookie that stands for it, for a while, as long as the key counts."""
    admission: Admission = request.app.state.admission
    if admission.keys_are_on:
        # A cookie may not prolong itself, and the key of a process ends with it.
        if not read_key(request) or caller == OPERATOR:
            raise NotAuthenticated("sign in with an API key; `facefleet keys create` makes one")
        lasts_s = services.settings.session_s
        _set_cookie(request, response, admission.begin_session(caller.key_id, lasts_s), int(lasts_s))
    return SessionView.of(caller, keys_are_on=admission.keys_are_on)


@router.get("", responses=problems(401))
async def show_session(request: Request, caller: CallerDep) -> SessionView:
    """Say who calls: a page asks this first, and shows its sign-in when the answer is 401."""
    return SessionView.of(caller, keys_are_on=request.app.state.admission.keys_are_on)


@router.delete("", status_code=status.HTTP_204_NO_CONTENT)
async def end_session(request: Request, response: Response) -> None:
    """Sign out: the browser forgets the cookie."""
    _set_cookie(request, response, "", 0)


def _set_cookie(request: Request, response: Response, value: str, lasts_s: int) -> None:
    response.set_cookie(
        SESSION_COOKIE,
        value,
        max_age=lasts_s,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    response.headers["Cache-Control"] = "no-store"
