"""One message: who the faces of some photos are likely to be, out of the gallery and into the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

import structlog

from facefleet.errors import FacefleetError, TransientError
from facefleet.gallery.protocol import Gallery
from facefleet.ledger.engine import Ledger
from facefleet.metrics import Metrics
from facefleet.prediction.panels import Panels
from facefleet.prediction_records import NewFace, NewPrediction

_RETRY_S = 5.0

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class PhotoPredictor:
    """Predicts who is on photos. Holds no state of its own; two at once on the same photo write the same."""

    ledger: Ledger
    gallery: Gallery
    panels: Panels
    metrics: Metrics
    lease_s: float

    def predict(self, photo_ids: Sequence[UUID]) -> None:
        """Predict the photos of a message that nobody is at. Never raises: what fails here is tried again later."""
        try:
            if stamps := self.ledger.prediction_outbox.claim(photo_ids, self.lease_s):
                self._work_on(stamps)
        except FacefleetError as error:
            log.warning("photos not predicted; they are tried again", error=str(error), reason=error.reason)
        except Exception:
            # A defect of ours must not end the consumer; the claim runs out.
            log.exception("message failed", photos=len(photo_ids))

    def _work_on(self, stamps: dict[UUID, UUID]) -> None:
        try:
            with self.metrics.stage_duration_s.labels("predict").time():
                late = self._predict(stamps)
        except TransientError as error:
            log.warning("photos not predicted yet", error=str(error), reason=error.reason)
            self.ledger.prediction_outbox.release(stamps, _RETRY_S, burn_attempt=False)
        except Exception:
            log.exception("photos not predicted")
            self.ledger.prediction_outbox.release(stamps, _RETRY_S, burn_attempt=True)
        else:
            if late:
                log.info("templates are not in the gallery yet", photos=len(late))
                self.ledger.prediction_outbox.release(late, _RETRY_S, burn_attempt=True)

    def _predict(self, stamps: dict[UUID, UUID]) -> dict[UUID, UUID]:
        """Predict and settle photos; returns those whose faces the gallery does not all have (yet)."""
        said: list[NewPrediction] = []
        late: set[UUID] = set()
        faces = sorted(self.ledger.predictions.new_faces(stamps), key=_place_of)
        for (tenant, model_version, album_id), group in groupby(faces, key=_place_of):
            mine = list(group)
            templates = self.gallery.templates(model_version, album_id, [face.id for face in mine])
            late |= {face.photo_id for face in mine if face.id not in templates}
            said += self.panels.predict(tenant, model_version, templates)
        done = {photo_id: stamp for photo_id, stamp in stamps.items() if photo_id not in late}
        late_faces = {face.id for face in faces if face.photo_id in late}
        self.ledger.predictions.settle([each for each in said if each.face_id not in late_faces], done)
        return {photo_id: stamps[photo_id] for photo_id in late}


def _place_of(face: NewFace) -> tuple[str, str, UUID]:
    return face.tenant, face.model_version, face.album_id
