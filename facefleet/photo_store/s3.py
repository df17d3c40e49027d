"""Photos in S3, or in any server that speaks it."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http import HTTPStatus
from typing import Any, Final, TypeAlias

import structlog
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
)
from urllib3.exceptions import HTTPError

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
from facefleet.photo_store.contents import is_content_version, require_content
from facefleet.photo_store.names import may_be_photo
from facefleet.photo_store.uris import s3_uri, split_s3_uri
from facefleet.records import PhotoRef

log = structlog.stdlib.get_logger(__name__)

#: boto3 ships no types.
_Client: TypeAlias = Any

_MAX_CONNECTIONS = 64
_MAX_ATTEMPTS = 3
_CREDENTIALS_HINT = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or give the machine a role"
#: A server that knows no versions, or a role that may not list them: then the bucket is taken for an unversioned one.
_NO_VERSIONS: Final = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED}
)
#: Refusals that are about the credentials or the clock of this machine: no photo is to blame.
_CREDENTIAL_CODES: Final = frozenset(
    {"ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "RequestTimeTooSkewed", "SignatureDoesNotMatch"}
)


class S3PhotoStore:
    """Implements `PhotoStore` for `s3:` URIs; the version of an object is its ETag.

    The client is made on first use, under `_making`, and shared by all threads.
    """

    def __init__(self, *, endpoint_url: str, connect_timeout_s: float, read_timeout_s: float) -> None:
        """Note where the server is; nothing is connected.

        Args:
            endpoint_url: empty for AWS.
            connect_timeout_s: for one attempt of three.
            read_timeout_s: between two pieces of an answer.
        """
        self._endpoint_url = endpoint_url
        self._connect_timeout_s = connect_timeout_s
        self._read_timeout_s = read_timeout_s
        self._making = threading.Lock()
        self._client: _Client = None

    def list_photos(self, source: str) -> Iterator[PhotoRef]:
        """List every object whose key begins with the source's. See `PhotoStore.list_photos`."""
        bucket, prefix = split_s3_uri(source)
        try:
            with _s3_errors(source):
                for entry in self._entries(bucket, prefix):
                    if not entry["Key"].endswith("/") and may_be_photo(entry["Key"]):
                        yield _ref_of(bucket, entry)
        except PhotoNotFound as error:
            raise InvalidRequest(f"no such bucket: {bucket}") from error

    def read(self, uri: str, version: str, max_bytes: int) -> bytes:
        """Read one object. See `PhotoStore.read`."""
        bucket, key = split_s3_uri(uri)
        condition = {} if not version or is_content_version(version) else {"IfMatch": f'"{version}"'}
        with _s3_errors(uri):
            try:
                answer = self._connected().get_object(Bucket=bucket, Key=key, **condition)
            except ClientError as error:
                if _status_of(error) != HTTPStatus.PRECONDITION_FAILED:
                    raise
                answer = self._connected().head_object(Bucket=bucket, Key=key)
                raise _changed(uri, answer) from error
            with closing(answer["Body"]) as body:
                if condition and _unquoted(answer["ETag"]) != version:  # a server that ignores If-Match
                    raise _changed(uri, answer)
                data = _read_capped(uri, answer, body, max_bytes)
        require_content(uri, version, data)
        return data

    def write(self, uri: str, data: bytes) -> PhotoRef:
        """Keep an object. See `PhotoStore.write`."""
        bucket, key = split_s3_uri(uri)
        with _s3_errors(uri):
            answer = self._connected().put_object(Bucket=bucket, Key=key, Body=data)
        return PhotoRef(uri, key, _unquoted(answer["ETag"]), len(data))

    def delete(self, uri: str) -> None:
        """Remove one object. See `PhotoStore.delete`."""
        bucket, key = split_s3_uri(uri)
        with _s3_errors(uri):
            self._connected().delete_object(Bucket=bucket, Key=key)

    def delete_prefix(self, uri: str) -> None:
        """Remove every object below the key, with the older versions that a bucket keeps. See `PhotoStore`."""
        bucket, key = split_s3_uri(uri)
        prefix = key.rstrip("/") + "/"
        with _s3_errors(uri):
            for page in self._pages(bucket, prefix):
                _delete_keys(self._connected(), bucket, [{"Key": entry["Key"]} for entry in page.get("Contents", ())])
            try:
                self._delete_versions(bucket, prefix)
            except ClientError as error:
                if _status_of(error) not in _NO_VERSIONS:
                    raise
                log.info("older versions of uploads not looked for", uri=uri, error=str(error))

    def check(self, uri: str) -> None:
        """Ask for the bucket. See `PhotoStore.check`. A role that may only write is refused, which is an answer."""
        bucket, _ = split_s3_uri(uri)
        try:
            with _s3_errors(uri):
                self._connected().head_bucket(Bucket=bucket)
        except AccessDenied:
            return
        except PhotoNotFound as error:
            raise PhotoStoreUnavailable(f"there is no bucket {bucket}") from error

    def _delete_versions(self, bucket: str, prefix: str) -> None:
        """Remove what a versioned bucket keeps of objects that were deleted or replaced, and its delete markers."""
        pages = self._connected().get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            entries = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            keys = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries]
            _delete_keys(self._connected(), bucket, keys)

    def _entries(self, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
        for page in self._pages(bucket, prefix):
            yield from page.get("Contents", ())

    def _pages(self, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
        yield from self._connected().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)

    def _connected(self) -> _Client:
        with self._making:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def _connect(self) -> _Client:
        # A second to import, which nobody without S3 is to pay.
        import boto3  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        config = Config(
            connect_timeout=self._connect_timeout_s,
            read_timeout=self._read_timeout_s,
            retries={"mode": "standard", "total_max_attempts": _MAX_ATTEMPTS},
            max_pool_connections=_MAX_CONNECTIONS,
            # Servers other than AWS may not know the newer checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        try:
            return boto3.session.Session().client("s3", endpoint_url=self._endpoint_url or None, config=config)
        except ValueError as error:
            raise ConfigurationError(f"not the URL of an S3 server: {self._endpoint_url!r} ({error})") from error


def _ref_of(bucket: str, entry: dict[str, Any]) -> PhotoRef:
    key = entry["Key"]
    # No database keeps a NUL, and a key may have one.
    return PhotoRef(s3_uri(bucket, key), key.replace("\0", "\\x00"), _unquoted(entry["ETag"]), entry["Size"])


def _read_capped(uri: str, answer: dict[str, Any], body: Any, max_bytes: int) -> bytes:  # noqa: ANN401  (untyped)
    promised_bytes = answer["ContentLength"]
    if promised_bytes > max_bytes:
        raise PhotoTooLarge(f"{uri} has {promised_bytes} bytes, more than the {max_bytes} allowed")
    data: bytes = body.read(promised_bytes)
    if len(data) != promised_bytes:
        raise PhotoStoreUnavailable(f"{uri} broke off after {len(data)} of {promised_bytes} bytes")
    return data


def _delete_keys(client: _Client, bucket: str, keys: list[dict[str, str]]) -> None:
    """Remove at most a thousand objects or versions, as many as a listing's page has."""
    if not keys:
        return
    answer = client.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
    for refusal in answer.get("Errors", ()):
        raise PhotoStoreUnavailable(f"{s3_uri(bucket, refusal['Key'])} was not deleted: {refusal.get('Message')}")


def _changed(uri: str, answer: dict[str, Any]) -> PhotoChanged:
    version, size_bytes = _unquoted(answer["ETag"]), answer["ContentLength"]
    return PhotoChanged(f"{uri} was replaced", new_version=version, size_bytes=size_bytes)


def _unquoted(etag: str) -> str:
    return etag.strip('"')


@contextmanager
def _s3_errors(uri: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise _translate_answer(uri, error) from error
    except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, ProfileNotFound) as error:
        raise ConfigurationError(f"there are no credentials for S3 ({error}): {_CREDENTIALS_HINT}") from error
    except ParamValidationError as error:
        raise InvalidRequest(f"{uri} cannot be in S3: {error}") from error
    except (BotoCoreError, HTTPError, OSError) as error:
        raise PhotoStoreUnavailable(f"{uri} cannot be reached: {error}") from error


def _translate_answer(uri: str, error: ClientError) -> FacefleetError:
    code, status = error.response["Error"]["Code"], _status_of(error)
    if code in _CREDENTIAL_CODES:
        return PhotoStoreUnavailable(f"S3 does not accept the credentials ({code}): {_CREDENTIALS_HINT}")
    if status == HTTPStatus.NOT_FOUND:
        return PhotoNotFound(f"{uri} is gone")
    if status == HTTPStatus.FORBIDDEN:
        return AccessDenied(f"S3 refuses access to {uri} ({code})")
    return PhotoStoreUnavailable(f"S3 answered {status} {code} for {uri}")


def _status_of(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
