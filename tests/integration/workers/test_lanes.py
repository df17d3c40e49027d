"""On Redis, a worker that names the interactive lane first empties it first."""

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
    for _ in range(MESSAGES):
        send_index_photos(app, "facefleet-index", large, [uuid4()])
    for _ in range(MESSAGES):
        send_index_photos(app, "facefleet-interactive", small, [uuid4()])
    with worker_in_thread(app, settings):
        wait_until(lambda: len(seen) == 2 * MESSAGES, "every message has arrived")
    assert seen == [small] * MESSAGES + [large] * MESSAGES
