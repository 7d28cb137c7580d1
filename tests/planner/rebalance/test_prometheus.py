"""A real Prometheus server with a day of a vLLM engine's metrics written into its database."""

from __future__ import annotations

import http.server
import math
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator

import numpy as np
import pytest

from models.errors import InvalidInput, Unavailable
from planner.rebalance.prometheus import PrometheusSource
from planner.rebalance.series import Wanted

CHAT = Wanted(workload="talk", model="chat", ttft_percentile=95, tpot_percentile=50)
END_S = 1_760_000_000
STEP_S = 60


def rate_at(t: float) -> float:
    """Requests per second of the simulated engines."""
    return 10 + 5 * math.sin(2 * math.pi * t / 7200)


def metrics() -> str:
    """Two hours of counters in the OpenMetrics format: one engine, and after an hour two."""
    times = range(END_S - 7200, END_S + 1, 15)
    finished = {0: 0.0, 1: 0.0}
    lines = {"requests": [], "ttft": [], "tpot": []}
    for t in times:
        engines = (0,) if t < END_S - 3600 else (0, 1)
        for engine in engines:
            finished[engine] += 15 * rate_at(t) / len(engines)
            labels = f'model_name="chat",instance="gpu{engine}:8000"'
            count = finished[engine]
            lines["requests"].append(f"vllm:request_success_total{{{labels}}} {count} {t}")
            for name, bounds in (("ttft", (0.1, 0.2, 0.4)), ("tpot", (0.01, 0.02, 0.04))):
                metric = {
                    "ttft": "vllm:time_to_first_token_seconds",
                    "tpot": "vllm:request_time_per_output_token_seconds",
                }[name]
                shares = (0.5, 0.9, 1.0)
                for bound, share in (*zip(bounds, shares, strict=True), ("+Inf", 1.0)):
                    lines[name].append(f'{metric}_bucket{{{labels},le="{bound}"}} {share * count} {t}')
    text = "# TYPE vllm:request_success counter\n" + "\n".join(lines["requests"])
    text += "\n# TYPE vllm:time_to_first_token_seconds histogram\n" + "\n".join(lines["ttft"])
    text += "\n# TYPE vllm:request_time_per_output_token_seconds histogram\n" + "\n".join(lines["tpot"])
    return text + "\n# EOF\n"


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not (shutil.which("prometheus") and shutil.which("promtool")):
        pytest.skip("needs the programs prometheus and promtool on the PATH")
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "metrics.txt").write_text(metrics())
    (folder / "prometheus.yml").write_text("global: {scrape_interval: 1h}\n")
    create = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "metrics.txt", "data"]
    subprocess.run(create, cwd=folder, check=True, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data",
         f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=100y"],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{url}/-/ready", timeout=1).close()
                break
            except OSError:
                assert server.poll() is None
                time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait(30)


def test_rates_latencies_and_instances(prometheus: str) -> None:
    found = PrometheusSource(prometheus, step_s=STEP_S).read([CHAT], end_s=END_S, length_s=5400)["talk"]
    rate = found.rate_per_s
    assert len(rate) == 5400 / STEP_S + 1
    expected = [np.mean([rate_at(u) for u in range(int(t) - 2 * STEP_S, int(t), 15)]) for t in rate.times_s]
    steady = (rate.times_s < END_S - 3600) | (rate.times_s > END_S - 3600 + 3 * STEP_S)
    np.testing.assert_allclose(rate.values[steady], np.array(expected)[steady], rtol=0.05)
    assert found.instances is not None
    assert set(found.instances.values) == {1, 2}
    assert found.ttft_ms is not None
    np.testing.assert_allclose(
        found.ttft_ms.values, 300, rtol=0.01
    )  # halfway from 200 at 90 % to 400 at 100 %
    assert found.tpot_ms is not None
    np.testing.assert_allclose(found.tpot_ms.values, 10, rtol=0.01)


def test_a_model_nobody_serves_is_an_error_that_says_what_to_check(prometheus: str) -> None:
    other = Wanted(workload="talk", model="chta", ttft_percentile=95, tpot_percentile=50)
    with pytest.raises(InvalidInput, match="served under another name"):
        PrometheusSource(prometheus).read([other], end_s=END_S, length_s=3600)


def test_selectors_reach_the_query_and_a_bad_one_is_reported(prometheus: str) -> None:
    one = PrometheusSource(prometheus, step_s=STEP_S, selector='instance="gpu1:8000"')
    found = one.read([CHAT], end_s=END_S, length_s=1200)["talk"]
    assert found.rate_per_s.values.max() < 8
    with pytest.raises(Unavailable, match=r"answers 400: .*parse error"):
        PrometheusSource(prometheus, selector="}{").read([CHAT], end_s=END_S, length_s=3600)


def test_no_server_and_no_prometheus() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Unavailable, match="cannot be read"):
        PrometheusSource(f"http://127.0.0.1:{port}").read([CHAT], end_s=END_S, length_s=3600)
    with pytest.raises(InvalidInput, match="http"):
        PrometheusSource("file:///etc/passwd")

    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'"hello"')

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Other) as server:
        thread = threading.Thread(target=server.handle_request, daemon=True)
        thread.start()
        with pytest.raises(Unavailable, match="is no Prometheus"):
            PrometheusSource(f"http://127.0.0.1:{server.server_port}").read([CHAT], end_s=END_S, length_s=60)
        thread.join(10)
