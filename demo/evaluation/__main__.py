"""Measure the demo pack through InsightFace and print the table; exit code 1 when a must is missed."""

import argparse
import sys
from pathlib import Path

from demo.evaluation.measure import DEVELOPMENT_SET, TEST_SET, bars, measure_recognizer, table
from demo.evaluation.recognizer import insightface_recognizer
from demo.pack_facts import PACK_DIRECTORY, read_pack_facts


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m demo.evaluation", description=__doc__)
    parser.add_argument("--pack", type=Path, default=PACK_DIRECTORY, help="directory of the model pack")
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument("--development", action="store_true", help="the people that were looked at while developing")
    parser.add_argument("--threads", type=int, default=2, help="threads of ONNX Runtime")
    arguments = parser.parse_args()
    threshold = read_pack_facts(arguments.pack).detection_threshold
    recognize = insightface_recognizer(arguments.pack, threshold, arguments.threads)
    people_set = DEVELOPMENT_SET if arguments.development else TEST_SET
    measures = measure_recognizer(recognize, photos=arguments.photos, people_set=people_set)
    print(f"detection threshold {threshold}, {arguments.photos} photos\n\n{table(measures)}")
    missed = [bar.name for bar in bars(measures) if not bar.met]
    if missed:
        print("missed:", "; ".join(missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
