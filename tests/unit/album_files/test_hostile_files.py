"""Files that are no album, or not the one that they say they are: each is refused with a sentence."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import numpy as np
import pytest
from arro3.core import Array, DataType, Field, RecordBatch, RecordBatchReader, Schema
from arro3.io import write_parquet

from facefleet.album_files.checking import check_album_file, read_whole
from facefleet.album_files.columns import QUALITY, TABLES, Manifest
from facefleet.album_files.parquet import write_table
from facefleet.album_files.reading import open_album_file
from facefleet.errors import AlbumFileRefused

DIMENSIONS = 8
Tables = dict[str, list[dict[str, Any]]]


def uuid(number: int) -> str:
    return str(UUID(int=number))


def honest() -> Tables:
    """Two photos with a face each, of one named person."""
    template = (np.ones(DIMENSIONS, "<f4") / np.sqrt(np.float32(DIMENSIONS))).tobytes()
    box = {"x": 1.0, "y": 2.0, "w": 3.0, "h": 4.0}
    quality = dict.fromkeys(QUALITY, 0.5)
    pages: Tables = {table: [] for table in TABLES}
    for number in (1, 2):
        photo = {"photo": uuid(number), "name": f"{number}.jpg", "uri": f"file:///{number}.jpg", "version": "v1"}
        pages["photos"].append(
            photo | {"size_bytes": 9, "width_px": 640, "height_px": 480, "taken_at": None, "dropped": None}
        )
        face = {"photo": uuid(number), "number": 0, "landmarks": bytes(40), "detection_score": 0.9}
        pages["faces"].append(face | box | quality | {"template": template})
        spot = {"photo": uuid(number), "spot": uuid(20 + number), "person": uuid(9), "is_decided": True}
        pages["spots"].append(spot | dict.fromkeys("xywh", 0.25))
    person = {"person": uuid(9), "name": "Anna", "hidden": False, "merged_into": None}
    pages["people"].append(person | {"cover_spot": None, "is_held": True})
    pages["not_people"].append({"spot": uuid(21), "person": uuid(9)})
    return pages


def manifest_of(tables: Tables, **other: object) -> dict[str, object]:
    said = {"format": "facefleet-album", "version": 1, "album": "party", "model_version": "aaaa"}
    rows = {table: len(rows) for table, rows in tables.items()}
    return said | {"dimensions": DIMENSIONS, "exported_at": "2026-01-01T00:00:00+00:00", "rows": rows} | other


def write_file(path: Path, tables: Tables, packing: int = ZIP_STORED, **other: object) -> Path:
    with ZipFile(path, "w", packing) as archive:
        for table, rows in tables.items():
            with archive.open(f"{table}.parquet", "w") as member:
                write_table(member, table, DIMENSIONS, iter([rows]))
        archive.writestr("manifest.json", json.dumps(manifest_of(tables, **other)))
    return path


def refusal_of(path: Path) -> str:
    """Read a file in this process: the limits of the other one are another test's."""
    with pytest.raises(AlbumFileRefused) as refused, open_album_file(path) as file:
        read_whole(file)
    return str(refused.value)


def test_an_honest_file_passes_the_check_in_a_process_of_its_own(tmp_path: Path) -> None:
    manifest = check_album_file(write_file(tmp_path / "album.zip", honest()))
    rows = {"photos": 2, "faces": 2, "spots": 2, "not_people": 1, "people": 1}
    assert manifest == Manifest("party", "aaaa", DIMENSIONS, "2026-01-01T00:00:00+00:00", rows)


def test_names_of_files_are_taken_as_file_systems_have_them(tmp_path: Path) -> None:
    tables = honest()
    tables["photos"][0].update(name="new\nline.jpg")
    tables["photos"][1].update(name="Screenshot 10.00\u202fAM.png")
    tables["people"][0].update(name="\u5c71\u7530\u3000\u592a\u90ce")
    with open_album_file(write_file(tmp_path / "album.zip", tables)) as file:
        read_whole(file)


def template_of(*values: float) -> bytes:
    return np.array([*values, *([0.0] * (DIMENSIONS - len(values)))], "<f4").tobytes()


Change = Callable[[Tables], object]
CHANGES: dict[str, tuple[str, Change]] = {
    "a template with NaN": ("finite", lambda t: t["faces"][0].update(template=template_of(float("nan")))),
    "a template with infinity": ("finite", lambda t: t["faces"][0].update(template=template_of(float("inf")))),
    "a template that is too long": ("length 1", lambda t: t["faces"][0].update(template=template_of(3, 4))),
    "a template of zeros": ("length 1", lambda t: t["faces"][0].update(template=template_of(0))),
    "a box with NaN": ("no number that can be", lambda t: t["faces"][1].update(x=float("nan"))),
    "a box without a size": ("has no size", lambda t: t["faces"][1].update(w=0.0)),
    "a score above one": ("detection score", lambda t: t["faces"][1].update(detection_score=1.5)),
    "landmarks with NaN": (
        "ten finite",
        lambda t: t["faces"][0].update(landmarks=np.full(10, np.nan, "<f4").tobytes()),
    ),
    "a photo that is no UUID": ("no UUID", lambda t: t["photos"][0].update(photo="../../etc")),
    "a photo twice": ("names one twice", lambda t: t["photos"].append(dict(t["photos"][1]))),
    "photos in no order": ("not sorted", lambda t: t["photos"].reverse()),
    "a photo of no moment": ("no moment", lambda t: t["photos"][0].update(taken_at="2024-02-30T00:00:00")),
    "a photo of a moment elsewhere": ("no moment", lambda t: t["photos"][0].update(taken_at="2024-02-01T00:00:00Z")),
    "a photo without a size": ("no size", lambda t: t["photos"][0].update(width_px=0)),
    "a photo of any version": ("no name, place or version", lambda t: t["photos"][0].update(version="")),
    "a name with a NUL": ("a NUL", lambda t: t["photos"][0].update(name="a\0.jpg")),
    "somebody with an escape": ("a person's name", lambda t: t["people"][0].update(name="\x1b[2J")),
    "a very long name": ("characters", lambda t: t["photos"][0].update(name="a" * 100_000)),
    "a negative size": ("out of range", lambda t: t["photos"][0].update(size_bytes=-1)),
    "a face of no photo": ("photo that is not there", lambda t: t["faces"][1].update(photo=uuid(3))),
    "a face twice": ("names a face twice", lambda t: t["faces"].append(dict(t["faces"][1]))),
    "a face of a high number": ("more than 1000", lambda t: t["faces"][1].update(number=1000)),
    "a spot on no photo": ("photo that is not there", lambda t: t["spots"][1].update(photo=uuid(3))),
    "a spot of nobody": ("somebody who is not there", lambda t: t["spots"][1].update(person=uuid(8))),
    "a spot twice": ("names a spot twice", lambda t: t["spots"][1].update(spot=uuid(21))),
    "a spot far outside": ("far outside", lambda t: t["spots"][1].update(x=99.0)),
    "a denied spot that is not there": ("not there", lambda t: t["not_people"][0].update(spot=uuid(3))),
    "somebody merged into nobody": ("into nobody", lambda t: t["people"][0].update(merged_into=uuid(8))),
    "somebody merged into itself": ("into nobody", lambda t: t["people"][0].update(merged_into=uuid(9))),
    "somebody twice": ("somebody twice", lambda t: t["people"].append(dict(t["people"][0]))),
    "a name of blanks": ("a person's name", lambda t: t["people"][0].update(name="   ")),
}


@pytest.mark.parametrize(("sentence", "change"), CHANGES.values(), ids=CHANGES)
def test_what_cannot_be_is_refused(sentence: str, change: Change, tmp_path: Path) -> None:
    tables = honest()
    change(tables)
    assert sentence in refusal_of(write_file(tmp_path / "album.zip", tables))


def test_a_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "album.zip"
    path.write_bytes(b"not a zip at all")
    assert "no album file" in refusal_of(path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "album.zip")
    assert "is no file" in refusal_of(tmp_path / "album.zip")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in refusal_of(tmp_path / "nowhere.zip")


def test_a_zip_of_other_things_is_refused(tmp_path: Path) -> None:
    path = write_file(tmp_path / "album.zip", honest())
    with ZipFile(path, "a") as archive:
        archive.writestr("../../.bashrc", "echo")
    assert "members" in refusal_of(path)


def test_a_zip_bomb_is_refused_unread(tmp_path: Path) -> None:
    path = write_file(tmp_path / "album.zip", honest(), ZIP_DEFLATED)
    assert "is compressed" in refusal_of(path)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = write_file(tmp_path / "album.zip", honest())
    path.write_bytes(path.read_bytes()[:-200])
    assert refusal_of(path)


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"version": 2}, "version 2"),
        ({"format": "other"}, "no album file"),
        ({"dimensions": 0}, "0 dimensions"),
        ({"dimensions": 10**9}, "dimensions"),
        ({"dimensions": "8"}, "counts"),
        ({"dimensions": 16}, "other columns"),
        ({"album": 7}, "texts"),
        ({"rows": {}}, "not what it has to be"),
        ({"rows": {"photos": 3, "faces": 2, "spots": 2, "not_people": 1, "people": 1}}, "the manifest says 3"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(other: dict[str, object], sentence: str, tmp_path: Path) -> None:
    assert sentence in refusal_of(write_file(tmp_path / "album.zip", honest(), **other))


def replace_member(path: Path, name: str, data: bytes) -> None:
    with ZipFile(path) as archive:
        members = {each: archive.read(each) for each in archive.namelist()}
    with ZipFile(path, "w") as archive:
        for each, content in (members | {name: data}).items():
            archive.writestr(each, content)


def test_a_table_with_other_columns_is_refused(tmp_path: Path) -> None:
    path = write_file(tmp_path / "album.zip", honest())
    with ZipFile(path) as archive:
        people = archive.read("people.parquet")
    replace_member(path, "faces.parquet", people)
    assert "other columns" in refusal_of(path)


def test_a_table_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    path = write_file(tmp_path / "album.zip", honest())
    replace_member(path, "faces.parquet", b"PAR1" + bytes(100) + b"PAR1")
    with pytest.raises(AlbumFileRefused, match="cannot be read"):
        check_album_file(path)


def test_a_table_that_unfolds_into_gigabytes_ends_only_its_own_process(tmp_path: Path) -> None:
    text, rows = "a" * 2**24, 36
    name_only = Schema([Field(name, DataType.string()) for name in ("spot", "person")])
    batch = RecordBatch.from_arrays([Array([text], DataType.string())] * 2, schema=name_only)
    bomb = tmp_path / "bomb.parquet"
    stream = RecordBatchReader.from_batches(name_only, [batch] * rows)
    with bomb.open("wb") as file:
        write_parquet(stream, file, compression="zstd(1)", dictionary_page_size_limit=2**30, max_row_group_size=1000)
    path = write_file(tmp_path / "album.zip", honest())
    replace_member(path, "not_people.parquet", bomb.read_bytes())
    assert path.stat().st_size < 2**20
    with pytest.raises(AlbumFileRefused, match="GiB of memory"):
        check_album_file(path, 2**30)


def test_the_documented_columns_are_those_of_the_files() -> None:
    page = (Path(__file__).parents[3] / "docs" / "album-files.md").read_text("utf-8")
    documented = {
        tuple(cell.strip(" `") for cell in line.split("|")[1:4]) for line in page.splitlines() if line.startswith("| `")
    }
    kinds = {
        (table, name, column.kind.value + (", may be empty" if column.nullable else ""))
        for table, columns in TABLES.items()
        for name, column in columns.items()
    }
    assert documented == kinds
