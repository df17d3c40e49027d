"""`people`: who is in an album, and what is said about them."""

from typing import Annotated, Any

import typer

from cli.connection import connect
from cli.needs import Needs
from cli.options import AlbumOption, JsonOption
from cli.output import print_json, print_table, say
from cli.people_changes import cover, delete, hide, merge, move, name, purge, reject, split, undo
from cli.people_waiting import wait_for_people
from cli.person_reference import PersonArgument, find_person
from facefleet.errors import InvalidRequest

app = typer.Typer(
    help="Show who is in an album, and say who they are: every change but a purge can be undone.",
    invoke_without_command=True,
)

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


for change in (name, hide, cover, merge, split, move, delete, undo, purge):
    app.command()(change)
app.command("not")(reject)


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
