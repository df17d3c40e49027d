"""`models`: the packs on this machine, those that can be fetched, and those that can be made of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import JsonOption
from cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from facefleet.settings import Settings

app = typer.Typer(help="List, fetch and quantize model packs.", no_args_is_help=True)


@app.command("list")
def list_models(*, json: JsonOption = False) -> None:
    """List the model packs, where they are, what their similarities mean, and their licences.

    The one in use has a star.
    """
    from cli.composition import load_settings  # noqa: PLC0415  see cli.whereabouts
    from facefleet.recognition.model_pack import list_model_packs  # noqa: PLC0415  the same

    settings = load_settings()
    packs = list_model_packs(settings)
    notes = {each.name: _describe_similarity(each.name, settings) if each.installed else "" for each in packs}
    if json:
        fields = [[each.name, str(each.directory), each.installed, each.licence, notes[each.name]] for each in packs]
        names = ("name", "directory", "installed", "licence", "similarity")
        print_json([dict(zip(names, row, strict=True)) for row in fields])
        return
    rows = [
        [
            "*" if each.name == settings.model_pack else "",
            each.name,
            each.directory if each.installed else "",
            notes[each.name],
            each.licence,
        ]
        for each in packs
    ]
    print_table("Model packs", ["", "Name", "Folder", "Similarity", "Licence"], rows)


def _describe_similarity(name: str, settings: "Settings") -> str:
    from facefleet.errors import ConfigurationError  # noqa: PLC0415  see cli.whereabouts
    from facefleet.recognition.calibration import load_curve  # noqa: PLC0415  the same
    from facefleet.recognition.model_pack import find_model_pack  # noqa: PLC0415  the same

    try:
        return load_curve(find_model_pack(settings.model_copy(update={"model_pack": name})), settings.data_dir).note
    except ConfigurationError as error:
        return str(error)


@app.command()
def pull(
    name: Annotated[str, typer.Argument(help="Name of a public pack, e.g. buffalo_l.", show_default=False)],
    *,
    accept_license: Annotated[bool, typer.Option(help="Accept the licence that the pack comes with.")] = False,
) -> None:
    """Fetch a public model pack through InsightFace, into its usual folder, and check its hashes.

    Example: [bold]facefleet models pull buffalo_l --accept-license[/bold]
    """
    from cli.composition import load_settings  # noqa: PLC0415  see cli.whereabouts
    from facefleet.recognition.model_pack import pull_model_pack  # noqa: PLC0415  the same

    settings = load_settings()
    if accept_license:
        settings = settings.model_copy(update={"accept_license": True})
    pack = pull_model_pack(name, settings)
    say(f"{pack.name} is in {pack.directory}. {pack.licence}")


@app.command()
def quantize(
    pack: Annotated[str, typer.Argument(help="Name or folder of the pack that is quantized.", show_default=False)],
    people: Annotated[
        Path, typer.Argument(help="Folder with one folder of photos for each person.", show_default=False)
    ],
    *,
    out: Annotated[Path | None, typer.Option(help="Folder of the new pack; else the pack's with -int8 behind.")] = None,
    json: JsonOption = False,
) -> None:
    """Make a pack of eight-bit models, which processors with VNNI or AMX run two to four times as fast.

    Half of the photos calibrate it, the other half compare it with the original. It is kept when it finds 99.5% of the
    faces, its templates agree (median cosine 0.99, 0.97 for all but one in a hundred), and it tells 0.2% fewer faces of
    a person at most. Photos that the original indexed are found with it, and the other way round.

    Example: [bold]facefleet models quantize buffalo_l ~/faces[/bold]
    """
    from cli.calibration_faces import list_people  # noqa: PLC0415  see cli.whereabouts
    from cli.composition import load_settings  # noqa: PLC0415  the same
    from facefleet.recognition.model_pack import find_model_pack  # noqa: PLC0415  the same
    from facefleet.recognition.quantization import quantize_pack  # noqa: PLC0415  the same

    settings = load_settings().model_copy(update={"model_pack": pack})
    folder = find_model_pack(settings).directory.resolve()
    target = (out or folder.with_name(f"{folder.name}-int8")).expanduser().absolute()
    found = quantize_pack(list_people(people), target, settings)
    if json:
        print_json({"directory": str(target), **found.figures})
        return
    rows = [[name.replace("_", " "), f"{value:g}"] for name, value in found.figures.items()]
    print_table(f"Beside {pack}", ["Measure", "#Value"], rows)
    say(f"Written to {target}. Use it with FACEFLEET_MODEL_PACK={target}")
