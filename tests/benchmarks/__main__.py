"""`make bench`: Facefleet beside a plain FaceAnalysis loop, in turn, on the same files and the same cores.

Whole processes are measured from outside: wall and CPU seconds from the operating system, so that start, model load,
listing, ledger and gallery are all in. The steady rates leave the start out on both sides.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
SHARED = CHECKOUT.parent / "shared"
CONTROL = Path(__file__).parent / "control" / "face_analysis_loop.py"


@dataclass(frozen=True)
class Run:
    """One whole process."""

    photos: int
    faces: int
    #: From the process's own clock, without its start.
    steady_s: float
    wall_s: float
    cpu_s: float
    peak_rss_mb: float


def run_process(command: list[str], cores: set[int], env: dict[str, str]) -> Run:
    """Run one side on the given cores and read what the kernel says it cost."""
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | env,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),  # noqa: PLW1509  nothing runs beside it yet
    )
    output = process.stdout.read() if process.stdout else b""
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"{command[0]} failed: {output.decode()}")
    result = json.loads(output)
    return Run(
        photos=result["photos"],
        faces=result["faces"],
        steady_s=result["seconds"],
        wall_s=time.monotonic() - started,
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_rss_mb=usage.ru_maxrss / 1024,
    )


def run_facefleet(pack: Path, album: Path, cores: set[int]) -> Run:
    """Index into a fresh data directory, embedded."""
    with tempfile.TemporaryDirectory() as data_dir:
        env = {
            "FACEFLEET_DATA_DIR": data_dir,
            "FACEFLEET_MODEL_PACK": str(pack),
            "FACEFLEET_CPU_THREADS": str(len(cores)),
            "FACEFLEET_SERVER": "",
        }
        command = [str(Path(sys.executable).parent / "facefleet"), "index", str(album), "--album", "bench", "--json"]
        return run_process(command, cores, env)


def run_control(pack: Path, album: Path, cores: set[int]) -> Run:
    """Run the plain loop."""
    return run_process([sys.executable, str(CONTROL), str(pack), str(album)], cores, {})


def prepare_album(directory: Path, photos: int) -> Path:
    """Make the album once: composed from labelled faces at 12 megapixels where they are, else drawn."""
    album = directory / f"album-{photos}"
    if not album.is_dir():
        if SHARED.is_dir():
            tool = [sys.executable, str(SHARED / "tools" / "make_album.py"), str(SHARED / "faces"), str(album)]
            subprocess.run([*tool, "--photos", str(photos)], check=True, stdout=subprocess.DEVNULL)
        else:
            from demo.album import draw_album  # noqa: PLC0415  drawing is only needed where nothing else is

            draw_album(album, photos=photos, people=25, seed=1)
    return album


def main() -> None:
    """Measure, print a table, and write the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--directory", type=Path, default=CHECKOUT / ".bench")
    parser.add_argument("--pack", type=Path)
    options = parser.parse_args()
    real_pack = SHARED / "models" / "scrfd500m-mbf128"
    pack = options.pack or (real_pack if real_pack.is_dir() else CHECKOUT / "demo" / "pack")
    album = prepare_album(options.directory, options.photos)
    cores = set(sorted(os.sched_getaffinity(0))[: options.cores])
    sides = {"facefleet": run_facefleet, "FaceAnalysis loop": run_control}
    runs: dict[str, list[Run]] = {name: [] for name in sides}
    for _ in range(options.rounds):
        for name, side in sides.items():
            runs[name].append(side(pack.resolve(), album, cores))
    report(runs)
    figures = {name: [asdict(run) for run in each] for name, each in runs.items()}
    (options.directory / "bench.json").write_text(json.dumps(figures, indent=2))


def report(runs: dict[str, list[Run]]) -> None:
    """Print medians, and the ratio pair by pair."""
    print(
        f"{'':20} {'photos':>7} {'faces':>7} {'photos/s':>9} {'per CPU-s':>10} {'wall s':>8} {'CPU s':>8} {'RSS MB':>7}"
    )
    for name, each in runs.items():
        rate = statistics.median(run.photos / run.steady_s for run in each)
        per_cpu = statistics.median(run.photos / run.cpu_s for run in each)
        wall, cpu = (statistics.median(values) for values in ([r.wall_s for r in each], [r.cpu_s for r in each]))
        rss = max(run.peak_rss_mb for run in each)
        counts = f"{name:20} {each[0].photos:7} {each[0].faces:7}"
        print(f"{counts} {rate:9.1f} {per_cpu:10.2f} {wall:8.1f} {cpu:8.1f} {rss:7.0f}")
    ours, theirs = runs.values()
    steady, cpu = (
        statistics.median(t.steady_s / o.steady_s for o, t in zip(ours, theirs, strict=True)),
        statistics.median(t.cpu_s / o.cpu_s for o, t in zip(ours, theirs, strict=True)),
    )
    print(f"ratio, median of pairs: {steady:.2f}x photos/s, {cpu:.2f}x photos per CPU-second (start included)")


if __name__ == "__main__":
    main()
