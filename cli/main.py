"""The `facefleet` command: its parts put together, and every error turned into a sentence and an exit status."""

import os
import signal
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Annotated

import typer

from cli import doctor, index, listings, maintenance, models, search, serve
from cli.output import say
from facefleet.errors import ConfigurationError, FacefleetError, PermanentError, RequestError, TransientError

#: EX_TEMPFAIL of sysexits.h: the same command may work later.
_EXIT_TRY_LATER = 75
_EXIT_UNEXPECTED = 1

#: The nearest class on an error's way up to FacefleetError decides.
_EXIT_OF_ERROR: dict[type[FacefleetError], int] = {
    RequestError: 2,
    ConfigurationError: 2,
    PermanentError: 2,
    TransientError: _EXIT_TRY_LATER,
    FacefleetError: _EXIT_UNEXPECTED,
}

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
    maintenance.delete,
)
_SERVERS: tuple[Callable[..., None], ...] = (serve.up, serve.api, serve.worker, serve.dispatcher)
for command in _ALBUM_COMMANDS:
    app.command(rich_help_panel="Albums")(command)
for command in _SERVERS:
    app.command(rich_help_panel="Servers")(command)
app.add_typer(models.app, name="models", rich_help_panel="This machine")
app.command(rich_help_panel="This machine")(doctor.doctor)


def run(arguments: list[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: without the program's name; those of the process when left out.

    Returns:
        The exit status: 0, 1 (unforeseen), 2 (usage, settings, or not found), 3 (photos are dead), 75 (a dependency is
        down), 130 (interrupted).
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        app(arguments, prog_name="facefleet")
    except SystemExit as finished:
        return finished.code if isinstance(finished.code, int) else _EXIT_UNEXPECTED
    except FacefleetError as error:
        _explain(error, str(error))
        return next(_EXIT_OF_ERROR[kind] for kind in type(error).__mro__ if kind in _EXIT_OF_ERROR)
    except Exception as error:  # noqa: BLE001  the last edge: nobody is shown a traceback who did not ask for one
        _explain(error, f"something unforeseen went wrong ({type(error).__name__}: {error})")
        return _EXIT_UNEXPECTED
    return 0


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """End as with Ctrl-C, so that everything that is open is closed."""
    raise KeyboardInterrupt


def _explain(error: Exception, sentence: str) -> None:
    if os.environ.get("FACEFLEET_LOG_LEVEL", "").lower() == "debug":
        say("".join(traceback.format_exception(error)))
    say(f"facefleet: {sentence}")


@app.callback(invoke_without_command=True)
def show_version(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version and end.", is_eager=True)] = False
) -> None:
    """Index photo albums by face and find a person in them, on your own machines."""
    if version:
        from importlib.metadata import version as version_of  # noqa: PLC0415  20 ms that only this option needs

        typer.echo(version_of("facefleet"))
        raise typer.Exit
