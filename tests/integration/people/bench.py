"""An album whose photos show whom the test says, indexed without a model: templates are drawn near a person's own."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import numpy as np

from facefleet.face_records import Box, Detection, Quality, RecognizedFace, RecognizedPhoto, Template
from facefleet.gallery.protocol import Gallery
from facefleet.ledger.engine import Ledger
from facefleet.ledger.people import Scope
from facefleet.people.clustering import ClusterSettings
from facefleet.people.grouping import AlbumGrouper
from facefleet.people_records import Person
from facefleet.recognition.pack_files import USUAL_SIMILARITY_THRESHOLD
from facefleet.recognition.similarity import usual_curve
from facefleet.records import Album, FinishedPhoto, GalleryPoint, PhotoRef, face_id_of, photo_id_of

DIMENSIONS = 64
LEASE_S = 60.0


def drawn_template(person: str, photo: str, model_version: str) -> Template:
    """A direction near the person's own; another model looks from elsewhere."""
    own = np.random.default_rng(zlib.crc32(f"{model_version} {person}".encode())).standard_normal(DIMENSIONS)
    noise = np.random.default_rng(zlib.crc32(f"{model_version} {person} {photo}".encode())).standard_normal(DIMENSIONS)
    drawn = (own + 0.3 * noise).astype(np.float32)
    return drawn / np.float32(np.linalg.norm(drawn))


@dataclass
class PeopleBench:
    """An album of a tenant, and what shows and groups it."""

    ledger: Ledger
    gallery: Gallery
    album: Album
    model_version: str = "aaaa000000000001"
    #: Who is on each photo, from left to right.
    shown: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: When each photo says that it was taken.
    taken: dict[str, datetime] = field(default_factory=dict)

    @property
    def tenant(self) -> str:
        return self.album.tenant

    @property
    def grouper(self) -> AlbumGrouper:
        settings = ClusterSettings(usual_curve(USUAL_SIMILARITY_THRESHOLD))
        return AlbumGrouper(self.ledger, self.gallery, lambda _: settings, LEASE_S)

    def index(self, photos: Mapping[str, Sequence[str]]) -> None:
        """Index photos, or index them anew; who stands where depends on the photo alone."""
        self.shown |= {name: tuple(people) for name, people in photos.items()}
        self.gallery.prepare(self.model_version, DIMENSIONS)
        refs = [PhotoRef(f"file:///{self.album.id}/{name}", name, "v1", 1000) for name in photos]
        ids = [photo_id_of(self.album.id, ref.uri, ref.version, self.model_version) for ref in refs]
        job = self.ledger.jobs.create(self.album.id, "file:///photos")
        self.ledger.jobs.add_photos(job.id, self.model_version, refs)
        self.ledger.repairs.reindex(ids)
        self.ledger.jobs.finish_listing(job.id)
        leased = self.ledger.leases.claim(ids, LEASE_S)
        finished = [FinishedPhoto(each, self._recognize(each.name)) for each in leased]
        points = [
            GalleryPoint(face_id_of(each.leased.id, number), self.album.id, each.leased.id, face.template)
            for each in finished
            for number, face in enumerate(each.recognized.faces)
        ]
        self.gallery.upsert(self.model_version, points)
        assert self.ledger.leases.finish(finished) == set(ids)

    def group(self) -> bool:
        """Let new photos join."""
        return self.grouper.group(self.album.id)

    def group_anew(self) -> None:
        self.ledger.clusterings.want(self.album.id)
        assert self.group()

    def people(self) -> list[Person]:
        return self.ledger.people.page(Scope(self.tenant, self.album.id, with_hidden=True), 1000, None)

    def face(self, photo: str, place: int = 0) -> UUID:
        """The face at a place of a photo, whatever its id is now."""
        faces = sorted(self._faces_of(photo), key=lambda each: each[0])
        return faces[place][1]

    def members(self, person_id: UUID) -> set[tuple[str, int]]:
        """Photo and place of every face of a person."""
        return {place for place, owner in self.owners().items() if owner == person_id}

    def owners(self) -> dict[tuple[str, int], UUID]:
        """Whose each face is; those of nobody are left out."""
        scope = Scope(self.tenant, self.album.id, with_hidden=True)
        found = self.ledger.appearances.faces(scope, None, 1000, None)
        return {(each.face.photo_name, round(each.face.box.x) // 50): each.person_id for each in found}

    def _faces_of(self, photo: str) -> list[tuple[float, UUID]]:
        faces = self.ledger.faces.list(self.album.id, 1000, None)
        return [(each.box.x, each.id) for each in faces if each.photo_name == photo]

    def _recognize(self, name: str) -> RecognizedPhoto:
        faces = [
            RecognizedFace(
                Detection(Box(50.0 * place, 20, 40, 50), np.zeros((5, 2), np.float32), 0.9),
                drawn_template(person, name, self.model_version),
                Quality(0.9, 40, 200, 120, 0, 0, 0),
            )
            for place, person in enumerate(self.shown[name])
        ]
        # Another model, or other settings of it, finds the same faces in another order.
        order = np.random.default_rng(zlib.crc32(self.model_version.encode())).permutation(len(faces))
        return RecognizedPhoto(1000, 200, tuple(faces[place] for place in order), self.taken.get(name))
