"""The chart, rendered by helm, against the schemas of Kubernetes and against what the command line takes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml
from node_tools import helm

from planner.cli.app import build_app
from planner.service import probe
from planner.service.server import ServerConfig

DEPLOY = Path(__file__).parents[2] / "deploy"
CHART = DEPLOY / "helm" / "fulcrum"
SCHEMAS = json.loads((Path(__file__).parent / "schemas" / "kubernetes-1.34.json").read_text())
SECURE = {"tls": {"secret": "fulcrum-tls"}, "tokens": {"secret": "fulcrum-tokens"}}
JOBS = [
    {"name": "demo", "fleet": "demo", "prometheus": "http://prometheus:9090", "schedule": "*/5 * * * *"},
    {
        "name": "edge", "fleet": "edge", "prometheus": "https://prometheus", "every": "5min", "auto": True,
        "token": {"secret": "edge"}, "extraArgs": ["--max-moves=3"],
    },
]  # fmt: skip
FULL = {
    **SECURE,
    "tls": {"secret": "fulcrum-tls", "mutual": True},
    "replicas": 3,
    "store": {"postgresql": {"secret": "database"}},
    "metrics": {
        "enabled": True,
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "prometheusRule": {"enabled": True, "longestWaitSeconds": 90},
    },
    "priorityClassName": "important",
    "rebalance": JOBS,
    "networkPolicy": {"enabled": True},
    "imagePullSecrets": [{"name": "registry"}],
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [{"operator": "Exists"}],
    "podAnnotations": {"a": "b"},
    "podLabels": {"team": "serving"},
}
CASES = {"insecure": {"insecure": True}, "secure": SECURE, "full": FULL}


def run(command, values, tmp_path):
    path = tmp_path / "values.yaml"
    path.write_text(yaml.safe_dump(values))
    return subprocess.run(
        [helm(), *command, str(CHART), "--values", str(path)],
        capture_output=True, text=True, check=False, env={"HOME": str(tmp_path)},
    )  # fmt: skip


def rendered(values, tmp_path):
    done = run(["template", "release", "--namespace", "serving"], values, tmp_path)
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def by_kind(objects, kind):
    return [one for one in objects if one["kind"] == kind]


def validator(kind):
    return jsonschema.Draft202012Validator({**SCHEMAS, "$ref": f"#/$defs/{SCHEMAS['kinds'][kind]}"})


@pytest.mark.parametrize("case", CASES)
def test_lint(case, tmp_path):
    done = run(["lint", "--strict"], CASES[case], tmp_path)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("case", CASES)
def test_kubernetes_knows_every_field(case, tmp_path):
    objects = rendered(CASES[case], tmp_path)
    for one in objects:
        kind = f"{one['apiVersion']} {one['kind']}"
        if one["apiVersion"] == "monitoring.coreos.com/v1":
            continue  # of the Prometheus operator
        validator(kind).validate(one)
    names = [(one["kind"], one["metadata"]["name"]) for one in objects]
    assert len(set(names)) == len(names)


def test_the_schema_of_kubernetes_would_notice(tmp_path):
    (server,) = by_kind(rendered(CASES["insecure"], tmp_path), "StatefulSet")
    server["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(jsonschema.ValidationError, match="readinesProbe"):
        validator("apps/v1 StatefulSet").validate(server)


@pytest.mark.parametrize("case", CASES)
def test_the_command_line_takes_every_argument(case, tmp_path):
    """Options the chart writes exist, and their values parse: nothing runs."""
    import typer.main

    commands = typer.main.get_command(build_app()).commands
    seen = set()
    for one in rendered(CASES[case], tmp_path):
        spec = one.get("spec", {})
        pod = spec.get("jobTemplate", {}).get("spec", spec).get("template", {}).get("spec")
        if pod is None:
            continue
        for container in pod["containers"]:
            program, name, *arguments = container["args"]
            assert program == "fulcrum"
            commands[name].make_context(name, list(arguments))  # raises on what it does not know
            seen.add(name)
    assert seen == ({"serve", "rebalance"} if case == "full" else {"serve"})


def test_pods_run_as_nobody_in_particular_with_no_rights(tmp_path):
    objects = rendered(FULL, tmp_path)
    pods = [one["spec"]["template"]["spec"] for one in by_kind(objects, "Deployment")]
    pods += [one["spec"]["jobTemplate"]["spec"]["template"]["spec"] for one in by_kind(objects, "CronJob")]
    assert len(pods) == 3
    for pod in pods:
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in [*pod["initContainers"], *pod["containers"]]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]["memory"]
    assert not [one for one in objects if one["apiVersion"].startswith("rbac.")]


def test_secrets_are_never_arguments(tmp_path):
    (server,) = (d for d in by_kind(rendered(FULL, tmp_path), "Deployment") if d["spec"]["replicas"] == 3)
    container = server["spec"]["template"]["spec"]["containers"][0]
    store = next(entry for entry in container["env"] if entry["name"] == "FULCRUM_STORE")
    assert store["valueFrom"]["secretKeyRef"] == {"name": "database", "key": "url"}
    assert not [argument for argument in container["args"] if argument.startswith("--store")]


def test_one_server_keeps_its_file_and_several_share_a_database(tmp_path):
    (alone,) = by_kind(rendered(SECURE, tmp_path), "StatefulSet")
    assert alone["spec"]["volumeClaimTemplates"][0]["metadata"]["name"] == "data"
    assert not by_kind(rendered(FULL, tmp_path), "StatefulSet")


def test_a_drained_node_takes_one_of_several_servers_and_is_not_held_up_by_the_only_one(tmp_path):
    objects = rendered(FULL, tmp_path)
    (budget,) = by_kind(objects, "PodDisruptionBudget")
    (server,) = (d for d in by_kind(objects, "Deployment") if d["spec"]["replicas"] == 3)
    assert budget["spec"] == {"maxUnavailable": 1, "selector": server["spec"]["selector"]}
    pod = server["spec"]["template"]
    for label, value in budget["spec"]["selector"]["matchLabels"].items():
        assert pod["metadata"]["labels"][label] == value
    spread = pod["spec"]["topologySpreadConstraints"]
    assert [one["topologyKey"].rpartition("/")[2] for one in spread] == ["hostname", "zone"]
    assert all(one["labelSelector"] == server["spec"]["selector"] for one in spread)
    assert pod["spec"]["priorityClassName"] == "important"

    alone = rendered(SECURE, tmp_path)
    assert not by_kind(alone, "PodDisruptionBudget")
    assert "topologySpread" not in json.dumps(alone)


def test_a_pod_that_ends_has_time_for_all_that_is_to_happen(tmp_path):
    (server,) = by_kind(rendered(SECURE, tmp_path), "StatefulSet")
    pod = server["spec"]["template"]["spec"]
    wait = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    slack_s = 10
    assert wait[0] == "sleep"
    assert (
        float(wait[1]) + ServerConfig.__dataclass_fields__["grace_s"].default + slack_s
        <= pod["terminationGracePeriodSeconds"]
    )


@pytest.mark.parametrize("case", CASES)
def test_probes_are_what_the_probe_takes(case, tmp_path, capsys):
    """Nobody answers here, so that the arguments are read and the exit code says no answer."""
    kind = "Deployment" if case == "full" else "StatefulSet"
    (server,) = (
        o for o in by_kind(rendered(CASES[case], tmp_path), kind) if "server" in str(o["spec"]["selector"])
    )
    container = server["spec"]["template"]["spec"]["containers"][0]
    certificate = tmp_path / "any.pem"
    certificate.write_text("")
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        python, m, module, address, *options = container[name]["exec"]["command"]
        assert (python, m, module) == ("python", "-m", probe.__name__)
        assert ("--alive" in options) == (name == "livenessProbe")
        files = [re.sub(r"=/etc/fulcrum/tls/.*", f"={certificate}", option) for option in options]
        assert probe.main([address.replace(":50061", ":1"), *files, "--timeout=0.5"]) == 2


def test_alerts_are_about_metrics_that_the_server_has(tmp_path):
    (rule,) = by_kind(rendered(FULL, tmp_path), "PrometheusRule")
    expressions = [one["expr"] for group in rule["spec"]["groups"] for one in group["rules"]]
    named = set(re.findall(r"\bfulcrum_[a-z_]+", " ".join(expressions)))
    dashboard = (DEPLOY / "grafana" / "fulcrum.json").read_text()
    assert len(named) >= 6
    assert not [name for name in named if name not in dashboard]
    assert all('{namespace="serving",service="release-fulcrum"' in one for one in expressions)
    assert any(one.endswith("> 90") for one in expressions)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_reads_the_alerts(tmp_path):
    (rule,) = by_kind(rendered(FULL, tmp_path), "PrometheusRule")
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump(rule["spec"]))
    done = subprocess.run(
        ["promtool", "check", "rules", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "7 rules found" in done.stdout


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({}, "set tls.secret and tokens.secret, or insecure=true"),
        ({"tls": {"secret": "a"}}, "set tls.secret and tokens.secret"),
        ({"insecure": True, "replicas": 2}, "more than one replica needs store.postgresql.secret"),
        ({**SECURE, "metrics": {"enabled": True}}, "metrics.enabled needs tls.mutual"),
        ({"insecure": True, "metrics": {"serviceMonitor": {"enabled": True}}}, "needs metrics.enabled"),
        ({"insecure": True, "metrics": {"prometheusRule": {"enabled": True}}}, "needs metrics.enabled"),
        ({"insecure": True, "disruptionBudget": {"maxUnavailable": 0}}, "maxUnavailable"),
        ({"insecure": True, "tls": {"mutual": True}}, "tls.mutual needs tls.secret"),
        ({"insecure": True, "replica": 2}, "replica"),
        ({"insecure": True, "server": {"logLevel": "loud"}}, "logLevel"),
        ({"insecure": True, "rebalance": [{**JOBS[0], "every": "5min"}]}, "oneOf"),
        ({"insecure": True, "rebalance": [{"name": "demo"}]}, "rebalance"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(values, complaint, tmp_path):
    done = run(["template", "release"], values, tmp_path)
    assert done.returncode != 0
    assert complaint in done.stderr


def test_the_server_reads_what_the_pods_set():
    import typer.main

    serve = typer.main.get_command(build_app()).commands["serve"]
    (store,) = (parameter for parameter in serve.params if "--store" in parameter.opts)
    assert store.envvar == "FULCRUM_STORE"
