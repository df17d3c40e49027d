"""Two quick rows of the matrix for every test run; `make chaos` runs all of them."""

import pytest

from tests.chaos.matrix import check, run_once
from tests.chaos.rows import ROWS
from tests.chaos.scene import Scene


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scene", ["fleet"], indirect=True)
@pytest.mark.parametrize("fault", ["SIGKILL between upsert and finish", "S3: body cut short on 30%"])
def test_nothing_is_lost_and_nothing_done_twice(scene: Scene, fault: str) -> None:
    [row] = [row for row in ROWS if row.fault == fault]
    run, evidence, _ = run_once(scene, row, seed=1)
    check(row, run, evidence)
