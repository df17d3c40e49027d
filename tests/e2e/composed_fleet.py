"""The services of docker-compose.yml as processes of this machine: its commands and settings, other addresses."""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.fixtures.deployment import Service, read_compose, read_services
from tests.fixtures.processes import Processes, clean_environment, free_port, run_facefleet, wait_until

#: What .env holds beside a checkout.
VARIABLES = {
    "FLOWER_PASSWORD": "tell nobody",
    "S3_EVENTS_SECRET": "correct-horse",
    "MASTER_SECRET": "battery-staple-battery-staple-battery",
    "FACEFLEET_CPU_THREADS": "1",
}
_PORTS = {"api": "8000", "flower": "5555"}


@dataclass
class ComposedFleet:
    """Starts services; each has a port of its own, and the processes belong to `processes`."""

    processes: Processes
    ledger_url: str
    broker_url: str
    s3_endpoint: str
    #: Where it keeps what it has; the gallery is the embedded one.
    home: Path
    #: What it is set to beyond the compose file.
    extra: dict[str, str] = field(default_factory=dict)
    urls: dict[str, list[str]] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=lambda: read_services(VARIABLES))

    @property
    def data_dir(self) -> Path:
        return self.home / "fleet"

    def start(self, name: str) -> str:
        """Start one more process of a service; returns its URL."""
        service, port = self.services[name], free_port()
        program, *arguments = service.command
        if inner := _PORTS.get(name):
            assert any(inner in each for each in arguments), f"{name} no longer listens on {inner}"
        here = [each.replace("0.0.0.0", "127.0.0.1").replace(inner or "\0", str(port)) for each in arguments]
        self.processes.start(*here, program=program, env=self._environment(service, port))
        url = f"http://127.0.0.1:{port}"
        self.urls.setdefault(name, []).append(url)
        return url

    def _environment(self, service: Service, port: int) -> dict[str, str]:
        here = {
            "LEDGER_URL": self.ledger_url,
            "BROKER_URL": self.broker_url,
            "S3_ENDPOINT_URL": self.s3_endpoint,
            "QDRANT_URL": "",
            "QDRANT_API_KEY": "",
            "DATA_DIR": str(self.data_dir),
            "MODEL_DIR": str(self.home / "models"),
            "METRICS_HOST": "127.0.0.1",
            "METRICS_PORT": str(port),
        }
        replaced = {f"FACEFLEET_{name}": value for name, value in here.items()}
        # Only what the container has is replaced: a setting that is missing there is missing here.
        composed = {
            name: replaced.get(name, str(value))
            for name, value in service.environment.items()
            if name not in {"PATH", "HOME"} and not name.startswith("AWS_")
        }
        return clean_environment(**self.extra) | composed

    def make_key(self, folder: Path) -> str:
        """Make a key as `docker compose exec api facefleet keys create` does, with the settings of the api."""
        env = self._environment(self.services["api"], 0)
        made = run_facefleet("keys", "create", "tests", "--scope", "admin", "--json", env=env, cwd=folder)
        assert made.returncode == 0, made.stderr
        return str(json.loads(made.stdout)["key"])

    def make_bucket(self) -> None:
        """Make the bucket as the compose file does, by a script of its own."""
        _, option, script = self.services["s3-bucket"].command
        subprocess.run(
            [sys.executable, option, script.replace("http://s3:7070", self.s3_endpoint)], check=True, timeout=60
        )

    def call_webhook(self, body: str) -> dict[str, Any]:
        """Post what the S3 server of the compose file posts, to where and as whom it is told to."""
        told = urlsplit(read_compose(VARIABLES)["services"]["s3"]["environment"]["VGW_EVENT_WEBHOOK_URL"])
        answer = httpx.post(
            f"{self.urls[str(told.hostname)][0]}{told.path}",
            content=body,
            auth=(str(told.username), str(told.password)),
            timeout=30,
        )
        return dict(answer.raise_for_status().json())

    def metrics(self, name: str) -> str:
        """What all processes of a service show Prometheus."""
        return "\n".join(httpx.get(f"{url}/metrics", timeout=10).raise_for_status().text for url in self.urls[name])

    def backlog(self) -> float:
        """Photos that the dispatcher says are waiting."""
        shown = self.metrics("dispatcher")
        lanes = (f'facefleet_backlog_photos{{lane="{lane}"}}' for lane in ("index", "interactive"))
        return sum(read_sample(shown, lane) for lane in lanes)

    def ask_flower(self, path: str, password: str = VARIABLES["FLOWER_PASSWORD"]) -> Any:  # noqa: ANN401  JSON
        """Get something of Flower's API, as its only user."""
        answer = httpx.get(f"{self.urls['flower'][0]}{path}", auth=("flower", password), timeout=10)
        return answer.raise_for_status().json()

    def queue_depths(self) -> dict[str, int]:
        """Waiting messages by lane, as Flower shows them."""
        queues = self.ask_flower("/api/queues/length")["active_queues"]
        return {each["name"].removeprefix("facefleet-"): each["messages"] for each in queues}

    def wait_until_ready(self) -> None:
        """Wait for every process that was started, as the health checks of the images do."""
        paths = {"api": "/readyz", "flower": "/healthcheck"}
        waited = [url + paths.get(name, "/metrics") for name, urls in self.urls.items() for url in urls]
        wait_until(lambda: all(map(self._answers, waited)), f"these are ready: {waited}")

    def _answers(self, url: str) -> bool:
        ended = [process.args for process in self.processes.running if process.poll() is not None]
        assert not ended, f"{ended}\n{self.processes.logs()}"
        return _answers(url)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).is_success
    except httpx.TransportError:
        return False


def read_sample(exposition: str, sample: str) -> float:
    """Add up one sample, with its labels as they are written, over everything that was scraped."""
    values = [line.rpartition(" ")[2] for line in exposition.splitlines() if line.startswith(f"{sample} ")]
    return sum(map(float, values))
