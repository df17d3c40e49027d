"""JSON to values and back, by the shapes of the service model: types, required members, bounds, patterns, enums."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, TypeAlias

import pybase64
from botocore.model import Shape
from pydantic_core import from_json

from api.rekognition.errors import ImageTooLarge, InvalidParameter, Unserializable

_Renderer: TypeAlias = Callable[[Any], Any]

_INT_RANGE = {"integer": 2**31, "long": 2**63}
#: What Python's patterns call the Unicode classes of the model.
_UNICODE_CLASSES = {r"\p{L}": r"\w", r"\p{N}": r"\d", r"\p{Z}": r"\s"}
#: Characters of a value that an error message repeats.
_SHOWN_CHARS = 100


def read_json(body: bytes) -> Any:  # noqa: ANN401  whatever JSON says
    """Read a body; none is an empty object, as AWS has it. Ten times as fast as `json` where images are in it.

    Raises:
        Unserializable: it is no JSON.
    """
    try:
        return from_json(body, allow_inf_nan=False) if body else {}
    except ValueError as error:
        raise Unserializable(f"The body is not JSON: {error}") from error


def parse(shape: Shape, value: object, place: str = "") -> Any:  # noqa: ANN401  as the shape says
    """Turn JSON into Python values.

    Args:
        shape: what it should be.
        value: as `read_json` reads it.
        place: dotted path for messages; empty for the whole.

    Returns:
        Structures as dicts without absent members; blobs as bytes, timestamps as datetimes.

    Raises:
        Unserializable: another type.
        InvalidParameter: the right type, but not acceptable, a missing member, or one that nobody knows.
        ImageTooLarge: a blob with too many bytes.
    """
    parser = _PARSERS.get(shape.type_name)
    if parser is None:
        raise Unserializable(f"{place or 'The body'} cannot be read.")
    return parser(shape, value, place)


def render(shape: Shape, value: Any) -> Any:  # noqa: ANN401  as the shape says
    """Turn an answer into what JSON can say; members that are None are left out.

    Raises:
        KeyError: the service model knows no such member.
    """
    renderer = _renderer_of(shape)
    return value if renderer is None else renderer(value)


@cache
def _renderer_of(shape: Shape) -> _Renderer | None:
    """Build what renders a shape, once: an answer holds thousands of faces. None: JSON says its values as they are."""
    match shape.type_name:
        case "structure":
            members = {name: _renderer_of(member) for name, member in shape.members.items()}
            return partial(_render_structure, members)
        case "list":
            renderer = _renderer_of(shape.member)
            return renderer and partial(_render_list, renderer)
        case "timestamp":
            return _render_timestamp
        case _:
            return None


def _render_structure(members: dict[str, _Renderer | None], value: dict[str, Any]) -> dict[str, Any]:
    return {
        name: renderer(each) if (renderer := members[name]) else each
        for name, each in value.items()
        if each is not None
    }


def _render_list(renderer: _Renderer, value: list[Any]) -> list[Any]:
    return [renderer(each) for each in value]


def _render_timestamp(value: datetime) -> float:
    return round(value.timestamp(), 3)


def _parse_structure(shape: Shape, value: object, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _mistyped(place, "an object")
    for name in value:
        if name not in shape.members:
            raise InvalidParameter(f"{_shown(name)} is not a member of {place or 'this request'}.")
    given = {name: each for name, each in value.items() if each is not None}
    for name in shape.required_members:
        if name not in given:
            raise InvalidParameter(_violation(_join(place, name), "null", "Member must not be null"))
    return {name: parse(shape.members[name], each, _join(place, name)) for name, each in given.items()}


def _parse_list(shape: Shape, value: object, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise _mistyped(place, "a list")
    _check_bounds(shape, len(value), place, f"{len(value)} members")
    return [parse(shape.member, each, f"{place}.{number}") for number, each in enumerate(value, 1)]


def _parse_map(shape: Shape, value: object, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _mistyped(place, "an object")
    _check_bounds(shape, len(value), place, f"{len(value)} entries")
    return {parse(shape.key, key, place): parse(shape.value, each, f"{place}.{key}") for key, each in value.items()}


def _parse_string(shape: Shape, value: object, place: str) -> str:
    if not isinstance(value, str):
        raise _mistyped(place, "a string")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Unserializable(f"{place} is not valid Unicode.") from error
    if "\0" in value:  # no database keeps one
        raise InvalidParameter(_violation(place, value, "Member must not contain NUL"))
    _check_bounds(shape, len(value), place, value)
    enum = shape.metadata.get("enum")
    if enum and value not in enum:
        raise InvalidParameter(_violation(place, value, f"Member must satisfy enum value set: [{', '.join(enum)}]"))
    pattern = shape.metadata.get("pattern")
    if pattern and not _compile(pattern).fullmatch(value):
        raise InvalidParameter(_violation(place, value, f"Member must satisfy regular expression pattern: {pattern}"))
    return value


def _parse_blob(shape: Shape, value: object, place: str) -> bytes:
    if not isinstance(value, str):
        raise _mistyped(place, "a string in base64")
    try:
        data = pybase64.b64decode(value, validate=True)
    except ValueError as error:
        raise Unserializable(f"{place} is not base64: {error}") from error
    most = shape.metadata.get("max")
    if most is not None and len(data) > most:
        raise ImageTooLarge(f"{place} has {len(data):,} bytes; {most:,} are accepted. Larger images come from S3.")
    _check_bounds(shape, len(data), place, f"{len(data)} bytes")
    return data


def _parse_integer(shape: Shape, value: object, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _mistyped(place, "a whole number")
    if not -_INT_RANGE[shape.type_name] <= value < _INT_RANGE[shape.type_name]:
        raise Unserializable(f"{place} is too large a number.")
    _check_bounds(shape, value, place, str(value))
    return value


def _parse_float(shape: Shape, value: object, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _mistyped(place, "a number")
    try:
        number = float(value)
    except OverflowError as error:
        raise Unserializable(f"{place} is too large a number.") from error
    if not math.isfinite(number):
        raise Unserializable(f"{place} is too large a number.")
    _check_bounds(shape, number, place, str(number))
    return number


def _parse_boolean(_shape: Shape, value: object, place: str) -> bool:
    if not isinstance(value, bool):
        raise _mistyped(place, "true or false")
    return value


def _parse_timestamp(_shape: Shape, value: object, place: str) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _mistyped(place, "seconds since 1970")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Unserializable(f"{place} is no moment: {error}") from error


_PARSERS: dict[str, Callable[[Shape, object, str], Any]] = {
    "structure": _parse_structure,
    "list": _parse_list,
    "map": _parse_map,
    "string": _parse_string,
    "blob": _parse_blob,
    "integer": _parse_integer,
    "long": _parse_integer,
    "float": _parse_float,
    "double": _parse_float,
    "boolean": _parse_boolean,
    "timestamp": _parse_timestamp,
}


@cache
def _compile(pattern: str) -> re.Pattern[str]:
    for theirs, ours in _UNICODE_CLASSES.items():
        pattern = pattern.replace(theirs, ours)
    return re.compile(pattern)


def _check_bounds(shape: Shape, size: float, place: str, shown: str) -> None:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    what = "value" if shape.type_name in {"integer", "long", "float", "double"} else "length"
    if least is not None and size < least:
        raise InvalidParameter(_violation(place, shown, f"Member must have {what} greater than or equal to {least}"))
    if most is not None and size > most:
        raise InvalidParameter(_violation(place, shown, f"Member must have {what} less than or equal to {most}"))


def _violation(place: str, value: str, rule: str) -> str:
    return f"1 validation error detected: Value {_shown(value)} at '{place}' failed to satisfy constraint: {rule}"


def _mistyped(place: str, wanted: str) -> Unserializable:
    return Unserializable(f"{place or 'The body'} is not {wanted}.")


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "...")


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
