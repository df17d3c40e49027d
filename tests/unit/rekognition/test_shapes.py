import json
from datetime import UTC, datetime
from typing import Any

import pytest

from api.rekognition.errors import ImageTooLarge, InvalidParameter, RekognitionError, Unserializable
from api.rekognition.service_model import load_service_model
from api.rekognition.shapes import parse, read_json, render


def parse_request(operation: str, request: dict[str, Any]) -> dict[str, Any]:
    parsed: dict[str, Any] = parse(load_service_model().operation_model(operation).input_shape, request)
    return parsed


def test_a_request_becomes_values() -> None:
    request = {"CollectionId": "a", "Image": {"Bytes": "aGFsbG8="}, "MaxFaces": 3, "FaceMatchThreshold": 70}
    parsed = parse_request("SearchFacesByImage", {**request, "QualityFilter": None})
    assert parsed == {"CollectionId": "a", "Image": {"Bytes": b"hallo"}, "MaxFaces": 3, "FaceMatchThreshold": 70.0}


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"CollectionId": None}, InvalidParameter),
        ({"CollectionId": ""}, InvalidParameter),
        ({"CollectionId": "a" * 256}, InvalidParameter),
        ({"CollectionId": "a/b"}, InvalidParameter),
        ({"CollectionId": "a\n"}, InvalidParameter),
        ({"CollectionId": "\ud800"}, Unserializable),
        ({"CollectionId": "a\0"}, InvalidParameter),
        ({"CollectionId": 3}, Unserializable),
        ({"MaxFaces": 0}, InvalidParameter),
        ({"MaxFaces": 4097}, InvalidParameter),
        ({"MaxFaces": 2**31}, Unserializable),
        ({"MaxFaces": True}, Unserializable),
        ({"MaxFaces": 1.5}, Unserializable),
        ({"MaxFaces": "3"}, Unserializable),
        ({"FaceMatchThreshold": 100.1}, InvalidParameter),
        ({"FaceMatchThreshold": 10**400}, Unserializable),
        ({"FaceMatchThreshold": float("inf")}, Unserializable),
        ({"QualityFilter": "BEST"}, InvalidParameter),
        ({"Image": []}, Unserializable),
        ({"Image": {"Bytes": "a"}}, Unserializable),
        ({"Image": {"Bytes": "aGFs bG8="}}, Unserializable),
        ({"Image": {"Bytes": "\N{SNOWMAN}"}}, Unserializable),
        ({"Image": {"Bytes": 3}}, Unserializable),
        ({"Image": {"Bytes": "AAAA" * 1_747_627}}, ImageTooLarge),
        ({"Image": {"Url": "http://x"}}, InvalidParameter),
        ({"Colection": "a"}, InvalidParameter),
    ],
)
def test_a_value_that_does_not_fit_is_refused(changed: dict[str, Any], error: type[RekognitionError]) -> None:
    with pytest.raises(error):
        parse_request("SearchFacesByImage", {"CollectionId": "a", "Image": {"Bytes": "AAAA"}, **changed})


def test_tags_may_be_of_any_script() -> None:
    request = {"ResourceArn": "arn:aws:rekognition:x:0:collection/a", "Tags": {"größe @ 北": "ξένος"}}
    assert parse_request("TagResource", request) == request
    with pytest.raises(InvalidParameter):
        parse_request("TagResource", {**request, "Tags": {"aws:mine": ""}})


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"a": NaN}', b"[" * 100_000, b"1" * 5000])
def test_a_body_that_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(Unserializable):
        read_json(body)


def test_an_answer_becomes_json() -> None:
    shape = load_service_model().operation_model("DescribeCollection").output_shape
    answer = {"FaceCount": 3, "CreationTimestamp": datetime(2026, 1, 1, tzinfo=UTC), "UserCount": None}
    assert json.loads(json.dumps(render(shape, answer))) == {"FaceCount": 3, "CreationTimestamp": 1767225600.0}
    with pytest.raises(KeyError):
        render(shape, {"Faces": 3})
