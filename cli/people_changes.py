"""What is said about people: every change holds for ever, and all but a purge can be undone."""

import shlex
import sys
from typing import Annotated, TypeAlias

import typer

from cli.connection import connect
from cli.output import say
from cli.person_reference import PersonArgument, find_person
from facefleet.errors import InvalidRequest

FacesArgument: TypeAlias = Annotated[
    list[str],
    typer.Argument(help="Ids of faces, as [bold]facefleet people faces[/bold] shows them.", show_default=False),
]
NameOption: TypeAlias = Annotated[
    str | None, typer.Option("--name", help="Name of the new person.", show_default=False)
]


def name(
    person: PersonArgument, new_name: Annotated[str, typer.Argument(help="The name; '' for none.", show_default=False)]
) -> None:
    """Name a person."""
    with connect() as client:
        client.patch_json("people", find_person(client, person), name=new_name or None)


def hide(
    person: PersonArgument,
    *,
    undo_it: Annotated[bool, typer.Option("--show", help="Show the person again.")] = False,
) -> None:
    """Leave a person out of lists."""
    with connect() as client:
        client.patch_json("people", find_person(client, person), hidden=not undo_it)


def cover(
    person: PersonArgument, face: Annotated[str, typer.Argument(help="Id of one of the person's faces.")]
) -> None:
    """Choose the face that shows a person."""
    with connect() as client:
        client.patch_json("people", find_person(client, person), cover_face_id=face)


def merge(
    person: PersonArgument,
    others: Annotated[list[str], typer.Argument(help="Who is the same person.", show_default=False)],
) -> None:
    """Say that others are the same person."""
    with connect() as client:
        person_id = find_person(client, person)
        merged = client.post_json("people", person_id, "merge", people=[find_person(client, other) for other in others])
    say(f"{merged['name'] or merged['person_id']} has {merged['faces']} faces now. {_undo_hint(person_id)}")


def split(person: PersonArgument, face_ids: FacesArgument, new_name: NameOption = None) -> None:
    """Make some of a person's faces a new person."""
    with connect() as client:
        person_id = find_person(client, person)
        new = client.post_json("people", person_id, "split", face_ids=face_ids, name=new_name)
    say(f"{new['name'] or 'A new person'} has {new['faces']} faces: {new['person_id']}. {_undo_hint(person_id)}")


def move(person: PersonArgument, face_ids: FacesArgument) -> None:
    """Say that faces are a person's, whoever had them."""
    with connect() as client:
        client.post_json("people", find_person(client, person), "faces", face_ids=face_ids)


def reject(person: PersonArgument, face_ids: FacesArgument) -> None:
    """Say that faces are not a person's: they never come back by themselves."""
    with connect() as client:
        client.post_json("people", find_person(client, person), "not", face_ids=face_ids)


def delete(person: PersonArgument) -> None:
    """Forget a person; its faces stay in their albums, as nobody's."""
    with connect() as client:
        person_id = find_person(client, person)
        client.delete("people", person_id)
    say(f"Forgotten. {_undo_hint(person_id)}")


def purge(
    person: PersonArgument,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a person for good: faces, templates, name, history. This cannot be undone.

    The photos stay where they are, and indexing them again does not bring the person back; photos that come later may.
    [bold]facefleet people photos[/bold] lists them. On a terminal the command asks first; in a script it does not.
    """
    with connect() as client:
        person_id = find_person(client, person)
        if not yes and sys.stdin.isatty():
            typer.confirm(f"Delete {person} for good, with every face?", abort=True, err=True)
        purged = client.purge_person(person_id)
    say(f"Purged: {purged.faces} faces, which were on {purged.photos} photos.")


def undo(
    person: PersonArgument,
    number: Annotated[int | None, typer.Option(help="Number of the change; the newest when left out.")] = None,
) -> None:
    """Undo a change of a person: the newest that is not undone, or the one of that number in its history."""
    with connect() as client:
        person_id = find_person(client, person)
        changes = client.get("people", person_id, "history", limit=1000)["changes"] if number is not None else []
        chosen = [each["change_id"] for each in changes if each["number"] == number]
        if number is not None and not chosen:
            raise InvalidRequest(f"the history of {person} has no change {number}")
        undone = client.post_json("people", person_id, "undo", change_id=chosen[0] if chosen else None)
    say(f"Undone: change {undone['number']} ({undone['kind']}).")


def _undo_hint(person_id: str) -> str:
    return f"Undo: facefleet people undo {shlex.quote(person_id)}"
