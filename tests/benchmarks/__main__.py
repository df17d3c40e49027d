"""`make bench`: Facefleet beside a loop over FaceAnalysis and a naive Celery worker, in turn, on the same two cores.

Every side is started once and given the same album round after round, so that drifts of the machine meet all of them;
then searches, start, memory, the stages alone and the faces themselves. The figures go to `.bench/bench.json` and, as
a table, to standard output.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks.albums import CHECKOUT, default_pack, prepare_album
from tests.benchmarks.measuring import machine
from tests.benchmarks.report import print_report
from tests.benchmarks.sections import Bench, compare_sides, count_ledger, count_stages, measure_searches, time_starts


def main() -> None:
    """Measure what was asked for, write the figures as JSON after each part, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=100, help="of 12 megapixels, for each side and round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--faces", type=int, default=100_000, help="in ten albums, of which one is searched")
    parser.add_argument("--directory", type=Path, default=CHECKOUT / ".bench", help="where albums and results are kept")
    parser.add_argument("--pack", type=Path, default=default_pack())
    sections: dict[str, Callable[[Bench], object]] = {
        "index": compare_sides,
        "stages": count_stages,
        "search": measure_searches,
        "start": time_starts,
        "ledger": count_ledger,
    }
    parser.add_argument("--only", nargs="+", choices=sections, default=list(sections))
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    bench = Bench(
        pack=options.pack.resolve(),
        album=prepare_album(options.directory, options.photos),
        # The last ones: the first serve interrupts. Callers of searches use the others.
        cores=set(cores[-options.cores :]),
        other_cores=set(cores[: -options.cores]) or set(cores),
        rounds=options.rounds,
        faces=options.faces,
    )
    os.sched_setaffinity(0, bench.other_cores)
    figures: dict[str, object] = {"when": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine()}
    figures["options"] = {name: str(value) for name, value in asdict(bench).items()}
    for name in options.only:
        began_s = time.monotonic()
        figures[name] = sections[name](bench)
        print(f"[{name}: {time.monotonic() - began_s:.0f} s]", flush=True)
        (options.directory / "bench.json").write_text(json.dumps(figures, indent=2))
    print_report(figures)


if __name__ == "__main__":
    main()
