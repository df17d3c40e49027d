from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from api.dependencies import Services
from tests.integration.rekognition.conftest import SdkClient, people


def test_a_collection_is_an_album_from_its_first_to_its_last_day(sdk: SdkClient, http: httpx.Client) -> None:
    created = sdk.create_collection(CollectionId="wedding")
    assert created["StatusCode"] == 200
    assert created["CollectionArn"] == "arn:aws:rekognition:eu-west-1:000000000000:collection/wedding"
    assert created["FaceModelVersion"].isdigit()
    assert http.get("/v1/albums/wedding").status_code == 200
    described = sdk.describe_collection(CollectionId="wedding")
    assert (described["FaceCount"], described["CollectionARN"]) == (0, created["CollectionArn"])
    assert datetime.now(UTC) - described["CreationTimestamp"] < timedelta(minutes=5)
    assert sdk.delete_collection(CollectionId="wedding")["StatusCode"] == 200
    assert http.get("/v1/albums/wedding").status_code == 404


def test_a_collection_that_is_there_or_is_not_is_an_error_of_aws(sdk: SdkClient) -> None:
    sdk.create_collection(CollectionId="wedding")
    with pytest.raises(sdk.exceptions.ResourceAlreadyExistsException, match="The collection id: wedding already"):
        sdk.create_collection(CollectionId="wedding")
    for call in (sdk.describe_collection, sdk.delete_collection):
        with pytest.raises(sdk.exceptions.ResourceNotFoundException, match="other does not exist"):
            call(CollectionId="other")


def test_pages_of_collections_survive_albums_that_come_and_go(sdk: SdkClient, services: Services) -> None:
    for name in "abcdef":
        sdk.create_collection(CollectionId=name)
    services.ledger.albums.create("cannot be said")
    first = sdk.list_collections(MaxResults=3)
    assert first["CollectionIds"] == ["a", "b", "c"]
    assert len(first["FaceModelVersions"]) == 3
    sdk.delete_collection(CollectionId="c")
    sdk.create_collection(CollectionId="aa")
    second = sdk.list_collections(MaxResults=3, NextToken=first["NextToken"])
    assert second["CollectionIds"] == ["d", "e", "f"]
    assert "NextToken" not in second
    pages = sdk.get_paginator("list_collections").paginate(PaginationConfig={"PageSize": 2})
    assert [name for page in pages for name in page["CollectionIds"]] == ["a", "aa", "b", "d", "e", "f"]
    with pytest.raises(sdk.exceptions.InvalidPaginationTokenException):
        sdk.list_collections(NextToken="not ours")


def test_faces_are_shown_in_ratios_and_percentages(sdk: SdkClient) -> None:
    found = sdk.detect_faces(Image=people(1, 2), Attributes=["ALL"])["FaceDetails"]
    assert [face["BoundingBox"]["Left"] for face in found] == pytest.approx([0.0, 0.1])
    assert found[0]["BoundingBox"]["Height"] == pytest.approx(0.25)
    assert found[0]["Confidence"] == pytest.approx(90)
    assert [mark["Type"] for mark in found[0]["Landmarks"]] == [
        "eyeLeft",
        "eyeRight",
        "nose",
        "mouthLeft",
        "mouthRight",
    ]
    assert 0 <= found[0]["Quality"]["Sharpness"] <= 100
    assert set(found[0]) == {"BoundingBox", "Confidence", "Landmarks", "Pose", "Quality"}
    assert sdk.detect_faces(Image=people())["FaceDetails"] == []


def test_two_images_are_compared(sdk: SdkClient) -> None:
    compared = sdk.compare_faces(SourceImage=people(1), TargetImage=people(2, 1, 3))
    assert [match["Similarity"] for match in compared["FaceMatches"]] == pytest.approx([100])
    assert compared["FaceMatches"][0]["Face"]["BoundingBox"]["Left"] == pytest.approx(0.1)
    assert len(compared["UnmatchedFaces"]) == 2
    assert compared["SourceImageFace"]["Confidence"] == pytest.approx(90)
    everybody = sdk.compare_faces(SourceImage=people(1), TargetImage=people(2, 1, 3), SimilarityThreshold=0)
    assert len(everybody["FaceMatches"]) == 3
    similarities = [match["Similarity"] for match in everybody["FaceMatches"]]
    assert similarities == sorted(similarities, reverse=True)
    for images in ((people(), people(1)), (people(1), people())):
        with pytest.raises(sdk.exceptions.InvalidParameterException):
            sdk.compare_faces(SourceImage=images[0], TargetImage=images[1])


@pytest.mark.parametrize(
    ("image", "exception"),
    [
        ({"Bytes": b"no photo"}, "InvalidImageFormatException"),
        ({"Bytes": b"x" * (5 * 1024 * 1024 + 1)}, "ImageTooLargeException"),
        ({}, "InvalidParameterException"),
        ({"S3Object": {"Bucket": "someones", "Name": "a.jpg"}}, "InvalidS3ObjectException"),
        ({"Bytes": b"people 1", "S3Object": {"Bucket": "someones", "Name": "a.jpg"}}, "InvalidParameterException"),
    ],
)
def test_an_image_that_is_none_is_an_error_of_aws(sdk: SdkClient, image: dict[str, Any], exception: str) -> None:
    with pytest.raises(getattr(sdk.exceptions, exception)):
        sdk.detect_faces(Image=image)


@pytest.mark.parametrize(
    ("target", "body", "code"),
    [
        ("RekognitionService.DetectFaces", b"{", "SerializationException"),
        ("RekognitionService.DetectFaces", b"[" * 100_000, "SerializationException"),
        ("RekognitionService.DetectFaces", b'{"Image": {"Bytes": "%%%"}}', "SerializationException"),
        ("RekognitionService.DetectFaces", b'{"Image": 3}', "SerializationException"),
        ("RekognitionService.DetectFaces", b'{"Image": {"Bytes": "AAAA"}, "Extra": 1}', "InvalidParameterException"),
        ("RekognitionService.DetectFaces", b"", "InvalidParameterException"),
        ("RekognitionService.DetectFaces", b"x" * 20_000_000, "ImageTooLargeException"),
        ("RekognitionService.CreateCollection", b'{"CollectionId": "a b"}', "InvalidParameterException"),
        ("RekognitionService.ListCollections", b'{"MaxResults": 1e400}', "SerializationException"),
        ("RekognitionService.ListCollections", b'{"MaxResults": 4097}', "InvalidParameterException"),
        ("RekognitionService.DetectLabels", b"{}", "UnknownOperationException"),
        ("RekognitionService.Nonsense", b"{}", "UnknownOperationException"),
        ("DynamoDB_20120810.ListTables", b"{}", "UnknownOperationException"),
        ("", b"{}", "UnknownOperationException"),
    ],
)
def test_a_request_that_cannot_be_is_an_error_of_aws(http: httpx.Client, target: str, body: bytes, code: str) -> None:
    response = http.post("/", content=body, headers={"x-amz-target": target})
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/x-amz-json-1.1"
    assert response.headers["x-amzn-requestid"]
    answer = response.json()
    assert (answer["__type"], answer["Code"]) == (code, code)
    assert "Traceback" not in answer["Message"]
    if target.endswith("DetectLabels"):
        assert "DetectLabels" in answer["Message"]
