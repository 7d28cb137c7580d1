"""Stands for an engine: answers /health and /metrics on the port in its arguments.

``FAKE_ENGINE`` in the environment says what it does: ``crash`` (ends at once), ``deaf`` (never answers), else
it works. Requests end at ten a second; TTFT between 0.2 and 0.3 s. SIGTERM ends it.
"""

from __future__ import annotations

import http.server
import os
import sys
import time

STARTED = time.monotonic()
BOUNDS = (0.1, 0.2, 0.3, 0.5)


def metrics() -> str:
    done = int(10 * (time.monotonic() - STARTED))
    lines = [
        "# TYPE vllm:request_success_total counter",
        f'vllm:request_success_total{{finished_reason="stop"}} {done}',
        "# TYPE vllm:num_requests_running gauge", "vllm:num_requests_running 0",
        "# TYPE vllm:num_requests_waiting gauge", "vllm:num_requests_waiting 0",
        "# TYPE vllm:kv_cache_usage_perc gauge", "vllm:kv_cache_usage_perc 0.25",
        "# TYPE vllm:time_to_first_token_seconds histogram",
    ]  # fmt: skip
    lines += [f'vllm:time_to_first_token_seconds_bucket{{le="{b}"}} {done if b > 0.2 else 0}' for b in BOUNDS]
    lines += [
        f'vllm:time_to_first_token_seconds_bucket{{le="+Inf"}} {done}',
        f"vllm:time_to_first_token_seconds_count {done}",
        f"vllm:time_to_first_token_seconds_sum {0.25 * done}",
    ]
    return "\n".join(lines) + "\n"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = metrics().encode() if self.path == "/metrics" else b"ok"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    mood = os.environ.get("FAKE_ENGINE", "")
    if mood == "crash":
        sys.exit(7)
    if "--port" not in sys.argv or mood == "deaf" or "--headless" in sys.argv:
        time.sleep(600)
    host = sys.argv[sys.argv.index("--bind") + 1] if "--bind" in sys.argv else "127.0.0.1"
    port = int(sys.argv[sys.argv.index("--port") + 1])
    http.server.ThreadingHTTPServer((host, port), Handler).serve_forever()


if __name__ == "__main__":
    main()
