"""All commands, put together."""

import inspect
import re
from collections.abc import Callable
from typing import Annotated

import typer

from cli import (
    album_files,
    audit,
    calibrate,
    doctor,
    evaluate,
    index,
    keys,
    listings,
    maintenance,
    migrate,
    models,
    optimize,
    people,
    plan,
    purge,
    search,
    serve,
)

app = typer.Typer(
    help="Index photo albums by face and find a person in them, on your own machines.",
    epilog="Settings are FACEFLEET_... environment variables, or lines of a file .env: see .env.example.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
)
_ALBUM_COMMANDS: tuple[Callable[..., None], ...] = (
    index.index,
    search.search,
    listings.albums,
    listings.photos,
    listings.faces,
    maintenance.retry,
    maintenance.rebuild,
    maintenance.retention,
    maintenance.delete,
)
_SERVERS: tuple[Callable[..., None], ...] = (serve.up, serve.api, serve.worker, serve.dispatcher)
for command in _ALBUM_COMMANDS:
    app.command(rich_help_panel="Albums")(command)
for command in _SERVERS:
    app.command(rich_help_panel="Servers")(command)
for name, file_command in (("export", album_files.export_album), ("import", album_files.import_album)):
    app.command(name, rich_help_panel="Albums")(file_command)
app.add_typer(people.app, name="people", rich_help_panel="Albums")
app.add_typer(keys.app, name="keys", rich_help_panel="Servers")
app.add_typer(models.app, name="models", rich_help_panel="This machine")
app.command(rich_help_panel="This machine")(calibrate.calibrate)
app.command(rich_help_panel="This machine")(evaluate.evaluate)
app.command(rich_help_panel="This machine")(doctor.doctor)
app.command(rich_help_panel="This machine")(optimize.optimize)
app.command(rich_help_panel="Servers")(plan.plan)
app.command(rich_help_panel="Servers")(migrate.migrate)
for command in (audit.audit, purge.purge):
    app.command(rich_help_panel="Privacy")(command)


def join_lines(help_text: str) -> str:
    """Let the terminal break lines, which is seldom as wide as the source; those that end with a sentence stay."""
    return re.sub(r"(?<![.\n])\n(?!\n)", " ", inspect.cleandoc(help_text))


for each in (app, people.app, keys.app, models.app):
    for known in each.registered_commands:
        known.help = join_lines((known.callback and known.callback.__doc__) or "")


@app.callback(invoke_without_command=True)
def show_version(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version and end.", is_eager=True)] = False
) -> None:
    """Index photo albums by face and find a person in them, on your own machines."""
    if version:
        from importlib.metadata import version as version_of  # noqa: PLC0415  20 ms that only this option needs

        typer.echo(version_of("facefleet"))
        raise typer.Exit
