"""`export` and `import`: an album goes into one file, and comes out of it here or on another machine."""

from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from cli.options import JsonOption
from cli.output import print_json, say

TenantOption: TypeAlias = Annotated[str, typer.Option(help="Whose album it is.")]


def export_album(
    album: Annotated[str, typer.Argument(help="Name of the album.", show_default=False)],
    file: Annotated[Path, typer.Argument(help="Where to write it; nothing may be there yet.", show_default=False)],
    tenant: TenantOption = "default",
    *,
    json: JsonOption = False,
) -> None:
    """Write an album into one file: faces, templates, people and what was decided about them. Not the photos.

    The file is biometric data: only you can read it. It works on the stores themselves, beside a running server of this
    machine or without one, and needs no key. docs/album-files.md describes what is in it.

    Example: [bold]facefleet export wedding wedding.zip[/bold]
    """
    from cli.composition import load_settings, open_operators_ledger  # noqa: PLC0415  see cli.whereabouts
    from cli.reaching import reach_gallery  # noqa: PLC0415  the same
    from facefleet.album_files.exporting import AlbumExporter  # noqa: PLC0415  the same
    from facefleet.purging import upload_prefix  # noqa: PLC0415  the same

    settings = load_settings()
    with closing(open_operators_ledger(settings)) as ledger, reach_gallery(settings) as gallery:
        found = ledger.albums.get(album, tenant)
        exporter = AlbumExporter(ledger, gallery, upload_prefix(settings, found), who="local")
        manifest = exporter.export(found, file.expanduser())
    if json:
        print_json(asdict(manifest))
    rows = manifest.rows
    say(f"{file}: {album} with {rows['photos']} photos, {rows['faces']} faces and {rows['people']} people.")


def import_album(
    file: Annotated[Path, typer.Argument(help="What `facefleet export` wrote.", show_default=False)],
    album: Annotated[
        str | None, typer.Option("--album", "-a", help="Another name than the one in the file.", show_default=False)
    ] = None,
    tenant: TenantOption = "default",
    *,
    json: JsonOption = False,
) -> None:
    """Read an album out of a file; what the album has already stays as it is, so the same file twice is once.

    Made with the model pack that is set here, everything comes over and is searched at once. Made with another one,
    templates are of no use: the photos are indexed again from where they lie, and people find their faces by place.

    Example: [bold]facefleet import wedding.zip --album wedding[/bold]
    """
    from cli.composition import load_settings, open_operators_ledger  # noqa: PLC0415  see cli.whereabouts
    from cli.reaching import reach_gallery  # noqa: PLC0415  the same
    from facefleet.album_files.importing import AlbumImporter  # noqa: PLC0415  the same
    from facefleet.purging import upload_prefix  # noqa: PLC0415  the same
    from facefleet.recognition.model_pack import find_model_pack  # noqa: PLC0415  the same

    settings = load_settings()
    with closing(open_operators_ledger(settings)) as ledger, reach_gallery(settings) as gallery:
        importer = AlbumImporter(
            ledger=ledger,
            gallery=gallery,
            model_version=find_model_pack(settings).model_version,
            upload_prefix=lambda found: upload_prefix(settings, found),
            upload_root=settings.resolved_upload_url,
            who="local",
        )
        imported = importer.import_file(file.expanduser(), tenant, album)
    if json:
        print_json(asdict(imported))
    say(f"{imported.album}: {imported.photos} new photos, {imported.people} people, {imported.spots} of their faces.")
    if not imported.same_model:
        say(
            "The file's templates are of another model: its photos are indexed again by the next `facefleet up` or "
            "fleet, and people find their faces by place."
        )
    if imported.left_out:
        say(f"{imported.left_out} photos were left out: faces were deleted from them, and it cannot be told which.")
