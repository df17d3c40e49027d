"""Alerts, dashboard and scaling ask for metrics, labels and services that exist."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
def test_metrics_and_labels_exist(expression: str) -> None:
    known = read_metrics()
    for name, matchers in re.findall(r"(facefleet_\w+)(?:\{([^}]*)\})?", expression):
        assert name in known, name
        assert set(re.findall(r"(\w+)[=!]~?", matchers)) <= known[name] | SCRAPED, expression
    grouped = {label.strip() for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(",")}
    assert grouped <= set().union(*known.values()) | SCRAPED, expression


def test_every_promise_has_an_alert_and_every_alert_a_runbook() -> None:
    names = [rule["alert"] for rule in alerts()]
    assert {"NothingStarts", "AlbumLate", "SearchSlow", "PhotosDie"} <= set(names)
    runbook = (INFRA.parent / "docs/operations.md").read_text()
    for rule in alerts():
        assert f"\n### {rule['alert']}\n" in runbook
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["summary"]


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
