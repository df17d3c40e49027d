"""A watch on what comes out of the models: nonsense takes the recognizer out of service, not the photos."""

import threading

import cv2

from facefleet.errors import RecognizerUnavailable
from facefleet.face_records import AlignedFace, Template

#: Different faces in a row that may share a template before the model counts as stuck.
_MAX_EQUAL_TEMPLATES = 4
_EQUAL_SIMILARITY = 0.99999
#: Mean difference in grey levels from which on two aligned faces are surely not the same picture.
_DIFFERENT_LEVELS = 8.0


class OutputWatch:
    """Remembers the last template and why the recognizer is out of service, if it is.

    All state belongs to `_lock`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failure: str | None = None
        self._last: tuple[AlignedFace, Template] | None = None
        self._equal_in_a_row = 0

    @property
    def failure(self) -> str | None:
        """Why the recognizer is out of service; None while it is sound."""
        with self._lock:
            return self._failure

    def report_failure(self, reason: str) -> None:
        """Take the recognizer out of service for good; the first reason stays."""
        with self._lock:
            self._failure = self._failure or reason

    def check_template(self, aligned: AlignedFace, template: Template) -> None:
        """Look at one face and what the embedder made of it.

        Raises:
            RecognizerUnavailable: several different faces in a row had the same template.
        """
        with self._lock:
            if self._last is None or float(self._last[1] @ template) <= _EQUAL_SIMILARITY:
                self._equal_in_a_row = 0
            elif cv2.norm(aligned, self._last[0], cv2.NORM_L1) > _DIFFERENT_LEVELS * aligned.size:
                self._equal_in_a_row += 1
            self._last = (aligned, template)
            stuck = self._equal_in_a_row >= _MAX_EQUAL_TEMPLATES
        if stuck:
            raise RecognizerUnavailable("The embedder answers the same template for different faces.")
