"""`people`: who is in an album, and what is said about them."""

import shlex
import sys
from typing import Annotated, Any, TypeAlias

import typer

from cli.connection import connect
from cli.needs import Needs
from cli.options import AlbumOption, JsonOption
from cli.output import print_json, print_table, say
from cli.people_waiting import wait_for_people
from cli.person_reference import find_person
from facefleet.errors import InvalidRequest

app = typer.Typer(
    help="Show who is in an album, and say who they are: every change but a purge can be undone.",
    invoke_without_command=True,
)

PersonArgument: TypeAlias = Annotated[
    str, typer.Argument(help="A person: name, id, or the first characters of the id.", show_default=False)
]
FacesArgument: TypeAlias = Annotated[
    list[str],
    typer.Argument(help="Ids of faces, as [bold]facefleet people faces[/bold] shows them.", show_default=False),
]
NameOption: TypeAlias = Annotated[
    str | None, typer.Option("--name", help="Name of the new person.", show_default=False)
]
_HISTORY = 20


@app.callback()
def people(
    context: typer.Context,
    album: Annotated[str | None, typer.Option("--album", "-a", help="Name of the album.", show_default=False)] = None,
    *,
    hidden: Annotated[bool, typer.Option("--hidden", help="Show hidden people, too.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Stay until new photos were looked at.")] = True,
    json: JsonOption = False,
) -> None:
    """List who is in an album, those with most faces first.

    [bold]--json[/bold] prints every face of everybody: [{"person_id", "name", "faces": [{"photo", "face_id", "box"}]}].
    Faces that are nobody's are left out.

    Example: [bold]facefleet people --album wedding[/bold]
    """
    if context.invoked_subcommand is not None:
        return
    if album is None:
        raise InvalidRequest("say which album: facefleet people --album A")
    with connect(Needs.PEOPLE) as client:
        if wait:
            wait_for_people(client, album)
        found = list(client.walk("albums", album, "people", hidden=hidden))
        faces = list(client.walk("albums", album, "people", "faces", hidden=hidden)) if json else []
    if json:
        print_json(_join_faces(found, faces))
        return
    rows = [[each["name"], each["faces"], each["photos"], *_describe(each)] for each in found]
    print_table(f"{album}: {len(rows)} people", ["Name", "#Faces", "#Photos", "Id", ""], rows)


@app.command()
def cluster(album: AlbumOption) -> None:
    """Group all faces of an album anew. What humans said stays; new photos join by themselves without this."""
    with connect(Needs.PEOPLE) as client:
        client.post_json("albums", album, "people", "cluster")
        done = wait_for_people(client, album)
    say(f"{album}: {done['clusters']} people, {done['noise_faces']} of {done['total_faces']} faces are nobody's.")


@app.command()
def faces(person: PersonArgument, *, json: JsonOption = False) -> None:
    """List a person's faces, with their ids."""
    with connect() as client:
        found = list(client.walk("people", find_person(client, person), "faces"))
    if json:
        print_json([{key: each[key] for key in ("album", "photo", "face_id", "box", "confirmed")} for each in found])
        return
    rows = [[each["album"], each["photo"], "yes" if each["confirmed"] else "", each["face_id"]] for each in found]
    print_table(f"{len(rows)} faces", ["Album", "Photo", "Confirmed", "Face"], rows)


@app.command()
def photos(
    person: PersonArgument,
    together_with: Annotated[
        list[str] | None, typer.Option("--with", help="Only photos on which this person is, too.", show_default=False)
    ] = None,
    *,
    json: JsonOption = False,
) -> None:
    """List the photos of a person, or those on which several people are together."""
    with connect() as client:
        person_id, *others = [find_person(client, each) for each in (person, *(together_with or ()))]
        found = list(client.walk("people", person_id, "photos", **{"with": others or None}))
    if json:
        print_json([{key: each[key] for key in ("album", "photo", "photo_id", "face_ids")} for each in found])
        return
    print_table(f"{len(found)} photos", ["Album", "Photo"], [[each["album"], each["photo"]] for each in found])


@app.command()
def name(
    person: PersonArgument, new_name: Annotated[str, typer.Argument(help="The name; '' for none.", show_default=False)]
) -> None:
    """Name a person."""
    with connect() as client:
        client.patch_json("people", find_person(client, person), name=new_name or None)


@app.command()
def hide(
    person: PersonArgument,
    *,
    undo_it: Annotated[bool, typer.Option("--show", help="Show the person again.")] = False,
) -> None:
    """Leave a person out of lists."""
    with connect() as client:
        client.patch_json("people", find_person(client, person), hidden=not undo_it)


@app.command()
def cover(
    person: PersonArgument, face: Annotated[str, typer.Argument(help="Id of one of the person's faces.")]
) -> None:
    """Choose the face that shows a person."""
    with connect() as client:
        client.patch_json("people", find_person(client, person), cover_face_id=face)


@app.command()
def merge(
    person: PersonArgument,
    others: Annotated[list[str], typer.Argument(help="Who is the same person.", show_default=False)],
) -> None:
    """Say that others are the same person."""
    with connect() as client:
        person_id = find_person(client, person)
        merged = client.post_json("people", person_id, "merge", people=[find_person(client, other) for other in others])
    say(f"{merged['name'] or merged['person_id']} has {merged['faces']} faces now. {_undo_hint(person_id)}")


@app.command()
def split(person: PersonArgument, face_ids: FacesArgument, new_name: NameOption = None) -> None:
    """Make some of a person's faces a new person."""
    with connect() as client:
        person_id = find_person(client, person)
        new = client.post_json("people", person_id, "split", face_ids=face_ids, name=new_name)
    say(f"{new['name'] or 'A new person'} has {new['faces']} faces: {new['person_id']}. {_undo_hint(person_id)}")


@app.command()
def move(person: PersonArgument, face_ids: FacesArgument) -> None:
    """Say that faces are a person's, whoever had them."""
    with connect() as client:
        client.post_json("people", find_person(client, person), "faces", face_ids=face_ids)


@app.command(name="not")
def reject(person: PersonArgument, face_ids: FacesArgument) -> None:
    """Say that faces are not a person's: they never come back by themselves."""
    with connect() as client:
        client.post_json("people", find_person(client, person), "not", face_ids=face_ids)


@app.command()
def delete(person: PersonArgument) -> None:
    """Forget a person; its faces stay in their albums, as nobody's."""
    with connect() as client:
        person_id = find_person(client, person)
        client.delete("people", person_id)
    say(f"Forgotten. {_undo_hint(person_id)}")


@app.command()
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


@app.command()
def predict(
    album: AlbumOption,
    *,
    again: Annotated[bool, typer.Option("--again", help="Also photos that have predictions.")] = False,
) -> None:
    """Predict who is on photos that were indexed before anybody had a name. Later photos need no command for it."""
    with connect() as client:
        photos = client.predict(album, again=again)
    say(f"{album}: {photos} photos wait for predictions, which workers make.")


@app.command()
def history(
    person: Annotated[str | None, typer.Argument(help="Only of this person.", show_default=False)] = None,
    *,
    json: JsonOption = False,
) -> None:
    """List what was changed about people, newest first."""
    with connect() as client:
        path = ("people", "history") if person is None else ("people", find_person(client, person), "history")
        found = client.get(*path, limit=_HISTORY)["changes"]
    if json:
        print_json(found)
        return
    rows = [
        [each["number"], each["kind"], _say_after(each), each["person_id"], "undone" if each["undone_at"] else ""]
        for each in found
    ]
    print_table("Changes, newest first", ["#Number", "What", "", "Person", ""], rows)


@app.command()
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


def _join_faces(found: list[dict[str, Any]], faces_found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    by_person: dict[str, list[dict[str, Any]]] = {each["person_id"]: [] for each in found}
    for face in faces_found:
        by_person.setdefault(face["person_id"], []).append({key: face[key] for key in ("photo", "face_id", "box")})
    names = {each["person_id"]: each["name"] for each in found}
    return [
        {"person_id": person_id, "name": names.get(person_id), "faces": mine} for person_id, mine in by_person.items()
    ]


def _describe(person: dict[str, Any]) -> tuple[str, str]:
    return person["person_id"], "hidden" if person["hidden"] else ""


def _say_after(change: dict[str, Any]) -> str:
    after = ", ".join(f"{key} {value}" for key, value in change["after"].items())
    return after or (f"{change['faces']} faces" if change["faces"] else "")


def _undo_hint(person_id: str) -> str:
    return f"Undo: facefleet people undo {shlex.quote(person_id)}"
