"""How keys look in the OpenAPI description: which routes take one, and how they say no."""

from typing import Any

from fastapi import FastAPI

from api.credentials import KEY_HEADER, SESSION_COOKIE
from api.permissions import needed_scopes
from api.problems_in_openapi import problems

_SCHEMES: dict[str, dict[str, str]] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key."},
    "key": {"type": "apiKey", "in": "header", "name": KEY_HEADER, "description": "An API key."},
    "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE, "description": "Set by POST /v1/session."},
}
_REFUSALS = {str(status): refusal for status, refusal in problems(401, 403, 429).items()}


class DescribedApi(FastAPI):
    """An application whose description says which routes take a key."""

    def openapi(self) -> dict[str, Any]:
        """Describe the routes, once."""
        if self.openapi_schema is None:
            _add_security(super().openapi())
        return super().openapi()


def _add_security(document: dict[str, Any]) -> None:
    document.setdefault("components", {})["securitySchemes"] = _SCHEMES
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            scopes = needed_scopes(method.upper(), path)
            operation["security"] = [{name: []} for name in _SCHEMES] if scopes else []
            if scopes:
                operation["x-scopes"] = [str(scope) for scope in scopes]
                operation["responses"] = _REFUSALS | operation["responses"]
