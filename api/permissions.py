"""Which scopes a request needs: one table for all routes, by method and path.

What is not in it takes `read` for GET and `admin` for everything else: a route that somebody forgot is closed.
"""

from facefleet.identity.caller import Scope

_READ = (Scope.READ,)
_INDEX = (Scope.INDEX,)
_ADMIN = (Scope.ADMIN,)
_READ_OR_INDEX = (Scope.READ, Scope.INDEX)
_ANY = tuple(Scope)

#: Routes that need no key: what probes and Prometheus ask, links that are signed, and callers that sign otherwise.
PUBLIC = frozenset(
    {
        ("GET", "/"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/health"),
        ("GET", "/metrics"),
        ("GET", "/v1/photos/{photo_id}"),
        ("GET", "/v1/photos/{photo_id}/thumbnail"),
        ("GET", "/v1/faces/{face_id}/crop"),
        ("POST", "/v1/events/s3"),
        ("DELETE", "/v1/session"),
        ("POST", "/"),
    }
)

NEEDED: dict[tuple[str, str], tuple[Scope, ...]] = {
    ("POST", "/v1/session"): _ANY,
    ("GET", "/v1/session"): _ANY,
    ("POST", "/v1/albums"): _INDEX,
    ("GET", "/v1/albums/{album}"): _READ_OR_INDEX,
    ("POST", "/v1/albums/{album}/photos"): _INDEX,
    ("POST", "/v1/albums/{album}/photos/known"): _READ_OR_INDEX,
    ("POST", "/v1/albums/{album}/photos/zip"): _READ,
    ("POST", "/v1/albums/{album}/index"): _INDEX,
    ("POST", "/v1/albums/{album}/retry"): _INDEX,
    ("POST", "/v1/albums/{album}/search"): _READ,
    ("POST", "/v1/albums/{album}/people"): _INDEX,
    ("POST", "/v1/albums/{album}/people/cluster"): _INDEX,
    ("POST", "/v1/albums/{album}/predictions"): _INDEX,
    ("PATCH", "/v1/people/{person}"): _INDEX,
    ("DELETE", "/v1/people/{person}"): _INDEX,
    ("POST", "/v1/people/{person}/merge"): _INDEX,
    ("POST", "/v1/people/{person}/split"): _INDEX,
    ("POST", "/v1/people/{person}/faces"): _INDEX,
    ("POST", "/v1/people/{person}/not"): _INDEX,
    ("POST", "/v1/people/{person}/undo"): _INDEX,
    ("POST", "/v1/detect"): _READ,
    ("GET", "/v1/jobs/{job}"): _READ_OR_INDEX,
    ("GET", "/v1/jobs/{job}/events"): _READ_OR_INDEX,
    ("GET", "/v1/ingest/dead"): _ADMIN,
    ("GET", "/v1/callbacks/dead"): _ADMIN,
    ("POST", "/api/v1/detect-faces"): _READ,
    ("POST", "/api/v1/collections/{collection}/index-faces"): _INDEX,
    ("POST", "/api/v1/collections/{collection}/search-faces"): _READ,
    ("POST", "/search"): _READ,
    ("POST", "/upload"): _INDEX,
    ("POST", "/process"): _READ,
    ("POST", "/cluster"): _INDEX,
}


def needed_scopes(method: str, path: str) -> tuple[Scope, ...]:
    """Say which scopes a route asks for, any of which will do; none for a public one.

    Args:
        method: in capitals.
        path: the route's pattern.
    """
    if (method, path) in PUBLIC:
        return ()
    return NEEDED.get((method, path), _READ if method == "GET" else _ADMIN)
