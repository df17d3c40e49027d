"""Which person somebody means: by id, by the beginning of an id, or by name."""

import string
from typing import Annotated, TypeAlias

import typer

from cli.client import ApiClient
from facefleet.errors import InvalidRequest

PersonArgument: TypeAlias = Annotated[
    str, typer.Argument(help="A person: name, id, or the first characters of the id.", show_default=False)
]

_ID_CHARS = 36
_SHORTEST = 4


def find_person(client: ApiClient, said: str) -> str:
    """Find the id of the person that is meant; a whole id is taken as it is, also of somebody who is gone.

    Raises:
        InvalidRequest: it is nobody's name or id, or several people's.
    """
    looks_like_id = len(said) >= _SHORTEST and not set(said) - set(f"{string.hexdigits}-")
    if looks_like_id and len(said) == _ID_CHARS:
        return said
    found = list(client.walk("people", hidden=True))
    named = [each for each in found if each["name"] == said]
    meant = named or [each for each in found if looks_like_id and each["person_id"].startswith(said.lower())]
    if not meant:
        raise InvalidRequest(f"there is nobody of the name or id {said!r}; facefleet people --album A lists them")
    if len(meant) > 1:
        ids = ", ".join(each["person_id"] for each in meant[:_SHORTEST])
        raise InvalidRequest(f"{said!r} is the name of {len(meant)} people ({ids}): say which by the id")
    person_id: str = meant[0]["person_id"]
    return person_id
