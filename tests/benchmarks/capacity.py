"""`make bench-capacity`: the deadline rule beside other autoscalers and a clairvoyant, on the same simulated worlds.

Prints the table of docs/capacity.md and draws its figure.
"""

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from facefleet.capacity.clairvoyant import cheapest_worker_seconds
from facefleet.capacity.policies import beside_policy, deadline_policy, keda_policy, target_tracking_policy
from facefleet.capacity.scenario import Scenario, draw_world
from facefleet.capacity.simulation import Policy, simulate
from tests.benchmarks.capacity_figure import Bar, Curve, draw_figure

FIGURE = Path(__file__).resolve().parents[2] / "docs" / "capacity.svg"
SCENARIO = Scenario()
#: As the relay was first built: every album in turn, whatever its deadline.
IN_TURNS = replace(SCENARIO, turn_every=1)
#: KEDA's default of five messages, a hundred messages, and lengths tuned to this very scenario.
HALF_AS_FAST = replace(SCENARIO, photos_per_s=SCENARIO.photos_per_s / 2, photos_in_hand=40)
QUEUE_LENGTHS = (40, 800, 4000, 8000, 9000, 10_000, 11_000)
#: Photos of backlog and of queue for each worker, beside the rule: as infra/k8s has them, none, and what would undo it.
BESIDE = ((10_000, 512), (1e9, 1e9), (1000, 1e9), (1e9, 256), (1e9, 128), (1000, 128))
TARGETS = (2000, 4000, 6000)
BETWEEN_SEED = 3


@dataclass(frozen=True)
class Totals:
    """One policy over all seeds."""

    name: str
    albums: int
    missed: int
    elastic_worker_s: float
    launches: int
    cpu_s: float

    @property
    def missed_share(self) -> float:
        return self.missed / self.albums


def run_seed(build: Callable[[Scenario], Policy], scenario: Scenario, seed: int) -> tuple[int, int, float, int, float]:
    started = time.process_time()
    result = simulate(draw_world(scenario, seed), build(scenario))
    spent_s = time.process_time() - started
    return len(result.durations_s), result.missed, result.elastic_worker_s, result.launches, spent_s


def find_cheapest(seed: int) -> tuple[float, float]:
    """The clairvoyant's seconds beyond the base, and the base's until the last album is due."""
    world = draw_world(SCENARIO, seed)
    last_due_s = max((album.arrives_at_s for album in world.albums), default=0.0) + SCENARIO.deadline_s
    return cheapest_worker_seconds(world), last_due_s * SCENARIO.base_workers


def add_up(
    pool: ProcessPoolExecutor, name: str, build: Callable[[Scenario], Policy], scenario: Scenario, seeds: int
) -> Totals:
    runs = pool.map(partial(run_seed, build, scenario), range(seeds), chunksize=10)
    albums, missed, elastic_s, launches, cpu_s = (sum(column) for column in zip(*runs, strict=True))
    return Totals(name, albums, missed, elastic_s, launches, cpu_s)


def measure(pool: ProcessPoolExecutor, seeds: int) -> list[Totals]:
    rows = [
        add_up(pool, "deadline rule", deadline_policy, SCENARIO, seeds),
        add_up(pool, "deadline rule, albums strictly in turns", deadline_policy, IN_TURNS, seeds),
    ]
    for backlog, queue in BESIDE:
        build = partial(beside_policy, backlog=backlog, queue=queue)
        rows.append(add_up(pool, f"rule beside backlog {backlog:,} and queue {queue / 8:g}", build, SCENARIO, seeds))
    for length in QUEUE_LENGTHS:
        build = partial(keda_policy, photos_per_worker=length)
        rows.append(add_up(pool, f"KEDA queueLength {length // 8:,} messages", build, SCENARIO, seeds))
    for target in TARGETS:
        build = partial(target_tracking_policy, photos_per_worker=target)
        rows.append(add_up(pool, f"target tracking {target:,} photos", build, SCENARIO, seeds))
    rows.append(add_up(pool, "half as fast: deadline rule", deadline_policy, HALF_AS_FAST, seeds))
    for length in (4000, 9000):
        build = partial(keda_policy, photos_per_worker=length)
        rows.append(add_up(pool, f"half as fast: KEDA {length // 8:,} messages", build, HALF_AS_FAST, seeds))
    return rows


def print_table(rows: list[Totals], cheapest_s: float, base_s: float, seeds: int) -> None:
    print(f"{seeds} seeds, {rows[0].albums} albums; worker-seconds a seed; base {base_s / seeds:.0f}")
    print("| policy | missed | beyond the base | to clairvoyant, all | to clairvoyant, beyond the base | launches |")
    print("|---|---|---|---|---|---|")
    print(f"| clairvoyant | 0 | {cheapest_s / seeds:.0f} | 1 | 1 | |")
    for row in rows:
        everything = (row.elastic_worker_s + base_s) / (cheapest_s + base_s)
        beyond = row.elastic_worker_s / cheapest_s
        print(
            f"| {row.name} | {row.missed_share:.3%} ({row.missed}) | {row.elastic_worker_s / seeds:.0f} "
            f"| {everything:.2f} | {beyond:.2f} | {row.launches / seeds:.1f} |"
        )
    print(f"deadline rule: {rows[0].cpu_s:.1f} CPU-seconds for {seeds} seeds")


def draw_curve(name: str, policy: Policy) -> Curve:
    timeline = simulate(draw_world(SCENARIO, BETWEEN_SEED), policy).timeline
    return Curve(name, [(now_s, workers) for now_s, workers, _ in timeline], [(now_s, n) for now_s, _, n in timeline])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    with ProcessPoolExecutor(options.processes) as pool:
        clairvoyants = list(pool.map(find_cheapest, range(options.seeds), chunksize=10))
        rows = measure(pool, options.seeds)
    cheapest_s, base_s = (sum(column) for column in zip(*clairvoyants, strict=True))
    print_table(rows, cheapest_s, base_s, options.seeds)
    bars = [Bar("clairvoyant", cheapest_s / options.seeds, 0.0)]
    bars += [
        Bar(row.name, row.elastic_worker_s / options.seeds, row.missed_share)
        for row in rows
        if not row.name.startswith(("half", "rule beside"))
    ]
    curves = [
        draw_curve("deadline rule", deadline_policy(SCENARIO)),
        draw_curve("KEDA, 100 messages", keda_policy(SCENARIO, 800)),
        draw_curve("target tracking, 2,000 photos", target_tracking_policy(SCENARIO, 2000)),
    ]
    FIGURE.write_text(draw_figure(curves, bars))
    print(f"drawn: {FIGURE}")


if __name__ == "__main__":
    main()
