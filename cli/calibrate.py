"""`calibrate`: measure on faces of known people what a cosine of the model pack means."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import JsonOption
from cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from facefleet.recognition.calibration import Calibration


def calibrate(
    faces: Annotated[
        Path, typer.Argument(help="Folder with one folder of photos for each person.", show_default=False)
    ],
    *,
    json: JsonOption = False,
) -> None:
    """Fit the pack's similarity: 80 is one false match in 1,000 pairs of strangers, 99 one in 100,000.

    Of each photo the largest face counts. The result lies beside the model files or, where these cannot be written, in
    the data directory; a running server reads it when it is started again.

    Example: [bold]facefleet calibrate ~/faces[/bold]
    """
    from cli.calibration_faces import recognize_people  # noqa: PLC0415  see cli.whereabouts
    from cli.composition import load_settings  # noqa: PLC0415  the same
    from facefleet.recognition import calibration  # noqa: PLC0415  the same
    from facefleet.recognition.starting import load_recognizer  # noqa: PLC0415  the same

    settings = load_settings()
    recognizer = load_recognizer(settings)
    try:
        people = recognize_people(recognizer, faces, settings.cpu_threads)
    finally:
        recognizer.close()
    measured = calibration.calibrate(recognizer.model_version, list(people.templates.values()))
    path = calibration.save_calibration(measured, recognizer.pack, settings.data_dir)
    if people.faceless:
        say(f"{people.faceless} files show no face, or are no photos, and were left out.")
    if json:
        print_json({**measured.model_dump(), "file": str(path)})
        return
    _print(measured)
    say(f"Written to {path}.")


def _print(measured: "Calibration") -> None:
    from facefleet.recognition.similarity import FAR_OF_PERCENT  # noqa: PLC0415  see cli.whereabouts

    rows = [
        [
            f"{percent:g}",
            f"{far:g}",
            f"{measured.cosines[percent]:.4f}",
            "" if far >= measured.measured_to_far else "yes",
        ]
        for percent, far in FAR_OF_PERCENT
    ]
    columns = ["#Similarity", "#False matches", "#Cosine", "Extrapolated"]
    print_table(f"{measured.people} people, {measured.faces:,} faces", columns, rows)
    say(
        f"Of {measured.same_pairs:,} pairs of one person {measured.found_at_80:.1%} reach 80 and "
        f"{measured.found_at_99:.1%} reach 99."
    )
