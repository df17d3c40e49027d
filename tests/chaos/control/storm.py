"""The same storms on plain Celery: `python -m tests.chaos.control.storm`. Prints how many tasks never ran."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import redis

from tests.chaos.servers import RedisServer

_QUIET_S = 25.0


@dataclass(frozen=True)
class Outcome:
    """What became of the tasks of one storm."""

    storm: str
    strikes: int
    tasks: int
    lost: int
    #: Tasks that ran again.
    duplicates: int


@dataclass
class Control:
    """A plain Celery worker, its broker, and a Redis apart that counts what was done."""

    broker: RedisServer
    results: RedisServer
    #: A client of the latter, which is asked all the time.
    counts: redis.Redis

    def environment(self) -> dict[str, str]:
        broker, results = (f"redis://127.0.0.1:{each.port}/0" for each in (self.broker, self.results))
        return os.environ | {"CONTROL_REDIS_URL": broker, "CONTROL_RESULTS_URL": results}

    def start_worker(self) -> subprocess.Popen[bytes]:
        """As `celery worker -P threads -c 4 --without-mingle --without-gossip` does, without the rest of `celery`."""
        options = "pool='threads', concurrency=4, without_mingle=True, without_gossip=True, loglevel='ERROR'"
        script = f"from tests.chaos.control.plain_celery import app\napp.Worker({options}).start()"
        command = [sys.executable, "-c", script]
        return subprocess.Popen(command, env=self.environment(), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def send(self, tasks: int) -> None:
        script = f"from tests.chaos.control.plain_celery import work\nfor n in range({tasks}): work.delay(n)"
        subprocess.run([sys.executable, "-c", script], env=self.environment(), check=True, timeout=120)

    def done(self) -> int:
        return int(self.counts.scard("done"))

    def effects(self) -> int:
        return int(self.counts.get("effects") or 0)

    def forget(self) -> None:
        for server in (self.broker, self.results):
            with redis.Redis(port=server.port) as client:
                client.flushall()

    def wait_until_quiet(self, tasks: int) -> None:
        """Nothing done for far longer than the visibility timeout: what is missing now never comes."""
        last_done, changed_at = self.done(), time.monotonic()
        while last_done < tasks and time.monotonic() - changed_at < _QUIET_S:
            time.sleep(0.25)
            if (now_done := self.done()) != last_done:
                last_done, changed_at = now_done, time.monotonic()


def storm_of_kills(control: Control, tasks: int, kills: int, seed: int) -> Outcome:
    """SIGKILL the worker at random moments while it is busy; start it again at once."""
    chance = random.Random(seed)
    control.forget()
    control.send(tasks)
    worker, struck = control.start_worker(), 0
    try:
        for _ in range(kills):
            before, give_up_at = control.done(), time.monotonic() + 30
            while control.done() == before and time.monotonic() < give_up_at:
                time.sleep(0.02)
            time.sleep(chance.uniform(0, 0.5))
            if control.done() >= tasks:
                break
            worker.kill()
            worker.wait()
            struck += 1
            worker = control.start_worker()
        control.wait_until_quiet(tasks)
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    done = control.done()
    return Outcome("SIGKILL of the worker, at random moments", struck, tasks, tasks - done, control.effects() - done)


def restart_of_empty_broker(control: Control, tasks: int) -> Outcome:
    """Restart Redis without its data while the worker is busy."""
    control.forget()
    control.send(tasks)
    worker = control.start_worker()
    try:
        while control.done() < tasks // 10:
            time.sleep(0.02)
        control.broker.restart_empty()
        control.wait_until_quiet(tasks)
    finally:
        worker.kill()
        worker.wait()
    done = control.done()
    return Outcome("Redis restarted empty", 1, tasks, tasks - done, control.effects() - done)


def run_storms(tasks: int, kills: int) -> list[Outcome]:
    """Start two Redis servers, and let both storms pass."""
    with tempfile.TemporaryDirectory() as home, ExitStack() as stack:
        servers = []
        for name in ("broker", "results"):
            (Path(home) / name).mkdir()
            servers.append(RedisServer(Path(home) / name))
            servers[-1].start()
            stack.callback(servers[-1].stop)
        control = Control(*servers, stack.enter_context(redis.Redis(port=servers[-1].port)))
        return [storm_of_kills(control, tasks, kills, seed=1), restart_of_empty_broker(control, 3 * tasks)]


def render(outcomes: Sequence[Outcome]) -> str:
    """Write the table in Markdown."""
    head = ("| plain Celery on Redis | strikes | tasks | lost | ran twice |", "|---|--:|--:|--:|--:|")
    rows = [f"| {each.storm} | {each.strikes} | {each.tasks} | {each.lost} | {each.duplicates} |" for each in outcomes]
    return "\n".join((*head, *rows))


if __name__ == "__main__":
    print(render(run_storms(*(int(word) for word in (sys.argv[1:] or ("600", "12"))))))
