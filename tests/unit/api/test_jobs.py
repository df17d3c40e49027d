import json
from pathlib import Path

import pytest

from facefleet.errors import JobNotFound, LedgerUnavailable
from facefleet.records import Album, Job, JobProgress, JobState
from tests.unit.api.conftest import Api
from tests.unit.api.fakes import progress_of

RUNNING = JobState.RUNNING


@pytest.fixture(autouse=True)
def _fast_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.routes.jobs._POLL_S", 0.001)


def start(api: Api, source: str) -> Job:
    response = api.ask("POST", "/v1/albums/people/index", json={"source": source})
    assert response.status_code == 202, response.text
    (job,) = api.ledger.jobs.jobs.values()
    assert response.json() == {"job_id": str(job.id), "album": "people", "source": job.source}
    return job


def events_of(api: Api, job: Job) -> list[tuple[str, dict[str, object]]]:
    response = api.ask("GET", f"/v1/jobs/{job.id}/events")
    assert response.headers["content-type"].startswith("text/event-stream")
    events = []
    for block in response.text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        events.append((fields["event"], json.loads(fields["data"])))
    return events


def test_a_bucket_is_handed_to_the_lister(api: Api, album: Album) -> None:
    job = start(api, "s3://bucket/2024")
    assert (job.album_id, job.source, job.state) == (album.id, "s3://bucket/2024", JobState.LISTING)


def test_a_folder_is_canonical_and_only_for_this_machine(api: Api, tmp_path: Path) -> None:
    assert start(api, f"{tmp_path}/./").source == tmp_path.as_uri()
    for allowed in (api.with_settings(folder_sources=False), api.with_services(on_loopback=False)):
        for folder in (str(tmp_path), tmp_path.as_uri(), "/no/such/folder", "photos"):
            response = allowed.ask("POST", "/v1/albums/people/index", json={"source": folder})
            assert (response.status_code, response.json()["type"]) == (403, "folder_sources_off")
            assert "/v1/albums/people/photos" in response.json()["detail"]


def test_folders_can_be_allowed_for_everyone(api: Api, tmp_path: Path) -> None:
    api.ask("GET", "/healthz")
    start(api.with_services(on_loopback=False).with_settings(folder_sources=True), str(tmp_path))


@pytest.mark.parametrize("folder", ["photos", "~/photos", "../photos", "file://host/photos"])
def test_a_folder_is_named_by_its_absolute_path(api: Api, folder: str) -> None:
    response = api.ask("POST", "/v1/albums/people/index", json={"source": folder})
    assert (response.status_code, response.json()["type"]) == (422, "invalid_request")
    assert "absolute" in response.json()["detail"]


def test_a_job_says_how_far_it_is(api: Api) -> None:
    job = start(api, "s3://bucket/2024")
    api.ledger.jobs.script = [progress_of(RUNNING, indexed=20, waiting=30)]
    assert api.ask("GET", f"/v1/jobs/{job.id}").json() == {
        "job_id": str(job.id),
        "album": "people",
        "source": "s3://bucket/2024",
        "state": "running",
        "detail": None,
        "photos": 50,
        "indexed": 20,
        "dead": 0,
        "waiting": 30,
        "faces": 40,
        "seconds": 4.0,
        "photos_per_second": 5.0,
        "seconds_left": 6.0,
    }


@pytest.mark.parametrize(
    ("state", "indexed", "waiting", "seconds_left"),
    [
        (JobState.LISTING, 20, 30, None),
        (RUNNING, 0, 30, None),
        (JobState.DONE, 20, 0, 0.0),
        (JobState.FAILED, 0, 0, 0.0),
    ],
)
def test_time_left_is_not_guessed(
    api: Api, state: JobState, indexed: int, waiting: int, seconds_left: float | None
) -> None:
    job = start(api, "s3://bucket/2024")
    api.ledger.jobs.script = [progress_of(state, indexed=indexed, waiting=waiting)]
    assert api.ask("GET", f"/v1/jobs/{job.id}").json()["seconds_left"] == seconds_left


def test_followers_see_each_change_once_and_the_end(api: Api) -> None:
    job = start(api, "s3://bucket/2024")
    half = progress_of(RUNNING, indexed=1, waiting=1)
    api.ledger.jobs.script = [
        progress_of(JobState.LISTING, indexed=0, waiting=0),
        half,
        half,
        half,
        progress_of(JobState.DONE, indexed=2, waiting=0),
    ]
    events = events_of(api, job)
    assert [(kind, body["indexed"]) for kind, body in events] == [("progress", 0), ("progress", 1), ("done", 2)]
    assert events[-1][1] == api.ask("GET", f"/v1/jobs/{job.id}").json()


def test_followers_of_a_job_that_ended_see_its_end_at_once(api: Api) -> None:
    job = start(api, "s3://bucket/2024")
    api.ledger.jobs.script = [progress_of(JobState.FAILED, indexed=0, waiting=0, detail="no such bucket")]
    ((kind, body),) = events_of(api, job)
    assert (kind, body["detail"]) == ("failed", "no such bucket")


def test_followers_outlast_a_ledger_that_is_away_for_a_while(api: Api) -> None:
    def fail(_: Job) -> JobProgress:
        raise LedgerUnavailable("away")

    job = start(api, "s3://bucket/2024")
    done = progress_of(JobState.DONE, indexed=2, waiting=0)
    api.ledger.jobs.script = [progress_of(RUNNING, indexed=1, waiting=1), fail, fail, done]
    assert [kind for kind, _ in events_of(api, job)] == ["progress", "done"]


def test_followers_are_told_that_the_album_was_deleted(api: Api) -> None:
    def fail(_: Job) -> JobProgress:
        raise JobNotFound("there is no such job (any more)")

    job = start(api, "s3://bucket/2024")
    api.ledger.jobs.script = [progress_of(RUNNING, indexed=1, waiting=1), fail]
    events = events_of(api, job)
    assert [kind for kind, _ in events] == ["progress", "failed"]
    assert (events[-1][1]["type"], events[-1][1]["detail"]) == ("job_not_found", "the album was deleted")


def test_a_source_that_nobody_would_index_is_refused(api: Api) -> None:
    response = api.with_services(has_fleet=False).ask(
        "POST", "/v1/albums/people/index", json={"source": "s3://bucket/2024"}
    )
    assert (response.status_code, response.json()["type"]) == (409, "no_fleet")
    assert "FACEFLEET_BROKER_URL" in response.json()["detail"]
    assert api.ledger.jobs.jobs == {}
