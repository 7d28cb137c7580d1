"""`fulcrum rebalance`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from planner.cli.arguments import seconds

__all__ = ["rebalance"]


def rebalance(
    fleet: Annotated[str, typer.Option(help="Name of a registered fleet (fulcrum fleet register).")],
    server: Annotated[str, typer.Option(metavar="ADDR", help="The Fulcrum server.")] = "127.0.0.1:50061",
    prometheus: Annotated[
        str | None, typer.Option(metavar="URL", help="Prometheus with the engines' metrics.")
    ] = None,
    measurements: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Measurements from a file instead.")
    ] = None,
    reported: Annotated[
        bool, typer.Option("--reported", help="What the engines' agents reported to the server instead.")
    ] = False,
    every: Annotated[str | None, typer.Option(metavar="DURATION", help="Go on for ever: 5m, 1h.")] = None,
    once: Annotated[bool, typer.Option("--once", help="One turn: for cron.")] = False,
    auto: Annotated[
        bool, typer.Option("--auto", help="Promote plans that keep the rules; else they wait for you.")
    ] = False,
    horizon: Annotated[str, typer.Option(help="How far ahead demand must be carried.")] = "1h",
    season: Annotated[str, typer.Option(help="Length of a season in the load.")] = "24h",
    step: Annotated[str, typer.Option(help="Distance of the samples.")] = "5min",
    history: Annotated[str, typer.Option(help="How much of the past is read.")] = "168h",
    confidence: Annotated[float, typer.Option(help="Share of past peaks the plan would have carried.")] = 0.9,
    min_saving: Annotated[str, typer.Option(help="Least saving worth moving for.")] = "5%",
    max_moves: Annotated[int | None, typer.Option(help="More moves than this wait for you.")] = None,
    cooldown: Annotated[
        str, typer.Option(help="After a promotion, time without changes that only save.")
    ] = "30min",
    watch: Annotated[
        str, typer.Option(help="After a promotion, time in which missed targets undo it.")
    ] = "15min",
    step_timeout: Annotated[
        str, typer.Option(help="Longest without news in a rollout; then it is taken back.")
    ] = "45min",
    selector: Annotated[str, typer.Option(help='More label matchers: cluster="east".')] = "",
    metric_requests: Annotated[
        str, typer.Option(help="Counter of finished requests.")
    ] = "vllm:request_success_total",
    metric_ttft: Annotated[
        str, typer.Option(help="Histogram of the time to first token, seconds.")
    ] = "vllm:time_to_first_token_seconds",
    metric_tpot: Annotated[
        str, typer.Option(help="Histogram of the time per output token, seconds.")
    ] = "vllm:request_time_per_output_token_seconds",
    time_limit: Annotated[
        float, typer.Option(metavar="TIME", help="For the planning of a turn.", parser=seconds)
    ] = 60.0,
    server_ca: Annotated[
        Path | None, typer.Option(envvar="FULCRUM_TLS_CA", help="PEM file of the server's authorities: TLS.")
    ] = None,
    token: Annotated[str | None, typer.Option(envvar="FULCRUM_TOKEN", help="Token for the server.")] = None,
    prometheus_token: Annotated[
        str | None, typer.Option(envvar="FULCRUM_PROMETHEUS_TOKEN", help="Token for Prometheus.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="One JSON line a turn.")] = False,
) -> int:
    """Keep a fleet balanced: measured load, forecast, new plan, promotion when it must be or pays.

    Exit code of --once: 0 when the fleet is as it should be; 2 when a plan waits for approval, a promotion
    was taken back, targets are missed and no plan would help, or the measurements are stale; 1 or 3 when
    something failed.
    """
    import contextlib
    import time

    from models.document import parse_duration_ms, parse_fraction
    from models.errors import FulcrumError, InvalidInput
    from planner.cli.exit_codes import ExitCode
    from planner.options import PlanOptions
    from planner.rebalance.job import rebalance_once
    from planner.rebalance.prometheus import Metrics, PrometheusSource
    from planner.rebalance.reported import ReportedSource
    from planner.rebalance.rules import Rules
    from planner.rebalance.series import Source
    from planner.rebalance.table import CsvSource
    from planner.report.rebalance import turn_json, turn_text
    from planner.service.client import PlanClient
    from planner.service.fleet_client import FleetClient

    def seconds(text: str) -> float:
        return parse_duration_ms(text) / 1e3

    if once == (every is not None):
        raise InvalidInput("say --once, or --every with a duration such as 5min")
    if (prometheus is not None) + (measurements is not None) + reported != 1:
        raise InvalidInput(
            "say where the load is measured: --prometheus URL, --measurements FILE.csv or --reported"
        )
    rules = Rules(
        horizon_s=seconds(horizon), season_s=seconds(season), step_s=seconds(step),
        history_s=seconds(history), confidence=confidence, min_saving=parse_fraction(min_saving),
        max_moves=max_moves, cooldown_s=seconds(cooldown), watch_s=seconds(watch), warm_up_s=seconds(step),
        stale_s=3 * seconds(step), step_timeout_s=seconds(step_timeout),
    )  # fmt: skip
    source: Source | None = None
    if measurements is not None:
        source = CsvSource(measurements)
    elif prometheus is not None:
        source = PrometheusSource(
            prometheus, step_s=rules.step_s, selector=selector, token=prometheus_token,
            metrics=Metrics(requests=metric_requests, ttft=metric_ttft, tpot=metric_tpot),
        )  # fmt: skip
    pause_s = 0.0 if every is None else seconds(every)
    with contextlib.ExitStack() as stack:
        fleets = stack.enter_context(FleetClient(server, authorities=server_ca, token=token))
        plans = stack.enter_context(PlanClient(server, authorities=server_ca, token=token))
        source = source or ReportedSource(fleets, fleet, step_s=rules.step_s)
        while True:
            began = time.monotonic()
            try:
                turn = rebalance_once(
                    fleet, fleets, plans, source, rules, automatic=auto,
                    options=PlanOptions(time_limit_s=time_limit),
                )  # fmt: skip
            except FulcrumError as error:
                if once:
                    raise
                typer.echo(f"error: {error}; next turn in {every}", err=True)  # the next may find it mended
            else:
                typer.echo(turn_json(fleet, turn) if json_ else turn_text(fleet, turn), nl=False)
                if once:
                    done = turn.decision in ("hold", "promoted", "rolling")
                    return ExitCode.OK if done else ExitCode.INFEASIBLE
            time.sleep(max(0.0, pause_s - (time.monotonic() - began)))
