import json
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest

from facefleet.records import PhotoRef
from facefleet.s3_events import EventRules, parse_notification
from facefleet.settings import Settings

RULES = EventRules.of(Settings(s3_events_buckets="photos, more-photos"))
ETAG = "d41d8cd98f00b204e9800998ecf8427e"


def record(key: str, name: str = "ObjectCreated:Put", **of_object: object) -> dict[str, Any]:
    fields = {"key": key, "size": 7, "eTag": ETAG, "sequencer": "0055AED6DCD90281E5"} | of_object
    return {
        "eventVersion": "2.1",
        "eventName": name,
        "eventTime": "2026-11-21T00:00:00.123Z",
        "s3": {"bucket": {"name": "photos"}, "object": fields},
    }


def message(*records: object) -> str:
    return json.dumps({"Records": list(records)})


def test_a_created_object_is_a_photo_of_its_album() -> None:
    parsed = parse_notification(message(record("albums/wedding/day+1/a%28b%29+%C3%BC.jpg")), RULES)
    [event] = parsed.events
    uri = "s3://photos/albums/wedding/day%201/a%28b%29%20%C3%BC.jpg"
    assert (event.album_name, event.uri) == ("wedding", uri)
    assert event.created == PhotoRef(uri, "albums/wedding/day 1/a(b) ü.jpg", ETAG, 7)
    assert parsed.rejected == ()


@pytest.mark.parametrize(
    "name", ["ObjectRemoved:Delete", "s3:ObjectRemoved:DeleteMarkerCreated", "LifecycleExpiration:Delete"]
)
def test_a_removed_object_has_nothing_there(name: str) -> None:
    [event] = parse_notification(message(record("albums/wedding/a.jpg", name, eTag="")), RULES).events
    assert event.created is None


@pytest.mark.parametrize(
    "ignored",
    [
        record("thumbnails/a.jpg"),
        record("albums/a.jpg"),
        record("albums/wedding/"),
        record("albums/wedding/sub/"),
        record("albums/wedding/notes.txt"),
        record("xalbums/wedding/a.jpg"),
        record("albums/wedding/a.jpg", "ObjectTagging:Put"),
        record("albums/wedding/a.jpg", "Nonsense"),
        # One version of an object with versioning, perhaps an old one.
        record("albums/wedding/a.jpg", "ObjectRemoved:Delete", versionId="3HL4kqCxf3vjVBH40Nrjfkd"),
    ],
)
def test_what_says_nothing_about_a_photo_is_ignored(ignored: dict[str, Any]) -> None:
    parsed = parse_notification(message(ignored), RULES)
    assert (parsed.events, parsed.rejected) == ((), ())


def test_the_test_event_is_nothing() -> None:
    body = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "photos"})
    parsed = parse_notification(body, RULES)
    assert (parsed.events, parsed.rejected) == ((), ())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "not_json"),
        ("not json", "not_json"),
        (b"\xff\xfe\x00", "not_json"),
        ("[" * 100_000, "not_json"),
        ("9" * 10_000, "not_json"),
        ("[]", "not_a_notification"),
        ("null", "not_a_notification"),
        ('{"Records": {}}', "not_a_notification"),
        ('{"Records": [1]}', "malformed_record"),
        (message({"eventName": "ObjectCreated:Put"}), "malformed_record"),
        (message(record("")), "malformed_record"),
        (message(record("albums/a/%ff.jpg")), "malformed_record"),
        (message(record("albums/a/\ud800.jpg")), "malformed_record"),
        (message(record("albums/a/b.jpg", eTag="\ud800")), "malformed_record"),
        (message(record("albums/a/b.jpg", eTag="")), "malformed_record"),
        (message(record("albums/a/b.jpg", size=-1)), "malformed_record"),
        (message(record("albums/a/b.jpg", size=2**63)), "malformed_record"),
        (message(record("albums/a/b.jpg", sequencer="xyz")), "malformed_record"),
        (message(record("albums/%07/b.jpg")), "invalid_album_name"),
        (message(record("albums/../b.jpg")), "invalid_album_name"),
        (
            message(record("albums/a/b.jpg") | {"s3": {"bucket": {"name": "x"}, "object": {"key": "k"}}}),
            "unknown_bucket",
        ),
    ],
)
def test_garbage_is_kept_with_a_reason(body: str | bytes, reason: str) -> None:
    parsed = parse_notification(body, RULES)
    assert parsed.events == ()
    [rejected] = parsed.rejected
    assert rejected.reason == reason
    assert rejected.detail
    assert len(rejected.body) <= 16_384
    assert "\0" not in rejected.body
    rejected.body.encode()


def test_a_bad_record_takes_no_neighbour_along() -> None:
    parsed = parse_notification(message(record("albums/a/1.jpg"), 7, record("albums/a/2.jpg")), RULES)
    assert [event.uri[-5:] for event in parsed.events] == ["1.jpg", "2.jpg"]
    assert [rejected.body for rejected in parsed.rejected] == ["7"]


def test_no_bucket_is_followed_unless_named() -> None:
    parsed = parse_notification(message(record("albums/a/1.jpg")), EventRules.of(Settings()))
    assert [rejected.reason for rejected in parsed.rejected] == ["unknown_bucket"]


def test_sequencers_of_different_length_compare_as_numbers() -> None:
    def order(**of_object: object) -> str:
        return parse_notification(message(record("albums/a/1.jpg", **of_object)), RULES).events[0].sequencer

    assert order(sequencer="ff") < order(sequencer="0100") < order(sequencer="00000a00")
    assert order(sequencer="ab") == order(sequencer="00AB")
    assert len(order(sequencer="1")) == 64


def test_a_count_that_began_anew_is_ordered_by_the_clock() -> None:
    def order(time: str, sequencer: str) -> str:
        body = message(record("albums/a/1.jpg", sequencer=sequencer) | {"eventTime": time})
        return parse_notification(body, RULES).events[0].sequencer

    assert order("2026-03-01T00:00:00Z", "FF") < order("2026-03-01T00:00:09Z", "1") < order("2026-03-01T00:00:09Z", "2")


def test_a_server_without_sequencers_is_ordered_by_its_clock() -> None:
    def order(time: str) -> str:
        return (
            parse_notification(message(record("albums/a/1.jpg", sequencer="") | {"eventTime": time}), RULES)
            .events[0]
            .sequencer
        )

    assert order("2026-11-21T00:00:00.123Z") < order("2026-11-21T00:00:00.124Z") < order("2026-11-21T02:00:00+01:00")


def test_another_rule_names_other_albums() -> None:
    rules = EventRules.of(Settings(s3_events_buckets="photos", s3_events_album_rule="{album}/..."))
    assert [event.album_name for event in parse_notification(message(record("trip/a.jpg")), rules).events] == ["trip"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@hypothesis.given(st.dictionaries(st.sampled_from(["key", "size", "eTag", "versionId", "sequencer"]), _JSON), _JSON)
@hypothesis.settings(max_examples=200, deadline=None)
def test_nothing_that_parses_as_json_raises(of_object: dict[str, Any], name: object) -> None:
    body = json.dumps({"Records": [record("albums/a/b.jpg") | {"eventName": name}, record("k") | {"s3": of_object}]})
    parse_notification(body, RULES)
