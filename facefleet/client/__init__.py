"""A client of Facefleet's REST API, for programs in Python.

```python
from facefleet.client import Client

with Client("https://faces.example", api_key="FFK...") as client:
    job_id = client.send_photos("wedding", [("IMG_0042.jpg", Path("IMG_0042.jpg").read_bytes())])
    for job in client.follow_job(job_id):
        print(job.indexed, "of", job.photos)
    for face in client.search("wedding", Path("selfie.jpg").read_bytes()).faces:
        print([(each.photo, each.similarity_percent) for each in face.candidates])
```

What the server refuses is raised as the error of `facefleet.errors` that it names, or as `problems.RequestRefused`.
"""

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Self

from facefleet.client.answers import (
    Album,
    Candidate,
    Detected,
    Face,
    Job,
    Photo,
    Rebuilt,
    SearchAnswer,
    read_answer,
    read_face,
    read_probe_face,
    read_search,
)
from facefleet.client.people import PeopleResources
from facefleet.client.resources import QueryValue
from facefleet.errors import JobNotFound, TransientError

if TYPE_CHECKING:
    from types import TracebackType

    from facefleet.client.transport import Transport

#: Longer than any answer takes: a probe of 15 MB over a slow line, and a busy recognizer.
_TIMEOUT_S = 120.0
_IMAGE = "application/octet-stream"
_RECONNECT_S = 0.5
_PATIENCE_S = 30.0


class Client(PeopleResources):
    """Albums, photos, searches, people. Safe to use from several threads.

    Every method may raise `ServerUnavailable`, `NotAuthenticated`, `NotPermitted` and `RateLimited`. What has no method
    of its own yet is reached with `get`, `post_json` and their like.
    """

    def __init__(
        self, url: str, api_key: str = "", *, transport: "Transport | None" = None, patience_s: float = _PATIENCE_S
    ) -> None:
        """Connect to nothing yet.

        Args:
            url: of the server, e.g. `http://127.0.0.1:8000`.
            api_key: empty where keys are off.
            transport: carries the requests; httpx unless there is a reason for another.
            patience_s: what a busy server refuses (429, 503) is asked again when it says, for so long, and a server
                that goes away while a job is followed; 0: never.
        """
        super().__init__(url, api_key, transport or _open_httpx(url), patience_s)

    def __enter__(self) -> Self:
        """Close when the block ends."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        """Close."""
        self.close()

    def albums(self) -> list[Album]:
        """List the albums that the key sees, by name."""
        return [read_answer(Album, each) for each in self.get("albums")["albums"]]

    def album(self, name: str) -> Album:
        """Show an album with its counts.

        Raises:
            AlbumNotFound: there is none of that name.
        """
        return read_answer(Album, self.get("albums", name))

    def create_album(self, name: str, forget_after_days: int | None = None) -> Album:
        """Make an empty album.

        Args:
            name: 1-255 printable characters without a slash.
            forget_after_days: it is deleted after so many days without a search; None: it is kept.

        Raises:
            AlbumExists: there is one of that name.
        """
        retention = {} if forget_after_days is None else {"forget_after_days": forget_after_days}
        return read_answer(Album, self.post_json("albums", name=name, **retention))

    def set_retention(self, album: str, forget_after_days: int | None) -> Album:
        """Say after how many days without a search an album is deleted, counted from now; None: it is kept."""
        return read_answer(Album, self.patch_json("albums", album, forget_after_days=forget_after_days))

    def delete_album(self, album: str) -> None:
        """Delete an album with its faces and the photos that were sent to it."""
        self.delete("albums", album)

    def index(self, album: str, source: str) -> str:
        """Index every photo of `s3://bucket/prefix` or of a folder of the server; returns the job's id.

        Raises:
            RequestRefused: e.g. `folder_sources_off`.
        """
        return str(self.post_json("albums", album, "index", source=source)["job_id"])

    def send_photos(self, album: str, photos: Sequence[tuple[str, bytes]], source: str | None = None) -> str:
        """Send photos to be kept and indexed: all of them or none; returns the job's id.

        Args:
            album: has to exist.
            photos: name and content of each; 200 at once are accepted unless the server says otherwise.
            source: where the names come from; a photo sent again from there replaces itself.
        """
        from uuid import uuid4  # noqa: PLC0415  searches do without

        from facefleet.client.forms import encode_form  # noqa: PLC0415  the same

        boundary = uuid4().hex
        body, kind = encode_form(photos, boundary), f"multipart/form-data; boundary={boundary}"
        return str(self.post("albums", album, "photos", body=body, content_type=kind, source=source)["job_id"])

    def job(self, job_id: str) -> Job:
        """Show how far a job is.

        Raises:
            JobNotFound: there is none; jobs go with their albums.
        """
        return read_answer(Job, self.get("jobs", job_id))

    def follow_job(self, job_id: str) -> Iterator[Job]:
        """Give a job now and whenever it changed, until it has ended.

        A stream that was cut is taken up again, and a server that is away meanwhile is asked again for `patience_s`.

        Raises:
            JobNotFound: its album was deleted.
            ServerUnavailable: the server was not there to begin with, or did not come back.
        """
        job = self.job(job_id)
        yield job
        give_up_at_s: float | None = None
        while not job.has_ended:
            try:
                for job in self._follow(job_id):
                    give_up_at_s = None
                    yield job
            except TransientError:
                give_up_at_s = give_up_at_s or time.monotonic() + self._patience_s
                if time.monotonic() >= give_up_at_s:
                    raise
            if not job.has_ended:
                time.sleep(_RECONNECT_S)

    def _follow(self, job_id: str) -> Iterator[Job]:
        """Give a job as it is and as it changes, until it has ended or the stream is cut."""
        is_silent = True
        for _, said in self.events("jobs", job_id, "events"):
            if "job_id" not in said:
                raise JobNotFound(said["detail"])
            is_silent = False
            yield read_answer(Job, said)
        if is_silent:  # a proxy may let nothing of a stream through
            yield self.job(job_id)

    def photos(self, album: str, state: str | None = None) -> Iterator[Photo]:
        """Walk the photos of an album, those in one state only if it is given."""
        return (read_answer(Photo, each) for each in self.walk("albums", album, "photos", state=state))

    def faces(self, album: str) -> Iterator[Face]:
        """Walk the faces of an album."""
        return (read_face(each) for each in self.walk("albums", album, "faces"))

    def retry(self, album: str) -> int:
        """Try every dead photo of an album again; returns how many."""
        return int(self.post_json("albums", album, "retry")["retried"])

    def rebuild(self, album: str) -> Rebuilt:
        """Compare the gallery with the ledger, and index again the photos whose faces are missing."""
        return read_answer(Rebuilt, self.post_json("albums", album, "rebuild"))

    def search(self, album: str, image: bytes, **wanted: QueryValue) -> SearchAnswer:
        """Find the people of an image in an album.

        Args:
            album: its name.
            image: an encoded photo.
            wanted: `limit` (candidates for each face), `min_similarity` (cosine), `links` (True: signed links).

        Raises:
            PhotoUndecodable: the image cannot be read.
            Overloaded: the server is busy for longer than `patience_s`.
        """
        return read_search(self.post("albums", album, "search", body=image, content_type=_IMAGE, **wanted))

    def find_similar(self, album: str, face_id: str, **wanted: QueryValue) -> list[Candidate]:
        """Find the faces of an album that look like one of its own; `wanted` as in `search`."""
        answer = self.get("albums", album, "faces", face_id, "similar", **wanted)
        return [read_answer(Candidate, each) for each in answer["candidates"]]

    def detect(self, image: bytes) -> Detected:
        """Find the faces in an image; nothing is stored."""
        answer = self.post("detect", body=image, content_type=_IMAGE)
        return read_answer(Detected, answer)._replace(faces=[read_probe_face(each) for each in answer["faces"]])


def _open_httpx(url: str) -> "Transport":
    from facefleet.client.httpx_transport import HttpxTransport  # noqa: PLC0415  0.3 s, more than a command has

    return HttpxTransport(url, _TIMEOUT_S)
