"""`make chaos`: every row of the matrix, and the proof that each proof fails when nothing is done.

Not collected by a plain test run, because it takes minutes. PROFILE=long runs every row 20 times.
"""

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.chaos.control.storm import render, run_storms
from tests.chaos.profile import RUNS, SEED
from tests.chaos.report import Line
from tests.chaos.row import Row, nothing
from tests.chaos.rows import BY_LENGTH, ROWS
from tests.chaos.run import Evidence, Run
from tests.chaos.scene import Scene

RESULTS = Path(os.environ.get("CHAOS_RESULTS", "chaos-results"))


def run_once(scene: Scene, row: Row, seed: int) -> tuple[Run, Evidence, float]:
    """Index one album under one fault; returns what was done, what was seen, and the seconds until quiet."""
    scene.wait_until_ready()
    run = Run(scene, f"row-{ROWS.index(row)}-{seed}", seed, row.photos)
    row.prepare(run)
    run.begin(row.enter)
    row.storm(run)
    run.wait_for_quiet(row.quiet_within_s)
    scene.wait_until_ready()
    evidence = run.collect()
    run.clear()
    return run, evidence, max(0.0, run.quiet_at_s - run.harmed_at_s)


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("be_alone")  # the row that wants to be alone waits for its end, too
def test_plain_celery_loses_what_this_does_not() -> None:
    """The control: 40 lines of Celery on Redis, under two of the storms."""
    outcomes = run_storms(tasks=600, kills=12)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "control.md").write_text(f"{render(outcomes)}\n", encoding="utf-8")
    assert outcomes[-1].lost > 0, outcomes


@pytest.mark.timeout(14_400)
@pytest.mark.parametrize(
    ("scene", "row"),
    [pytest.param(row.kind, row, id=row.fault) for row in BY_LENGTH],
    indirect=["scene"],
    scope="module",
)
def test_nothing_is_lost_and_nothing_done_twice(scene: Scene, row: Row, be_alone: Callable[[], None]) -> None:
    if row.timed:
        be_alone()
    runs = [run_once(scene, row, SEED + number) for number in range(RUNS)]
    verdicts = [evidence.verdict for _, evidence, _ in runs]
    line = Line(
        fault=row.fault,
        runs=len(runs),
        injected=sum(run.strikes for run, _, _ in runs),
        landed=sum(row.landed(evidence) for _, evidence, _ in runs),
        photos=sum(len(run.listed) or row.photos for run, _, _ in runs),
        lost=sum(verdict.lost for verdict in verdicts),
        duplicate_effects=sum(verdict.duplicate_effects for verdict in verdicts),
        worst_recovery_s=max(recovery_s for _, _, recovery_s in runs),
        expected=row.describe(runs[-1][1]),
        seeds=[run.seed for run, _, _ in runs],
    )
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{ROWS.index(row):02d}.json").write_text(json.dumps(asdict(line)), encoding="utf-8")
    for run, evidence, _ in runs:
        check(row, run, evidence)


def check(row: Row, run: Run, evidence: Evidence) -> None:
    """Fail unless the fault landed and left no trace."""
    verdict = evidence.verdict
    story = (
        f"seed {run.seed}: {verdict}; saw {dict(evidence.seen)}, exits {dict(evidence.exits)}, hits "
        f"{dict(evidence.hits)}, {evidence.leases_at_fault} leases held; logs {run.scene.home}"
    )
    assert verdict.lost == 0, story
    assert verdict.duplicate_effects == 0, story
    assert verdict.dead_without_reason == 0, story
    assert verdict.indexed + sum(verdict.dead.values()) == verdict.listed, story
    assert row.landed(evidence) > 0, f"the fault did not land; {story}"
    assert row.expected(evidence), story


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scene", ["fleet", "qdrant", "one"], indirect=True)
def test_no_proof_holds_when_nothing_is_done(scene: Scene) -> None:
    """Every storm of a kind passes over one album with its harm taken out of it."""
    rows = [row for row in ROWS if row.kind == scene.kind]
    scene.wait_until_ready()
    run = Run(scene, f"calm-{scene.kind}", SEED, 48, armed=False)
    for row in rows:
        if row.prepare is not nothing:
            row.prepare(run)
    run.begin(lambda run: run.submit())
    for row in rows:
        row.storm(run)
    run.wait_for_quiet(60)
    evidence = run.collect()
    assert {row.fault: landed for row in rows if (landed := row.landed(evidence)) > 0} == {}
