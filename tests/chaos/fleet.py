"""A fleet of real processes that can be killed, frozen and started again; a dead one is started again."""

import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.fixtures.packs import CHECKOUT
from tests.fixtures.processes import FACEFLEET, clean_environment, wait_until

#: Workers die of photos that are named so.
MORTAL = "mortal"
#: Short waits, so that a run takes seconds; what is proven does not depend on their length.
SETTINGS = {
    "model_pack": "demo",
    "runtime": "onnxruntime",
    "cpu_threads": "1",
    "worker_threads": "2",
    "photos_per_message": "4",
    "runway_photos": "32",
    "detection_size_px": "128",
    "lease_s": "5",
    "sweep_interval_s": "1",
    "redispatch_after_s": "4",
    "relay_interval_s": "0.8",
    "retry_backoff_s": "0.2",
    "watchdog_s": "15",
    "drain_s": "8",
    "max_crashes": "4",
    "s3_connect_timeout_s": "2",
    "s3_read_timeout_s": "3",
    "s3_events_album_rule": "{album}/...",
    "decode_timeout_s": "2",
    "max_search_queue": "8",
    "max_uploads": "24",
    "max_upload_bytes": "60000000",
    "max_probe_bytes": "5000000",
    "log_format": "json",
    # Does what a photo's last bytes say; ordinary photos are decoded as ever.
    "test_decoder": "tests.integration.recognition.hostile_decoders",
    # As if reading took time: a fault has to find work under way on any machine. And a photo that workers die of.
    "failpoints": f"before_photo=sleep:0.1,before_photo@{MORTAL}=kill",
}
NAMES = ("api", "dispatcher", "worker-1", "worker-2")
#: Those that answer on a port.
_SERVERS = frozenset({"api", "up"})


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
    #: Who is started again when it is missing.
    names: Sequence[str] = NAMES
    environment: Mapping[str, str] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    #: (role, exit status) of every process that ended; negative: by this signal.
    exits: Counter[tuple[str, int]] = field(default_factory=Counter)
    _starts: int = 0

    def start(self, name: str, environment: Mapping[str, str] | None = None, **extra: str) -> None:
        """Start a process; `environment` and `extra` settings last until it ends."""
        role = name.partition("-")[0]
        arguments = (role, *(("--port", str(self.api_port)) if role in _SERVERS else ()))
        self._starts += 1
        log = self.home / f"{self._starts:04d}-{name}.log"
        env = clean_environment(**self.settings | extra) | self.environment | (environment or {})
        env["PYTHONPATH"] = os.pathsep.join(filter(None, (env.get("PYTHONPATH"), str(CHECKOUT))))
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(FACEFLEET), *arguments], env=env, cwd=self.home, stdout=output, stderr=subprocess.STDOUT
            )
        self.members[name] = Member(name, process, log)

    def signal(self, name: str, number: signal.Signals) -> None:
        self.members[name].process.send_signal(number)

    def pids(self) -> dict[str, int]:
        """List who runs."""
        return {name: member.process.pid for name, member in self.members.items()}

    def end(self, *names: str, within_s: float = 40) -> None:
        """SIGTERM, all at once, and wait for them."""
        for name in names:
            self.signal(name, signal.SIGTERM)
        for name in names:
            self.members[name].process.wait(within_s)
        self.note_exits()

    def memory_bytes(self, name: str) -> int:
        """Tell the resident memory of one process."""
        return int(psutil.Process(self.members[name].process.pid).memory_info().rss)

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
        for name in self.names:
            if name not in self.members:
                self.start(name)

    def wait_for_log(self, name: str, event: str, within_s: float = 60) -> None:
        log = self.members[name].log
        wait_until(lambda: f'"{event}"' in log.read_text(errors="replace"), f"{name} says {event}", within_s)

    def log_events(self) -> Counter[str]:
        """Count every event that was logged so far."""
        return Counter(str(line["event"]) for path in self.home.glob("*.log") for line in read_log(path))

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


def read_log(path: Path) -> Iterator[dict[str, Any]]:
    """Read the JSON lines of a log that have an event."""
    for line in path.read_text(errors="replace").splitlines():
        if line.startswith("{"):
            try:
                parsed = json.loads(line)
            except ValueError:  # a line that a SIGKILL cut short
                continue
            if "event" in parsed:
                yield parsed
