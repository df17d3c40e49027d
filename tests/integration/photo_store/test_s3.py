"""S3 as photos meet it: a real server over HTTP, and one that misbehaves."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from facefleet.errors import (
    AccessDenied,
    ConfigurationError,
    FacefleetError,
    InvalidRequest,
    PhotoChanged,
    PhotoNotFound,
    PhotoStoreUnavailable,
    PhotoTooLarge,
)
from facefleet.photo_store.contents import content_version
from facefleet.photo_store.s3 import S3PhotoStore
from facefleet.photo_store.uris import s3_uri, split_s3_uri
from tests.fixtures.s3 import S3Client, fill_bucket

#: A line break is left to the URIs' own tests: the server here routes no such key.
KEYS = [
    "a b.jpg",
    "ümläut/日本.png",
    "100%.jpg",
    "a+b&c=d?#.jpg",
    "%41.jpg",
    "../dots/./x.jpg",
    "'\"<>.jpg",
]
MAX_BYTES = 1_000_000


@pytest.fixture
def store(s3_endpoint: str) -> S3PhotoStore:
    return make_store(s3_endpoint)


def make_store(endpoint_url: str) -> S3PhotoStore:
    return S3PhotoStore(endpoint_url=endpoint_url, connect_timeout_s=2, read_timeout_s=2)


class Misbehaving(ThreadingHTTPServer):
    """Answers every GET with `answer`, then closes the connection."""

    daemon_threads = True
    answer = b""
    bytes_sent = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _AnswerOnce)
        self.url = f"http://127.0.0.1:{self.server_port}"


class _AnswerOnce(BaseHTTPRequestHandler):
    server: Misbehaving

    def do_GET(self) -> None:
        self.close_connection = True
        try:
            for start in range(0, len(self.server.answer), 65536):
                self.wfile.write(self.server.answer[start : start + 65536])
                self.server.bytes_sent += 65536
        except OSError:
            return  # the client had enough

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (as in http.server)
        pass


@pytest.fixture
def misbehaving(s3_credentials: None) -> Iterator[Misbehaving]:  # noqa: ARG001  (wanted for its environment)
    with Misbehaving() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def http_answer(status: str, body: bytes = b"", **headers: object) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def error_answer(status: str, code: str) -> bytes:
    body = f"<Error><Code>{code}</Code><Message>as planned</Message></Error>".encode()
    return http_answer(status, body, Content_Length=len(body), Content_Type="application/xml")


def test_every_key_comes_back_the_same(store: S3PhotoStore, s3_client: S3Client, s3_bucket: str) -> None:
    for key in KEYS:
        s3_client.put_object(Bucket=s3_bucket, Key=key, Body=key.encode())

    listed = list(store.list_photos(s3_uri(s3_bucket, "")))

    assert {photo.name for photo in listed} == set(KEYS)
    for photo in listed:
        assert photo.uri.isascii()
        assert split_s3_uri(photo.uri) == (s3_bucket, photo.name)
        assert store.read(photo.uri, photo.version, MAX_BYTES) == photo.name.encode()
        assert photo.size_bytes == len(photo.name.encode())


def test_lists_every_page(store: S3PhotoStore, s3_bucket: str) -> None:
    names = [f"album/{number:04}.jpg" for number in range(1500)]
    fill_bucket(s3_bucket, [*names, "elsewhere/0.jpg"])

    assert [photo.name for photo in store.list_photos(s3_uri(s3_bucket, "album/"))] == names


def test_lists_no_folder_markers_and_no_text(store: S3PhotoStore, s3_client: S3Client, s3_bucket: str) -> None:
    for key in ("a/", "a/b.txt", "a/c.JPG", "a/d", "a/e.mov", "a/f.dng"):
        s3_client.put_object(Bucket=s3_bucket, Key=key, Body=b"")

    assert [photo.name for photo in store.list_photos(s3_uri(s3_bucket, "a"))] == ["a/c.JPG", "a/d", "a/f.dng"]


def test_an_object_replaced_after_listing_says_what_is_there_now(
    store: S3PhotoStore, s3_client: S3Client, s3_bucket: str
) -> None:
    s3_client.put_object(Bucket=s3_bucket, Key="a.jpg", Body=b"old")
    (listed,) = store.list_photos(s3_uri(s3_bucket, ""))
    s3_client.put_object(Bucket=s3_bucket, Key="a.jpg", Body=b"newer")

    with pytest.raises(PhotoChanged, match="was replaced") as caught:
        store.read(listed.uri, listed.version, MAX_BYTES)

    (now,) = store.list_photos(s3_uri(s3_bucket, ""))
    assert (caught.value.new_version, caught.value.size_bytes) == (now.version, 5)
    assert store.read(now.uri, now.version, MAX_BYTES) == b"newer"


def test_an_object_deleted_after_listing_is_not_found(store: S3PhotoStore, s3_bucket: str) -> None:
    written = store.write(s3_uri(s3_bucket, "a.jpg"), b"x")
    store.delete(written.uri)
    store.delete(written.uri)

    with pytest.raises(PhotoNotFound, match=r"a\.jpg is gone"):
        store.read(written.uri, written.version, MAX_BYTES)


def test_writes_what_it_lists(store: S3PhotoStore, s3_bucket: str) -> None:
    written = store.write(s3_uri(s3_bucket, "up/a b.jpg"), b"x")

    assert list(store.list_photos(s3_uri(s3_bucket, ""))) == [written]


def test_deletes_a_folder_and_not_its_namesake(store: S3PhotoStore, s3_bucket: str) -> None:
    fill_bucket(s3_bucket, [*(f"up/{number}.jpg" for number in range(1001)), "up2/0.jpg"])

    store.delete_prefix(s3_uri(s3_bucket, "up"))
    store.delete_prefix(s3_uri(s3_bucket, "up/"))

    assert [photo.name for photo in store.list_photos(s3_uri(s3_bucket, ""))] == ["up2/0.jpg"]


def test_deletes_the_versions_that_a_bucket_keeps(store: S3PhotoStore, s3_bucket: str, s3_client: S3Client) -> None:
    versioning = {"Bucket": s3_bucket, "VersioningConfiguration": {"Status": "Enabled"}}
    fill_bucket(s3_bucket, ["up/old.jpg"])
    s3_client.put_bucket_versioning(**versioning)
    for name in ("up/a.jpg", "up/a.jpg", "up/deleted.jpg", "up2/a.jpg"):
        store.write(s3_uri(s3_bucket, name), b"x")
    store.delete(s3_uri(s3_bucket, "up/deleted.jpg"))

    store.delete_prefix(s3_uri(s3_bucket, "up"))

    kept = s3_client.list_object_versions(Bucket=s3_bucket)
    assert [entry["Key"] for entry in kept["Versions"]] == ["up2/a.jpg"]
    assert "DeleteMarkers" not in kept


@pytest.mark.parametrize("status", [403, 501])
def test_deletes_where_versions_cannot_be_listed(
    store: S3PhotoStore, s3_bucket: str, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    def refuse(*_: object) -> None:
        raise ClientError(
            {"Error": {"Code": "NotImplemented"}, "ResponseMetadata": {"HTTPStatusCode": status}}, "ListObjectVersions"
        )

    fill_bucket(s3_bucket, ["up/a.jpg"])
    monkeypatch.setattr(S3PhotoStore, "_delete_versions", refuse)
    store.delete_prefix(s3_uri(s3_bucket, "up"))
    assert list(store.list_photos(s3_uri(s3_bucket, ""))) == []


def test_an_upload_is_known_by_its_bytes(store: S3PhotoStore, s3_bucket: str) -> None:
    uri = s3_uri(s3_bucket, "up/a.jpg")
    for _ in range(2):
        store.write(uri, b"1")
        assert store.read(uri, content_version(b"1"), MAX_BYTES) == b"1"
    store.write(uri, b"22")
    with pytest.raises(PhotoChanged) as caught:
        store.read(uri, content_version(b"1"), MAX_BYTES)
    assert (caught.value.new_version, caught.value.size_bytes) == (content_version(b"22"), 2)


def test_a_bucket_that_is_not_there(store: S3PhotoStore) -> None:
    with pytest.raises(InvalidRequest, match="no such bucket: nowhere"):
        list(store.list_photos("s3://nowhere/"))
    with pytest.raises(PhotoNotFound):
        store.read("s3://nowhere/a.jpg", "v", MAX_BYTES)


def test_refuses_a_large_object_without_reading_it(misbehaving: Misbehaving) -> None:
    misbehaving.answer = http_answer("200 OK", bytes(50_000_000), Content_Length=50_000_000, ETag='"v"')

    with pytest.raises(PhotoTooLarge, match="has 50000000 bytes, more than the 1000000 allowed"):
        make_store(misbehaving.url).read("s3://bucket/a.jpg", "v", MAX_BYTES)

    assert misbehaving.bytes_sent < 40_000_000  # what fits into the sockets' buffers


@pytest.mark.parametrize("sent", [0, 1, 9_999])
def test_notices_a_truncated_body(misbehaving: Misbehaving, sent: int) -> None:
    misbehaving.answer = http_answer("200 OK", bytes(sent), Content_Length=10_000, ETag='"v"')

    with pytest.raises(PhotoStoreUnavailable):
        make_store(misbehaving.url).read("s3://bucket/a.jpg", "v", MAX_BYTES)


def test_a_server_that_ignores_if_match_is_noticed(misbehaving: Misbehaving) -> None:
    misbehaving.answer = http_answer("200 OK", b"abc", Content_Length=3, ETag='"other"')

    with pytest.raises(PhotoChanged) as caught:
        make_store(misbehaving.url).read("s3://bucket/a.jpg", "v", MAX_BYTES)

    assert (caught.value.new_version, caught.value.size_bytes) == ("other", 3)


@pytest.mark.parametrize(
    ("status", "code", "error", "sentence"),
    [
        ("403 Forbidden", "AccessDenied", AccessDenied, "S3 refuses access to s3://bucket/a.jpg"),
        ("403 Forbidden", "InvalidAccessKeyId", PhotoStoreUnavailable, "does not accept the credentials"),
        ("400 Bad Request", "ExpiredToken", PhotoStoreUnavailable, "does not accept the credentials"),
        ("404 Not Found", "NoSuchKey", PhotoNotFound, "is gone"),
        ("503 Slow Down", "SlowDown", PhotoStoreUnavailable, "503 SlowDown"),
        ("500 Oops", "InternalError", PhotoStoreUnavailable, "500 InternalError"),
    ],
)
def test_refusals(misbehaving: Misbehaving, status: str, code: str, error: type[FacefleetError], sentence: str) -> None:
    misbehaving.answer = error_answer(status, code)

    with pytest.raises(error, match=sentence):
        make_store(misbehaving.url).read("s3://bucket/a.jpg", "v", MAX_BYTES)


@pytest.mark.usefixtures("s3_credentials")
def test_nobody_listens() -> None:
    with socket.socket() as reserved:  # bound and not listening: connections are refused
        reserved.bind(("127.0.0.1", 0))
        store = make_store(f"http://127.0.0.1:{reserved.getsockname()[1]}")

        with pytest.raises(PhotoStoreUnavailable):
            store.read("s3://bucket/a.jpg", "v", MAX_BYTES)
        with pytest.raises(PhotoStoreUnavailable):
            list(store.list_photos("s3://bucket/"))


@pytest.mark.usefixtures("s3_credentials")
def test_a_body_that_stalls_runs_into_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = threading.Event()

        def stall() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(http_answer("200 OK", b"begin", Content_Length=10_000, ETag='"v"'))
                done.wait(30)

        thread = threading.Thread(target=stall)
        thread.start()
        endpoint_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        store = S3PhotoStore(endpoint_url=endpoint_url, connect_timeout_s=2, read_timeout_s=0.3)
        with pytest.raises(PhotoStoreUnavailable, match=r"timed out|timeout"):
            store.read("s3://bucket/a.jpg", "v", MAX_BYTES)
        done.set()
        thread.join()


def test_no_credentials_says_what_to_set(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))

    with pytest.raises(ConfigurationError, match="set AWS_ACCESS_KEY_ID"):
        list(make_store(s3_endpoint).list_photos("s3://bucket/"))


@pytest.mark.usefixtures("s3_credentials")
def test_an_endpoint_that_is_no_url() -> None:
    with pytest.raises(ConfigurationError, match="not the URL of an S3 server"):
        list(make_store("not a url").list_photos("s3://bucket/"))


def test_many_threads_share_one_client(store: S3PhotoStore, s3_bucket: str) -> None:
    photos = [store.write(s3_uri(s3_bucket, f"{number}.jpg"), bytes([number])) for number in range(32)]
    read: list[bytes] = []
    threads = [
        threading.Thread(target=lambda photo=photo: read.append(store.read(photo.uri, photo.version, MAX_BYTES)))
        for photo in photos
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(read) == [bytes([number]) for number in range(32)]
