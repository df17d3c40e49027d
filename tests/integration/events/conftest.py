"""Notifications as AWS sends them."""

import json
from collections.abc import Iterator

import pytest

from facefleet.ledger.engine import Ledger, open_ledger
from facefleet.s3_events import EventRules, parse_notification
from facefleet.settings import Settings

BUCKET = "photos"
MODEL_VERSION = "00000000000000aa"
RULES = EventRules.of(Settings(s3_events_buckets=BUCKET))


def notification(*events: tuple[str, str, int, str], bucket: str = BUCKET) -> str:
    """Compose one message of (kind, key, sequencer, ETag)."""
    records = [
        {
            "eventName": kind,
            "eventTime": "2026-11-21T00:00:00.123Z",
            "s3": {
                "bucket": {"name": bucket},
                "object": {"key": key, "size": 7, "eTag": etag, "sequencer": f"{sequencer:X}"},
            },
        }
        for kind, key, sequencer, etag in events
    ]
    return json.dumps({"Records": records})


def created(key: str, sequencer: int, etag: str = "v1") -> tuple[str, str, int, str]:
    return "ObjectCreated:Put", key, sequencer, etag


def removed(key: str, sequencer: int) -> tuple[str, str, int, str]:
    return "ObjectRemoved:Delete", key, sequencer, ""


def take_in(ledger: Ledger, body: str) -> int:
    parsed = parse_notification(body, RULES)
    return ledger.ingest.apply(parsed.events, parsed.rejected, MODEL_VERSION)


def versions(ledger: Ledger, album: str) -> dict[str, str]:
    """State of every version in an album that is not deleted."""
    page = ledger.photos.list(ledger.albums.get(album).id, None, 1000, None)
    return {f"{photo.name.rpartition('/')[2]} {photo.version}": str(photo.state) for photo in page}


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = open_ledger(ledger_url)
    yield opened
    opened.close()
