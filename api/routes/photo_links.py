"""Photos, for whoever has a signed link."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from api.photo_links import PATH, read_linked_photo
from api.problems_in_openapi import problems
from facefleet.recognition.photo_header import sniff_format

router = APIRouter(tags=["photos"])

#: A photo is shown and nothing else: whatever is in the file, it is no page of this server.
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, max-age=3600",
}


@router.get(PATH, responses=problems(403, 404, 409, 413, 422, 503), response_class=Response)
def show_photo(
    request: Request,
    photo_id: UUID,
    expires: Annotated[int, Query(ge=0, le=2**53, description="Seconds since 1970.")],
    signature: Annotated[str, Query(max_length=128, pattern="^[0-9a-f]*$")],
) -> Response:
    """Show a photo to whoever has a link that a search handed out with `links=true`, until it expires."""
    data = read_linked_photo(request, photo_id, expires, signature)
    return Response(data, headers=_HEADERS, media_type=f"image/{sniff_format(data).lower()}")
