"""`migrate`: all photos are seen with another model, while searches go on with the one before; then it changes."""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import say

if TYPE_CHECKING:
    from facefleet.ledger.engine import Ledger
    from facefleet.ledger.shelf import ModelSwitch, ShelfCount
    from facefleet.migration.migrator import Migrator
    from facefleet.settings import Settings

_LINE_EVERY_S = 10.0
#: Faces that the new model finds again, of those that there are, below which it asks for a human's word.
_LEAST_FOUND = 0.9
#: Rounds of mending: points that are missing twice are missing for a reason.
_ROUNDS = 3


def migrate(
    to: Annotated[
        str | None, typer.Option(help="The model pack to go to: a name, or its directory.", show_default=False)
    ] = None,
    *,
    back: Annotated[bool, typer.Option("--back", help="Go back to the pack before the last migration.")] = False,
    clear: Annotated[
        bool, typer.Option("--clear", help="Throw away what is kept for going back, once it is not needed any more.")
    ] = False,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="See a few photos, say how long all will take, and stop.")
    ] = False,
    accept_losses: Annotated[
        bool, typer.Option("--accept-losses", help="Switch although photos failed, or few faces were found again.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Go over to another model pack. People, names and decisions stay; search goes on from the pack before until then.

    All indexed photos are seen again from where they lie. It can be stopped and goes on where it was, and may run on
    several machines at once, which share the work. When counts agree, everything switches in one step. Leave
    FACEFLEET_MODEL_PACK at the pack before until then; afterwards set it and restart, as the command says.

    Example: [bold]facefleet migrate --to buffalo_l[/bold]
    """
    from cli.composition import load_settings, open_operators_ledger  # noqa: PLC0415  see cli.whereabouts
    from facefleet.errors import InvalidRequest  # noqa: PLC0415  the same

    if sum((to is not None, back, clear)) != 1:
        raise InvalidRequest("say one of --to PACK, --back and --clear")
    settings = load_settings()
    with closing(open_operators_ledger(settings)) as ledger:
        if clear:
            _clear(settings, ledger)
            return
        switched = _plan(settings, ledger, to)
        with ExitStack() as stack:
            migrator = _open(stack, settings, ledger, switched.to_pack)
            if migrator.model_version != switched.to_version:
                raise InvalidRequest(f"{switched.to_pack} is not the pack any more that it was at the last migration")
            if _see_all(migrator, only_estimate=estimate, ask=not yes and sys.stdin.isatty()):
                _switch(migrator, switched, accept_losses=accept_losses)


def _plan(settings: "Settings", ledger: "Ledger", to: str | None) -> "ModelSwitch":
    """Say from what to what. A name stays one; a directory is written out, for whoever reads it elsewhere."""
    from facefleet.errors import InvalidRequest  # noqa: PLC0415  see cli.whereabouts
    from facefleet.ledger.shelf import ModelSwitch  # noqa: PLC0415  the same
    from facefleet.recognition.model_pack import find_model_pack  # noqa: PLC0415  the same

    current = ledger.shelf.current()
    if to is None:
        if current is None:
            raise InvalidRequest("there was no migration yet: there is nothing to go back to")
        return ModelSwitch(current.to_version, current.to_pack, current.from_version, current.from_pack)
    pack = str(Path(to).expanduser().resolve()) if Path(to).expanduser().is_dir() else to
    version = find_model_pack(settings.model_copy(update={"model_pack": pack})).model_version
    if current is not None:
        return ModelSwitch(current.to_version, current.to_pack, version, pack)
    found = find_model_pack(settings)
    if found.model_version == version:
        raise InvalidRequest(
            f"{pack} has the same model version as FACEFLEET_MODEL_PACK={settings.model_pack}, so there is nothing to "
            "migrate; should photos be of another one, set it to theirs until all has switched"
        )
    return ModelSwitch(found.model_version, str(settings.model_pack), version, pack)


def _open(stack: ExitStack, settings: "Settings", ledger: "Ledger", pack: str) -> "Migrator":
    from cli.reaching import reach_gallery  # noqa: PLC0415  see cli.whereabouts
    from facefleet.logs import configure_logging  # noqa: PLC0415  the same
    from facefleet.metrics import Metrics  # noqa: PLC0415  the same
    from facefleet.migration.migrator import Migrator  # noqa: PLC0415  the same
    from facefleet.photo_store import open_photo_stores  # noqa: PLC0415  the same
    from facefleet.recognition.starting import load_recognizer  # noqa: PLC0415  the same

    configure_logging(settings, level="warning" if settings.log_level == "info" else None)
    settings = settings.model_copy(update={"model_pack": pack})
    gallery = stack.enter_context(reach_gallery(settings))
    recognizer = stack.enter_context(closing(load_recognizer(settings, Metrics())))
    return Migrator(settings, ledger, gallery, open_photo_stores(settings), recognizer)


def _see_all(migrator: "Migrator", *, only_estimate: bool, ask: bool) -> bool:
    """See photos until all were; returns whether all were."""
    from cli.progress import describe_duration  # noqa: PLC0415  see cli.whereabouts

    migrator.ledger.shelf.forget_failed(migrator.model_version)
    before = migrator.ledger.model_switches.count(migrator.model_version)
    say(f"{before.photos} photos in {before.albums} albums; {before.ready} were seen with the new model already.")
    began = shown = time.monotonic()
    seen = 0
    for number in _rounds(migrator):
        first, seen = seen == 0, seen + number
        rate = seen / max(time.monotonic() - began, 1e-9)
        left = max(before.left - seen, 0)
        line = f"{before.ready + seen} of {before.photos} photos, {rate:.1f} photos/s, {describe_duration(left / rate)}"
        if first:
            say(f"This takes {describe_duration(left / rate)} more on this machine ({rate:.1f} photos/s).")
            if only_estimate:
                return False
            if ask and left:
                typer.confirm("Go on? People are searched for meanwhile as before.", abort=True, err=True)
                began, shown = time.monotonic() - seen / rate, time.monotonic()
        if time.monotonic() - shown > _LINE_EVERY_S:
            say(f"{line} left")
            shown = time.monotonic()
    if only_estimate:
        say("Nothing is left to be seen; without --estimate the command switches now.")
    return not only_estimate


def _rounds(migrator: "Migrator") -> Iterator[int]:
    """See what is left, and again what lacks points in the gallery."""
    for _ in range(_ROUNDS):
        yield from migrator.work()
        if not migrator.mend():
            return


def _switch(migrator: "Migrator", switched: "ModelSwitch", *, accept_losses: bool) -> None:
    """Hold counts and agreement against each other, and switch."""
    from facefleet.migration.agreement import measure_agreement  # noqa: PLC0415  see cli.whereabouts

    ledger = migrator.ledger
    count = ledger.model_switches.count(switched.to_version)
    agreement = measure_agreement(ledger, migrator.gallery, switched.from_version, switched.to_version)
    say(
        f"Seen: {count.ready} of {count.photos} photos. Found again: {count.faces_found} of {count.faces} faces, and "
        f"{count.decided_found} of the {count.decided} of which a human said whose they are."
    )
    if agreement.faces:
        say(f"The nearest face is among the ten nearest still for {agreement.agreeing} of {agreement.faces} faces.")
    _refuse_losses(ledger, switched, count, accept_losses=accept_losses)
    moved = ledger.model_switches.switch(switched, "local")
    say(f"Switched: {moved} photos are those of {switched.to_pack} now; people, names and decisions are as they were.")
    if count.not_indexed:
        say(f"{count.not_indexed} photos were not indexed yet: run the same command again when they are.")
    say(
        f"Now set FACEFLEET_MODEL_PACK={switched.to_pack} and restart every process. `facefleet migrate --back` goes "
        "back; `facefleet migrate --clear` throws away what is kept for that."
    )


def _refuse_losses(ledger: "Ledger", switched: "ModelSwitch", count: "ShelfCount", *, accept_losses: bool) -> None:
    from facefleet.errors import InvalidRequest, Overloaded  # noqa: PLC0415  see cli.whereabouts
    from facefleet.names import show_name  # noqa: PLC0415  the same

    for name, detail in ledger.shelf.failures(switched.to_version, 10):
        say(f"  {show_name(name)}: {detail}")
    if count.left:
        raise Overloaded(f"{count.left} photos are with other processes still; run the same command again")
    reasons = []
    if count.failed:
        reasons.append(f"{count.failed} photos cannot be seen any more and would not be searched")
    if count.faces_found < _LEAST_FOUND * count.faces:
        reasons.append(f"the new model finds only {count.faces_found} of {count.faces} faces again")
    if reasons and not accept_losses:
        raise InvalidRequest(f"not switched: {'; '.join(reasons)}. --accept-losses switches all the same")


def _clear(settings: "Settings", ledger: "Ledger") -> None:
    from cli.reaching import reach_gallery  # noqa: PLC0415  see cli.whereabouts
    from facefleet.errors import InvalidRequest  # noqa: PLC0415  the same
    from facefleet.migration.migrator import clear_shelf  # noqa: PLC0415  the same

    if ledger.shelf.current() is None:
        raise InvalidRequest("there was no migration yet: nothing is kept")
    with reach_gallery(settings) as gallery:
        cleared = clear_shelf(ledger, gallery)
    say(f"{cleared} photos as other models saw them are thrown away; going back would see all photos again.")
