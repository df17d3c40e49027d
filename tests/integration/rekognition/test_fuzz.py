"""Requests that nobody would send on purpose: each is answered in AWS's words, and none with a 500."""

import base64
import copy
import json
import random
from typing import Any

import httpx

from api.rekognition.operations import OPERATIONS
from api.rekognition.service_model import load_service_model

IMAGE = {"Bytes": base64.b64encode(b"people 1 2").decode()}
FACE = "12345678-1234-1234-1234-123456789012"
ARN = "arn:aws:rekognition:eu-west-1:000000000000:collection/album"
ALBUM = {"CollectionId": "album"}
USER = {**ALBUM, "UserId": "anna", "FaceIds": [FACE], "ClientRequestToken": "t"}
VALID: dict[str, dict[str, Any]] = {
    "CreateCollection": {**ALBUM, "Tags": {"a": "b"}},
    "DescribeCollection": ALBUM,
    "ListCollections": {"MaxResults": 3, "NextToken": "a"},
    "DeleteCollection": {"CollectionId": "other"},
    "IndexFaces": {**ALBUM, "Image": IMAGE, "ExternalImageId": "x", "MaxFaces": 1, "DetectionAttributes": ["ALL"]},
    "SearchFacesByImage": {**ALBUM, "Image": IMAGE, "MaxFaces": 3, "FaceMatchThreshold": 70, "QualityFilter": "AUTO"},
    "SearchFaces": {**ALBUM, "FaceId": FACE, "MaxFaces": 3},
    "ListFaces": {**ALBUM, "MaxResults": 3, "NextToken": FACE, "FaceIds": [FACE]},
    "DeleteFaces": {**ALBUM, "FaceIds": [FACE]},
    "DetectFaces": {"Image": {"S3Object": {"Bucket": "some", "Name": "a.jpg"}}, "Attributes": ["DEFAULT"]},
    "CompareFaces": {"SourceImage": IMAGE, "TargetImage": IMAGE, "SimilarityThreshold": 3},
    "CreateUser": {**ALBUM, "UserId": "anna", "ClientRequestToken": "t"},
    "DeleteUser": {**ALBUM, "UserId": "berta"},
    "ListUsers": {**ALBUM, "MaxResults": 3, "NextToken": "a"},
    "AssociateFaces": {**USER, "UserMatchThreshold": 3},
    "DisassociateFaces": USER,
    "SearchUsers": {**ALBUM, "UserId": "anna", "MaxUsers": 3},
    "SearchUsersByImage": {**ALBUM, "Image": IMAGE, "MaxUsers": 3},
    "TagResource": {"ResourceArn": ARN, "Tags": {"c": "d"}},
    "UntagResource": {"ResourceArn": ARN, "TagKeys": ["c"]},
    "ListTagsForResource": {"ResourceArn": ARN},
}
HOSTILE: list[Any] = [
    None, True, 0, -1, 2**31, 2**63, 10**400, 1.5, -0.0, 1e308, "", " ", "a", "\0", "\ud800", "a" * 300, "x" * 100_000,
    "../../etc/passwd", "'; DROP TABLE album; --", "${jndi:ldap://x}", "\N{SNOWMAN}", "AUTO", [], [[]], [None], {},
    {"": ""}, {"Bytes": None}, {"Bytes": "AA"}, {"Bytes": "%"}, {"S3Object": {}}, [FACE] * 5000, "aws:tag", FACE, ARN,
]  # fmt: skip
#: What all AWS services may answer, beside what the operation's own model says.
COMMON = {"SerializationException", "UnknownOperationException", "ImageTooLargeException"}


def test_mutated_requests_are_answered_in_awss_words(http: httpx.Client) -> None:
    assert VALID.keys() == OPERATIONS.keys()
    rng = random.Random(20261121)
    send(http, "CreateCollection", json.dumps(ALBUM).encode())
    seen: dict[str, set[str]] = {}
    for _ in range(60):
        for operation, valid in VALID.items():
            body = mutate(rng, valid)
            response = send(http, operation, body)
            answer = response.json()
            assert response.status_code in {200, 400}, (operation, body[:300], response.text)
            assert "Traceback" not in response.text
            if response.status_code == 400:
                allowed = {each.name for each in load_service_model().operation_model(operation).error_shapes} | COMMON
                assert answer["__type"] in allowed, (operation, body[:300], answer)
                assert answer["Message"]
            seen.setdefault(operation, set()).add(answer.get("__type", "OK"))
    assert all(len(codes) >= 2 for codes in seen.values()), seen


def send(http: httpx.Client, operation: str, body: bytes) -> httpx.Response:
    return http.post("/", content=body, headers={"x-amz-target": f"RekognitionService.{operation}"})


def mutate(rng: random.Random, valid: dict[str, Any]) -> bytes:
    """Change one to three things of a valid request: a value, a member, or bytes of the JSON."""
    request = copy.deepcopy(valid)
    for _ in range(rng.randint(1, 2)):
        spoil(rng, request)
    body = json.dumps(request).encode()
    if rng.random() < 0.15 and body:
        place = rng.randrange(len(body))
        body = body[:place] + rng.choice([b"", b"\xff", b"{", b"\0", b'"', b"\\u0000"]) + body[place + 1 :]
    return body


def spoil(rng: random.Random, node: Any) -> None:  # noqa: ANN401  any part of a request
    keys = list(node) if isinstance(node, dict) else list(range(len(node)))
    if isinstance(node, dict) and (not keys or rng.random() < 0.1):
        node[rng.choice(["Extra", "", "\0", "__type"])] = rng.choice(HOSTILE)
        return
    if not keys:
        node.append(rng.choice(HOSTILE))
        return
    key = rng.choice(keys)
    if isinstance(node[key], dict | list) and rng.random() < 0.6:
        spoil(rng, node[key])
    elif rng.random() < 0.2:
        del node[key]
    else:
        node[key] = copy.deepcopy(rng.choice(HOSTILE))
