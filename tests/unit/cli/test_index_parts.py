from email.parser import BytesParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from cli.following import IndexRun, sum_up
from cli.index_run import resolve_source
from cli.output import format_box
from cli.progress import describe, describe_duration
from facefleet.client.answers import Job
from facefleet.client.forms import encode_form
from facefleet.errors import InvalidRequest


def job(job_id: str, state: str, **counts: int) -> Job:
    zeros = dict.fromkeys(("photos", "indexed", "dead", "waiting", "faces"), 0)
    said = {"album": "a", "source": "uploads:", "detail": None, "photos_per_second": 0.0, "seconds_left": None}
    return Job(job_id=job_id, state=state, seconds=2.0, **said, **(zeros | counts))


def test_run_of_one_job_keeps_the_servers_clock() -> None:
    run = sum_up([job("a", "done", photos=10, indexed=9, dead=1, faces=12)], elapsed_s=99)
    assert run == IndexRun("a", listing=False, photos=10, indexed=9, dead=1, waiting=0, faces=12, seconds=2.0)
    assert run.photos_per_second == 5


def test_run_of_several_jobs_is_their_sum() -> None:
    jobs = [job("a", "done", photos=10, indexed=10), job("b", "listing", photos=5, waiting=5, faces=1)]
    assert sum_up(jobs, elapsed_s=4) == IndexRun(
        "a", listing=True, photos=15, indexed=10, dead=0, waiting=5, faces=1, seconds=4
    )


def test_run_of_no_job_has_no_id() -> None:
    assert sum_up([], elapsed_s=0) == IndexRun(
        None, listing=False, photos=0, indexed=0, dead=0, waiting=0, faces=0, seconds=0
    )


def test_progress_says_all_that_matters() -> None:
    run = sum_up([job("a", "running", photos=100, indexed=19, dead=1, waiting=80, faces=31)], elapsed_s=0)
    assert describe(run) == "20/100 photos, 31 faces, 10.0 photos/s, 1 dead, 8 s left"


def test_time_left_is_not_guessed_while_listing() -> None:
    run = sum_up([job("a", "listing", photos=100, indexed=20, waiting=80)], elapsed_s=0)
    assert describe(run) == "20/100+ photos, 0 faces, 10.0 photos/s, 0 dead"


@pytest.mark.parametrize(("seconds", "said"), [(0.2, "0 s"), (59.4, "59 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")])
def test_durations_are_said_as_people_do(seconds: float, said: str) -> None:
    assert describe_duration(seconds) == said


def test_box_is_shown_in_whole_pixels() -> None:
    assert format_box([1.2, 3.7, 10.4, 20.5]) == "1,4 10x20"


def test_folder_becomes_a_uri(tmp_path: Path) -> None:
    folder = tmp_path / "my photos"
    folder.mkdir()
    assert resolve_source(str(folder)) == f"file://{tmp_path}/my%20photos"


@pytest.mark.parametrize("uri", ["s3://bucket/prefix", "file:///elsewhere"])
def test_uri_is_left_to_the_server(uri: str) -> None:
    assert resolve_source(uri) == uri


def test_missing_folder_is_named() -> None:
    with pytest.raises(InvalidRequest, match="there is no folder nowhere"):
        resolve_source("nowhere")


def test_form_survives_hostile_names() -> None:
    names = ["a.jpg", 'say "cheese".jpg', "two\r\nlines.jpg", "sub/ünïcode.jpg"]
    body = encode_form([(name, name.encode()) for name in names], "b0undary")
    head = b"Content-Type: multipart/form-data; boundary=b0undary\r\n\r\n"
    parts = BytesParser().parsebytes(head + body).get_payload()
    assert isinstance(parts, list)
    sent = [part.get_payload(decode=True) for part in parts]
    assert sent[1::2] == [name.encode() for name in names]
    assert [unquote(name.decode()) for name in sent[::2]] == names
