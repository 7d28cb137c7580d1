"""The chart, rendered by helm, against the schemas of Kubernetes and against what the command line takes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml
from node_tools import helm

from planner.cli.app import build_app

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
    "metrics": {"enabled": True, "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}}},
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
        if kind == "monitoring.coreos.com/v1 ServiceMonitor":
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


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({}, "set tls.secret and tokens.secret, or insecure=true"),
        ({"tls": {"secret": "a"}}, "set tls.secret and tokens.secret"),
        ({"insecure": True, "replicas": 2}, "more than one replica needs store.postgresql.secret"),
        ({**SECURE, "metrics": {"enabled": True}}, "metrics.enabled needs tls.mutual"),
        ({"insecure": True, "metrics": {"serviceMonitor": {"enabled": True}}}, "needs metrics.enabled"),
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
