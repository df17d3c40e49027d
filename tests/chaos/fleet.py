"""A fleet of real processes that can be killed, frozen and started again; a dead one is started again."""

import json
import os
import signal
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.fixtures.processes import FACEFLEET, clean_environment, wait_until

#: Short waits, so that a run takes seconds; what is proven does not depend on their length.
SETTINGS = {
    "model_pack": "demo",
    "runtime": "onnxruntime",
    "cpu_threads": "1",
    "worker_threads": "2",
    "photos_per_message": "4",
    "runway_photos": "32",
    "detection_size_px": "320",
    "lease_s": "5",
    "sweep_interval_s": "1",
    "redispatch_after_s": "4",
    "relay_interval_s": "0.2",
    "retry_backoff_s": "0.2",
    "watchdog_s": "15",
    "drain_s": "8",
    "max_crashes": "4",
    "s3_connect_timeout_s": "2",
    "s3_read_timeout_s": "3",
    "log_format": "json",
    # As if reading took time: a fault has to find work under way on any machine.
    "failpoints": "before_photo=sleep:0.04",
}
ARGUMENTS = {"api": ("api",), "dispatcher": ("dispatcher",), "worker": ("worker",)}
NAMES = ("api", "dispatcher", "worker-1", "worker-2")


@dataclass
class Member:
    """One process and how to start it."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path


@dataclass
class Fleet:
    """Owns its processes."""

    home: Path
    settings: dict[str, str]
    api_port: int
    members: dict[str, Member] = field(default_factory=dict)
    #: (role, exit status) of every process that ended; negative: by this signal.
    exits: Counter[tuple[str, int]] = field(default_factory=Counter)
    _starts: int = 0

    def start(self, name: str, **extra: str) -> None:
        """Start a process; `extra` settings last until it ends."""
        role = name.partition("-")[0]
        arguments = (*ARGUMENTS[role], *(("--port", str(self.api_port)) if role == "api" else ()))
        self._starts += 1
        log = self.home / f"{self._starts:04d}-{name}.log"
        env = clean_environment(**self.settings | extra)
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(FACEFLEET), *arguments], env=env, cwd=self.home, stdout=output, stderr=subprocess.STDOUT
            )
        self.members[name] = Member(name, process, log)

    def start_all(self) -> None:
        for name in NAMES:
            self.start(name)

    def signal(self, name: str, number: signal.Signals) -> None:
        self.members[name].process.send_signal(number)

    def kill(self, *names: str) -> None:
        """SIGKILL, all at once; they are not started again before `revive`."""
        for name in names:
            self.signal(name, signal.SIGKILL)
        for name in names:
            self.members[name].process.wait(20)
        self.note_exits()

    def note_exits(self) -> None:
        """Forget those that ended, and remember how."""
        for name, member in list(self.members.items()):
            if (status := member.process.poll()) is not None:
                self.exits[name.partition("-")[0], status] += 1
                del self.members[name]

    def revive(self) -> None:
        """Do what a supervisor does: start what is missing."""
        self.note_exits()
        for name in NAMES:
            if name not in self.members:
                self.start(name)

    def wait_for_log(self, name: str, event: str, within_s: float = 60) -> None:
        log = self.members[name].log
        wait_until(lambda: f'"{event}"' in log.read_text(errors="replace"), f"{name} says {event}", within_s)

    def log_events(self) -> Counter[str]:
        """Count every event that was logged so far."""
        counts: Counter[str] = Counter()
        for path in sorted(self.home.glob("*.log")):
            for line in path.read_text(errors="replace").splitlines():
                if line.startswith("{"):
                    try:
                        counts[json.loads(line)["event"]] += 1
                    except (ValueError, KeyError):  # a line that a SIGKILL cut short
                        continue
        return counts

    def stop(self) -> None:
        for member in self.members.values():
            os.kill(member.process.pid, signal.SIGCONT)
            member.process.terminate()
        for member in self.members.values():
            try:
                member.process.wait(30)
            except subprocess.TimeoutExpired:
                member.process.kill()
                member.process.wait()
        self.note_exits()
