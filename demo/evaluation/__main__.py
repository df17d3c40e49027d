"""Measure a model pack on drawn people never trained on; exit code 1 when a must is missed."""

import argparse
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from demo.evaluation.measure import DEVELOPMENT_SETS, TEST_SET, bars, evaluation_photos, measure_recognizer, table
from demo.evaluation.recognizer import Recognizer, facefleet_recognizer, insightface_recognizer
from demo.pack_facts import PACK_DIRECTORY, read_pack_facts

RECOGNIZERS = ("insightface", "facefleet")


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m demo.evaluation", description=__doc__)
    parser.add_argument("--pack", type=Path, default=PACK_DIRECTORY, help="directory of the model pack")
    parser.add_argument("--recognizer", choices=RECOGNIZERS, help="one of them alone; both when left out")
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument("--development", action="store_true", help="people that were looked at while developing")
    parser.add_argument("--threads", type=int, default=2, help="threads of ONNX Runtime")
    arguments = parser.parse_args()
    photos = list(evaluation_photos(arguments.photos, DEVELOPMENT_SETS[0] if arguments.development else TEST_SET))
    missed = []
    for name in [arguments.recognizer] if arguments.recognizer else RECOGNIZERS:
        with _open_recognizer(name, arguments.pack, arguments.threads) as recognize:
            measures = measure_recognizer(recognize, photos)
        print(f"Through {name}, {arguments.photos} photos\n\n{table(measures)}\n")
        missed += [f"{bar.name} ({name})" for bar in bars(measures) if not bar.met]
    if missed:
        print("missed:", "; ".join(missed))
    return 1 if missed else 0


def _open_recognizer(name: str, pack: Path, threads: int) -> AbstractContextManager[Recognizer]:
    if name == "facefleet":
        return facefleet_recognizer(pack, threads)
    return nullcontext(insightface_recognizer(pack, read_pack_facts(pack).detection_threshold, threads))


if __name__ == "__main__":
    sys.exit(main())
