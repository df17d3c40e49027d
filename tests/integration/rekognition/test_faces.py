from pathlib import Path

import httpx
import pytest

from api.dependencies import Services
from facefleet.mending import mend_gallery
from facefleet.records import PhotoState
from tests.fixtures.processes import wait_until
from tests.integration.api.conftest import indexing
from tests.integration.rekognition.conftest import SdkClient, people


@pytest.fixture(autouse=True)
def collection(sdk: SdkClient) -> None:
    sdk.create_collection(CollectionId="album")


def index(sdk: SdkClient, *numbers: int, **options: object) -> list[str]:
    indexed = sdk.index_faces(CollectionId="album", Image=people(*numbers), **options)
    return [record["Face"]["FaceId"] for record in indexed["FaceRecords"]]


def listed(sdk: SdkClient) -> list[str]:
    return [face["FaceId"] for face in sdk.list_faces(CollectionId="album")["Faces"]]


def stored_images(services: Services) -> list[Path]:
    return [path for path in (services.settings.data_dir / "uploads").rglob("*") if path.is_file()]


def test_what_is_indexed_is_found_by_both_protocols(sdk: SdkClient, http: httpx.Client) -> None:
    indexed = sdk.index_faces(CollectionId="album", Image=people(1, 2), ExternalImageId="party:1")
    (anna, _) = [record["Face"] for record in indexed["FaceRecords"]]
    assert anna["ExternalImageId"] == "party:1"
    assert indexed["FaceRecords"][0]["FaceDetail"]["BoundingBox"] == anna["BoundingBox"]
    index(sdk, 3)
    found = sdk.search_faces_by_image(CollectionId="album", Image=people(1))
    assert found["SearchedFaceConfidence"] == pytest.approx(90)
    (match,) = found["FaceMatches"]
    assert match["Face"] == anna
    native = http.post("/v1/albums/album/search", content=b"people 1", headers={"content-type": "image/jpeg"}).json()
    (candidate,) = native["faces"][0]["candidates"]
    assert (candidate["face_id"], candidate["photo_id"]) == (anna["FaceId"], anna["ImageId"])
    assert candidate["photo"] == "party:1"
    assert sdk.describe_collection(CollectionId="album")["FaceCount"] == 3
    assert http.get("/v1/albums/album").json()["faces"] == 3


def test_a_face_of_the_collection_finds_the_others_and_not_itself(sdk: SdkClient) -> None:
    (one,), (other, _) = index(sdk, 1), index(sdk, 1, 2)
    found = sdk.search_faces(CollectionId="album", FaceId=one)
    assert [match["Face"]["FaceId"] for match in found["FaceMatches"]] == [other]
    assert found["SearchedFaceId"] == one
    everybody = sdk.search_faces(CollectionId="album", FaceId=one, FaceMatchThreshold=0, MaxFaces=1)
    assert [match["Face"]["FaceId"] for match in everybody["FaceMatches"]] == [other]
    with pytest.raises(sdk.exceptions.InvalidParameterException, match="was not found in the collection"):
        sdk.search_faces(CollectionId="album", FaceId="12345678-1234-1234-1234-123456789012")


def test_the_same_image_is_kept_once_for_each_name(sdk: SdkClient, services: Services) -> None:
    first = index(sdk, 1, 2)
    assert index(sdk, 1, 2) == first
    assert len(listed(sdk)) == 2
    named = index(sdk, 1, 2, ExternalImageId="a")
    assert index(sdk, 1, 2, ExternalImageId="a") == named
    assert set(listed(sdk)) == {*first, *named}
    assert len(stored_images(services)) == 2


def test_a_search_without_a_face_is_refused_and_an_image_without_one_is_not_kept(
    sdk: SdkClient, services: Services
) -> None:
    indexed = sdk.index_faces(CollectionId="album", Image=people())
    assert (indexed["FaceRecords"], indexed["UnindexedFaces"]) == ([], [])
    assert stored_images(services) == []
    with pytest.raises(sdk.exceptions.InvalidParameterException, match="no face"):
        sdk.search_faces_by_image(CollectionId="album", Image=people())


def test_more_faces_than_wanted_are_left_out_and_may_come_later(sdk: SdkClient) -> None:
    indexed = sdk.index_faces(CollectionId="album", Image=people(1, 2, 3), MaxFaces=2)
    assert len(indexed["FaceRecords"]) == 2
    assert [left["Reasons"] for left in indexed["UnindexedFaces"]] == [["EXCEEDS_MAX_FACES"]]
    assert len(listed(sdk)) == 2
    index(sdk, 1, 2, 3, MaxFaces=1)
    assert len(listed(sdk)) == 2
    assert len(index(sdk, 1, 2, 3)) == 3
    assert len(listed(sdk)) == 3


def test_faces_that_were_deleted_are_gone_for_both_protocols_until_indexed_again(
    sdk: SdkClient, http: httpx.Client, services: Services
) -> None:
    one, two = index(sdk, 1, 2)
    unknown = "12345678-1234-1234-1234-123456789012"
    gone = sdk.delete_faces(CollectionId="album", FaceIds=[one, unknown])
    assert gone["DeletedFaces"] == [one]
    assert gone["UnsuccessfulFaceDeletions"] == [{"FaceId": unknown, "Reasons": ["FACE_NOT_FOUND"]}]
    assert listed(sdk) == [two]
    assert [face["face_id"] for face in http.get("/v1/albums/album/faces").json()["faces"]] == [two]
    assert sdk.search_faces_by_image(CollectionId="album", Image=people(1))["FaceMatches"] == []
    assert services.gallery.count(services.model_version) == 1
    sdk.delete_faces(CollectionId="album", FaceIds=[two])
    assert stored_images(services) == []
    assert http.get("/v1/albums/album").json()["photos"] == 0
    assert index(sdk, 1, 2) == [one, two]
    assert len(sdk.search_faces_by_image(CollectionId="album", Image=people(1))["FaceMatches"]) == 1


def test_indexing_anew_brings_no_dropped_face_back(sdk: SdkClient, services: Services) -> None:
    one, two, _ = index(sdk, 1, 2, 3)
    sdk.delete_faces(CollectionId="album", FaceIds=[one])
    album = services.ledger.albums.get("album")
    assert mend_gallery(services.ledger, services.gallery, services.model_version, album.id).indexed_again == 0
    [first] = services.ledger.found_faces.walk(album.id, 1, None, None)
    services.gallery.delete_faces(album.id, [first.id])
    with indexing(services):
        assert mend_gallery(services.ledger, services.gallery, services.model_version, album.id).indexed_again == 1
        wait_for_points(services, 2)
    assert one not in listed(sdk)
    assert two in listed(sdk)
    (photo,) = services.ledger.photos.list(album.id, PhotoState.INDEXED, 10, None)
    assert photo.face_count == 2


def wait_for_points(services: Services, count: int) -> None:
    album = services.ledger.albums.get("album")

    def is_indexed() -> bool:
        photos = services.ledger.photos.list(album.id, PhotoState.INDEXED, 10, None)
        return len(photos) == 1 and services.gallery.count(services.model_version) == count

    wait_until(is_indexed, f"{count} points")


def test_pages_of_faces_survive_faces_that_come_and_go(sdk: SdkClient) -> None:
    for number in range(10):
        index(sdk, number)
    faces = listed(sdk)
    first = sdk.list_faces(CollectionId="album", MaxResults=4)
    sdk.delete_faces(CollectionId="album", FaceIds=[faces[3], faces[5]])
    new = index(sdk, 10)
    rest = sdk.list_faces(CollectionId="album", NextToken=first["NextToken"])
    assert {face["FaceId"] for face in rest["Faces"]} - set(new) == set(faces[4:]) - {faces[5]}
    assert "NextToken" not in rest
    pages = list(sdk.get_paginator("list_faces").paginate(CollectionId="album", PaginationConfig={"PageSize": 3}))
    assert [len(page["Faces"]) for page in pages] == [3, 3, 3]
    assert len(sdk.list_faces(CollectionId="album", FaceIds=[faces[0], faces[5]])["Faces"]) == 1
    with pytest.raises(sdk.exceptions.InvalidPaginationTokenException):
        sdk.list_faces(CollectionId="album", NextToken="not ours")


def test_photos_that_were_indexed_natively_are_faces_of_the_collection(
    sdk: SdkClient, http: httpx.Client, services: Services
) -> None:
    http.post("/v1/albums/album/photos?name=a.jpg", content=b"people 7", headers={"content-type": "image/jpeg"})
    with indexing(services):
        wait_for_points(services, 1)
    (face,) = sdk.list_faces(CollectionId="album")["Faces"]
    assert "ExternalImageId" not in face
    sdk.delete_faces(CollectionId="album", FaceIds=[face["FaceId"]])
    assert http.get("/v1/albums/album").json()["photos"] == 1
    assert len(stored_images(services)) == 1
