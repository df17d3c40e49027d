"""Every operation that is served answers what botocore's own service model says."""

import base64
import json
from typing import Any

import httpx
from botocore.model import Shape
from botocore.parsers import create_parser

from api.rekognition.operations import OPERATIONS
from api.rekognition.service_model import load_service_model
from api.rekognition.shapes import parse

IMAGE = {"Bytes": base64.b64encode(b"people 1 2").decode()}
NO_FACE = "12345678-1234-1234-1234-123456789012"
ARN = "arn:aws:rekognition:eu-west-1:000000000000:collection/album"


def call(http: httpx.Client, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """Send what an SDK sends, read the answer with the SDK's parser, and hold it against the model."""
    headers = {"x-amz-target": f"RekognitionService.{operation}", "content-type": "application/x-amz-json-1.1"}
    response = http.post("/", content=json.dumps(request), headers=headers)
    assert response.status_code == 200, response.text
    shape = load_service_model().operation_model(operation).output_shape
    parse(shape, response.json())
    answer = {"status_code": 200, "headers": dict(response.headers), "body": response.content}
    parsed: dict[str, Any] = create_parser("json").parse(answer, shape)
    assert parsed.pop("ResponseMetadata")["RequestId"]
    assert_said(shape, parsed)
    return parsed


def assert_said(shape: Shape, value: object) -> None:
    """Nothing was lost between the answer and what the SDK's parser made of it."""
    if shape.type_name == "structure":
        assert isinstance(value, dict)
        for name, each in value.items():
            assert_said(shape.members[name], each)
    elif shape.type_name == "list":
        assert isinstance(value, list)
        for each in value:
            assert_said(shape.member, each)


def test_every_operation_answers_what_the_model_says(http: httpx.Client) -> None:
    album = {"CollectionId": "album"}
    called: set[str] = set()

    def ask(operation: str, **request: object) -> dict[str, Any]:
        called.add(operation)
        return call(http, operation, request)

    ask("CreateCollection", **album, Tags={"a": "b"})
    indexed = ask("IndexFaces", **album, Image=IMAGE, ExternalImageId="x", MaxFaces=1, DetectionAttributes=["ALL"])
    assert len(indexed["UnindexedFaces"]) == 1
    face_id = indexed["FaceRecords"][0]["Face"]["FaceId"]
    ask("DescribeCollection", **album)
    ask("ListCollections", MaxResults=0)
    ask("CreateUser", **album, UserId="anna", ClientRequestToken="t-1")
    ask("AssociateFaces", **album, UserId="anna", FaceIds=[face_id, NO_FACE], ClientRequestToken="t-2")
    ask("ListUsers", **album)
    assert ask("ListFaces", **album, MaxResults=0)["Faces"][0]["UserId"] == "anna"
    ask("SearchFacesByImage", **album, Image=IMAGE, FaceMatchThreshold=0)
    ask("SearchFaces", **album, FaceId=face_id)
    ask("SearchUsers", **album, FaceId=face_id)
    ask("SearchUsersByImage", **album, Image=IMAGE)
    ask("DisassociateFaces", **album, UserId="anna", FaceIds=[face_id, NO_FACE])
    ask("DeleteFaces", **album, FaceIds=[face_id, NO_FACE])
    ask("DeleteUser", **album, UserId="anna")
    ask("DetectFaces", Image=IMAGE)
    ask("CompareFaces", SourceImage=IMAGE, TargetImage=IMAGE)
    ask("TagResource", ResourceArn=ARN, Tags={"c": "d"})
    ask("ListTagsForResource", ResourceArn=ARN)
    ask("UntagResource", ResourceArn=ARN, TagKeys=["c"])
    ask("DeleteCollection", **album)
    assert called == OPERATIONS.keys()


def test_every_other_operation_is_refused_by_name(http: httpx.Client) -> None:
    for operation in set(load_service_model().operation_names) - OPERATIONS.keys():
        response = http.post("/", content=b"{}", headers={"x-amz-target": f"RekognitionService.{operation}"})
        assert (response.status_code, response.json()["Code"]) == (400, "UnknownOperationException")
        assert operation in response.json()["Message"]
