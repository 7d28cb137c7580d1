"""Rollouts and engines as text."""

from __future__ import annotations

from planner.service.fleet_client import EngineState, RolloutState

__all__ = ["engine_text", "rollout_text"]


def rollout_text(rollout: RolloutState) -> str:
    """The state, and a line for each step."""
    reason = f": {rollout.reason}" if rollout.reason else ""
    lines = [
        f"rollout {rollout.generation} to {rollout.plan}: {rollout.state}{reason}",
        f"  {rollout.done_count} of {len(rollout.steps)} steps done",
    ]
    lines += [f"  no live engine on {node}" for node in rollout.waiting_nodes]
    for step in rollout.steps:
        where = f" on {', '.join(step.nodes)}" if step.nodes else ""
        why = f"  ({step.reason})" if step.reason else ""
        what = f"{step.kind} {step.instance}".strip()
        lines.append(f"  {step.index:>4}  {step.state:<8} {what}{where}{why}")
    return "\n".join(lines) + "\n"


def engine_text(engine: EngineState, *, now_s: float) -> str:
    """The engine, and a line for each of its instances."""
    gpus = f" GPUs {','.join(map(str, engine.gpus))}" if engine.gpus else ""
    labels = "".join(f" {name}={value}" for name, value in sorted(engine.labels.items()))
    lines = [
        f"{engine.name}: {engine.state}, heard of {max(0.0, now_s - engine.seen_s):.0f} s ago, "
        f"on {engine.node}{gpus}{labels}"
    ]
    for name, state in sorted(engine.instances.items()):
        again = engine.restarts[name]
        lines.append(f"  {name}: {state}" + (f", started again {again} times" if again else ""))
    return "\n".join(lines) + "\n"
