"""Images out of request bodies: raw or multipart, never more bytes than allowed."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import Annotated, Any, BinaryIO, TypeAlias, cast
from urllib.parse import unquote

from fastapi import Depends, Query, Request
from starlette.datastructures import FormData, UploadFile

from api.body_limit import SMALL_BODY_BYTES, allow_body
from api.dependencies import ServicesDep
from api.error_responses import UnsupportedBody
from facefleet.errors import InvalidRequest, PhotoStoreUnavailable, PhotoTooLarge
from facefleet.names import is_showable

#: Bytes of a file that are kept in memory before it moves to a temporary file.
_SPOOL_BYTES = 1024 * 1024
#: Fields of a form beside one name for each photo.
_OTHER_FIELDS = 10
_BINARY = "application/octet-stream"
_MULTIPART = "multipart/form-data"
_EMPTY_BODY = "The request body is empty: send the bytes of an image."


@dataclass(frozen=True, slots=True)
class SentPhoto:
    """A photo of a request."""

    #: What it is called from now on.
    name: str
    #: What that name is relative to, when the two name this photo for good: sent again, it takes its own place.
    source: str | None
    file: UploadFile


def bodies_in_openapi(field: str, *, many: bool = False) -> dict[str, Any]:
    """Describe a body that is an image, or a form with one or many of them."""
    image = {"type": "string", "format": "binary"}
    content = {"type": "array", "items": image} if many else image
    form = {"type": "object", "properties": {field: content}, "required": [field]}
    return {
        "requestBody": {
            "required": True,
            "content": {"image/*": {"schema": image}, _BINARY: {"schema": image}, _MULTIPART: {"schema": form}},
        }
    }


async def read_probe(request: Request, services: ServicesDep) -> bytes:
    """Read the one image of a request into memory: a raw body, or the form field `image`.

    Raises:
        BodyTooLarge: more than `max_probe_bytes`.
        UnsupportedBody: neither an image nor a form.
        InvalidRequest: no bytes.
    """
    limit_bytes = services.settings.max_probe_bytes
    media_type = _media_type(request)
    if media_type == _MULTIPART:
        allow_body(request, limit_bytes + SMALL_BODY_BYTES)
        probe = await _read_form_image(request, limit_bytes)
    else:
        allow_body(request, limit_bytes)
        probe = await request.body()
        if probe:
            _require_image(media_type)
    if not probe:
        raise InvalidRequest(_EMPTY_BODY)
    return probe


ProbeDep: TypeAlias = Annotated[bytes, Depends(read_probe)]


async def receive_photos(
    request: Request,
    services: ServicesDep,
    name: Annotated[
        str | None, Query(max_length=16_384, description="Name of a photo that is sent as a raw body.")
    ] = None,
    source: Annotated[
        str | None,
        Query(
            max_length=16_384, description="Where the names come from: a photo sent again from there replaces itself."
        ),
    ] = None,
) -> AsyncIterator[list[SentPhoto]]:
    """Stream the photos of a request to temporary files, which live as long as the request.

    A form may name its files in fields `names`, one for each file in their order, percent-encoded: file names of a form
    lose line breaks, quotes and tabs on their way.

    Raises:
        BodyTooLarge: more than `max_upload_bytes`, or a raw photo of more than `max_photo_bytes`.
        PhotoTooLarge: one file of a form has more than `max_photo_bytes`.
        UnsupportedBody: neither an image nor a form.
        InvalidRequest: no photo, one without a name, or more or fewer names than photos.
    """
    limit_bytes = services.settings.max_photo_bytes
    media_type = _media_type(request)
    if media_type == _MULTIPART:
        allow_body(request, services.settings.max_upload_bytes)
        with _spool_errors():
            most = services.settings.max_upload_photos
            form = await request.form(max_files=most, max_fields=most + _OTHER_FIELDS)
        try:
            photos = _photos_of(form, source)
            _require_photos(photos, limit_bytes)
            yield photos
        finally:
            await form.close()
    else:
        _require_image(media_type)
        allow_body(request, min(limit_bytes, services.settings.max_upload_bytes))
        async with _spool_body(request, name) as photo:
            yield [SentPhoto(_storable(name or "") if source else shown_name(name or ""), source, photo)]


PhotosDep: TypeAlias = Annotated[list[SentPhoto], Depends(receive_photos)]


def shown_name(sent_name: str) -> str:
    """Make a sent file name printable; folders in it stay, as browsers send them for a dropped folder."""
    return "".join(character if is_showable(character) else "\N{REPLACEMENT CHARACTER}" for character in sent_name)


def require_json(request: Request) -> None:
    """Refuse bodies of other types.

    A web page that the user happens to have open can send a form or text to this server, but not JSON.

    Raises:
        UnsupportedBody: the body is not said to be JSON.
    """
    media_type = _media_type(request)
    if media_type != "application/json":
        raise UnsupportedBody(f"The body has to be application/json, not {media_type or 'of no Content-Type'}.")


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _require_image(media_type: str) -> None:
    if media_type.startswith("image/") or media_type == _BINARY:
        return
    raise UnsupportedBody(
        f"Send an image with its Content-Type (image/jpeg, {_BINARY}, ...) or a {_MULTIPART} form, "
        f"not {media_type or 'a body of no Content-Type'}."
    )


async def _read_form_image(request: Request, limit_bytes: int) -> bytes:
    async with request.form(max_files=1) as form:
        image = form.get("image")
        if not isinstance(image, UploadFile):
            raise InvalidRequest("The form has no file in its field 'image'.")
        probe = await image.read()
    if len(probe) > limit_bytes:
        raise PhotoTooLarge(f"The image has {len(probe):,} bytes; {limit_bytes:,} are accepted here.")
    return probe


def _photos_of(form: FormData, source: str | None) -> list[SentPhoto]:
    parts = form.multi_items()
    files = [part for _, part in parts if isinstance(part, UploadFile)]
    encoded = [part for field, part in parts if field == "names" and isinstance(part, str)]
    if not encoded:
        return [SentPhoto(shown_name(file.filename or ""), source, file) for file in files]
    if len(encoded) != len(files):
        raise InvalidRequest(f"The form has {len(files)} files and {len(encoded)} names: every file needs one.")
    return [SentPhoto(_decode_name(name), source, file) for name, file in zip(encoded, files, strict=True)]


def _decode_name(encoded: str) -> str:
    try:
        return _storable(unquote(encoded, errors="strict"))
    except UnicodeError as error:
        raise InvalidRequest(f"The name {encoded!r} is not percent-encoded UTF-8.") from error


def _storable(name: str) -> str:
    """No database keeps a NUL."""
    return name.replace("\0", "\\x00")


def _require_photos(photos: list[SentPhoto], limit_bytes: int) -> None:
    if not photos:
        raise InvalidRequest("The form has no file: send one or more photos in the field 'files'.")
    for photo in photos:
        if not photo.name:
            raise InvalidRequest("A file of the form has no name; every photo needs one.")
        size_bytes = photo.file.size or 0
        if size_bytes > limit_bytes:
            raise PhotoTooLarge(f"{photo.name!r} has {size_bytes:,} bytes; {limit_bytes:,} are accepted here.")


@asynccontextmanager
async def _spool_body(request: Request, name: str | None) -> AsyncIterator[UploadFile]:
    if not name:
        raise InvalidRequest("A photo that is sent as a raw body needs a name: add ?name=IMG_0042.jpg to the URL.")
    with SpooledTemporaryFile(max_size=_SPOOL_BYTES) as file:
        photo = UploadFile(cast("BinaryIO", file), size=0, filename=name)
        with _spool_errors():
            async for chunk in request.stream():
                await photo.write(chunk)
        if not photo.size:
            raise InvalidRequest(_EMPTY_BODY)
        await photo.seek(0)
        yield photo


@contextmanager
def _spool_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PhotoStoreUnavailable(f"The server has no room for the upload: {error.strerror}.") from error
