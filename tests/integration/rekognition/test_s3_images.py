from collections.abc import Callable
from contextlib import AbstractContextManager, closing

import pytest

from api.dependencies import Services
from tests.fixtures.s3 import S3Client
from tests.integration.api.conftest import serving
from tests.integration.rekognition.conftest import connect_sdk


def test_objects_of_opened_buckets_are_images(
    open_drawn_services: Callable[..., AbstractContextManager[Services]],
    s3_endpoint: str,
    s3_bucket: str,
    s3_client: S3Client,
) -> None:
    s3_client.put_object(Bucket=s3_bucket, Key="day 1/a.jpg", Body=b"people 1 2")
    with (
        open_drawn_services(s3_endpoint_url=s3_endpoint, rekognition_buckets=f"other, {s3_bucket}") as services,
        serving(services) as http,
        closing(connect_sdk(str(http.base_url))) as sdk,
    ):
        image = {"S3Object": {"Bucket": s3_bucket, "Name": "day 1/a.jpg"}}
        assert len(sdk.detect_faces(Image=image)["FaceDetails"]) == 2
        for wrong in ({"Name": "b.jpg"}, {"Bucket": "someones"}, {"Version": "1"}):
            with pytest.raises(sdk.exceptions.InvalidS3ObjectException):
                sdk.detect_faces(Image={"S3Object": {**image["S3Object"], **wrong}})
        s3_client.put_object(Bucket=s3_bucket, Key="large.jpg", Body=b"people 1" + b" " * 15 * 1024 * 1024)
        with pytest.raises(sdk.exceptions.ImageTooLargeException):
            sdk.detect_faces(Image={"S3Object": {"Bucket": s3_bucket, "Name": "large.jpg"}})
