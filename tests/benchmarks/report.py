"""`make bench` for people: each bar of the project with what was measured."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from tests.benchmarks.sections import OURS

Figures = dict[str, Any]


@dataclass(frozen=True)
class Line:
    """One bar."""

    name: str
    measured: str
    must: str
    holds: bool


def print_report(figures: Figures) -> None:
    """Print what there is."""
    parts = {"index": _index_lines, "search": _search_lines, "start": _start_lines, "ledger": _ledger_lines}
    lines = [line for name, part in parts.items() if name in figures for line in part(figures)]
    print(f"\n{figures['when']}  {figures['machine']}")
    for line in lines:
        print(f"{'ok  ' if line.holds else 'MISS'} {line.name:72} {line.measured:>34}   must {line.must}")
    if stages := figures.get("stages"):
        whole_ms = sum(stages.values())
        profile = ", ".join(f"{stage} {ms:.1f}" for stage, ms in stages.items())
        print(f"\nCPU-ms of a photo, stages alone: {profile}; together {whole_ms:.1f}")


def _index_lines(figures: Figures) -> Iterator[Line]:
    index = figures["index"]
    for side, min_face_px in OURS.items():
        title = f"of faces of {min_face_px} px and more: " if min_face_px else ""
        for line in _side_lines(index[side], figures.get("stages", {}) if not min_face_px else {}):
            yield replace(line, name=title + line.name)
    counts = {side: {each["faces"] for each in index[side]["rounds"]} for side in ("facefleet", "loop", "celery")}
    accuracy = index["facefleet"]["accuracy"]
    same = counts["facefleet"] == {accuracy["faces"]} and abs(accuracy["faces"] / accuracy["loop_faces"] - 1) < 0.01
    yield Line("faces of every round, all sides", str(sorted(set().union(*counts.values()))), "within 1%", same)


def _side_lines(ours: Figures, stages: dict[str, float]) -> Iterator[Line]:
    for name, title, bars in (
        ("loop", "FaceAnalysis loop", {"cpu": 3.0, "wall": 3.5}),
        ("celery", "naive prefork Celery", {"wall": 4.0}),
    ):
        for kind, bar in bars.items():
            ratio = ours[f"{name}_{kind}_ratio"]
            unit = {"cpu": "photos per CPU-second", "wall": "photos/s"}[kind]
            yield Line(f"{unit} beside the {title}", f"{_spread(ratio)}x", f">= {bar}x", ratio["median"] >= bar)
    long = ours["long"]
    rate, cpu_ms = long["photos"] / long["wall_s"], 1000 * long["cpu_s"] / long["photos"]
    yield Line(
        "10,000 photos at the rate of a long run",
        f"{10_000 / rate:.0f} s ({rate:.1f}/s, {cpu_ms:.0f} CPU-ms)",
        "< 600 s",
        10_000 / rate < 600,
    )
    if stages:
        share = sum(stages.values()) / cpu_ms
        yield Line("share of its own stages' limit (CPU)", f"{share:.2f}", ">= 0.85", share >= 0.85)
    memory_mb = ours["memory_mb"]
    yield Line("memory of the process and its children", f"{memory_mb:.0f} MB", "< 1000 MB", memory_mb < 1000)
    accuracy = ours["accuracy"]
    found = f"{accuracy['recall']:.3f} / {accuracy['precision']:.3f}"
    theirs = min(accuracy["loop_recall"], 0.99), min(accuracy["loop_precision"], 0.99)
    as_good = accuracy["recall"] >= theirs[0] and accuracy["precision"] >= theirs[1]
    loop = f"loop's {accuracy['loop_recall']:.3f} / {accuracy['loop_precision']:.3f}"
    yield Line("recall / precision", found, loop, as_good)
    share = accuracy["equal_templates"]
    yield Line("templates with a cosine >= 0.99 to FaceAnalysis", f"{share:.3f}", ">= 0.99", share >= 0.99)


def _search_lines(figures: Figures) -> Iterator[Line]:
    search = figures["search"]
    fifty, crowd, idle, beside = (search[name] for name in ("fifty", "two_hundred", "idle", "beside_indexing"))
    measured = f"p95 {fifty['p95_ms']:.0f} ms, {fifty['per_s']}/s, {fifty['cpu_ms']:.0f} CPU-ms"
    yield Line("50 callers at once", measured, "p95 < 800 ms", fifty["p95_ms"] < 800 and not fifty["refused"])
    only_told = all(status == "503 + Retry-After" for status in crowd["refused"])
    measured = f"p95 {crowd['p95_ms']:.0f} ms, {crowd['per_s']}/s, {sum(crowd['refused'].values())} refused"
    yield Line(
        "200 at once: admitted; refused only with Retry-After",
        measured,
        "p95 < 2500 ms",
        only_told and crowd["p95_ms"] < 2500,
    )
    ratio = beside["p99_ms"] / idle["p99_ms"]
    measured = (
        f"{idle['p99_ms']:.0f} -> {beside['p99_ms']:.0f} ms ({ratio:.1f}x), {beside['photos_per_s']:.1f} photos/s"
    )
    yield Line(
        "p99 of 10 searches/s, idle -> beside indexing",
        measured,
        "< 3x, < 500 ms",
        ratio < 3 and beside["p99_ms"] < 500,
    )
    grouping = search["beside_grouping"]
    measured = f"p50 {grouping['p50_ms']:.0f} ms, p99 {grouping['p99_ms']:.0f} ms"
    yield Line("the same beside people being grouped, ten albums in turn", measured, "", holds=True)


def _start_lines(figures: Figures) -> Iterator[Line]:
    start = figures["start"]
    measured = f"{start['facefleet_s']['median']:.1f} s, {_spread(start['ratio_s'])}x"
    name = f"start to first template beside FaceAnalysis (CPU: {_spread(start['ratio_cpu_s'])}x)"
    yield Line(name, measured, "<= 0.5x", start["ratio_s"]["median"] <= 0.5)


def _ledger_lines(figures: Figures) -> Iterator[Line]:
    whole_ms = sum(figures["ledger"].values())
    parts = ", ".join(f"{role} {ms:.1f}" for role, ms in figures["ledger"].items())
    yield Line("CPU of broker and ledger a photo", f"{whole_ms:.1f} ms", "<= 2 ms", whole_ms <= 2)
    yield Line("  " + parts, "", "", holds=True)


def _spread(figures: dict[str, float]) -> str:
    return f"{figures['median']:.2f} ({figures['least']:.2f}-{figures['most']:.2f})"
