"""One indexing run: begun on whatever server there is, and followed to its end even when that server goes away."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from cli.client import ApiClient
from cli.connection import connect
from cli.following import DeadPhoto, IndexRun, SentPhotos, follow_jobs
from cli.needs import Needs
from cli.output import say
from cli.progress import Show
from facefleet.client.problems import RequestRefused
from facefleet.errors import AlbumExists, InvalidRequest, TransientError

#: Dead photos that are told about at the end.
DEAD_SHOWN = 10
#: How long servers may be away, e.g. to be restarted, before a run that began is no longer followed.
_PATIENCE_S = 60.0
_LOOK_AGAIN_S = 0.5


@dataclass(frozen=True, slots=True)
class EndedRun:
    """The last counts of a run, and what became of photos that are not indexed."""

    #: Photos that were not sent count as dead.
    run: IndexRun
    #: The first ones that the album lists as dead.
    dead: tuple[DeadPhoto, ...]
    #: All that the server never got; the album does not list them.
    unsent: tuple[DeadPhoto, ...]


def resolve_source(source: str) -> str:
    """Turn what a person typed into a source of the API.

    Args:
        source: URIs (`s3://...`, `file://...`) are left as they are; everything else is a place on this machine.

    Raises:
        InvalidRequest: there is nothing there.
    """
    if "://" in source:
        return source
    place = Path(source).expanduser()
    if not place.exists():
        raise InvalidRequest(f"there is no folder {source}")
    return place.resolve().as_uri()


def begin_run(source: str, album: str) -> EndedRun:
    """Begin a run and leave it to the fleet; the counts are those of its first moment.

    Args:
        source: as `resolve_source` returns it.
        album: made when it is missing.
    """
    with connect() as client:
        sent = _begin(client, source, album)
        run = next(follow_jobs(client, sent.job_ids, time.monotonic()))
        goes_on = client.outlives_us
    if not goes_on:
        say("No server is running: the ledger keeps the work for the next `facefleet up` or `facefleet index`.")
    return EndedRun(_count_unsent(run, sent.unsent), (), sent.unsent)


def run_to_end(source: str, album: str, show: Show) -> EndedRun:
    """Begin a run and follow it. The ledger keeps the run, so any server on the same ledger can go on with it.

    Args:
        source: as `resolve_source` returns it.
        album: made when it is missing.
        show: is given the counts several times a second.

    Raises:
        TransientError: no server answered for a minute.
        InvalidRequest: the source could not be listed.
    """
    sent: SentPhotos | None = None
    began_at_s = answered_at_s = time.monotonic()
    while True:
        try:
            with connect(Needs.FLEET if sent else Needs.LISTER) as client, _leaving_word(client):
                may_be_idle = not sent and not client.outlives_us
                sent = sent or _begin(client, source, album)
                for run in follow_jobs(client, sent.job_ids, began_at_s):
                    answered_at_s = time.monotonic()
                    show(run)
                    if may_be_idle and run.waiting:
                        break  # something is new: now models and fleet are worth their seconds
                else:
                    return _end(client, album, run, sent.unsent)
        except TransientError:
            if not sent or time.monotonic() - answered_at_s > _PATIENCE_S:
                raise
            time.sleep(_LOOK_AGAIN_S)


def _begin(client: ApiClient, source: str, album: str) -> SentPhotos:
    with suppress(AlbumExists):
        client.create_album(album)
    try:
        return SentPhotos((client.index(album, source),))
    except RequestRefused as error:
        if error.problem != "folder_sources_off":
            raise
    from cli.upload import send_folder  # noqa: PLC0415  reading photos takes a second of imports

    return send_folder(client, album, source)


def _end(client: ApiClient, album: str, run: IndexRun, unsent: tuple[DeadPhoto, ...]) -> EndedRun:
    dead = tuple(
        DeadPhoto(each.photo, each.detail or str(each.reason))
        for each in islice(client.photos(album, "dead"), DEAD_SHOWN if run.dead else 0)
    )
    return EndedRun(_count_unsent(run, unsent), dead, unsent)


def _count_unsent(run: IndexRun, unsent: tuple[DeadPhoto, ...]) -> IndexRun:
    return replace(run, photos=run.photos + len(unsent), dead=run.dead + len(unsent))


@contextmanager
def _leaving_word(client: ApiClient) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        say(
            "Stopped watching; the server goes on. The same command follows it again."
            if client.outlives_us
            else "Stopping after the photos in hand. The ledger remembers: the same command goes on from here."
        )
        raise
