"""Faces on the wire.

Boxes are `[x, y, width, height]` in pixels of the upright photo; `box_fraction` is the same over its width and height.
"""

from typing import Self, TypeAlias
from uuid import UUID

from pydantic import BaseModel, Field

from facefleet.face_records import Box, Landmarks, Quality, RecognizedFace, RecognizedPhoto
from facefleet.recognition.similarity import SimilarityCurve
from facefleet.records import Candidate, Face, ProbeResult

Rectangle: TypeAlias = tuple[float, float, float, float]
Points: TypeAlias = list[tuple[float, float]]


class QualityView(BaseModel):
    """How usable a face is."""

    overall: float = Field(description="0-1.")
    size_px: float = Field(description="Shorter side of the box.")
    sharpness: float
    brightness: float = Field(description="0-255.")
    yaw_deg: float
    pitch_deg: float
    roll_deg: float

    @classmethod
    def of(cls, quality: Quality) -> Self:
        """Show a face's quality."""
        return cls(
            overall=round(quality.overall, 4),
            size_px=round(quality.size_px, 2),
            sharpness=round(quality.sharpness, 2),
            brightness=round(quality.brightness, 2),
            yaw_deg=round(quality.yaw_deg, 2),
            pitch_deg=round(quality.pitch_deg, 2),
            roll_deg=round(quality.roll_deg, 2),
        )


class ProbeFaceView(BaseModel):
    """A face of the image that was sent."""

    box: Rectangle
    box_fraction: Rectangle
    landmarks: Points = Field(description="Left eye, right eye, nose, left and right mouth corner, in pixels.")
    detection_score: float
    quality: QualityView

    @classmethod
    def of(cls, face: RecognizedFace, image: RecognizedPhoto) -> Self:
        """Show a face of a recognized image."""
        detection = face.detection
        return cls(
            box=rectangle(detection.box),
            box_fraction=fraction(detection.box, image.width_px, image.height_px),
            landmarks=_points(detection.landmarks),
            detection_score=round(detection.detection_score, 4),
            quality=QualityView.of(face.quality),
        )


class DetectedView(BaseModel):
    """The faces of an image."""

    width: int
    height: int
    faces: list[ProbeFaceView]


class CandidateView(BaseModel):
    """A face of the album that looks like the probe's."""

    photo: str
    photo_id: UUID
    face_id: UUID
    similarity: float = Field(description="Cosine similarity, -1 to 1.")
    similarity_percent: float = Field(
        description="The same, 0-100 by the model pack's calibration: 80 is one false match in 1,000."
    )
    link: str | None = Field(default=None, description="A link to the photo that expires; with `links=true`.")
    thumbnail: str | None = Field(default=None, description="A link to a small picture of the photo, likewise.")
    crop: str | None = Field(default=None, description="A link to a small picture of the face, likewise.")
    width: int = Field(description="Of the photo, in pixels.")
    height: int
    box: Rectangle
    box_fraction: Rectangle

    @classmethod
    def of(cls, candidate: Candidate, curve: SimilarityCurve) -> Self:
        """Show a candidate, and what its similarity means."""
        face = candidate.face
        return cls(
            photo=face.photo_name,
            photo_id=face.photo_id,
            face_id=face.id,
            similarity=round(candidate.similarity, 6),
            similarity_percent=round(curve.percent(candidate.similarity), 2),
            width=face.photo_width_px,
            height=face.photo_height_px,
            box=rectangle(face.box),
            box_fraction=fraction(face.box, face.photo_width_px, face.photo_height_px),
        )


class ProbeResultView(BaseModel):
    """One face of the probe with its own candidates, best first."""

    probe_face: ProbeFaceView
    candidates: list[CandidateView]

    @classmethod
    def of(cls, result: ProbeResult, image: RecognizedPhoto, curve: SimilarityCurve) -> Self:
        """Show what was found for one face."""
        candidates = [CandidateView.of(candidate, curve) for candidate in result.candidates]
        return cls(probe_face=ProbeFaceView.of(result.probe_face, image), candidates=candidates)


class SearchView(BaseModel):
    """Every face of the probe; none when there is no face in it."""

    width: int
    height: int
    faces: list[ProbeResultView]
    notice: str | None = Field(description="Why nothing was found, when it is not that nobody looks like that.")


class FaceView(BaseModel):
    """A face of an indexed photo."""

    photo: str
    photo_id: UUID
    face_id: UUID
    box: Rectangle
    box_fraction: Rectangle
    landmarks: Points
    detection_score: float
    quality: QualityView
    crop: str | None = Field(default=None, description="A link to a small picture of it that expires.")

    @classmethod
    def of(cls, face: Face) -> Self:
        """Show a face's row."""
        return cls(
            photo=face.photo_name,
            photo_id=face.photo_id,
            face_id=face.id,
            box=rectangle(face.box),
            box_fraction=fraction(face.box, face.photo_width_px, face.photo_height_px),
            landmarks=_points(face.landmarks),
            detection_score=round(face.detection_score, 4),
            quality=QualityView.of(face.quality),
        )


class SimilarFaces(BaseModel):
    """A face of an album and those of the same album that look like it, best first."""

    face: FaceView
    candidates: list[CandidateView]


class FaceList(BaseModel):
    """A page of faces."""

    faces: list[FaceView]
    next: UUID | None = Field(description="`after` of the next page; null on the last.")


def rectangle(box: Box) -> Rectangle:
    """Show a box, to hundredths of a pixel."""
    return round(box.x, 2), round(box.y, 2), round(box.w, 2), round(box.h, 2)


def fraction(box: Box, width_px: int, height_px: int) -> Rectangle:
    """Show a box over the size of its photo."""
    return (
        round(box.x / width_px, 6),
        round(box.y / height_px, 6),
        round(box.w / width_px, 6),
        round(box.h / height_px, 6),
    )


def _points(landmarks: Landmarks) -> Points:
    return [(round(float(x), 2), round(float(y), 2)) for x, y in landmarks]
