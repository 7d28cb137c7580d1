"""What a scrape says after something happened, and the dashboard that reads it."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from pathlib import Path

import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families

from models.errors import InvalidInput, Unavailable
from planner.service.metrics import Metrics
from planner.service.protos import operations_pb2, planning_service_pb2
from planner.service.server import ServerConfig
from planner.store.database import Database
from planner.store.plans import PlanStore

DASHBOARD = Path(__file__).parents[3] / "deploy" / "grafana" / "fulcrum.json"


_ENDS = {
    "gauge": ("",), "counter": ("_total",), "info": ("_info",), "histogram": ("_bucket", "_count", "_sum"),
}  # fmt: skip
"""What is added to the name of a family, by its type, in the names of its samples."""


def scrape(running) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Value by sample name and labels."""
    url = f"http://127.0.0.1:{running.server.metrics_server.port}/metrics"
    with urllib.request.urlopen(url, timeout=10) as response:
        text = response.read().decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scraped_with(running, name: str, **labels: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Scraped as soon as this sample is among them, or after ten seconds."""
    until = time.monotonic() + 10
    while (name, frozenset(labels.items())) not in (samples := scrape(running)) and time.monotonic() < until:
        time.sleep(0.02)
    return samples


def value(samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


@pytest.fixture
def measured(start_server):
    return start_server(metrics="127.0.0.1:0")


def test_plans_and_calls_are_counted(measured) -> None:
    measured.wait(measured.create())
    measured.wait(measured.create("{fleet: demo, then: break}"))
    with pytest.raises(grpc.RpcError):
        measured.planning.GetPlan(planning_service_pb2.GetPlanRequest(name="plans/" + "0" * 32), timeout=10)
    count = "fulcrum_rpc_duration_seconds_count"
    planning = "/fulcrum.v1.PlanningService/"
    # The caller has its answer a moment before the server counts the call.
    samples = scraped_with(measured, count, method=planning + "GetPlan", code="NOT_FOUND")
    assert value(samples, count, method=planning + "CreatePlan", code="OK") == 2
    assert value(samples, count, method=planning + "GetPlan", code="NOT_FOUND") == 1
    assert value(samples, "fulcrum_plans", state="optimal") == 1
    assert value(samples, "fulcrum_plans", state="failed") == 1
    assert value(samples, "fulcrum_plans", state="queued") == 0
    solves = "fulcrum_solve_duration_seconds_count"
    assert value(samples, solves, kind="plan", state="optimal") == 1
    assert value(samples, solves, kind="plan", state="failed") == 1
    assert value(samples, "fulcrum_plan_gap_ratio_sum") == 0.05  # the scripted plan's only goal
    assert value(samples, "fulcrum_plan_gap_ratio_count") == 1
    assert value(samples, "fulcrum_store_up") == 1


def test_the_queue_and_its_age_are_those_of_what_waits(measured) -> None:
    running = measured.create("{fleet: demo, pause_s: 60}")
    waiting = [measured.create(), measured.create()]
    deadline = time.monotonic() + 10
    while value(samples := scrape(measured), "fulcrum_queue_plans") != 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert value(samples, "fulcrum_queue_plans") == 2
    assert value(samples, "fulcrum_plans", state="running") == 1
    assert 0 < value(samples, "fulcrum_queue_oldest_seconds") < 20
    for operation in (running, *waiting):
        measured.operations.CancelOperation(_cancel(operation.name), timeout=10)
    measured.wait(running)
    after = scrape(measured)
    assert value(after, "fulcrum_queue_plans") == value(after, "fulcrum_queue_oldest_seconds") == 0


def test_a_worker_that_died_is_counted_when_it_is_replaced(measured) -> None:
    assert value(scrape(measured), "fulcrum_worker_restarts_total") == 0
    measured.wait(measured.create("{fleet: demo, then: die}"))
    measured.wait(measured.create())
    assert value(scrape(measured), "fulcrum_worker_restarts_total") == 1


def test_a_scrape_outlives_the_store(tmp_path) -> None:
    database = Database(str(tmp_path / "plans.sqlite"))
    metrics = Metrics()
    metrics.watch(PlanStore(database), lambda: 7)
    with database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE plans RENAME TO gone")
    samples = {
        sample.name: sample.value for family in metrics.registry.collect() for sample in family.samples
    }
    database.close()
    assert samples["fulcrum_store_up"] == 0
    assert samples["fulcrum_worker_restarts_total"] == 7
    assert "fulcrum_plans" not in samples


def test_metrics_stay_on_this_machine_unless_told(tmp_path) -> None:
    with pytest.raises(InvalidInput, match="say --insecure"):
        ServerConfig(metrics="0.0.0.0:9464")
    ServerConfig(metrics="0.0.0.0:9464", insecure=True)
    with pytest.raises(InvalidInput, match="over TCP"):
        ServerConfig(metrics="unix:/run/metrics")
    with pytest.raises(InvalidInput, match="not an address"):
        ServerConfig(metrics="9464")


def test_a_port_in_use_is_said(measured, start_server) -> None:
    with pytest.raises(Unavailable, match="cannot serve metrics"):
        start_server(metrics=f"127.0.0.1:{measured.server.metrics_server.port}")


def test_the_dashboard_reads_what_a_server_reports_and_all_of_it(measured) -> None:
    families = list(measured.server.metrics.registry.collect())
    dashboard = json.loads(DASHBOARD.read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    queries += [variable["query"]["query"] for variable in dashboard["templating"]["list"][1:]]
    used = {name for query in queries for name in re.findall(r"\b(?:fulcrum|process)_\w+", query)}
    of = {family.name: {family.name + end for end in _ENDS[family.type]} for family in families}
    assert used <= set().union(*of.values()), "of the dashboard, but of no server"
    unread = {name for name in of if name.startswith("fulcrum_") and not of[name] & used}
    assert not unread, "of a server, but not on the dashboard"
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)


def _cancel(name: str):
    return operations_pb2.CancelOperationRequest(name=name)
