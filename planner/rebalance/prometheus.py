"""Measurements from a Prometheus server, by its HTTP API (``/api/v1/query_range``)."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.errors import InvalidInput, Unavailable
from planner.rebalance.series import Measured, Series, Wanted

__all__ = ["Metrics", "PrometheusSource"]

MOST_POINTS = 11_000
"""Points of one series that Prometheus returns at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Names of the engines' metrics; the defaults are vLLM's.

    Parameters
    ----------
    requests
        Counter of finished requests.
    ttft, tpot
        Histograms in seconds, by their name without ``_bucket``; empty: not measured.
    model_label
        Label with the name the model is served as.
    """

    requests: str = "vllm:request_success_total"
    ttft: str = "vllm:time_to_first_token_seconds"
    tpot: str = "vllm:request_time_per_output_token_seconds"
    model_label: str = "model_name"


class PrometheusSource:
    """A Prometheus server.

    Parameters
    ----------
    url
        ``http://HOST:PORT``, with a path prefix where there is one.
    step_s
        Distance of the samples.
    selector
        More label matchers for every query, such as ``cluster="east"``.
    token
        Bearer token.

    Raises
    ------
    InvalidInput
        `url` is not http or https.
    """

    def __init__(
        self,
        url: str,
        *,
        step_s: float = 300.0,
        metrics: Metrics | None = None,
        selector: str = "",
        token: str | None = None,
        timeout_s: float = 30.0,
    ) -> None:
        if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
            raise InvalidInput(f"the address of Prometheus starts with http:// or https://, got {url!r}")
        self.url = url.rstrip("/")
        self._step_s = step_s
        self._metrics = metrics or Metrics()
        self._selector = selector
        self._token = token
        self._timeout_s = timeout_s

    def read(self, workloads: Sequence[Wanted], *, end_s: float, length_s: float) -> Mapping[str, Measured]:
        """See `planner.rebalance.series.Source`; requests of one model are told apart by nothing else."""
        return {wanted.workload: self._measured(wanted, end_s, length_s) for wanted in workloads}

    def _measured(self, wanted: Wanted, end_s: float, length_s: float) -> Measured:
        names, window = self._metrics, f"[{2 * self._step_s:.0f}s]"
        match = f'{names.model_label}="{_escaped(wanted.model)}"'
        match = f"{{{match},{self._selector}}}" if self._selector else f"{{{match}}}"

        def quantile(metric: str, percentile: float) -> Series | None:
            if not metric:
                return None
            query = (
                f"1000 * histogram_quantile({percentile / 100:g}, "
                f"sum by (le) (rate({metric}_bucket{match}{window})))"
            )
            return self._series(query, end_s, length_s)

        rate = self._series(f"sum(rate({names.requests}{match}{window}))", end_s, length_s)
        if rate is None:
            raise InvalidInput(
                f"Prometheus at {self.url} has no {names.requests}{match} in the last {length_s / 3600:g} h; "
                "is the model served under another name, or the metric called otherwise (--metric-requests)?"
            )
        return Measured(
            rate_per_s=rate,
            instances=self._series(f"count(count by (instance) ({names.requests}{match}))", end_s, length_s),
            ttft_ms=quantile(names.ttft, wanted.ttft_percentile),
            tpot_ms=quantile(names.tpot, wanted.tpot_percentile),
        )

    def _series(self, query: str, end_s: float, length_s: float) -> Series | None:
        """The one series a query gives; None: nothing was measured."""
        step_s = max(self._step_s, length_s / MOST_POINTS)
        parameters = {
            "query": query,
            "start": f"{end_s - length_s:.3f}",
            "end": f"{end_s:.3f}",
            "step": f"{step_s:g}",
        }
        results = self._get("/api/v1/query_range", parameters)["result"]
        if not results:
            return None
        if len(results) > 1:
            raise InvalidInput(f"Prometheus returned {len(results)} series for {query}; one was expected")
        points = results[0]["values"]
        return Series(np.array([p[0] for p in points], float), np.array([float(p[1]) for p in points]))

    def _get(self, path: str, parameters: Mapping[str, str]) -> Any:
        request = urllib.request.Request(f"{self.url}{path}?{urllib.parse.urlencode(parameters)}")  # noqa: S310 - scheme checked
        if self._token is not None:
            request.add_header("Authorization", f"Bearer {self._token}")
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s) as response:  # noqa: S310 - scheme checked
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            raise Unavailable(f"Prometheus at {self.url} answers {error.code}: {_reason(error)}") from None
        except (OSError, ValueError) as error:
            raise Unavailable(f"Prometheus at {self.url} cannot be read: {error}") from None
        if not isinstance(answer, dict) or answer.get("status") != "success":
            raise Unavailable(f"{self.url} is no Prometheus: it answered {str(answer)[:100]}")
        return answer["data"]


def _reason(error: urllib.error.HTTPError) -> str:
    body = error.read(2000)
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return error.reason if isinstance(error.reason, str) else str(error.reason)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
