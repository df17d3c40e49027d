"""Alerts, dashboard and scaling ask for metrics, labels and services that exist."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from facefleet.metrics import Metrics

INFRA = Path(__file__).resolve().parents[3] / "infra"
#: Samples that Prometheus makes of a metric, by its type.
SAMPLES = {
    "counter": ["{}_total"],
    "gauge": ["{}"],
    "histogram": ["{}_bucket", "{}_sum", "{}_count"],
    "info": ["{}_info"],
}
#: Labels that the metrics do not have themselves.
SCRAPED = {"job", "instance", "le", "version", "pack", "runtime"}


def read_metrics() -> dict[str, set[str]]:
    """Labels of every sample that a process shows."""
    metrics = Metrics()
    labels = {each._name: set(each._labelnames) for each in vars(metrics).values() if hasattr(each, "_labelnames")}
    return {
        pattern.format(family.name): labels[family.name]
        for family in metrics.registry.collect()
        for pattern in SAMPLES[family.type]
    }


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((INFRA / "prometheus/alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboards() -> Iterator[dict[str, Any]]:
    for path in (INFRA / "grafana/dashboards").glob("*.json"):
        yield json.loads(path.read_text())


def expressions() -> list[str]:
    asked = [rule["expr"] for rule in alerts()]
    asked += [target["expr"] for board in dashboards() for panel in board["panels"] for target in panel["targets"]]
    for path in (INFRA / "k8s").rglob("*.yaml"):
        asked += re.findall(r"(?m)^ +query: (.+)$", path.read_text())
    return asked


@pytest.mark.parametrize("expression", expressions())
def test_queries_parse_and_name_metrics_and_labels_that_exist(expression: str) -> None:
    known = read_metrics()
    # Grafana fills in the variable; Prometheus' own parser, which also checks types, knows no variables.
    parsed = promql_parser.parse(expression.replace("$__rate_interval", "1m"))
    for selector in selectors(parsed):
        name = selector.name
        assert name == "up" or name in known, name
        labels = {matcher.name for matcher in selector.matchers.matchers}
        assert labels <= known.get(name, set()) | SCRAPED, expression
    grouped = {label.strip() for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(",")}
    assert grouped <= set().union(*known.values()) | SCRAPED, expression


def selectors(parsed: Any) -> list[Any]:  # noqa: ANN401  the parser's classes have no types
    """Every metric that a query asks for."""
    found: list[Any] = []

    def note(node: Any) -> bool:  # noqa: ANN401  the same
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        return True

    promql_parser.walk(parsed, note)
    return found


def test_every_metric_is_on_the_dashboard_or_in_an_alert() -> None:
    """A figure that nobody looks at is one that nobody misses when it breaks."""
    asked = " ".join(expressions())
    shown = {sample for sample in read_metrics() if sample in asked}
    families = {re.sub(r"_(total|bucket|sum|count|info)$", "", sample) for sample in read_metrics()}
    assert families == {re.sub(r"_(total|bucket|sum|count|info)$", "", sample) for sample in shown}


def test_every_promise_has_an_alert_and_every_alert_a_runbook() -> None:
    names = [rule["alert"] for rule in alerts()]
    assert {"NothingStarts", "AlbumLate", "SearchSlow", "PhotosDie"} <= set(names)
    runbook = (INFRA.parent / "docs/operations.md").read_text()
    for rule in alerts():
        assert f"\n### {rule['alert']}\n" in runbook
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["summary"]


def test_alerts_fire_as_their_own_tests_say() -> None:
    tests = INFRA / "prometheus/alerts_test.yml"
    expected = [each for test in yaml.safe_load(tests.read_text())["tests"] for each in test["alert_rule_test"]]
    assert {each["alertname"] for each in expected} <= {rule["alert"] for rule in alerts()}
    # Prometheus is no Python package: where it is installed, it has the word.
    if promtool := shutil.which("promtool"):
        done = subprocess.run([promtool, "test", "rules", tests], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_finds_services_and_ports_of_compose() -> None:
    config = yaml.safe_load((INFRA / "prometheus/prometheus.yml").read_text())
    services = yaml.safe_load((INFRA.parent / "docker-compose.yml").read_text())["services"]
    ports = {"api": 8000, "worker": 9100, "worker-gpu": 9100, "dispatcher": 9100}
    found = {
        name: source["port"]
        for job in config["scrape_configs"]
        for source in job["dns_sd_configs"]
        for name in source["names"]
    }
    assert found == ports
    assert set(found) <= set(services)
    assert all((INFRA / "prometheus" / name).is_file() for name in config["rule_files"])
    jobs = {job["job_name"] for job in config["scrape_configs"]}
    assert {job for rule in expressions() for job in re.findall(r'job="([^"]+)"', rule)} <= jobs


def test_dashboard_is_provisioned_from_where_compose_puts_it() -> None:
    (source,) = yaml.safe_load((INFRA / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"]
    (provider,) = yaml.safe_load((INFRA / "grafana/provisioning/dashboards/facefleet.yml").read_text())["providers"]
    grafana = yaml.safe_load((INFRA.parent / "docker-compose.yml").read_text())["services"]["grafana"]
    assert f"./infra/grafana/dashboards:{provider['options']['path']}:ro" in grafana["volumes"]
    assert source["url"] == "http://prometheus:9090"
    for board in dashboards():
        assert board["uid"]
        for panel in board["panels"]:
            assert panel["datasource"] == {"type": "prometheus", "uid": source["uid"]}
            assert panel["title"]
        identities = [panel["id"] for panel in board["panels"]]
        assert len(set(identities)) == len(identities)
