"""How a worker ends when nobody asked it to."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from facefleet.metrics import Metrics
from facefleet.settings import Settings
from workers import worker
from workers.parts import FleetParts


class FailingCelery:
    """Celery after an error that it cannot recover from: its worker just returns."""

    def task(self, *_: object, **__: object) -> None:
        pass

    conf = SimpleNamespace(worker_enable_remote_control=False)

    def Worker(self, **_: object) -> SimpleNamespace:  # noqa: N802  as in Celery
        return SimpleNamespace(start=lambda: None)


def test_a_consumer_that_ends_by_itself_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "create_celery_app", lambda _: FailingCelery())
    parts = SimpleNamespace(
        settings=Settings(_env_file=None, watchdog_s=0),
        ledger=SimpleNamespace(leases=SimpleNamespace()),
        gallery=SimpleNamespace(prepare=lambda *_: None),
        recognizer=SimpleNamespace(description="", model_version="", dimensions=1, pack=None),
        metrics=Metrics(),
    )
    assert worker.run_worker(cast("FleetParts", cast("Any", parts))) == 1
