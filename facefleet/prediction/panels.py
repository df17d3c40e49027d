"""What was learnt about the named people of each tenant, in one place of a process."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from uuid import UUID

import numpy as np
import structlog
from threadpoolctl import threadpool_limits

from facefleet.face_records import Template
from facefleet.gallery.protocol import Gallery
from facefleet.ledger.engine import Ledger
from facefleet.prediction.labelled_faces import LabelledFaces
from facefleet.prediction.panel import Panel, fit_panel
from facefleet.prediction_records import NamedFace, NewPrediction
from facefleet.recognition.similarity import SimilarityCurve

#: Tenants, or model versions of one, whose panels are kept; who was asked about last stays.
_MOST_KEPT = 4
#: Templates in one question to the gallery.
_PAGE = 1000

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Learnt:
    """A panel and what it was made of."""

    #: `NamedFaces.state` of before it was made.
    state: tuple[object, ...]
    #: Nobody to learn: no panel.
    panel: Panel | None = None
    #: Who the panel's numbers are.
    people: tuple[UUID, ...] = ()
    templates: Mapping[UUID, Template] = field(default_factory=dict)


@dataclass(frozen=True)
class Panels:
    """Owns the panels of a process: one for each tenant and model version, made anew when people or their faces change.

    One thread at a time learns or asks, with one thread of linear algebra: several would wait for each other on a busy
    machine, and a latency would say how busy it was. Templates that were read stay, so that learning again reads only
    those of new faces.
    """

    ledger: Ledger
    gallery: Gallery
    #: What a cosine means, by model version.
    curve_of: Callable[[str], SimilarityCurve]
    #: Faces of named people of a tenant that are learnt at most.
    most_faces: int
    _kept: OrderedDict[tuple[str, str], _Learnt] = field(default_factory=OrderedDict)
    _turn: Lock = field(default_factory=Lock)

    def predict(self, tenant: str, model_version: str, templates: Mapping[UUID, Template]) -> list[NewPrediction]:
        """Ask every classifier about faces, one after the other; nothing is said where nobody has a name.

        Args:
            tenant: whose people are known.
            model_version: of the templates.
            templates: by face.

        Raises:
            TransientError: ledger or gallery is away, and there is something new to learn.
        """
        with self._turn, threadpool_limits(1, user_api="blas"):
            learnt = self._learn(tenant, model_version)
            if learnt.panel is None:
                return []
            return [
                NewPrediction(
                    face_id, guess.classifier, learnt.people[guess.person], guess.confidence, guess.latency_ms
                )
                for face_id, template in templates.items()
                for guess in learnt.panel.predict(template)
            ]

    def _learn(self, tenant: str, model_version: str) -> _Learnt:
        """Learn what changed since; the state is read first, so that what changes meanwhile is learnt next time."""
        key = (tenant, model_version)
        state = self.ledger.named_faces.state(tenant)
        known = self._kept.get(key)
        if known is None or known.state != state:
            chosen = self.ledger.named_faces.choose(tenant, model_version, self.most_faces)
            templates = self._read(model_version, chosen, known.templates if known else {})
            present = [each for each in chosen if each.face_id in templates]
            known = _fit(state, present, templates, self.curve_of(model_version))
            log.info("named people learnt", tenant=tenant, people=len(known.people), faces=len(known.templates))
        self._kept[key] = known
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return known

    def _read(
        self, model_version: str, chosen: Sequence[NamedFace], known: Mapping[UUID, Template]
    ) -> dict[UUID, Template]:
        """Read templates of chosen faces; those that the gallery does not have are left out."""
        templates = {each.face_id: known[each.face_id] for each in chosen if each.face_id in known}
        missing: dict[UUID, list[UUID]] = {}
        for each in chosen:
            if each.face_id not in templates:
                missing.setdefault(each.album_id, []).append(each.face_id)
        for album_id, face_ids in missing.items():
            for start in range(0, len(face_ids), _PAGE):
                templates |= self.gallery.templates(model_version, album_id, face_ids[start : start + _PAGE])
        return templates


def _fit(
    state: tuple[object, ...], faces: Sequence[NamedFace], templates: Mapping[UUID, Template], curve: SimilarityCurve
) -> _Learnt:
    """Let a panel learn faces that stand by person."""
    if not faces:
        return _Learnt(state)
    number_of: dict[UUID, int] = {}
    numbers = np.array([number_of.setdefault(each.person_id, len(number_of)) for each in faces], np.int64)
    rows = np.stack([templates[each.face_id] for each in faces])
    panel = fit_panel(LabelledFaces(rows, numbers), curve)
    # Rows of the one array that the panel holds anyhow.
    return _Learnt(state, panel, tuple(number_of), {each.face_id: row for each, row in zip(faces, rows, strict=True)})
