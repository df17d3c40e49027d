"""`index`: a folder or an S3 prefix goes into an album."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Self

import typer

from cli.following import DeadPhoto, IndexRun
from cli.index_run import DEAD_SHOWN, EndedRun, begin_run, resolve_source, run_to_end
from cli.options import AlbumOption, JsonOption
from cli.output import print_json, say
from cli.progress import describe_duration, show_progress
from facefleet.names import show_name

#: Some photos could not be indexed.
EXIT_DEAD = 3


@dataclass(frozen=True, slots=True)
class IndexResult:
    """What `--json` prints."""

    album: str
    job_id: str | None
    photos: int
    indexed: int
    dead: int
    faces: int
    seconds: float
    photos_per_second: float

    @classmethod
    def of(cls, album: str, run: IndexRun) -> Self:
        """Leave out what is only of interest on the way."""
        return cls(
            album=album,
            job_id=run.job_id,
            photos=run.photos,
            indexed=run.indexed,
            dead=run.dead,
            faces=run.faces,
            seconds=run.seconds,
            photos_per_second=run.photos_per_second,
        )


def index(
    source: Annotated[str, typer.Argument(help="A folder, or s3://bucket/prefix.", show_default=False)],
    album: AlbumOption,
    *,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Stay until every photo is indexed.")] = True,
    json: JsonOption = False,
) -> None:
    """Index every photo of a folder or an S3 prefix into an album, which is made when it is missing.

    Photos that are indexed already are skipped, so the same command goes on where it was stopped.
    A photo that is not there any more stays in the album.
    Exit status 3: some photos could not be read; [bold]facefleet photos --album A --state dead[/bold] says why.

    Example: [bold]facefleet index ~/Pictures/wedding --album wedding[/bold]
    """
    where = resolve_source(source)
    if wait:
        with show_progress(album) as show:
            ended = run_to_end(where, album, show)
    else:
        ended = begin_run(where, album)
    if json:
        print_json(asdict(IndexResult.of(album, ended.run)))
    else:
        _print_summary(album, ended, wait=wait)
    if ended.run.dead:
        raise typer.Exit(EXIT_DEAD)


def _print_summary(album: str, ended: EndedRun, *, wait: bool) -> None:
    run = ended.run
    if not wait:
        say(f"Indexing {album} has begun: facefleet albums shows how far it is.")
        _print_unsent(ended.unsent)
        return
    typer.echo(
        f"{album}: {run.indexed} of {run.photos} photos indexed, {run.faces} faces, "
        f"in {describe_duration(run.seconds)} ({run.photos_per_second:.1f} photos/s)."
    )
    dead = run.dead - len(ended.unsent)
    if dead:
        typer.echo(f"{dead} could not be indexed:")
    for each in ended.dead:
        typer.echo(show_name(f"  {each.photo}: {each.detail}"))
    if dead > DEAD_SHOWN:
        typer.echo(f"  ... facefleet photos --album {shlex.quote(album)} --state dead shows them all")
    _print_unsent(ended.unsent)


def _print_unsent(unsent: Sequence[DeadPhoto]) -> None:
    """Photos that never left this machine are in no list of the server: all of them are named here."""
    if unsent:
        typer.echo(f"{len(unsent)} could not be sent, and are not in the album's list:")
    for each in unsent:
        typer.echo(show_name(f"  {each.photo}: {each.detail}"))
