"""The control: FaceAnalysis in a Celery worker as tutorials write it. Prefork, default settings, a photo a task.

It writes to no vector store, which is to its advantage.
"""

import contextlib
import os
import sys

import cv2
from celery import Celery
from celery.signals import worker_process_init
from insightface.app import FaceAnalysis
from own_cores import keep_to_own_cores

app = Celery("naive", broker=os.environ["NAIVE_REDIS"], backend=os.environ["NAIVE_REDIS"])
analysis = None


@worker_process_init.connect
def load(**_: object) -> None:
    global analysis  # noqa: PLW0603  as tutorials write it
    keep_to_own_cores()
    with contextlib.redirect_stdout(sys.stderr):
        analysis = FaceAnalysis(
            name=os.environ["NAIVE_PACK"],
            allowed_modules=["detection", "recognition"],
            providers=["CPUExecutionProvider"],
        )
        analysis.prepare(ctx_id=-1, det_size=(640, 640))
    print("model loaded", file=sys.stderr, flush=True)


@app.task(name="count_faces")
def count_faces(path: str) -> int:
    return len(analysis.get(cv2.imread(path)))
