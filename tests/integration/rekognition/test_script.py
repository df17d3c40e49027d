"""What a team does with Amazon Rekognition, unchanged: only `endpoint_url` is ours."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from api.dependencies import Services
from facefleet.identity.api_key import DrawnKey
from tests.integration.rekognition.conftest import SdkClient, people, secret_of

PEOPLE, PHOTOS = 20, 100


def photo(number: int) -> dict[str, bytes]:
    """Everybody is on ten photos, each of which shows two people."""
    return people(number % PEOPLE, (number * 7 + 3) % PEOPLE)


def test_a_script_written_for_aws_runs(sdk: SdkClient) -> None:
    sdk.create_collection(CollectionId="conference", Tags={"year": "2026"})
    faces: dict[str, list[str]] = {}
    for number in range(PHOTOS):
        indexed = sdk.index_faces(
            CollectionId="conference",
            Image=photo(number),
            ExternalImageId=f"photo-{number}.jpg",
            DetectionAttributes=["DEFAULT"],
            MaxFaces=10,
            QualityFilter="AUTO",
        )
        faces[f"photo-{number}.jpg"] = [record["Face"]["FaceId"] for record in indexed["FaceRecords"]]
    assert sdk.describe_collection(CollectionId="conference")["FaceCount"] == 2 * PHOTOS

    found = sdk.search_faces_by_image(CollectionId="conference", Image=people(5), FaceMatchThreshold=90, MaxFaces=50)
    shown = {match["Face"]["ExternalImageId"] for match in found["FaceMatches"]}
    assert shown == {f"photo-{n}.jpg" for n in range(PHOTOS) if 5 in {n % PEOPLE, (n * 7 + 3) % PEOPLE}}
    mine = [match["Face"]["FaceId"] for match in found["FaceMatches"]]

    sdk.create_user(CollectionId="conference", UserId="anna")
    associated = sdk.associate_faces(CollectionId="conference", UserId="anna", FaceIds=mine)
    assert len(associated["AssociatedFaces"]) == len(mine)
    (match,) = sdk.search_users_by_image(CollectionId="conference", Image=people(5))["UserMatches"]
    assert match["User"] == {"UserId": "anna", "UserStatus": "ACTIVE"}

    pages = sdk.get_paginator("list_faces").paginate(CollectionId="conference", PaginationConfig={"PageSize": 30})
    listed = [face["FaceId"] for page in pages for face in page["Faces"]]
    assert sorted(listed) == sorted(face for each in faces.values() for face in each)

    strangers = [face for face in listed if face not in mine]
    assert len(sdk.delete_faces(CollectionId="conference", FaceIds=strangers)["DeletedFaces"]) == len(strangers)
    assert sdk.describe_collection(CollectionId="conference")["FaceCount"] == len(mine)
    sdk.delete_user(CollectionId="conference", UserId="anna")
    sdk.delete_collection(CollectionId="conference")
    with pytest.raises(ClientError) as refusal:
        sdk.search_faces_by_image(CollectionId="conference", Image=people(5))
    assert refusal.value.response["Error"]["Code"] == "ResourceNotFoundException"
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_both_protocols_find_the_same_faces_alike(sdk: SdkClient, http: httpx.Client, services: Services) -> None:
    sdk.create_collection(CollectionId="album")
    for number in range(30):
        sdk.index_faces(CollectionId="album", Image=photo(number), ExternalImageId=str(number))
    for person in range(6):
        rekognition = sdk.search_faces_by_image(CollectionId="album", Image=people(person), FaceMatchThreshold=30)
        native = http.post(
            f"/v1/albums/album/search?min_similarity={services.similarity.cosine(30)}",
            content=people(person)["Bytes"],
            headers={"content-type": "image/jpeg"},
        ).json()
        candidates = native["faces"][0]["candidates"]
        assert candidates
        matches = {match["Face"]["FaceId"]: match["Similarity"] for match in rekognition["FaceMatches"]}
        assert matches == pytest.approx({each["face_id"]: each["similarity_percent"] for each in candidates}, abs=0.01)
        assert list(matches.values()) == sorted(matches.values(), reverse=True)


@pytest.fixture
def aws(http: httpx.Client, key: DrawnKey, tmp_path: Path) -> Any:  # noqa: ANN401  a function of any words
    """The AWS CLI as its users run it, in a process of its own."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "AWS_ACCESS_KEY_ID": key.id,
        "AWS_SECRET_ACCESS_KEY": secret_of(key),
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL_REKOGNITION": str(http.base_url),
        "HOME": str(tmp_path),
    }

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "ignore", "-m", "awscli", "rekognition", *words, "--output", "json"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    return call


def test_the_aws_command_line_works(aws: Any, tmp_path: Path) -> None:  # noqa: ANN401  see there
    image = tmp_path / "photo.jpg"
    image.write_bytes(people(1, 2)["Bytes"])
    album = ("--collection-id", "album")

    def ask(*words: str) -> dict[str, Any]:
        ended = aws(*words)
        assert ended.returncode == 0, ended.stderr
        return dict(json.loads(ended.stdout or "{}"))

    assert ask("create-collection", *album)["StatusCode"] == 200
    indexed = ask("index-faces", *album, "--image-bytes", f"fileb://{image}", "--external-image-id", "photo.jpg")
    assert len(indexed["FaceRecords"]) == 2
    found = ask("search-faces-by-image", *album, "--image-bytes", f"fileb://{image}", "--face-match-threshold", "90")
    assert found["FaceMatches"][0]["Face"]["ExternalImageId"] == "photo.jpg"
    missing = aws("describe-collection", "--collection-id", "other")
    assert missing.returncode != 0
    assert "ResourceNotFoundException" in missing.stderr
