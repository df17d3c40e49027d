"""`make chaos`: every row of the matrix, and the proof that each proof fails when nothing is done.

Not collected by a plain test run, because it takes minutes. PROFILE=long runs every row 20 times.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.report import Line, render
from tests.chaos.rows import ROWS, Row
from tests.chaos.scene import Evidence, Run, Scene

RUNS = {"short": 1, "long": 20}[os.environ.get("PROFILE", "short")]
FIRST_SEED = int(os.environ.get("SEED", "1"))


@pytest.fixture(scope="module")
def lines() -> Iterator[list[Line]]:
    collected: list[Line] = []
    yield collected
    table = render(collected)
    Path(os.environ.get("CHAOS_TABLE", "chaos-table.md")).write_text(f"{table}\n", encoding="utf-8")
    print(f"\n{table}")


def run_once(scene: Scene, row: Row, seed: int, *, armed: bool = True) -> tuple[Run, Evidence, float]:
    """Index one album under one fault; returns what was done, what was seen, and the seconds until quiet."""
    scene.wait_until_ready()
    run = Run(scene, f"row-{ROWS.index(row)}-{seed}-{'armed' if armed else 'calm'}", seed, row.photos, armed)
    row.prepare(run)
    run.begin()
    row.storm(run)
    run.wait_for_quiet(row.quiet_within_s)
    scene.wait_until_ready()
    return run, run.collect(), run.quiet_at_s - run.harmed_at_s


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.fault)
def test_nothing_is_lost_and_nothing_done_twice(scene: Scene, row: Row, lines: list[Line]) -> None:
    runs = [run_once(scene, row, FIRST_SEED + number) for number in range(RUNS)]
    verdicts = [evidence.verdict for _, evidence, _ in runs]
    lines.append(
        Line(
            fault=row.fault,
            runs=len(runs),
            injected=sum(run.strikes for run, _, _ in runs),
            landed=sum(row.landed(evidence) for _, evidence, _ in runs),
            photos=row.photos * len(runs),
            lost=sum(verdict.lost for verdict in verdicts),
            duplicate_effects=sum(verdict.duplicate_effects for verdict in verdicts),
            worst_recovery_s=max(recovery_s for _, _, recovery_s in runs),
            expected=row.expected_text,
            seeds=[run.seed for run, _, _ in runs],
        )
    )
    for run, evidence, _ in runs:
        check(row, run, evidence)


def check(row: Row, run: Run, evidence: Evidence) -> None:
    """Fail unless the fault landed and left no trace."""
    verdict = evidence.verdict
    assert verdict.lost == 0, (run.seed, evidence)
    assert verdict.duplicate_effects == 0, (run.seed, evidence)
    assert verdict.dead_without_reason == 0, (run.seed, evidence)
    assert verdict.indexed + sum(verdict.dead.values()) == verdict.listed, (run.seed, evidence)
    assert row.landed(evidence) > 0, ("the fault did not land", run.seed, evidence)
    assert row.expected(evidence), (run.seed, evidence)


@pytest.mark.timeout(300)
def test_no_proof_holds_when_nothing_was_done(scene: Scene) -> None:
    calm = Row("nothing", lambda _: None, lambda _: 0)
    scene.wait_until_ready()
    run = Run(scene, "calm", FIRST_SEED, calm.photos, armed=False)
    run.begin()
    run.wait_for_quiet(60)
    evidence = run.collect()
    assert {row.fault: landed for row in ROWS if (landed := row.landed(evidence)) > 0} == {}
