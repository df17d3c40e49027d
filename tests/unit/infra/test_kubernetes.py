"""infra/k8s: each resource against its schema, and what they say of one another; KEDA's kinds have no schema here."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import kubernetes_validate
import pytest
import yaml

from facefleet.ledger.message_sizes import MessageSizes
from facefleet.settings import Settings
from tests.fixtures.deployment import read_pod_commands, read_services
from workers.celery_app import LANES, queue_name

Resource: TypeAlias = dict[str, Any]

KUBERNETES = "1.34"
K8S = Path(__file__).resolve().parents[3] / "infra/k8s"
OVERLAYS = ("on-demand", "spot")
#: Made by hand, with what must not be in a repository: docs/operations.md, Kubernetes.
SECRETS = {"facefleet", "facefleet-api", "facefleet-audit", "facefleet-keda"}
TRIGGERS = {
    "prometheus": {"serverAddress", "query", "threshold"},
    "redis": {"listName", "listLength", "enableTLS"},
    "aws-sqs-queue": {"queueURL", "queueLength", "awsRegion"},
}


def read(path: Path) -> list[Resource]:
    return list(yaml.safe_load_all(path.read_text()))


def kustomizations() -> list[Path]:
    return sorted(K8S.rglob("kustomization.yaml"))


def named_files(kustomization: Path) -> Iterator[Path]:
    (content,) = read(kustomization)
    patches = [each["path"] for each in content.get("patches", []) if "path" in each]
    for name in [*content.get("resources", []), *content.get("components", []), *patches]:
        yield (kustomization.parent / name).resolve()


def resources_of(folder: Path) -> list[Resource]:
    """Every resource that a kustomization names, before patches."""
    found = []
    for path in named_files(folder / "kustomization.yaml"):
        found += resources_of(path) if path.is_dir() else read(path)
    return found


@pytest.fixture(params=OVERLAYS)
def deployed(request: pytest.FixtureRequest) -> list[Resource]:
    return resources_of(K8S / "overlays" / request.param)


def of_kind(resources: list[Resource], kind: str) -> list[Resource]:
    return [each for each in resources if each["kind"] == kind]


def names_of(resources: list[Resource], kind: str) -> set[str]:
    return {each["metadata"]["name"] for each in of_kind(resources, kind)}


def containers(resources: list[Resource]) -> Iterator[tuple[Resource, Resource]]:
    for deployment in of_kind(resources, "Deployment"):
        spec = deployment["spec"]["template"]["spec"]
        for container in spec["containers"]:
            yield spec, container


def is_selected(resources: list[Resource], labels: dict[str, str]) -> bool:
    """Whether some pod has the labels; kustomize adds the one of the whole."""
    wanted = {(name, value) for name, value in labels.items() if name != "app.kubernetes.io/part-of"}
    pods = [each["spec"]["template"]["metadata"]["labels"].items() for each in of_kind(resources, "Deployment")]
    return any(wanted <= set(pod) for pod in pods)


def test_every_file_is_named_by_a_kustomization_and_exists() -> None:
    named = {path for each in kustomizations() for path in named_files(each)}
    assert all(path.exists() for path in named)
    written = {path for path in K8S.rglob("*.yaml") if path.name != "kustomization.yaml"}
    assert written == {path for path in named if path.is_file()}


def test_resources_follow_the_schemas_of_kubernetes(deployed: list[Resource]) -> None:
    for resource in deployed:
        if not resource["apiVersion"].startswith("keda.sh/"):
            kubernetes_validate.validate(resource, KUBERNETES, strict=True)


def test_selectors_select(deployed: list[Resource]) -> None:
    for deployment in of_kind(deployed, "Deployment"):
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
    budgets = [each["spec"]["selector"]["matchLabels"] for each in of_kind(deployed, "PodDisruptionBudget")]
    assert len(budgets) == len(of_kind(deployed, "Deployment"))
    services = [each["spec"]["selector"] for each in of_kind(deployed, "Service")]
    policies = [each["spec"]["podSelector"].get("matchLabels", {}) for each in of_kind(deployed, "NetworkPolicy")]
    for labels in (*budgets, *services, *policies):
        assert is_selected(deployed, labels), labels


def test_ports_and_probes_meet(deployed: list[Resource]) -> None:
    ports = {port["name"]: port["containerPort"] for _, each in containers(deployed) for port in each["ports"]}
    assert ports == {"http": 8000, "metrics": 9100}
    for service in of_kind(deployed, "Service"):
        assert all(port["targetPort"] in ports for port in service["spec"]["ports"])
    for _, container in containers(deployed):
        own = {port["name"] for port in container["ports"]}
        for probe in ("startupProbe", "livenessProbe"):
            request = container[probe]["httpGet"]
            assert request["port"] in own
            assert request["path"] == {"http": "/healthz", "metrics": "/metrics"}[request["port"]]


def test_everything_a_pod_refers_to_exists(deployed: list[Resource]) -> None:
    (base,) = read(K8S / "base/kustomization.yaml")
    settings = {each["name"] for each in base["configMapGenerator"]}
    images = {each["name"] for each in base["images"]}
    for spec, container in containers(deployed):
        assert spec["serviceAccountName"] in names_of(deployed, "ServiceAccount")
        assert container["image"] in images
        for source in container["envFrom"]:
            assert source.get("configMapRef", {}).get("name") in settings or source["secretRef"]["name"] in SECRETS
        assert {each["name"] for each in container["volumeMounts"]} == {each["name"] for each in spec["volumes"]}


def test_pods_may_do_little(deployed: list[Resource]) -> None:
    for spec, container in containers(deployed):
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["automountServiceAccountToken"] is False
        security = container["securityContext"]
        assert security["readOnlyRootFilesystem"]
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]


def test_nothing_is_let_in_or_out_that_is_not_named(deployed: list[Resource]) -> None:
    (nothing,) = [each for each in of_kind(deployed, "NetworkPolicy") if each["metadata"]["name"] == "nothing"]
    assert nothing["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_commands_exist(deployed: list[Resource], commands: set[str]) -> None:
    assert {container["args"][0] for _, container in containers(deployed)} == commands


def test_commands_are_those_of_compose() -> None:
    """So what the test of the whole fleet starts is what Kubernetes starts."""
    composed = {name: service.command for name, service in read_services({}).items()}
    pods = read_pod_commands("base") | read_pod_commands("overlays/spot")
    assert set(pods) == {"api", "dispatcher", "worker", "worker-spot"}
    for name, command in pods.items():
        assert command == composed[name.removesuffix("-spot")], name


def test_dispatcher_and_workers_agree_on_what_a_worker_holds(deployed: list[Resource]) -> None:
    """The dispatcher counts workers by it; its own processors say nothing about theirs."""
    (base,) = read(K8S / "base/kustomization.yaml")
    shared = dict(literal.split("=", 1) for literal in base["configMapGenerator"][0]["literals"])
    threads = {
        each["value"]
        for spec, container in containers(deployed)
        if spec["serviceAccountName"] == "facefleet-worker"
        for each in container["env"]
        if each["name"] == "FACEFLEET_CPU_THREADS"
    }
    assert {int(each) + 2 for each in threads} == {int(shared["FACEFLEET_WORKER_THREADS"])}
    own = {each["name"] for _, container in containers(deployed) for each in container.get("env", [])}
    assert not {"FACEFLEET_WORKER_THREADS", "FACEFLEET_PHOTOS_PER_MESSAGE"} & own


def test_settings_are_settings(deployed: list[Resource]) -> None:
    generators = [each for path in kustomizations() for each in read(path)[0].get("configMapGenerator", [])]
    pairs = [literal.split("=", 1) for each in generators for literal in each["literals"]]
    pairs += [
        (each["name"], each["value"]) for _, container in containers(deployed) for each in container.get("env", [])
    ]
    values = {name.removeprefix("FACEFLEET_").lower(): value for name, value in pairs}
    assert values
    assert set(values) <= set(Settings.model_fields)
    Settings(_env_file=None, **values)


def scaled_objects() -> list[Resource]:
    files = [path for path in K8S.rglob("*.yaml") if path.name != "kustomization.yaml"]
    return [each for path in files for each in read(path) if each["kind"] == "ScaledObject"]


def test_triggers_say_what_keda_asks_for() -> None:
    for scaled in scaled_objects():
        for trigger in scaled["spec"]["triggers"]:
            assert set(trigger["metadata"]) == TRIGGERS[trigger["type"]]
            assert all(isinstance(value, str) for value in trigger["metadata"].values())


def test_nets_below_the_deadline_rule_do_not_outbid_it() -> None:
    """Their figures are in docs/capacity.md, Beside other triggers."""
    settings = Settings(_env_file=None)
    for trigger in (each for scaled in scaled_objects() for each in scaled["spec"]["triggers"]):
        limits = trigger["metadata"]
        messages = int(limits.get("listLength") or limits.get("queueLength") or 0)
        if "backlog" in trigger["name"]:
            planned_s = 0.9 * settings.album_deadline_s - 15
            assert int(limits["threshold"]) >= settings.worker_photos_per_s * planned_s
        elif trigger["name"] == "queue-index":
            assert messages >= settings.runway_photos / MessageSizes.of(settings).few
        elif trigger["name"] == "queue-interactive":
            photos = messages * MessageSizes.of(settings).few
            assert photos / settings.worker_photos_per_s < 30
        else:
            assert "facefleet_workers_wanted" in limits["query"]
            assert limits["threshold"] == "1"


def test_scaled_deployments_exist_and_leave_their_number_to_keda(deployed: list[Resource]) -> None:
    deployments = {each["metadata"]["name"]: each for each in of_kind(deployed, "Deployment")}
    for scaled in of_kind(deployed, "ScaledObject"):
        assert "replicas" not in deployments[scaled["spec"]["scaleTargetRef"]["name"]]["spec"]
        for trigger in scaled["spec"]["triggers"]:
            wanted = trigger.get("authenticationRef", {}).get("name")
            assert wanted is None or wanted in names_of(deployed, "TriggerAuthentication")


def test_queues_are_those_of_the_fleet() -> None:
    queues = {queue_name(Settings(_env_file=None), lane) for lane in LANES}
    named = set()
    for scaled in scaled_objects():
        for trigger in scaled["spec"]["triggers"]:
            named |= {trigger["metadata"].get("listName"), trigger["metadata"].get("queueURL", "").rpartition("/")[2]}
    assert named - {None, ""} == {"facefleet-index", "facefleet-interactive"}
    assert named - {None, ""} <= queues


def test_spot_workers_run_on_spot_nodes_only_and_others_never() -> None:
    for spec, container in containers(resources_of(K8S / "overlays/spot")):
        terms = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
        pool = terms[0]["matchExpressions"][0]["values"]
        assert (pool == ["spot"]) == ("tolerations" in spec), container["name"]
        assert pool == ["on-demand"] or container["args"] == ["worker"]


def test_no_secret_is_in_it() -> None:
    for path in K8S.rglob("*.yaml"):
        assert not re.search(r"(?mi)^kind: Secret$", path.read_text())


def test_only_the_api_knows_what_keys_are_made_of(deployed: list[Resource]) -> None:
    knows = {
        container["name"]
        for _, container in containers(deployed)
        if "facefleet-api" in {each.get("secretRef", {}).get("name") for each in container["envFrom"]}
    }
    assert knows == {"api"}
