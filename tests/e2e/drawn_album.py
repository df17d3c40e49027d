"""A drawn album with what is known of it, and what a running api says of the same photos."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import httpx

from demo.album import AlbumTruth, draw_selfie, write_jpeg

#: (photo, box rounded to pixels, detection score) of every face.
Faces: TypeAlias = list[tuple[str, list[int], float]]


@dataclass(frozen=True)
class DrawnAlbum:
    folder: Path
    truth: AlbumTruth
    #: As one process on a folder finds them.
    faces: Faces

    def photos(self) -> list[Path]:
        return sorted(self.folder.glob("*.jpg"))


def as_faces(answer: list[dict[str, Any]]) -> Faces:
    return sorted(
        (each["photo"].rpartition("/")[2], [round(edge) for edge in each["box"]], round(each["detection_score"], 3))
        for each in answer
    )


def all_faces(api: httpx.Client, name: str) -> list[dict[str, Any]]:
    answer = api.get(f"/v1/albums/{name}/faces?limit=1000", timeout=10).raise_for_status()
    return list(answer.json()["faces"])


def assert_search(api: httpx.Client, album: DrawnAlbum, tmp_path: Path) -> None:
    """Somebody who is in the album finds a photo of themselves."""
    person = next(faces[0].person for faces in album.truth.photos.values() if len(faces) == 1)
    write_jpeg(tmp_path / "selfie.jpg", draw_selfie(album.truth.person_seeds[person], 1))
    image = (tmp_path / "selfie.jpg").read_bytes()
    answer = api.post("/v1/albums/party/search", content=image, headers={"Content-Type": "image/jpeg"}, timeout=60)
    [face] = answer.raise_for_status().json()["faces"]
    best = face["candidates"][0]["photo"].rpartition("/")[2]
    assert person in {each.person for each in album.truth.photos[best]}
