"""`evaluate`: how well named people are recognised on new faces, measured on faces of known people."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import JsonOption
from cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from facefleet.prediction.evaluation import Evaluation


def evaluate(
    faces: Annotated[
        Path, typer.Argument(help="Folder with one folder of photos for each person.", show_default=False)
    ],
    *,
    json: JsonOption = False,
) -> None:
    """Report precision, recall and milliseconds a face of each classifier of new faces.

    Of each photo the largest face counts. Four times over, three quarters of the faces of three quarters of the people
    are learnt, and the classifiers are asked about all others: each person is a stranger once. A name is given from
    FACEFLEET_PREDICTION_MIN_CONFIDENCE on.

    Example: [bold]facefleet evaluate ~/faces[/bold]
    """
    from dataclasses import asdict  # noqa: PLC0415  see cli.whereabouts

    from threadpoolctl import threadpool_limits  # noqa: PLC0415  the same

    from cli.calibration_faces import recognize_people  # noqa: PLC0415  the same
    from cli.composition import load_settings  # noqa: PLC0415  the same
    from facefleet.prediction import evaluation  # noqa: PLC0415  the same
    from facefleet.recognition.calibration import load_curve  # noqa: PLC0415  the same
    from facefleet.recognition.starting import load_recognizer  # noqa: PLC0415  the same

    settings = load_settings()
    recognizer = load_recognizer(settings)
    try:
        people = recognize_people(recognizer, faces, settings.cpu_threads)
        curve = load_curve(recognizer.pack, settings.data_dir)
    finally:
        recognizer.close()
    with threadpool_limits(1, user_api="blas"):
        found = evaluation.evaluate(list(people.templates.values()), curve, settings.prediction_min_confidence)
    if people.faceless:
        say(f"{people.faceless} files show no face, or are no photos, and were left out.")
    if json:
        print_json({"model_version": recognizer.model_version, **asdict(found)})
        return
    _print(found)


def _print(found: "Evaluation") -> None:
    rows = [
        [
            str(score.classifier),
            f"{score.precision:.4f}",
            f"{score.recall:.4f}",
            f"{score.strangers_named:,}",
            f"{score.calibration_error:.3f}",
            f"{score.ms_per_face:.3f}",
            f"{score.ms_per_face_p95:.3f}",
        ]
        for score in found.scores
    ]
    columns = ["Classifier", "#Precision", "#Recall", "#Strangers named", "#Calibration error", "#ms a face", "#p95"]
    print_table(f"{found.people} people, {found.faces:,} faces", columns, rows)
    say(
        f"Asked about {found.asked_known:,} faces of people who were known and {found.asked_strangers:,} of strangers; "
        f"names from a confidence of {found.min_confidence:g} on."
    )
