"""Train the demo pack from nothing: draw, train, export, choose the threshold, measure, write the card."""

import argparse
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from demo.evaluation.detection_measures import match_faces
from demo.evaluation.measure import DEVELOPMENT_SETS, TEST_SET, evaluation_photos, measure_recognizer, table
from demo.evaluation.recognizer import facefleet_recognizer, insightface_recognizer
from demo.pack_facts import PACK_DIRECTORY, PACK_FILE, PackFacts
from demo.training.detector_data import draw_examples, total_faces
from demo.training.detector_training import DetectorPlan, train_detector
from demo.training.embedder_data import FacePlan, draw_faces
from demo.training.embedder_training import EmbedderPlan, EmbedderSchool, train_embedder
from demo.training.export import export_detector, export_embedder
from demo.training.landmark_errors import measure_landmark_errors
from demo.training.model_card import CARD_FILE, DetectorRecord, EmbedderRecord, TrainingRecord, model_card
from demo.training.straightener_training import StraightenerPlan, train_straightener
from demo.training.threshold import CANDIDATES, choose_detection_threshold, choose_similarity_threshold

DESCRIPTION = (
    "Detector and embedder trained on drawn people: for trying Facefleet and for its tests, not for photographs."
)


@dataclass(frozen=True)
class Workshop:
    """Where and with how much of the machine the training runs."""

    out: Path
    #: Keeps the weights of the last run.
    checkpoints: Path
    processes: int
    #: Shares every training's length; below 1 for a quick trial.
    scale: float


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m demo.training", description=__doc__)
    parser.add_argument("--out", type=Path, default=PACK_DIRECTORY)
    parser.add_argument("--checkpoints", type=Path, default=Path("build/demo-pack"))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="processes and threads to use")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full training's length")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.processes)
    workshop = Workshop(arguments.out, arguments.checkpoints, arguments.processes, arguments.scale)
    workshop.checkpoints.mkdir(parents=True, exist_ok=True)
    record = TrainingRecord(_make_detector(workshop), _make_embedder(workshop))
    describe_pack(workshop.out, record, workshop.processes, photos=max(20, round(200 * workshop.scale)))


def _make_detector(workshop: Workshop) -> DetectorRecord:
    plan = DetectorPlan()
    plan = replace(plan, photos=round(plan.photos * workshop.scale), steps=round(plan.steps * workshop.scale))
    examples = draw_examples(plan.photos, plan.seed, workshop.processes)
    network, steps = train_detector(examples, plan, workshop.checkpoints / "detector.pt")
    export_detector(network, workshop.out)
    return DetectorRecord(plan, total_faces(examples), steps)


def _make_embedder(workshop: Workshop) -> EmbedderRecord:
    drawing, plan, upright = FacePlan(), EmbedderPlan(), StraightenerPlan()
    drawing = replace(drawing, people=max(2, round(drawing.people * workshop.scale)))
    plan = replace(plan, steps=round(plan.steps * workshop.scale))
    upright = replace(upright, steps=round(upright.steps * workshop.scale))
    # It is to cope with the errors of the detector it will work with.
    errors = measure_landmark_errors(workshop.out, workshop.processes)
    faces = draw_faces(drawing, workshop.processes)
    checkpoints = workshop.checkpoints
    straightener, straightener_steps = train_straightener(faces, errors, upright, checkpoints / "straightener.pt")
    school = EmbedderSchool(faces, errors, straightener)
    embedder, steps = train_embedder(school, plan, checkpoints / "embedder.pt")
    export_embedder(straightener, embedder, workshop.out)
    return EmbedderRecord(drawing, plan, straightener_steps, steps)


def describe_pack(out: Path, record: TrainingRecord, threads: int, photos: int = 200) -> None:
    """Choose the thresholds on the development people, measure on the test people, write card and facts."""
    hesitant = insightface_recognizer(out, CANDIDATES[0], threads)
    development = (photo for people_set in DEVELOPMENT_SETS for photo in evaluation_photos(photos, people_set))
    results = [match_faces(truth, hesitant(image)) for image, truth in development]
    threshold, similarity = choose_detection_threshold(results), choose_similarity_threshold(results)
    facts = PackFacts(threshold, licence="Apache-2.0", drawn_people=True, similarity_threshold=similarity)
    (out / PACK_FILE).write_text(json.dumps(asdict(facts), indent=1) + "\n", encoding="utf-8")
    test = list(evaluation_photos(photos, TEST_SET))
    with facefleet_recognizer(out, threads) as recognize:
        ours = table(measure_recognizer(recognize, test))
    reference = table(measure_recognizer(insightface_recognizer(out, threshold, threads), test))
    figures = f"Through InsightFace:\n\n{reference}\n\nThrough Facefleet:\n\n{ours}"
    (out / CARD_FILE).write_text(model_card(record, facts, figures), encoding="utf-8")
    print(figures)


if __name__ == "__main__":
    main()
