"""The whole fleet in one process: worker and dispatcher on an in-memory broker."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from threading import Event
from uuid import uuid4

import structlog

from workers.celery_app import create_celery_app
from workers.dispatcher.dispatcher import dispatcher_in_threads
from workers.grouper_process import GrouperProcess
from workers.indexing import PhotoIndexer
from workers.lease_keeper import heartbeat
from workers.parts import FleetParts, create_grouper, create_predictor
from workers.safeguards import create_safeguards
from workers.tasks import register_tasks
from workers.worker import prepare_gallery, worker_in_thread

log = structlog.stdlib.get_logger(__name__)


def recover(parts: FleetParts) -> None:
    """Begin at once where the last process ended: what it had in memory is gone, and nobody else holds a lease.

    A ledger of its own (in the data directory that this process holds) tells of dead owners only; a shared one may
    tell of living ones, whose leases are left to run out.
    """
    parts.ledger.leases.forget_messages()
    parts.ledger.clusterings.forget_messages()
    parts.ledger.prediction_outbox.forget_messages()
    if not parts.settings.ledger_url:
        parts.ledger.leases.expire_all()
        parts.ledger.clusterings.expire_all()
        parts.ledger.prediction_outbox.expire_all()
        while parts.ledger.leases.sweep(parts.settings.max_crashes).requeued:
            pass


@contextmanager
def embedded_fleet(parts: FleetParts, *, groups_apart: bool = False) -> Iterator[None]:
    """Index what the ledger holds for as long as the block lasts; photos in flight are finished on leaving.

    Args:
        parts: the embedded gallery, if it is one, is served to other processes when `groups_apart`.
        groups_apart: whether people are grouped in a process of its own, which searches of this one do not wait for.
    """
    # kombu keeps in-memory queues for the whole process: names of their own keep two fleets apart.
    on_memory = {"broker_url": "memory://localhost", "queue_prefix": f"facefleet-{uuid4().hex}-"}
    parts = replace(parts, settings=parts.settings.model_copy(update=on_memory))
    app = create_celery_app(parts.settings)
    stopping = Event()

    def retire() -> None:
        if not stopping.is_set():
            log.critical("the recognizer is out of service; indexing stops until the process is started again")
        stopping.set()

    recover(parts)
    guards = create_safeguards(parts)
    indexer = PhotoIndexer(parts, stopping, retire, guards)
    with ExitStack() as stack:
        grouper = (
            stack.enter_context(closing(GrouperProcess(parts.settings))) if groups_apart else create_grouper(parts)
        )
        register_tasks(app, indexer, grouper, create_predictor(parts))
        prepare_gallery(parts, stopping)
        stack.enter_context(heartbeat(guards.keeper))
        stack.enter_context(worker_in_thread(app, parts.settings))
        stack.enter_context(dispatcher_in_threads(app, parts))
        stack.callback(stopping.set)
        yield
