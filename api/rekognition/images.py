"""Images of requests: bytes, or objects of the buckets that the operator opened."""

from typing import Any

from api.rekognition.call import Call
from api.rekognition.errors import InvalidParameter, RekognitionError
from facefleet.face_records import RecognizedFace, RecognizedPhoto
from facefleet.photo_store.uris import s3_uri

_MAX_S3_BYTES = 15 * 1024 * 1024
#: Faces of one image that are worked on, largest first.
MAX_FACES = 100


def look_at(call: Call, image: dict[str, Any], *, selfie: bool = False) -> RecognizedPhoto:
    """Find the faces of a request's image, ahead of photos that are being indexed; a selfie's the quicker way."""
    return call.recognizer.recognize(read_image(call, image), urgent=True, selfie=selfie)


def read_image(call: Call, image: dict[str, Any]) -> bytes:
    """Take an image out of a request, or out of S3.

    Raises:
        InvalidParameter: neither bytes nor an object, or both.
        RekognitionError: the object cannot be had.
    """
    if ("Bytes" in image) == ("S3Object" in image):
        raise InvalidParameter("An image is either Bytes or an S3Object.")
    if "Bytes" in image:
        return bytes(image["Bytes"])
    named = image["S3Object"]
    bucket, name = named.get("Bucket"), named.get("Name")
    if not bucket or not name:
        raise InvalidParameter("An S3Object has a Bucket and a Name.")
    allowed = {each.strip() for each in call.services.settings.rekognition_buckets.split(",")}
    if bucket not in allowed or "Version" in named:
        raise RekognitionError(
            "InvalidS3ObjectException",
            "Unable to get object metadata from S3. Check object key, region and/or access permissions. (This server "
            "reads the newest version of objects in the buckets that FACEFLEET_REKOGNITION_BUCKETS names.)",
        )
    return call.services.stores.read(s3_uri(bucket, name), "", _MAX_S3_BYTES)


def largest_first(photo: RecognizedPhoto) -> list[RecognizedFace]:
    """Sort the faces of an image by the area of their boxes and keep the first hundred."""
    by_size = sorted(photo.faces, key=area_of, reverse=True)
    return by_size[:MAX_FACES]


def area_of(face: RecognizedFace) -> float:
    """Area of a face's box, in pixels of the photo."""
    return face.detection.box.w * face.detection.box.h
