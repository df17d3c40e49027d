"""Bucket notifications: what an S3 server says happened, in AWS' format, which MinIO, RustFS and versitygw send too.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote_plus

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from facefleet.errors import InvalidRequest
from facefleet.ledger.albums import check_album_name
from facefleet.photo_store.names import may_be_photo
from facefleet.photo_store.uris import s3_uri
from facefleet.records import ObjectEvent, PhotoRef, RejectedEvent
from facefleet.settings import Settings

#: Whether an event of this kind removes the object; other kinds (tags, restores) change no photo.
_IS_REMOVAL: Final = {"ObjectCreated": False, "ObjectRemoved": True, "LifecycleExpiration": True}
#: AWS sends 18 digits, MinIO 16.
_SEQUENCER_DIGITS = 64
#: AWS' have 16 and more. Fewer are the count of a process, which begins anew when that starts again (versitygw): its
#: clock goes on, and the count orders what happened in one second.
_COUNTER_DIGITS = 12
#: Characters of a rejected message that are kept.
_BODY_MAX_CHARS = 16_384

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class EventRules:
    """Which events are followed."""

    #: Names of buckets.
    buckets: frozenset[str]
    #: What stands before the album in a key.
    key_prefix: str
    #: Finds `album` in a key.
    key_pattern: re.Pattern[str]

    @classmethod
    def of(cls, settings: Settings) -> "EventRules":
        """Read the rules from `s3_events_buckets` and `s3_events_album_rule`."""
        before = settings.s3_events_album_rule.partition("{album}")[0]
        named = (name.strip() for name in settings.s3_events_buckets.split(","))
        pattern = re.compile(re.escape(before) + r"(?P<album>[^/]+)/.*[^/]", re.DOTALL)
        return cls(frozenset(name for name in named if name), before, pattern)

    def album_of(self, key: str) -> str | None:
        """Name the album of a photo; `None` for keys that match no rule or are surely no photos."""
        match = self.key_pattern.fullmatch(key)
        return match["album"] if match and may_be_photo(key) else None


@dataclass(frozen=True, slots=True)
class ParsedNotification:
    """One message."""

    events: tuple[ObjectEvent, ...] = ()
    rejected: tuple[RejectedEvent, ...] = ()


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class _Object(_Part):
    key: str = Field(min_length=1)
    size: int = Field(default=0, ge=0, lt=2**63)
    e_tag: str = Field(default="", pattern=r"^[\x20-\x7e]*$")
    version_id: str | None = None
    sequencer: str = Field(default="", pattern=rf"^[0-9A-Fa-f]{{0,{_SEQUENCER_DIGITS}}}$")


class _Bucket(_Part):
    name: str


class _Subject(_Part):
    bucket: _Bucket
    object: _Object


class _Record(_Part):
    event_name: str
    event_time: datetime
    s3: _Subject


class _Rejection(ValueError):
    """Why a record is of no use."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def parse_notification(body: str | bytes, rules: EventRules) -> ParsedNotification:
    """Read one message. Never raises: what cannot be used is among the rejected, each record on its own.

    Args:
        body: as received.
        rules: buckets that are followed, and the album of each key.
    """
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        return ParsedNotification(rejected=(_reject(_Rejection("not_json", f"not JSON: {error}"), body),))
    if isinstance(message, dict) and message.get("Event") == "s3:TestEvent":
        log.info("test event received", bucket=message.get("Bucket"))
        return ParsedNotification()
    records = message.get("Records") if isinstance(message, dict) else None
    if not isinstance(records, list):
        nothing = _Rejection("not_a_notification", "the message has no list of Records")
        return ParsedNotification(rejected=(_reject(nothing, body),))
    return _parse_records(records, rules)


def _parse_records(records: list[Any], rules: EventRules) -> ParsedNotification:
    events, rejected = [], []
    for record in records:
        try:
            event = _parse_record(record, rules)
        except _Rejection as rejection:
            rejected.append(_reject(rejection, json.dumps(record)))
        else:
            events += [event] if event else []
    return ParsedNotification(tuple(events), tuple(rejected))


def _parse_record(fields: object, rules: EventRules) -> ObjectEvent | None:
    try:
        record = _Record.model_validate(fields)
        key = unquote_plus(record.s3.object.key, errors="strict")
        key.encode()  # half a surrogate pair is no character
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise _Rejection("malformed_record", wrong) from error
    except UnicodeError as error:
        raise _Rejection("malformed_record", f"the key is not UTF-8: {error}") from error
    bucket = record.s3.bucket.name
    if bucket not in rules.buckets:
        raise _Rejection("unknown_bucket", f"FACEFLEET_S3_EVENTS_BUCKETS does not name the bucket {bucket!r}")
    removal = _removal_of(record)
    album_name = rules.album_of(key)
    if removal is None or album_name is None:
        log.debug("event ignored", bucket=bucket, key=key, event_name=record.event_name)
        return None
    return _event_of(record, key, album_name, removal=removal)


def _event_of(record: _Record, key: str, album_name: str, *, removal: bool) -> ObjectEvent:
    found = record.s3.object
    try:
        check_album_name(album_name)
    except InvalidRequest as error:
        raise _Rejection("invalid_album_name", str(error)) from error
    version = found.e_tag.strip('"')
    if not removal and not version:
        raise _Rejection("malformed_record", "an object that was created has an eTag")
    uri = s3_uri(record.s3.bucket.name, key)
    # No database keeps a NUL, and a key may have one.
    created = None if removal else PhotoRef(uri, key.replace("\0", "\\x00"), version, found.size)
    return ObjectEvent(album_name, uri, _sequencer_of(record), created)


def _removal_of(record: _Record) -> bool | None:
    """Tell whether the object is gone; `None` when the event does not say what is there now."""
    kind, _, action = record.event_name.removeprefix("s3:").partition(":")
    removal = _IS_REMOVAL.get(kind)
    # With versioning this is the end of one version, mostly an old one; the reconciler sees whether it was the last.
    ends_one_version = action == "Delete" and record.s3.object.version_id not in {None, "", "null"}
    return None if removal and ends_one_version else removal


def _sequencer_of(record: _Record) -> str:
    """Pad the sequencer, so that comparing texts compares numbers; without one, the server's clock decides."""
    digits = record.s3.object.sequencer.lstrip("0")
    if len(digits) <= _COUNTER_DIGITS:
        microseconds = max(int(record.event_time.timestamp() * 1_000_000), 0)
        digits = f"{microseconds:x}{digits:0>{_COUNTER_DIGITS}}"
    return digits.upper().rjust(_SEQUENCER_DIGITS, "0")


def _reject(rejection: _Rejection, body: str | bytes) -> RejectedEvent:
    text = body.decode(errors="backslashreplace") if isinstance(body, bytes) else body
    log.warning("event rejected", reason=rejection.reason, detail=str(rejection)[:_BODY_MAX_CHARS])
    return RejectedEvent(rejection.reason, _storable(str(rejection)), _storable(text))


def _storable(text: str) -> str:
    """Keep what both databases take: no NUL, no half surrogate pair."""
    return text.replace("\0", "\\x00").encode(errors="backslashreplace").decode()[:_BODY_MAX_CHARS]
