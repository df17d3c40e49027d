"""On Redis, a worker that names the interactive lane first empties it first."""

from threading import Thread
from uuid import UUID, uuid4

from celery import Celery

from facefleet.settings import Settings
from tests.fixtures.processes import wait_until
from tests.integration.workers.conftest import Bench
from workers.celery_app import create_celery_app
from workers.messages import INDEX_PHOTOS, send_index_photos
from workers.worker import worker_in_thread

MESSAGES = 20


def record_albums(app: Celery) -> list[UUID]:
    """Register a task that notes which album came when."""
    seen: list[UUID] = []

    def note(album_id: str, photo_ids: list[str]) -> None:
        assert photo_ids
        seen.append(UUID(album_id))

    app.task(note, name=INDEX_PHOTOS, shared=False)
    return seen


def test_what_is_interactive_overtakes_what_is_not(bench: Bench, redis_url: str) -> None:
    settings = Settings(broker_url=redis_url, worker_threads=1, data_dir=bench.parts.settings.data_dir)
    app = create_celery_app(settings)
    seen = record_albums(app)
    large, small = uuid4(), uuid4()
    send_index_photos(app, [("facefleet-index", large, [uuid4()]) for _ in range(MESSAGES)])
    send_index_photos(app, [("facefleet-interactive", small, [uuid4()]) for _ in range(MESSAGES)])
    with worker_in_thread(app, settings):
        wait_until(lambda: len(seen) == 2 * MESSAGES, "every message has arrived")
    assert seen == [small] * MESSAGES + [large] * MESSAGES


def test_tasks_send_events_once_somebody_like_flower_asks_for_them(bench: Bench, redis_url: str) -> None:
    settings = Settings(broker_url=redis_url, worker_threads=1, data_dir=bench.parts.settings.data_dir)
    app = create_celery_app(settings)
    seen, told = record_albums(app), list[str]()

    def work_once() -> None:
        """Until the worker's heart has beaten twice behind the task: events travel in their order."""
        told.clear()
        expected = len(seen) + 1
        send_index_photos(app, [("facefleet-index", uuid4(), [uuid4()])])
        wait_until(lambda: len(seen) == expected, "the message has arrived")
        beats = told.count("worker-heartbeat")
        wait_until(lambda: told.count("worker-heartbeat") > beats + 1, "the worker's heart has beaten")

    with app.connection() as connection, worker_in_thread(app, settings):
        receiver = app.events.Receiver(connection, handlers={"*": lambda event: told.append(event["type"])})
        listener = Thread(target=receiver.capture, kwargs={"limit": None, "timeout": None}, daemon=True)
        listener.start()
        work_once()
        assert not [each for each in told if each.startswith("task-")]
        assert app.control.enable_events(reply=True, timeout=10, limit=1)
        work_once()
        assert {"task-received", "task-started", "task-succeeded"} <= set(told)
        receiver.should_stop = True
        listener.join(10)
    assert not listener.is_alive()
