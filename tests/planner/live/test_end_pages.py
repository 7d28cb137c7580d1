"""The pages over real HTTP: who may see what, what the headers say, progress as it happens."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import shutil
import ssl
import subprocess

import pytest
from google.longrunning import operations_pb2

from models.errors import InvalidInput
from planner.plan import Plan
from planner.service.client import PlanClient
from planner.service.gen.fulcrum.v1 import planning_service_pb2
from planner.service.server import ServerConfig, TlsFiles

ONE, TWO, OLD = "token-one", "token-two", "token-old"


def digest(token):
    return hashlib.sha256(token.encode()).hexdigest()


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    path = tmp_path_factory.mktemp("tokens") / "tokens.yaml"
    path.write_text(
        "tokens:\n"
        f"  - {{name: a, tenant: one, role: planner, sha256: {digest(ONE)}}}\n"
        f"  - {{name: b, tenant: two, role: viewer, sha256: {digest(TWO)}}}\n"
        f"  - {{name: c, tenant: one, role: viewer, sha256: {digest(OLD)}, expires: '2020-01-01'}}\n"
    )
    return path


@pytest.fixture(scope="module")
def open_server(start_servers_of_the_module, tmp_path_factory):
    """One without tokens, for tests that do not mind each other's plans."""
    return start_servers_of_the_module(http="127.0.0.1:0", store=str(tmp_path_factory.mktemp("open") / "s"))


@pytest.fixture(scope="module")
def closed_server(start_servers_of_the_module, tmp_path_factory, tokens):
    """One with tokens; only one test makes a plan on it."""
    folder = tmp_path_factory.mktemp("closed")
    return start_servers_of_the_module(http="127.0.0.1:0", tokens=tokens, store=str(folder / "s"))


class Browser:
    """Asks over one address and shows what came back."""

    def __init__(self, server, context=None):
        self.port, self.context, self.cookie = server.server.live.port, context, None

    def ask(self, path, method="GET", body=None, **headers):
        made = http.client.HTTPSConnection if self.context else http.client.HTTPConnection
        extra = {"context": self.context} if self.context else {}
        connection = made("127.0.0.1", self.port, timeout=30, **extra)
        sent = {"Accept": "text/html", **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.cookie:
            sent["Cookie"] = self.cookie
        if body is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body=body, headers=sent)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        if (cookie := answer.getheader("Set-Cookie")) is not None:
            self.cookie = cookie.split(";")[0]
        return answer, text


def make(server):
    with PlanClient(server.address) as client:
        return client.create_plan("fleet: demo\nsteps: 3")


def make_with(server, token):
    """The same by a caller with a token, which the client of the package sends over TLS only."""
    metadata = (("authorization", f"Bearer {token}"),)
    request = planning_service_pb2.CreatePlanRequest(document="fleet: demo")
    operation = server.planning.CreatePlan(request, metadata=metadata, timeout=30)
    wait = operations_pb2.WaitOperationRequest(name=operation.name)
    assert server.operations.WaitOperation(wait, metadata=metadata, timeout=30).done


def test_a_plan_is_listed_and_shown_as_the_command_shows_it(start_server):
    server = start_server(http="127.0.0.1:0")
    made = make(server)
    browser = Browser(server)
    answer, text = browser.ask("/")
    assert answer.status == 200
    (path,) = re.findall(r'href="(/plans/[0-9a-f]{32})"', text)
    assert "demo" in text
    assert "Log out" not in text
    answer, text = browser.ask(path)
    assert answer.status == 200
    assert "<h1>Plan of demo</h1>" in text
    assert 'href="/">All plans' in text
    answer, text = browser.ask(f"{path}/plan.json")
    assert Plan.from_json(text) == made
    answer, text = browser.ask("/?fleet=another")
    assert "There is no plan here yet" in text
    assert browser.ask("/plans/" + "0" * 32)[0].status == 404
    assert browser.ask("/plans/x")[0].status == 404
    assert browser.ask(path, "DELETE")[0].status == 405
    assert browser.ask("/?page=rubbish")[0].status == 400


def test_no_page_may_do_more_than_it_needs(open_server):
    make(open_server)
    browser = Browser(open_server)
    path = re.findall(r'href="(/plans/[0-9a-f]{32})"', browser.ask("/")[1])[0]
    for where in ("/", path, "/login", "/plans/" + "0" * 32, "/live.js", f"{path}/plan.json"):
        answer, text = browser.ask(where)
        policy = answer.getheader("Content-Security-Policy")
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.getheader("X-Content-Type-Options") == "nosniff"
        assert answer.getheader("Referrer-Policy") == "no-referrer"
        assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", text)
        assert " style=" not in text  # the policy would drop it


def test_without_tokens_only_this_machine_may_ask_by_its_own_name(open_server):
    browser = Browser(open_server)
    assert browser.ask("/", Host="localhost:80")[0].status == 200
    assert browser.ask("/", Host="attacker.example")[0].status == 421
    assert browser.ask("/logout", "POST", Sec_Fetch_Site="cross-site")[0].status == 403


def test_tenants_see_their_own_plans_only(closed_server):
    make_with(closed_server, ONE)
    one, two = Browser(closed_server), Browser(closed_server)
    path = re.findall(r'href="(/plans/[0-9a-f]{32})"', one.ask("/", Authorization=f"Bearer {ONE}")[1])[0]
    assert one.ask(path, Authorization=f"Bearer {ONE}")[0].status == 200
    for where in (path, f"{path}/plan.json", f"{path}/events"):
        assert two.ask(where, Authorization=f"Bearer {TWO}")[0].status == 404
    assert "There is no plan here yet" in two.ask("/", Authorization=f"Bearer {TWO}")[1]


@pytest.mark.parametrize("header", [None, "Bearer nonsense", f"Bearer {OLD}", "Basic YTpi", ""])
def test_without_a_good_token_nothing_is_shown(closed_server, header):
    sent = {} if header is None else {"Authorization": header}
    answer, text = Browser(closed_server).ask("/", Accept="application/json", **sent)
    assert answer.status == 401
    assert answer.getheader("WWW-Authenticate").startswith("Bearer")
    assert "demo" not in text
    answer, _ = Browser(closed_server).ask("/?fleet=a", **sent)
    assert (answer.status, answer.getheader("Location")) == (303, "/login?next=%2F%3Ffleet%3Da")


def test_a_browser_logs_in_and_out(closed_server):
    browser = Browser(closed_server)
    answer, text = browser.ask("/login", "POST", body="token=wrong&next=/")
    assert answer.status == 403
    assert "not known, or has expired" in text
    assert browser.cookie is None
    answer, _ = browser.ask("/login", "POST", body=f"token={ONE}&next=//attacker.example/")
    assert (answer.status, answer.getheader("Location")) == (303, "/")
    cookie = answer.getheader("Set-Cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert ONE not in cookie
    answer, text = browser.ask("/")
    assert answer.status == 200
    assert "tenant one" in text
    kept = browser.cookie
    for forged in (
        kept[:-1] + ("0" if kept[-1] != "0" else "1"),
        kept.replace("=", "=9", 1),
        "fulcrum_session=..x",
    ):
        browser.cookie = forged
        assert browser.ask("/")[0].status == 303
    browser.cookie = kept
    answer, _ = browser.ask("/logout", "POST")
    assert answer.getheader("Location") == "/login"
    assert browser.ask("/")[0].status == 303


def test_progress_is_streamed_and_goes_on_where_it_was(open_server):
    operation = open_server.create("fleet: demo\nsteps: 6\npause_s: 0.1")
    plan_id = operation.name.removeprefix("operations/")
    browser = Browser(open_server)
    answer, text = browser.ask(f"/plans/{plan_id}")
    assert f'data-events="/plans/{plan_id}/events"' in text
    answer, text = browser.ask(f"/plans/{plan_id}/events")  # read to its end
    assert answer.getheader("Content-Type") == "text/event-stream"
    ids = [int(found) for found in re.findall(r"^id: (\d+)$", text, re.MULTILINE)]
    assert ids == list(range(1, len(ids) + 1))
    assert len(ids) >= 6
    reports = [
        json.loads(found) for found in re.findall(r"^event: progress\ndata: (.*)$", text, re.MULTILINE)
    ]
    assert any(report["objective"] is not None and report["bound"] is not None for report in reports)
    assert text.endswith('event: done\ndata: {"state": "optimal"}\n\n')
    _, rest = browser.ask(f"/plans/{plan_id}/events", Last_Event_ID=str(ids[-2]))
    assert re.findall(r"^id: (\d+)$", rest, re.MULTILINE) == [str(ids[-1])]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"http": "0.0.0.0:8080"}, "no TLS and tokens"),
        ({"http": "somewhere"}, "write HOST:PORT"),
        ({"http": "unix:/tmp/x"}, "over TCP"),
    ],
)
def test_where_pages_may_be_served(settings, words):
    with pytest.raises(InvalidInput, match=words):
        ServerConfig(**settings)
    assert ServerConfig(http="0.0.0.0:8080", insecure=True).http


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl program to make certificates")
def test_over_tls_the_cookie_is_for_tls_only(start_server, tokens, tmp_path):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "2", "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    files = TlsFiles(certificate=tmp_path / "cert.pem", key=tmp_path / "key.pem")
    browser = Browser(
        start_server(http="127.0.0.1:0", tokens=tokens, tls=files),
        ssl.create_default_context(cafile=str(tmp_path / "cert.pem")),
    )
    answer, _ = browser.ask("/login", "POST", body=f"token={ONE}")
    assert "Secure" in answer.getheader("Set-Cookie")
    assert browser.ask("/")[0].status == 200
    browser.context = None
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        browser.ask("/")
