"""The control: what a user writes today, a plain loop over FaceAnalysis pinned to detection and recognition.

`python face_analysis_loop.py PACK` reads a folder a line from standard input and answers each with a line of JSON.
With a second argument it writes the faces of that folder to it instead: {photo: [[box, template], ...]}, and ends.
"""

import contextlib
import json
import sys
import time
from pathlib import Path

import cv2
from insightface.app import FaceAnalysis
from own_cores import keep_to_own_cores


def load(pack: Path) -> FaceAnalysis:
    with contextlib.redirect_stdout(sys.stderr):
        # FaceAnalysis looks under root/models/name.
        app = FaceAnalysis(
            name=str(pack),
            allowed_modules=["detection", "recognition"],
            providers=["CPUExecutionProvider"],
        )
        app.prepare(ctx_id=-1, det_size=(640, 640))
    return app


def run(app: FaceAnalysis, album: Path) -> dict[str, float]:
    wall_s, cpu_s = time.monotonic(), time.process_time()
    photos = faces = 0
    for path in sorted(album.glob("*.jpg")):
        faces += len(app.get(cv2.imread(str(path))))
        photos += 1
    return {
        "photos": photos,
        "faces": faces,
        "wall_s": time.monotonic() - wall_s,
        "cpu_s": time.process_time() - cpu_s,
    }


def write_faces(app: FaceAnalysis, album: Path) -> None:
    found = {
        path.name: [[face.bbox.tolist(), face.normed_embedding.tolist()] for face in app.get(cv2.imread(str(path)))]
        for path in sorted(album.glob("*.jpg"))
    }
    print(json.dumps(found))


def main() -> None:
    keep_to_own_cores()
    app = load(Path(sys.argv[1]))
    if len(sys.argv) > 2:
        write_faces(app, Path(sys.argv[2]))
        return
    for line in sys.stdin:
        print(json.dumps(run(app, Path(line.strip()))), flush=True)


if __name__ == "__main__":
    main()
