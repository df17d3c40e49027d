"""Sources, URIs, and photos in folders."""

import errno
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facefleet.errors import (
    AccessDenied,
    FacefleetError,
    InvalidRequest,
    PhotoChanged,
    PhotoNotFound,
    PhotoStoreUnavailable,
    PhotoTooLarge,
    PhotoUndecodable,
)
from facefleet.photo_store import open_photo_stores, source_uri
from facefleet.photo_store.contents import content_version
from facefleet.photo_store.folder import FolderPhotoStore
from facefleet.photo_store.names import may_be_photo
from facefleet.photo_store.uris import file_uri, path_of_uri, s3_uri, split_s3_uri
from facefleet.records import PhotoRef
from facefleet.settings import Settings

MAX_BYTES = 1_000
STRANGE_NAMES = [
    b"a b.jpg",
    "ümläut-日本.jpg".encode(),
    b"new\nline.jpg",
    b"100%25.jpg",
    b"%41.jpg",
    b"\xff\xfe.jpg",
    b"a#b?c.jpg",
]


@pytest.fixture
def store() -> FolderPhotoStore:
    return FolderPhotoStore()


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = tmp_path / "album"
    folder.mkdir()
    return folder


def listed(store: FolderPhotoStore, folder: Path) -> list[PhotoRef]:
    return list(store.list_photos(file_uri(folder)))


def names(store: FolderPhotoStore, folder: Path) -> list[str]:
    return [photo.name for photo in listed(store, folder)]


def test_a_path_too_long_to_open_costs_that_photo_only(store: FolderPhotoStore, album: Path) -> None:
    (album / "z.jpg").write_bytes(b"x")
    place = os.open(album, os.O_RDONLY)
    depth = (4096 - len(os.fsencode(album))) // 251
    for _ in range(depth):
        os.mkdir("d" * 250, dir_fd=place)
        place, above = os.open("d" * 250, os.O_RDONLY, dir_fd=place), place
        os.close(above)
    os.close(os.open("n" * 251 + ".jpg", os.O_CREAT | os.O_WRONLY, dir_fd=place))
    os.close(place)

    whole, cut = sorted(listed(store, album), key=lambda photo: len(photo.name))

    assert store.read(whole.uri, whole.version, MAX_BYTES) == b"x"
    with pytest.raises(PhotoNotFound, match="too long to open"):
        store.read(cut.uri, cut.version, MAX_BYTES)


class TestSourceUri:
    @pytest.mark.parametrize("text", ["{}", "{}/", "{}/../album", "file://{}", "file://localhost{}", "FILE://{}"])
    def test_spellings_of_a_folder(self, album: Path, text: str) -> None:
        assert source_uri(text.format(album)) == file_uri(album)

    def test_relative_to_the_working_directory(self, album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(album.parent)
        assert source_uri("album") == source_uri("./album") == file_uri(album)

    def test_home(self, album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(album.parent))
        assert source_uri("~/album") == file_uri(album)

    def test_a_single_file(self, album: Path) -> None:
        (album / "a b.jpg").touch()
        assert source_uri(f"{album}/a b.jpg") == file_uri(album) + "/a%20b.jpg"

    @pytest.mark.parametrize(
        ("text", "canonical"),
        [
            ("s3://bucket", "s3://bucket/"),
            ("s3://bucket/", "s3://bucket/"),
            ("S3://bucket/a b/ü", "s3://bucket/a%20b/%C3%BC"),
            ("s3://bucket/a%20b", "s3://bucket/a%20b"),
            ("s3://bucket/100%", "s3://bucket/100%25"),
            ("s3://bucket/a/../b", "s3://bucket/a/../b"),
        ],
    )
    def test_buckets(self, text: str, canonical: str) -> None:
        assert source_uri(text) == canonical
        assert source_uri(canonical) == canonical

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("", "no such folder"),
            ("/no/such/folder", "no such folder: /no/such/folder"),
            ("a\0b", "no such folder"),
            ("~nobody-of-this-name/x", "no such folder"),
            ("/no/\udcff", r"no such folder: /no/\\xff"),
            ("http://host/album", "not from http://host/album"),
            ("s3://", "not the name of an S3 bucket"),
            ("s3://buc ket/x", "not the name of an S3 bucket"),
            ("s3://bucket/%ff", "not UTF-8"),
            ("s3://bucket/\udcff", "not UTF-8"),
            ("file://host/album", "not a folder of this machine"),
            ("file://", "not a folder of this machine"),
        ],
    )
    def test_anything_else_is_refused(self, text: str, sentence: str) -> None:
        with pytest.raises(InvalidRequest, match=sentence):
            source_uri(text)

    @given(st.binary(min_size=1).filter(lambda name: b"\0" not in name))
    def test_every_path_comes_back_the_same(self, name: bytes) -> None:
        uri = file_uri(Path("/album") / os.fsdecode(name).lstrip("/"))
        assert uri.isascii()
        assert Path(path_of_uri(uri)) == Path("/album") / os.fsdecode(name).lstrip("/")

    @given(st.text())
    def test_every_key_comes_back_the_same(self, key: str) -> None:
        uri = s3_uri("bucket", key)
        assert uri.isascii()
        assert split_s3_uri(uri) == ("bucket", key)


@pytest.mark.parametrize(
    "name",
    [
        "a.jpg",
        "A.JPEG",
        "a.heic",
        "a.webp",
        "a.avif",
        "a.cr2",
        "a",
        "a.bin",
        "a.blp",
        "a.unknown",
        ".jpg",
        "a.jpg.",
        "a:b",
    ],
)
def test_may_be_photo(name: str) -> None:
    assert may_be_photo(name)


@pytest.mark.parametrize(
    "name",
    ["a.txt", "a.XMP", "a.json", "a.xml", "a.html", "a.csv", "a.pdf", "a.zip", "a.tar.gz", "a.7z", "a.mp4", "a.MOV",
     "a.mp3", "a.aae", "a.ini", "a.db", "a.py", "a.md", "a.yaml", "a.docx", "a.jpg.gz", "x/Thumbs.db", "a.mkv"],
)  # fmt: skip
def test_is_surely_no_photo(name: str) -> None:
    assert not may_be_photo(name)


class TestListing:
    def test_sorted_and_recursive(self, store: FolderPhotoStore, album: Path) -> None:
        for name in ("b.jpg", "a.jpg", "sub/c.jpg", "sub/deep/d.jpg", "another/e.jpg"):
            (album / name).parent.mkdir(parents=True, exist_ok=True)
            (album / name).write_bytes(b"12345")

        assert names(store, album) == ["a.jpg", "b.jpg", "another/e.jpg", "sub/c.jpg", "sub/deep/d.jpg"]
        assert {photo.size_bytes for photo in listed(store, album)} == {5}

    def test_hidden_and_other_files_are_left_out(self, store: FolderPhotoStore, album: Path) -> None:
        for name in (".hidden.jpg", ".cache/x.jpg", "notes.txt", "kept", "kept.jpg"):
            (album / name).parent.mkdir(exist_ok=True)
            (album / name).touch()

        assert names(store, album) == ["kept", "kept.jpg"]

    def test_strange_names_come_back_the_same(self, store: FolderPhotoStore, album: Path) -> None:
        for name in STRANGE_NAMES:
            (album / os.fsdecode(name)).write_bytes(name)

        photos = listed(store, album)

        assert len(photos) == len(STRANGE_NAMES)
        for photo in photos:
            content = store.read(photo.uri, photo.version, MAX_BYTES)
            assert content in STRANGE_NAMES
            assert photo.name == content.decode("utf-8", "backslashreplace")
            photo.name.encode()  # no surrogates: a database and JSON can keep it

    def test_links(self, store: FolderPhotoStore, album: Path, tmp_path: Path) -> None:
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "photo.jpg").write_bytes(b"abc")
        (album / "to_file.jpg").symlink_to(elsewhere / "photo.jpg")
        (album / "to_folder").symlink_to(elsewhere)
        (album / "to_itself.jpg").symlink_to(album / "to_itself.jpg")
        (album / "to_nothing.jpg").symlink_to(album / "gone.jpg")

        photos = {photo.name: photo for photo in listed(store, album)}

        assert list(photos) == ["to_file.jpg", "to_itself.jpg", "to_nothing.jpg"]
        assert store.read(photos["to_file.jpg"].uri, photos["to_file.jpg"].version, MAX_BYTES) == b"abc"
        with pytest.raises(PhotoNotFound, match=r"to_nothing\.jpg is a link that points to nothing"):
            store.read(photos["to_nothing.jpg"].uri, photos["to_nothing.jpg"].version, MAX_BYTES)
        with pytest.raises(PhotoNotFound, match="points to itself"):
            store.read(photos["to_itself.jpg"].uri, photos["to_itself.jpg"].version, MAX_BYTES)

    def test_pipes_and_sockets_are_left_out(self, store: FolderPhotoStore, album: Path) -> None:
        os.mkfifo(album / "pipe.jpg")
        (album / "link_to_pipe.jpg").symlink_to(album / "pipe.jpg")
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(str(album / "sock"))
            assert names(store, album) == []

    def test_a_single_file(self, store: FolderPhotoStore, album: Path) -> None:
        (album / "a.jpg").write_bytes(b"abc")

        (photo,) = listed(store, album / "a.jpg")

        assert photo.name == "a.jpg"
        assert store.read(photo.uri, photo.version, MAX_BYTES) == b"abc"

    def test_no_such_folder(self, store: FolderPhotoStore, album: Path) -> None:
        with pytest.raises(InvalidRequest, match=r"no such folder: .*/gone"):
            listed(store, album / "gone")

    def test_a_very_deep_folder(self, store: FolderPhotoStore, album: Path) -> None:
        folders = [album]
        for _ in range(1200):  # more than Python's recursion limit
            folders.append(folders[-1] / "d")
            folders[-1].mkdir()
        photo = folders[-1] / "a.jpg"
        photo.touch()

        assert names(store, album) == ["d/" * 1200 + "a.jpg"]

        photo.unlink()
        for folder in reversed(folders):  # shutil.rmtree recurses
            folder.rmdir()

    def test_a_subfolder_that_may_not_be_read_is_no_silent_gap(
        self, store: FolderPhotoStore, album: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (album / "private").mkdir()
        (album / "a.jpg").touch()
        refuse_scandir(monkeypatch, album / "private", errno.EACCES)

        assert names(store, album) == ["a.jpg", "private/"]

    def test_a_share_that_fails_half_way(
        self, store: FolderPhotoStore, album: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (album / "sub").mkdir()
        refuse_scandir(monkeypatch, album / "sub", errno.EIO)

        with pytest.raises(PhotoStoreUnavailable, match=r"/sub cannot be read"):
            listed(store, album)

    def test_a_source_that_may_not_be_read(
        self, store: FolderPhotoStore, album: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refuse_scandir(monkeypatch, album, errno.EACCES)

        with pytest.raises(InvalidRequest, match=r"/album cannot be read: Permission denied"):
            listed(store, album)


def refuse_scandir(monkeypatch: pytest.MonkeyPatch, folder: Path, error_number: int) -> None:
    """Tests may run as root, whom no permission stops."""
    scandir = os.scandir

    def refuse(path: Path) -> Iterator[os.DirEntry[str]]:
        if path == folder:
            raise OSError(error_number, os.strerror(error_number))
        return scandir(path)

    monkeypatch.setattr("facefleet.photo_store.folder.os.scandir", refuse)


class TestReading:
    @pytest.fixture
    def photo(self, store: FolderPhotoStore, album: Path) -> PhotoRef:
        (album / "a.jpg").write_bytes(b"first")
        (photo,) = listed(store, album)
        return photo

    def test_the_largest_that_is_allowed(self, store: FolderPhotoStore, photo: PhotoRef) -> None:
        assert store.read(photo.uri, photo.version, 5) == b"first"
        with pytest.raises(PhotoTooLarge, match=r"a\.jpg has 5 bytes, more than the 4 allowed"):
            store.read(photo.uri, photo.version, 4)

    def test_a_large_file_is_refused_unread(self, store: FolderPhotoStore, album: Path) -> None:
        with (album / "huge.jpg").open("wb") as file:
            file.truncate(1 << 40)  # sparse: reading it would take hours
        (photo,) = listed(store, album)

        with pytest.raises(PhotoTooLarge, match="1099511627776"):
            store.read(photo.uri, photo.version, MAX_BYTES)

    def test_replaced_after_listing(self, store: FolderPhotoStore, album: Path, photo: PhotoRef) -> None:
        (album / "a.jpg").write_bytes(b"second")

        with pytest.raises(PhotoChanged, match=r"a\.jpg was replaced") as caught:
            store.read(photo.uri, photo.version, MAX_BYTES)

        (now,) = listed(store, album)
        assert (caught.value.new_version, caught.value.size_bytes) == (now.version, 6)

    def test_the_same_size_at_another_time_is_another_version(
        self, store: FolderPhotoStore, album: Path, photo: PhotoRef
    ) -> None:
        os.utime(album / "a.jpg", ns=(0, 1))

        (now,) = listed(store, album)
        assert now.version == "1-5" != photo.version

    def test_written_to_while_it_is_read(
        self, store: FolderPhotoStore, album: Path, photo: PhotoRef, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fdopen = os.fdopen

        def write_then_open(descriptor: int, mode: str) -> object:
            file = fdopen(descriptor, mode)
            read = file.read
            monkeypatch.setattr("facefleet.photo_store.folder.os.fdopen", fdopen)

            class Interrupted:
                fileno = file.fileno

                def __enter__(self) -> Self:
                    return self

                def __exit__(self, *_: object) -> None:
                    file.close()

                def read(self, size: int) -> bytes:
                    (album / "a.jpg").write_bytes(b"longer than before")
                    return bytes(read(size))

            return Interrupted()

        monkeypatch.setattr("facefleet.photo_store.folder.os.fdopen", write_then_open)

        with pytest.raises(PhotoChanged):
            store.read(photo.uri, photo.version, MAX_BYTES)

    def test_gone(self, store: FolderPhotoStore, album: Path, photo: PhotoRef) -> None:
        (album / "a.jpg").unlink()

        with pytest.raises(PhotoNotFound, match=r"a\.jpg is gone"):
            store.read(photo.uri, photo.version, MAX_BYTES)

    def test_a_folder_took_its_place(self, store: FolderPhotoStore, album: Path, photo: PhotoRef) -> None:
        (album / "a.jpg").unlink()
        (album / "a.jpg").mkdir()

        with pytest.raises(PhotoUndecodable, match=r"a\.jpg is a folder"):
            store.read(photo.uri, photo.version, MAX_BYTES)

    def test_a_pipe_took_its_place(self, store: FolderPhotoStore, album: Path, photo: PhotoRef) -> None:
        (album / "a.jpg").unlink()
        os.mkfifo(album / "a.jpg")
        caught: list[FacefleetError] = []

        def read() -> None:
            try:
                store.read(photo.uri, photo.version, MAX_BYTES)
            except FacefleetError as error:
                caught.append(error)

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        thread.join(10)

        assert [type(error) for error in caught] == [PhotoUndecodable]

    @pytest.mark.parametrize(
        ("error_number", "error"),
        [
            (errno.EACCES, AccessDenied),
            (errno.EPERM, AccessDenied),
            (errno.EIO, PhotoStoreUnavailable),
            (errno.ESTALE, PhotoStoreUnavailable),
            (errno.EMFILE, PhotoStoreUnavailable),
            (errno.ENOTDIR, PhotoNotFound),
        ],
    )
    def test_what_the_system_refuses(
        self,
        store: FolderPhotoStore,
        photo: PhotoRef,
        monkeypatch: pytest.MonkeyPatch,
        error_number: int,
        error: type[FacefleetError],
    ) -> None:
        def refuse(*_: object) -> int:
            raise OSError(error_number, os.strerror(error_number))

        monkeypatch.setattr("facefleet.photo_store.folder.os.open", refuse)

        with pytest.raises(error, match=r"a\.jpg"):
            store.read(photo.uri, photo.version, MAX_BYTES)


class TestUploads:
    def test_writes_what_it_lists(self, store: FolderPhotoStore, album: Path) -> None:
        written = store.write(file_uri(album) + "/new/a%20b.jpg", b"abc")

        (photo,) = listed(store, album / "new")
        assert photo == written
        assert store.read(written.uri, written.version, MAX_BYTES) == b"abc"

    def test_replaces(self, store: FolderPhotoStore, album: Path) -> None:
        uri = file_uri(album) + "/a.jpg"
        store.write(uri, b"old")
        written = store.write(uri, b"new")

        assert store.read(uri, written.version, MAX_BYTES) == b"new"

    def test_a_write_that_fails_leaves_the_old_photo_and_nothing_else(
        self, store: FolderPhotoStore, album: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        uri = file_uri(album) + "/a.jpg"
        written = store.write(uri, b"old")

        def fill_disk(_: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr("facefleet.photo_store.folder.os.fsync", fill_disk)
        with pytest.raises(PhotoStoreUnavailable, match="No space left"):
            store.write(uri, b"new")

        assert [path.name for path in album.iterdir()] == ["a.jpg"]
        assert store.read(uri, written.version, MAX_BYTES) == b"old"

    def test_deletes(self, store: FolderPhotoStore, album: Path) -> None:
        root = file_uri(album)
        for name in ("up/a.jpg", "up/b.jpg", "up2/c.jpg"):
            store.write(f"{root}/{name}", b"x")

        store.delete(f"{root}/up/a.jpg")
        store.delete(f"{root}/up/a.jpg")
        assert names(store, album) == ["up/b.jpg", "up2/c.jpg"]

        store.delete_prefix(f"{root}/up")
        store.delete_prefix(f"{root}/up/")
        assert names(store, album) == ["up2/c.jpg"]


class TestPhotoStores:
    def test_goes_by_the_scheme(self, album: Path) -> None:
        stores = open_photo_stores(Settings(_env_file=None, data_dir=album))
        (album / "a.jpg").write_bytes(b"abc")

        (photo,) = stores.list_photos(source_uri(str(album)))

        assert stores.read(photo.uri, photo.version, MAX_BYTES) == b"abc"
        with pytest.raises(InvalidRequest, match="not from ftp://host/a"):
            stores.read("ftp://host/a", "v", MAX_BYTES)

    def test_an_upload_is_known_by_its_bytes(self, tmp_path: Path) -> None:
        settings = Settings(_env_file=None, data_dir=tmp_path)
        stores = open_photo_stores(settings)
        uri = settings.resolved_upload_url + "/album/a.jpg"
        version = content_version(b"1")
        for _ in range(2):
            stores.write(uri, b"1")
            assert stores.read(uri, version, MAX_BYTES) == b"1"
        stores.write(uri, b"2")
        with pytest.raises(PhotoChanged) as caught:
            stores.read(uri, version, MAX_BYTES)
        assert (caught.value.new_version, caught.value.size_bytes) == (content_version(b"2"), 1)

    def test_keeps_uploads(self, tmp_path: Path) -> None:
        settings = Settings(_env_file=None, data_dir=tmp_path / "data dir")
        stores = open_photo_stores(settings)
        uri = settings.resolved_upload_url + "/album/a.jpg"

        written = stores.write(uri, b"abc")
        assert stores.read(uri, written.version, MAX_BYTES) == b"abc"

        stores.delete_prefix(settings.resolved_upload_url + "/album")
        with pytest.raises(PhotoNotFound):
            stores.read(uri, written.version, MAX_BYTES)

    @pytest.mark.parametrize(
        "below", ["", "/", "/../album/a.jpg", "/%2E%2e/album/a.jpg", "/x/../../album/a.jpg", "2/a.jpg"]
    )
    def test_a_source_is_never_written_to_or_deleted(self, tmp_path: Path, album: Path, below: str) -> None:
        (album / "a.jpg").write_bytes(b"mine")
        settings = Settings(_env_file=None, data_dir=tmp_path)
        stores = open_photo_stores(settings)

        for uri in (file_uri(album / "a.jpg"), file_uri(album), settings.resolved_upload_url + below):
            with pytest.raises(AccessDenied, match="is not below the uploads"):
                stores.write(uri, b"x")
            with pytest.raises(AccessDenied, match="is not below the uploads"):
                stores.delete(uri)
            with pytest.raises(AccessDenied, match="is not below the uploads"):
                stores.delete_prefix(uri)
        assert (album / "a.jpg").read_bytes() == b"mine"


@pytest.mark.shared
def test_lists_every_bad_image(store: FolderPhotoStore, shared_dir: Path) -> None:
    photos = listed(store, shared_dir / "bad-images")

    assert len(photos) == 40
    for photo in photos:
        assert len(store.read(photo.uri, photo.version, 100_000_000)) == photo.size_bytes
