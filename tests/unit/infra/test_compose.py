"""docker-compose.yml, as far as that goes without an engine."""

import json
import re
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml

from facefleet.settings import Settings
from tests.fixtures.deployment import VARIABLE, read_compose, read_services

SECRET = re.compile(r"PASSWORD|SECRET|API_KEY|ACCESS_KEY|BASIC_AUTH")
OUR_IMAGES = ("facefleet-api", "facefleet-worker")
#: What each foreign image listens on.
PORTS = {"redis": 6379, "postgres": 5432, "qdrant": 6333, "s3": 7070, "api": 8000, "prometheus": 9090}


@pytest.fixture(scope="module")
def text(checkout: Path) -> str:
    return (checkout / "docker-compose.yml").read_text()


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file with every variable filled in."""
    return read_compose({})


@pytest.fixture(scope="module")
def ours(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: each for name, each in compose["services"].items() if each["image"].startswith(OUR_IMAGES)}


def test_it_follows_the_compose_specification(compose: dict[str, Any]) -> None:
    schema = resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    jsonschema.validate(compose, json.loads(schema.read_text()))


def test_variables_are_required_or_have_a_default_and_are_explained(checkout: Path, text: str) -> None:
    wanted = {match[1]: match[2] for match in VARIABLE.finditer(text)}
    assert set(wanted.values()) == {"-", "?"}
    example = (checkout / "docker-compose.env.example").read_text()
    assert {name for name, kind in wanted.items() if kind == "?"} == set(re.findall(r"(?m)^(\w+)=$", example))
    assert {name for name, kind in wanted.items() if kind == "-"} == set(re.findall(r"(?m)^#(\w+)=", example))


def test_no_secret_is_in_it(text: str) -> None:
    for service in yaml.safe_load(text)["services"].values():
        for name, value in service.get("environment", {}).items():
            assert not SECRET.search(name) or "${" in value, name


def test_everything_it_refers_to_exists(checkout: Path, compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        if build := service.get("build"):
            dockerfile = (checkout / build["dockerfile"]).read_text()
            assert "target" not in build or f" AS {build['target']}\n" in dockerfile
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert (checkout / source).is_dir() if source.startswith(".") else source in compose["volumes"]


def test_every_setting_is_one_and_has_an_acceptable_value(ours: dict[str, dict[str, Any]]) -> None:
    for service in ours.values():
        variables = {name: each for name, each in service.get("environment", {}).items() if name.startswith("FACE")}
        settings = {name.removeprefix("FACEFLEET_").lower(): value for name, value in variables.items()}
        assert set(settings) <= set(Settings.model_fields)
        Settings(_env_file=None, **settings)


def test_every_command_exists(commands: set[str]) -> None:
    lines = {name: service.command for name, service in read_services({}).items()}
    assert {line[1] for line in lines.values() if line[0] == "facefleet"} == commands
    assert lines["flower"][:4] == ("celery", "--app", "workers.flower_app", "flower")
    assert find_spec("workers.flower_app")


def test_dispatcher_and_workers_agree_on_what_a_worker_holds(ours: dict[str, dict[str, Any]]) -> None:
    """The dispatcher counts workers by it; its own processors say nothing about theirs."""
    for name in ("FACEFLEET_WORKER_THREADS", "FACEFLEET_PHOTOS_PER_MESSAGE"):
        values = {ours[each]["environment"].get(name) for each in ("dispatcher", "worker")}
        assert len(values) == 1
    assert ours["dispatcher"]["environment"]["FACEFLEET_WORKER_THREADS"]


#: Links of the web page lead to published ports.
FOR_BROWSERS = {"FACEFLEET_FLOWER_URL", "FACEFLEET_GRAFANA_URL"}


def test_links_of_the_page_lead_to_published_ports(compose: dict[str, Any]) -> None:
    published = {
        port.rpartition(":")[0] for service in compose["services"].values() for port in service.get("ports", [])
    }
    links = {compose["services"]["api"]["environment"][name].removeprefix("http://") for name in FOR_BROWSERS}
    assert links <= published


def test_addresses_are_those_of_services(compose: dict[str, Any]) -> None:
    found = set()
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if name in FOR_BROWSERS:
                continue
            for url in re.findall(r"\w[\w+]*://\S+:\d+", str(value)):
                parts = urlsplit(url)
                assert parts.hostname in compose["services"]
                assert PORTS[parts.hostname] == parts.port, url
                found.add(parts.hostname)
    assert found == {"postgres", "redis", "qdrant", "s3", "api"}


def test_ports_are_published_to_this_machine_only(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:")
            assert name not in PORTS or port.endswith(f":{PORTS[name]}")


def test_the_order_of_start_waits_for_health_and_has_no_circle(compose: dict[str, Any]) -> None:
    services = compose["services"]
    waiting = {name: dict(each.get("depends_on", {})) for name, each in services.items()}
    for name, needs in waiting.items():
        for need, gate in needs.items():
            has_check = "test" in services[need].get("healthcheck", {}) or services[need]["image"].startswith(
                OUR_IMAGES
            )
            assert has_check, (name, need)
            assert gate["condition"] in {"service_healthy", "service_completed_successfully"}
    while waiting:
        ready = [name for name, needs in waiting.items() if not set(needs) & set(waiting)]
        assert ready, f"these wait for each other: {sorted(waiting)}"
        for name in ready:
            del waiting[name]


def test_workers_can_be_many(ours: dict[str, dict[str, Any]]) -> None:
    assert not {"container_name", "ports", "hostname"} & set(ours["worker"])


def test_our_containers_may_do_little(ours: dict[str, dict[str, Any]]) -> None:
    for service in ours.values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]


def test_redis_keeps_every_message(compose: dict[str, Any]) -> None:
    command = compose["services"]["redis"]["command"][-1]
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command


def test_profiles_are_those_that_are_promised(compose: dict[str, Any]) -> None:
    profiles = {name: each["profiles"] for name, each in compose["services"].items() if "profiles" in each}
    assert profiles == {"worker-gpu": ["gpu"], "prometheus": ["monitoring"], "grafana": ["monitoring"]}


def test_only_the_api_knows_what_keys_are_made_of(ours: dict[str, dict[str, Any]]) -> None:
    knows = {name for name, each in ours.items() if "FACEFLEET_MASTER_SECRET" in each.get("environment", {})}
    assert knows == {"api"}
