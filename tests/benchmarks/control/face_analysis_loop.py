"""The control: what a user writes today, a plain loop over FaceAnalysis pinned to detection and recognition.

python face_analysis_loop.py PACK ALBUM prints {"photos", "faces", "seconds", "load_seconds"}.
"""

import contextlib
import json
import sys
import time
from pathlib import Path

import cv2
from insightface.app import FaceAnalysis


def main() -> None:
    pack, album = Path(sys.argv[1]), Path(sys.argv[2])
    started = time.monotonic()
    with contextlib.redirect_stdout(sys.stderr):
        # FaceAnalysis looks under root/models/name.
        app = FaceAnalysis(
            name=str(pack),
            allowed_modules=["detection", "recognition"],
            providers=["CPUExecutionProvider"],
        )
        app.prepare(ctx_id=-1, det_size=(640, 640))
    loaded = time.monotonic()
    photos = faces = 0
    for path in sorted(album.glob("*.jpg")):
        faces += len(app.get(cv2.imread(str(path))))
        photos += 1
    ended = time.monotonic()
    print(json.dumps({"photos": photos, "faces": faces, "seconds": ended - loaded, "load_seconds": loaded - started}))


if __name__ == "__main__":
    main()
