"""The `facefleet` command: every error turned into a sentence and an exit status."""

import os
import signal
import sys

from cli.fleet_commands import FLEET_COMMANDS
from cli.output import say
from cli.searching import parse_search, run_search
from cli.termination import Termination
from facefleet.errors import ConfigurationError, FacefleetError, PermanentError, RequestError, TransientError

#: EX_TEMPFAIL of sysexits.h: the same command may work later.
_EXIT_TRY_LATER = 75
_EXIT_UNEXPECTED = 1
#: By convention 128 and the number of SIGINT.
_EXIT_INTERRUPTED = 130

#: The nearest class on an error's way up to FacefleetError decides.
_EXIT_OF_ERROR: dict[type[FacefleetError], int] = {
    RequestError: 2,
    ConfigurationError: 2,
    PermanentError: 2,
    TransientError: _EXIT_TRY_LATER,
    FacefleetError: _EXIT_UNEXPECTED,
}


def run(arguments: list[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: without the program's name; those of the process when left out.

    Returns:
        The exit status: 0, 1 (unforeseen), 2 (usage, settings, or not found), 3 (photos are dead), 75 (a dependency is
        down), 130 (interrupted).
    """
    signal.signal(signal.SIGTERM, Termination())
    try:
        given = sys.argv[1:] if arguments is None else arguments
        if plain_search := parse_search(given):
            run_search(plain_search)
        elif len(given) == 1 and given[0] in FLEET_COMMANDS:
            sys.exit(FLEET_COMMANDS[given[0]]())
        else:
            from cli.app import app  # noqa: PLC0415  see cli.searching

            app(given, prog_name="facefleet")
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED
    except SystemExit as finished:
        return finished.code if isinstance(finished.code, int) else _EXIT_UNEXPECTED
    except BrokenPipeError:
        # The reader of our output has seen enough; Python would complain again when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _EXIT_UNEXPECTED
    except FacefleetError as error:
        _explain(error, str(error))
        return next(_EXIT_OF_ERROR[kind] for kind in type(error).__mro__ if kind in _EXIT_OF_ERROR)
    except Exception as error:  # noqa: BLE001  the last edge: nobody is shown a traceback who did not ask for one
        _explain(error, f"something unforeseen went wrong ({type(error).__name__}: {error})")
        return _EXIT_UNEXPECTED
    return 0


def _explain(error: Exception, sentence: str) -> None:
    if os.environ.get("FACEFLEET_LOG_LEVEL", "").lower() == "debug":
        import traceback  # noqa: PLC0415  8 ms that only this needs

        say("".join(traceback.format_exception(error)))
    say(f"facefleet: {sentence}")
