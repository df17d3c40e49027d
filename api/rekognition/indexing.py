"""IndexFaces: recognize an image now, and keep it with its faces as a photo of the album."""

import hashlib
from typing import Any
from uuid import uuid5

from api.receiving import safe_file_name
from api.rekognition.call import Call
from api.rekognition.images import MAX_FACES, area_of, read_image
from api.rekognition.quality_filter import reasons_against
from api.rekognition.views import show_box, show_confidence, show_detail
from facefleet.errors import AlbumNotFound, GalleryNotPrepared
from facefleet.face_records import RecognizedPhoto
from facefleet.ledger.images import IndexedImage
from facefleet.photo_store.contents import content_version
from facefleet.purging import upload_prefix
from facefleet.records import Album, GalleryPoint, PhotoRef, face_id_of


def index_faces(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Keep an image's faces. The same image under the same external id, sent again, is the same photo."""
    album = call.find_album(request["CollectionId"])
    data = read_image(call, request["Image"])
    recognized = call.recognizer.recognize(data, urgent=True)
    reasons = _judge(recognized, request)
    kept = [number for number, against in reasons.items() if not against]
    image = IndexedImage(
        album_id=album.id,
        ref=_place(call, album, data, request.get("ExternalImageId")),
        model_version=call.services.model_version,
        recognized=recognized,
        kept=frozenset(kept),
        external_id=request.get("ExternalImageId"),
    )
    if kept:
        _keep(call, album, image, data)
    return {
        "FaceRecords": [_show_record(call, image, number) for number in kept],
        "FaceModelVersion": call.face_model_version,
        "UnindexedFaces": [
            {"Reasons": against, "FaceDetail": show_detail(recognized.faces[number], recognized)}
            for number, against in reasons.items()
            if against
        ],
    }


def _judge(recognized: RecognizedPhoto, request: dict[str, Any]) -> dict[int, list[str]]:
    """Say of the hundred largest faces, largest first and by number, what keeps each from being indexed.

    Of more faces than `MaxFaces` the poorest are left out, and the smallest among equally poor ones.
    """
    considered = sorted(range(len(recognized.faces)), key=lambda number: -area_of(recognized.faces[number]))[:MAX_FACES]
    quality_filter = request.get("QualityFilter", "AUTO")
    reasons = {number: reasons_against(recognized.faces[number], quality_filter) for number in considered}
    passing = [number for number in considered if not reasons[number]]
    by_worth = sorted(passing, key=lambda number: -recognized.faces[number].quality.overall)
    for number in by_worth[request.get("MaxFaces", MAX_FACES) :]:
        reasons[number] = ["EXCEEDS_MAX_FACES"]
    return reasons


def _place(call: Call, album: Album, data: bytes, external_id: str | None) -> PhotoRef:
    """Name an image by its bytes and its external id."""
    version = content_version(data)
    folder = uuid5(album.id, "\0".join(("image", version, external_id or "")))
    name = external_id or f"image-{hashlib.sha256(data).hexdigest()[:12]}"
    uri = f"{upload_prefix(call.services.settings, album)}{folder}/{safe_file_name(name)}"
    return PhotoRef(uri, name, version, len(data))


def _keep(call: Call, album: Album, image: IndexedImage, data: bytes) -> None:
    """Write the image, its points, and last its row: what is cut off in between can be done again."""
    services = call.services
    services.stores.write(image.ref.uri, data)
    points = [
        GalleryPoint(
            face_id_of(image.photo_id, number), album.id, image.photo_id, image.recognized.faces[number].template
        )
        for number in image.kept
    ]
    try:
        services.gallery.upsert(image.model_version, points)
    except GalleryNotPrepared:  # it was wiped
        services.gallery.prepare(image.model_version, call.recognizer.dimensions)
        services.gallery.upsert(image.model_version, points)
    try:
        services.ledger.images.store(image)
    except AlbumNotFound:
        services.gallery.delete_photos(album.id, [image.photo_id])
        services.stores.delete_prefix(upload_prefix(services.settings, album))
        raise
    services.metrics.photos.labels("indexed", "").inc()
    services.metrics.faces.inc(len(points))


def _show_record(call: Call, image: IndexedImage, number: int) -> dict[str, Any]:
    recognized, face = image.recognized, image.recognized.faces[number]
    shown = {
        "FaceId": str(face_id_of(image.photo_id, number)),
        "BoundingBox": show_box(face.detection.box, recognized.width_px, recognized.height_px),
        "ImageId": str(image.photo_id),
        "ExternalImageId": image.external_id,
        "Confidence": show_confidence(face.detection.detection_score),
        "IndexFacesModelVersion": call.face_model_version,
    }
    return {"Face": shown, "FaceDetail": show_detail(face, recognized)}
