"""The recognizer on real models: hostile files, real photos, and InsightFace as the reference."""

import dataclasses
import io
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path
from unittest.mock import Mock

import cv2
import numpy as np
import pytest
from PIL import Image

from facefleet.errors import Overloaded, PermanentError, RecognizerUnavailable, RuntimeUnavailable
from facefleet.face_records import RecognizedFace, RecognizedPhoto
from facefleet.recognition.detection import usual_canvases
from facefleet.recognition.face_models import FaceModels
from facefleet.recognition.recognizer import Recognizer
from facefleet.recognition.starting import load_recognizer
from facefleet.settings import Settings

LoadPack = Callable[..., Recognizer]


@pytest.fixture(scope="module")
def load_pack() -> Iterator[LoadPack]:
    loaded: list[Recognizer] = []

    def load(pack: Path, **more: object) -> Recognizer:
        options = {"device": "cpu", "runtime": "onnxruntime", "cpu_threads": 2, **more}
        loaded.append(load_recognizer(Settings(model_pack=str(pack), **options)))
        return loaded[-1]

    yield load
    for recognizer in loaded:
        recognizer.close()


@pytest.fixture(scope="module")
def recognizer(load_pack: LoadPack, real_pack: Path) -> Recognizer:
    return load_pack(real_pack)


@pytest.fixture(scope="module")
def photos(recognizer: Recognizer, shared_dir: Path) -> dict[str, RecognizedPhoto]:
    return {path.name: recognizer.recognize(path.read_bytes()) for path in sorted((shared_dir / "photos").iterdir())}


def outcome_of(recognizer: Recognizer, path: Path) -> str | int:
    try:
        return recognizer.recognize(path.read_bytes()).width_px
    except PermanentError as error:
        return str(error)


@pytest.mark.shared
def test_every_bad_image_ends_as_a_photo_or_a_sentence(recognizer: Recognizer, shared_dir: Path) -> None:
    outcomes = {path.name: outcome_of(recognizer, path) for path in sorted((shared_dir / "bad-images").iterdir())}
    sentences = [outcome for outcome in outcomes.values() if isinstance(outcome, str)]
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in sentences)
    assert outcomes["truncated_image.png"] == "The PNG ends too early: part of the file is missing."
    assert outcomes["hopper_bad_exif.jpg"] == 500
    assert len(outcomes) >= 40
    assert recognizer.healthy


@pytest.mark.shared
def test_every_photo_with_people_has_faces(photos: dict[str, RecognizedPhoto]) -> None:
    faceless = {name for name, photo in photos.items() if not photo.faces}
    assert faceless == {"avif-1.avif", "heic-1.heic", "no-face-1.jpg", "webp-1.webp"}


@pytest.mark.shared
def test_boxes_and_landmarks_lie_in_the_upright_photo(photos: dict[str, RecognizedPhoto]) -> None:
    for photo in photos.values():
        scores = [face.detection.detection_score for face in photo.faces]
        assert scores == sorted(scores, reverse=True)
        for face in photo.faces:
            box = face.detection.box
            assert box.x >= 0
            assert box.y >= 0
            assert box.x + box.w <= photo.width_px + 1e-6
            assert box.y + box.h <= photo.height_px + 1e-6
            assert (face.detection.landmarks >= 0).all()
            assert np.linalg.norm(face.template) == pytest.approx(1, abs=1e-5)
            assert 0 <= face.quality.overall <= 1


@pytest.mark.shared
def test_an_exif_rotated_photo_gives_the_same_faces(photos: dict[str, RecognizedPhoto]) -> None:
    turned, upright = photos["portrait-exif-6.jpg"], photos["portrait-upright.jpg"]
    assert (turned.width_px, turned.height_px) == (upright.width_px, upright.height_px)
    for one, other in zip(turned.faces, upright.faces, strict=True):
        assert overlap(one, other) > 0.9
        assert one.template @ other.template > 0.95


@pytest.mark.shared
def test_the_same_person_is_more_similar_than_others(photos: dict[str, RecognizedPhoto]) -> None:
    alone = {
        name: max(photo.faces, key=lambda face: face.detection.box.w).template
        for name, photo in photos.items()
        if photo.faces and not name.startswith(("crowd", "portrait", "two")) and "+" not in name
    }
    pairs = [(a.split("-")[0] == b.split("-")[0], alone[a] @ alone[b]) for a, b in combinations(alone, 2)]
    assert min(similarity for same, similarity in pairs if same) > max(s for same, s in pairs if not same)


@pytest.mark.shared
def test_a_face_that_fills_the_photo_is_found(recognizer: Recognizer, shared_dir: Path) -> None:
    crops = [min(person.iterdir()) for person in sorted((shared_dir / "faces").iterdir())]
    found = [recognizer.recognize(crop.read_bytes(), urgent=True).faces for crop in crops]
    assert all(found)


@pytest.mark.shared
def test_a_selfie_is_found_in_a_small_input_and_a_crowd_is_not_taken_for_one(
    load_pack: LoadPack, real_pack: Path, shared_dir: Path
) -> None:
    recognizer = load_pack(real_pack)
    sound, seen_px = recognizer._models, []

    class Watched:
        def run(self, batch: np.ndarray) -> list[np.ndarray]:
            seen_px.append(max(batch.shape[2:]))
            return sound.detector.run(batch)

    recognizer._models = dataclasses.replace(sound, detector=Watched())

    def look(name: str, *, selfie: bool) -> RecognizedPhoto:
        seen_px.clear()
        return recognizer.recognize((shared_dir / "photos" / name).read_bytes(), selfie=selfie)

    [usual], [quick] = (look("obama-1.jpg", selfie=selfie).faces for selfie in (False, True))
    assert seen_px == [256]
    assert overlap(usual, quick) > 0.9
    assert usual.template @ quick.template > 0.9
    usual, quick = (look("crowd-1.jpg", selfie=selfie) for selfie in (False, True))
    assert seen_px == [256, 640]
    assert [face.detection.box for face in usual.faces] == [face.detection.box for face in quick.faces]


def overlap(one: RecognizedFace, other: RecognizedFace) -> float:
    a, b = one.detection.box, other.detection.box
    w = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
    h = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    shared = max(w, 0) * max(h, 0)
    return shared / (a.w * a.h + b.w * b.h - shared)


@dataclasses.dataclass(frozen=True)
class LabelledAlbum:
    directory: Path
    truth: dict[str, list[dict]]


@pytest.fixture(scope="module")
def album(shared_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> LabelledAlbum:
    directory = tmp_path_factory.mktemp("album")
    tool = [sys.executable, shared_dir / "tools" / "make_album.py", shared_dir / "faces", directory]
    subprocess.run([*tool, "--photos", "40", "--size", "2000x1500", "--seed", "7"], check=True)
    return LabelledAlbum(directory, json.loads((directory / "truth.json").read_text())["photos"])


def centre_of(face: RecognizedFace) -> np.ndarray:
    box = face.detection.box
    return np.array([box.x + box.w / 2, box.y + box.h / 2])


def count_hits(photo: RecognizedPhoto, labels: list[dict]) -> int:
    """Count labels with a face whose centre lies in the middle of the crop that was pasted there."""
    centres = [centre_of(face) for face in photo.faces]
    hits = 0
    for x, y, w, h in (label["box"] for label in labels):
        hits += any((np.abs(centre - (x + w / 2, y + h / 2)) < 0.3 * w).all() for centre in centres)
    return hits


def insightface_faces(pack: Path, files: list[Path]) -> dict[str, list]:
    from insightface.app import FaceAnalysis  # noqa: PLC0415  # seconds, only for this test

    app = FaceAnalysis(name=str(pack), allowed_modules=["detection", "recognition"], providers=["CPUExecutionProvider"])
    app.prepare(ctx_id=-1, det_size=(640, 640))
    return {path.name: app.get(cv2.imread(str(path))) for path in files}


@pytest.mark.shared
@pytest.mark.filterwarnings("ignore::FutureWarning")  # InsightFace's own use of scikit-image
@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_an_album_matches_its_labels_and_insightface(
    runtime: str, load_pack: LoadPack, real_pack: Path, album: LabelledAlbum
) -> None:
    files = sorted(album.directory.glob("*.jpg"))
    recognizer = load_pack(real_pack, runtime=runtime)
    with ThreadPoolExecutor(3) as threads:
        recognized = threads.map(lambda path: recognizer.recognize(path.read_bytes()), files)
        found = {path.name: photo for path, photo in zip(files, recognized, strict=True)}
    labels = sum(len(faces) for faces in album.truth.values())
    hits = sum(count_hits(found[name], faces) for name, faces in album.truth.items())
    assert hits >= 0.99 * labels
    assert hits >= 0.99 * sum(len(photo.faces) for photo in found.values())
    similarities = []
    for name, references in insightface_faces(real_pack, files).items():
        for reference in references:
            centre, size = (reference.bbox[:2] + reference.bbox[2:]) / 2, reference.bbox[2] - reference.bbox[0]
            near = [face for face in found[name].faces if np.abs(centre_of(face) - centre).max() < 0.3 * size]
            similarities.append(max((face.template @ reference.normed_embedding for face in near), default=-1.0))
    assert np.mean(np.array(similarities) >= 0.99) >= 0.99


@pytest.mark.shared
def test_threads_get_what_one_thread_gets(
    recognizer: Recognizer, photos: dict[str, RecognizedPhoto], shared_dir: Path
) -> None:
    names = ["kit+rose.jpg", "obama-1.jpg", "lennon-1.jpg", "two-people.jpg"] * 4
    with ThreadPoolExecutor(8) as threads:
        again = list(threads.map(lambda name: recognizer.recognize((shared_dir / "photos" / name).read_bytes()), names))
    for name, photo in zip(names, again, strict=True):
        for one, other in zip(photo.faces, photos[name].faces, strict=True):
            assert one.detection.box == other.detection.box
            assert one.template @ other.template > 0.9999


@pytest.mark.shared
def test_limits_on_faces(load_pack: LoadPack, real_pack: Path, shared_dir: Path) -> None:
    crowd = (shared_dir / "photos" / "crowd-1.jpg").read_bytes()
    assert len(load_pack(real_pack, max_faces_per_photo=2).recognize(crowd).faces) == 2
    assert load_pack(real_pack, min_face_px=5000).recognize(crowd).faces == ()


@pytest.mark.shared
def test_where_only_large_faces_are_kept_a_large_photo_is_decoded_at_half_its_size(
    recognizer: Recognizer, load_pack: LoadPack, real_pack: Path, shared_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Image.open(shared_dir / "photos" / "two-people.jpg") as small:
        enlarged = io.BytesIO()
        small.resize((4000, 4000 * small.height // small.width)).save(enlarged, "JPEG", quality=90)
    of_all = recognizer.recognize(enlarged.getvalue())
    choosy = load_pack(real_pack, min_face_px=180)
    decoder = Mock(wraps=choosy.decoder)
    monkeypatch.setattr(choosy, "decoder", decoder)
    of_large = choosy.recognize(enlarged.getvalue())
    assert [call.kwargs["min_side_px"] for call in decoder.decode.call_args_list] == [2000]
    assert (of_large.width_px, of_large.height_px) == (of_all.width_px, of_all.height_px)
    large = [face for face in of_all.faces if min(face.detection.box.w, face.detection.box.h) >= 180]
    assert len(of_large.faces) == len(large) > 0
    for one, other in zip(of_large.faces, large, strict=True):
        assert one.detection.box.x == pytest.approx(other.detection.box.x, abs=20)
        assert one.template @ other.template > 0.9


@pytest.mark.shared
@pytest.mark.parametrize("nonsense", [np.nan, 0.0])
def test_nonsense_takes_the_recognizer_out_of_service(
    load_pack: LoadPack, real_pack: Path, shared_dir: Path, nonsense: float
) -> None:
    recognizer = load_pack(real_pack)
    sound = recognizer._models

    class Broken:
        def run(self, batch: np.ndarray) -> list[np.ndarray]:
            return [np.full((len(batch), 128), nonsense, np.float32)]

    recognizer._models = FaceModels(sound.detector, Broken(), sound.detects_batches, 128)
    photo = (shared_dir / "photos" / "obama-1.jpg").read_bytes()
    with pytest.raises(RecognizerUnavailable, match="embedder"):
        recognizer.recognize(photo)
    recognizer._models = sound
    assert not recognizer.healthy
    with pytest.raises(RecognizerUnavailable, match="embedder"):
        recognizer.recognize(photo)


@pytest.mark.shared
def test_a_stuck_embedder_takes_the_recognizer_out_of_service(
    load_pack: LoadPack, real_pack: Path, shared_dir: Path
) -> None:
    recognizer = load_pack(real_pack)
    sound = recognizer._models

    class Stuck:
        def run(self, batch: np.ndarray) -> list[np.ndarray]:
            return [np.ones((len(batch), 128), np.float32)]

    recognizer._models = FaceModels(sound.detector, Stuck(), sound.detects_batches, 128)
    with pytest.raises(RecognizerUnavailable, match="same template"):
        recognizer.recognize((shared_dir / "photos" / "crowd-1.jpg").read_bytes())
    assert not recognizer.healthy


@pytest.mark.shared
def test_a_gpu_that_is_not_there_stops_the_process(load_pack: LoadPack, real_pack: Path) -> None:
    with pytest.raises(RuntimeUnavailable, match="FACEFLEET_DEVICE is cuda"):
        load_pack(real_pack, device="cuda", runtime="auto")


def test_the_demo_pack_loads_and_looks_at_a_photo(load_pack: LoadPack, demo_pack: Path) -> None:
    recognizer = load_pack(demo_pack)
    by_name = load_pack(Path("demo"))
    assert by_name.model_version == recognizer.model_version
    assert by_name.pack.drawn_people
    grey = cv2.imencode(".png", np.full((300, 400, 3), 128, np.uint8))[1].tobytes()
    photo = recognizer.recognize(grey)
    assert (photo.width_px, photo.height_px) == (400, 300)
    assert recognizer.dimensions > 0


def test_usual_shapes_are_compiled_ahead(load_pack: LoadPack, demo_pack: Path) -> None:
    recognizer = load_pack(demo_pack, runtime="openvino", detection_size_px=128)
    recognizer.warm_up()
    compiled = recognizer._models.detector._compiled
    assert {(1, *canvas, 3) for canvas in usual_canvases(128)} <= set(compiled)
    recognizer.close()
    recognizer.warm_up()


def test_a_search_is_refused_when_too_many_wait_and_bulk_is_not(load_pack: LoadPack, demo_pack: Path) -> None:
    recognizer = load_pack(demo_pack, cpu_threads=1, batch_queue_size=1)
    sound, opened, entered = recognizer._models, threading.Event(), threading.Event()

    class Slow:
        def run(self, batch: np.ndarray) -> list[np.ndarray]:
            entered.set()
            assert opened.wait(10)
            return sound.detector.run(batch)

    recognizer._models = FaceModels(Slow(), sound.embedder, sound.detects_batches, sound.dimensions)
    grey = cv2.imencode(".png", np.full((300, 400, 3), 128, np.uint8))[1].tobytes()
    with ThreadPoolExecutor(3) as threads:
        busy = threads.submit(recognizer.recognize, grey)
        assert entered.wait(10)
        recognizer._batcher.submit(("detect", "fills the queue"), np.zeros((32, 32, 3), np.uint8), urgent=True)
        with pytest.raises(Overloaded):
            recognizer.recognize(grey, urgent=True)
        opened.set()
        assert busy.result(10).faces == ()
