"""The consumer: Celery's worker on a threads pool, as a process of its own or inside another."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from celery import Celery
from celery.signals import worker_shutting_down
from celery.worker import WorkController, state

#: What Celery's worker is told in every process: no chatter between workers, which a ledger makes needless.
_OPTIONS = {"pool": "threads", "without_gossip": True, "without_mingle": True, "without_heartbeat": True}

_WAKE = "facefleet.wake"


def run_worker(app: Celery, threads: int, stopping: Event) -> int:
    """Consume until SIGTERM or SIGINT; what is in flight is finished first.

    Args:
        app: with its tasks registered.
        threads: messages worked on at once.
        stopping: set as soon as the end is asked for, so that messages not yet begun are left to others.

    Returns:
        The exit status.
    """

    def announce(**_: object) -> None:
        stopping.set()

    worker_shutting_down.connect(announce)
    worker = app.Worker(concurrency=threads, quiet=True, **_OPTIONS)
    worker.start()
    return int(worker.exitcode or 0)


@contextmanager
def worker_in_thread(app: Celery, threads: int) -> Iterator[None]:
    """Consume in a thread of this process, which keeps its own signal handlers.

    Celery keeps its shutdown flag in a module, so there is one such worker a process at a time.
    """

    @app.task(name=_WAKE)
    def wake() -> None:
        """Do nothing: arriving is enough."""

    controller = WorkController(app=app, concurrency=threads, **_OPTIONS)
    thread = Thread(target=controller.start, name="celery-worker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        state.should_stop = 0
        # The consumer looks at the flag between two polls of up to two seconds, and polls once more after that.
        for _ in range(2):
            app.send_task(_WAKE)
        thread.join()
        state.should_stop = None
