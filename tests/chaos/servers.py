"""Redis and PostgreSQL that can be killed and started again on the same port and the same files."""

import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import redis

from tests.fixtures.postgres import OPTIONS as POSTGRES_OPTIONS
from tests.fixtures.postgres import _find_binaries, _run, _unprivileged_user
from tests.fixtures.processes import free_port, wait_until
from tests.fixtures.redis import OPTIONS as REDIS_OPTIONS
from tests.fixtures.redis import _find_binary

#: Few connections, so that somebody else can take all of them.
_OPTIONS = ("listen_addresses=127.0.0.1", "max_connections=80")


@dataclass
class RedisServer:
    """With an append-only file, as a fleet runs it."""

    home: Path
    port: int = field(default_factory=free_port)

    def start(self) -> None:
        options = {"port": str(self.port), "bind": "127.0.0.1", "dir": str(self.home), **REDIS_OPTIONS}
        command = [_find_binary(), *(word for name, value in options.items() for word in (f"--{name}", value))]
        with (self.home / "log").open("ab") as output:
            self.process = subprocess.Popen(command, cwd=self.home, stdout=output, stderr=output)
        wait_until(self._answers, "Redis answers", 20)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def restart_empty(self) -> int:
        """Lose everything; returns how many keys that were."""
        with redis.Redis(port=self.port) as client:
            keys = int(client.dbsize())
        self.kill()
        for leftover in ("appendonlydir", "appendonly.aof", "dump.rdb"):  # Redis 7 and 6
            path = self.home / leftover
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        assert {path.name for path in self.home.iterdir()} == {"log"}, "everything is lost"
        self.start()
        return keys

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)

    def _answers(self) -> bool:
        try:
            with redis.Redis(port=self.port) as client:
                return bool(client.ping())
        except redis.exceptions.RedisError:
            return False


@dataclass
class PostgresServer:
    """Keeps what it acknowledged through a SIGKILL: the system's page cache outlives the process."""

    port: int = field(default_factory=free_port)

    def create(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="facefleet-chaos-postgres-"))
        self.user = _unprivileged_user()
        self.binaries = _find_binaries(self.home)
        if self.user:
            for path in (self.home, *self.home.rglob("*")):
                shutil.chown(path, user=self.user)
        with_trust = ["--auth=trust", "--encoding=UTF8", "--username=postgres", "--no-sync"]
        _run([self.binaries / "initdb", "-D", self.home / "data", *with_trust], self.home, self.user)

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = [
            word
            for option in (*POSTGRES_OPTIONS, "listen_addresses=127.0.0.1", "max_connections=80")
            for word in ("-c", option)
        ]
        command = [self.binaries / "postgres", "-D", self.home / "data", "-k", self.home, "-p", str(self.port)]
        with (self.home / "log").open("ab") as output:
            self.process = subprocess.Popen(
                [*command, *options], cwd=self.home, user=self.user, stdout=output, stderr=output
            )
        wait_until(self._answers, "PostgreSQL answers", 40)

    def kill(self) -> None:
        """Kill the postmaster; its children notice and end by themselves."""
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """Start again; until the children of the killed one are gone, their shared memory is in the way."""
        for _ in range(50):
            try:
                self.start()
            except AssertionError:
                time.sleep(0.2)
            else:
                return

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
        shutil.rmtree(self.home, ignore_errors=True)

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError("PostgreSQL did not start")
        try:
            with psycopg.connect(self.url, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False
