import pytest

from tests.integration.rekognition.conftest import SdkClient, people

UNKNOWN = "12345678-1234-1234-1234-123456789012"
IN_ALBUM = {"CollectionId": "album"}


@pytest.fixture(autouse=True)
def collection(sdk: SdkClient) -> None:
    sdk.create_collection(**IN_ALBUM)


def index(sdk: SdkClient, number: int, name: str = "a") -> str:
    """Index a photo of one person; another name makes another photo of it."""
    (record,) = sdk.index_faces(**IN_ALBUM, Image=people(number), ExternalImageId=name)["FaceRecords"]
    return str(record["Face"]["FaceId"])


def associate(sdk: SdkClient, user_id: str, *face_ids: str, threshold: float = 75) -> dict[str, list[str]]:
    sdk.create_user(**IN_ALBUM, UserId=user_id)
    answer = sdk.associate_faces(**IN_ALBUM, UserId=user_id, FaceIds=list(face_ids), UserMatchThreshold=threshold)
    reasons = {each["FaceId"]: each["Reasons"] for each in answer["UnsuccessfulFaceAssociations"]}
    return {"associated": [each["FaceId"] for each in answer["AssociatedFaces"]], **reasons}


def test_users_come_and_go(sdk: SdkClient) -> None:
    for user_id in ("b", "a", "c:1"):
        sdk.create_user(**IN_ALBUM, UserId=user_id)
    with pytest.raises(sdk.exceptions.ConflictException):
        sdk.create_user(**IN_ALBUM, UserId="a")
    first = sdk.list_users(**IN_ALBUM, MaxResults=2)
    assert first["Users"] == [{"UserId": "a", "UserStatus": "CREATED"}, {"UserId": "b", "UserStatus": "CREATED"}]
    sdk.delete_user(**IN_ALBUM, UserId="b")
    rest = sdk.list_users(**IN_ALBUM, NextToken=first["NextToken"])
    assert [user["UserId"] for user in rest["Users"]] == ["c:1"]
    assert "NextToken" not in rest
    assert sdk.describe_collection(**IN_ALBUM)["UserCount"] == 2
    for call in (sdk.delete_user, lambda **named: sdk.associate_faces(FaceIds=[UNKNOWN], **named)):
        with pytest.raises(sdk.exceptions.ResourceNotFoundException):
            call(**IN_ALBUM, UserId="b")


def test_a_token_answers_the_same_request_once_and_no_other(sdk: SdkClient) -> None:
    for _ in range(2):
        sdk.create_user(**IN_ALBUM, UserId="a", ClientRequestToken="token")
    with pytest.raises(sdk.exceptions.IdempotentParameterMismatchException):
        sdk.create_user(**IN_ALBUM, UserId="b", ClientRequestToken="token")
    face = index(sdk, 1)
    asked = {**IN_ALBUM, "UserId": "a", "FaceIds": [face], "ClientRequestToken": "other"}
    first = sdk.associate_faces(**asked)
    sdk.disassociate_faces(**IN_ALBUM, UserId="a", FaceIds=[face])
    again = sdk.associate_faces(**asked)
    assert again["AssociatedFaces"] == first["AssociatedFaces"] == [{"FaceId": face}]


def test_faces_of_somebody_else_are_refused(sdk: SdkClient) -> None:
    one, same, stranger = index(sdk, 1), index(sdk, 1, "b"), index(sdk, 2)
    assert associate(sdk, "anna", one, same, stranger, UNKNOWN) == {
        "associated": [one, same],
        stranger: ["LOW_MATCH_CONFIDENCE"],
        UNKNOWN: ["FACE_NOT_FOUND"],
    }
    assert associate(sdk, "berta", stranger, one) == {
        "associated": [stranger],
        one: ["ASSOCIATED_TO_A_DIFFERENT_USER"],
    }
    faces = sdk.list_faces(**IN_ALBUM, UserId="anna")["Faces"]
    assert {face["FaceId"]: face["UserId"] for face in faces} == {one: "anna", same: "anna"}
    assert sdk.list_users(**IN_ALBUM)["Users"][0]["UserStatus"] == "ACTIVE"
    taken = sdk.disassociate_faces(**IN_ALBUM, UserId="anna", FaceIds=[same, stranger, UNKNOWN])
    assert taken["DisassociatedFaces"] == [{"FaceId": same}]
    reasons = {each["FaceId"]: each["Reasons"] for each in taken["UnsuccessfulFaceDisassociations"]}
    assert reasons == {stranger: ["ASSOCIATED_TO_A_DIFFERENT_USER"], UNKNOWN: ["FACE_NOT_FOUND"]}


def test_a_user_has_a_hundred_faces_at_most(sdk: SdkClient) -> None:
    image = {"Bytes": b"people " + b"1 " * 50}
    faces = [
        record["Face"]["FaceId"]
        for name in "abc"
        for record in sdk.index_faces(**IN_ALBUM, Image=image, ExternalImageId=name)["FaceRecords"]
    ]
    assert len(associate(sdk, "anna", *faces[:100])["associated"]) == 100
    with pytest.raises(sdk.exceptions.ServiceQuotaExceededException):
        sdk.associate_faces(**IN_ALBUM, UserId="anna", FaceIds=faces[100:101])
    assert len(sdk.list_faces(**IN_ALBUM, UserId="anna")["Faces"]) == 100


def test_a_face_of_a_user_is_not_deleted(sdk: SdkClient) -> None:
    face = index(sdk, 1)
    associate(sdk, "anna", face)
    kept = sdk.delete_faces(**IN_ALBUM, FaceIds=[face])["UnsuccessfulFaceDeletions"]
    assert kept == [{"FaceId": face, "UserId": "anna", "Reasons": ["ASSOCIATED_TO_AN_EXISTING_USER"]}]
    sdk.delete_user(**IN_ALBUM, UserId="anna")
    assert sdk.delete_faces(**IN_ALBUM, FaceIds=[face])["DeletedFaces"] == [face]


def test_users_are_found_by_image_face_and_user(sdk: SdkClient) -> None:
    one, same, other = index(sdk, 1), index(sdk, 1, "b"), index(sdk, 2)
    associate(sdk, "anna", one)
    associate(sdk, "berta", other)
    associate(sdk, "annas twin".replace(" ", "-"), same)
    found = sdk.search_users_by_image(**IN_ALBUM, Image=people(1, 2))
    assert [match["User"]["UserId"] for match in found["UserMatches"]] == ["anna", "annas-twin"]
    assert found["UserMatches"][0]["Similarity"] == pytest.approx(100)
    assert [each["Reasons"] for each in found["UnsearchedFaces"]] == [["FACE_NOT_LARGEST"]]
    assert found["SearchedFace"]["FaceDetail"]["Confidence"] == pytest.approx(90)
    nobody = sdk.search_users_by_image(**IN_ALBUM, Image=people())
    assert nobody["UserMatches"] == []
    assert "SearchedFace" not in nobody
    by_face = sdk.search_users(**IN_ALBUM, FaceId=other)
    assert by_face["SearchedFace"] == {"FaceId": other}
    assert [match["User"]["UserId"] for match in by_face["UserMatches"]] == ["berta"]
    by_user = sdk.search_users(**IN_ALBUM, UserId="anna")
    assert by_user["SearchedUser"] == {"UserId": "anna"}
    assert [match["User"]["UserId"] for match in by_user["UserMatches"]] == ["annas-twin"]
    everybody = sdk.search_users(**IN_ALBUM, UserId="anna", UserMatchThreshold=0, MaxUsers=1)
    assert len(everybody["UserMatches"]) == 1
    for both in ({}, {"UserId": "anna", "FaceId": one}):
        with pytest.raises(sdk.exceptions.InvalidParameterException):
            sdk.search_users(**IN_ALBUM, **both)


def test_tags_come_and_go(sdk: SdkClient) -> None:
    arn = sdk.create_collection(CollectionId="tagged", Tags={"team": "photos"})["CollectionArn"]
    sdk.tag_resource(ResourceArn=arn, Tags={"team": "faces", "größe": "2 m"})
    assert sdk.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"team": "faces", "größe": "2 m"}
    sdk.untag_resource(ResourceArn=arn, TagKeys=["team", "unknown"])
    assert sdk.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"größe": "2 m"}
    with pytest.raises(sdk.exceptions.ServiceQuotaExceededException):
        sdk.tag_resource(ResourceArn=arn, Tags={str(number): "" for number in range(200)})
    with pytest.raises(sdk.exceptions.ResourceNotFoundException):
        sdk.list_tags_for_resource(ResourceArn=arn.replace("tagged", "other"))
    with pytest.raises(sdk.exceptions.InvalidParameterException):
        sdk.list_tags_for_resource(ResourceArn="arn:aws:s3:::some-bucket-name")
    sdk.delete_collection(CollectionId="tagged")
    assert sdk.create_collection(CollectionId="tagged")["StatusCode"] == 200
    assert sdk.list_tags_for_resource(ResourceArn=arn)["Tags"] == {}
