"""The cheapest fleet of one that knows everything: the yardstick for policies that do not."""

from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from facefleet.capacity.scenario import World

_STEP_S = 15.0


def cheapest_worker_seconds(world: World) -> float:
    """Find the fewest paid seconds of workers beyond the base with which every album of a world is in time.

    The clairvoyant knows all arrivals and the work of every photo; no machine of its is lost or slow. It asks for
    machines before albums arrive, serves the album whose deadline is nearest, and pays for a machine from the request
    on. Every rounding (to steps of 15 s, and to the work that a worker does in one) is in its favour.

    Method: dynamic programming over (time, work done, workers). All albums have the same time, so that serving them in
    order of arrival is optimal, and a plan is feasible when the work done stays between what is due and what is there.
    """
    scenario = world.scenario
    unit = scenario.photos_per_s * _STEP_S
    there, due = _bounds(world, unit)
    work_done, workers = np.arange(there[-1] + 1), np.arange(scenario.max_workers - scenario.base_workers + 1)
    ask_s = (scenario.boot_s + scenario.load_s) * workers.astype(np.float64)
    cost_s = np.full((work_done.size, workers.size), np.inf)
    cost_s[0, 0] = 0.0
    for step in range(there.size):
        cost_s = _change_workers(cost_s, ask_s) + _STEP_S * workers
        cost_s = _do_work(cost_s, scenario.base_workers, there[step])
        cost_s[: due[step]] = np.inf
    return float(cost_s[there[-1]].min())


def _bounds(world: World, unit: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Work there has been, and work that has to be done, by the end of each step; in units of a worker's step."""
    deadline_s = world.scenario.deadline_s
    last_s = max((album.arrives_at_s for album in world.albums), default=0.0) + deadline_s
    there, due = np.zeros((2, ceil(last_s / _STEP_S) + 1))
    for album in world.albums:
        there[floor(album.arrives_at_s / _STEP_S) :] += album.work / unit
        due[ceil((album.arrives_at_s + deadline_s) / _STEP_S) - 1 :] += album.work / unit
    return np.floor(there).astype(np.intp), np.floor(due).astype(np.intp)


def _change_workers(cost_s: NDArray[np.float64], ask_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pay for each worker more; letting one go is free."""
    fewer: NDArray[np.float64] = np.minimum.accumulate(cost_s - ask_s, axis=1) + ask_s
    more: NDArray[np.float64] = np.minimum.accumulate(cost_s[:, ::-1], axis=1)[:, ::-1]
    return np.minimum(fewer, more)


def _do_work(cost_s: NDArray[np.float64], base_workers: int, there: np.intp) -> NDArray[np.float64]:
    """Move every state on by what its workers do, at most to the work that is there."""
    moved = np.full_like(cost_s, np.inf)
    for workers in range(cost_s.shape[1]):
        done = workers + base_workers
        column = cost_s[:, workers]
        first_idle = max(there - done, 0)
        moved[done : there + 1, workers] = column[: max(there + 1 - done, 0)]
        moved[there, workers] = min(moved[there, workers], column[first_idle : there + 1].min())
    return moved
