"""When the job acts: hysteresis, step caps, and when it takes a promotion back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from models.errors import InvalidInput
from planner.plan import Plan

__all__ = ["Rules", "missed_targets", "reason_to_stay", "reasons_against", "reasons_to_plan", "suffices"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the job may do by itself.

    Parameters
    ----------
    horizon_s, season_s, step_s
        How far ahead is planned, the length of a season, the distance of samples.
    history_s
        How much of the past is read.
    confidence
        Share of backtested peaks that the planned demand covers.
    min_saving
        Share of the price a plan must save to be worth moving anything for, while the present one suffices.
    max_moves
        Most starts, stops and moves that are promoted without asking; None: any number.
    cooldown_s
        After a promotion, how long nothing is changed only to save.
    watch_s
        After a promotion, how long missed targets take it back.
    tolerance
        Share by which a measured latency may exceed its target before it counts as missed.
    most_shortfall
        A plan that misses targets at a load it should carry is taken to carry only that load, down to its
        capacity divided by this; below, more instances are not the cure.
    step_timeout_s
        Longest without an acknowledgement in the rollout of a promotion; then it is stopped and taken back.
    warm_up_s, stale_s, fewest_samples
        See `planner.rebalance.clean`.
    """

    horizon_s: float = 3600.0
    season_s: float = 86_400.0
    step_s: float = 300.0
    history_s: float = 7 * 86_400.0
    confidence: float = 0.9
    min_saving: float = 0.05
    max_moves: int | None = None
    cooldown_s: float = 1800.0
    watch_s: float = 900.0
    tolerance: float = 0.1
    most_shortfall: float = 2.0
    step_timeout_s: float = 2700.0
    warm_up_s: float = 300.0
    stale_s: float = 900.0
    fewest_samples: int = 3

    def __post_init__(self) -> None:
        for name in ("horizon_s", "season_s", "step_s", "history_s", "stale_s", "step_timeout_s"):
            if not getattr(self, name) > 0:
                raise InvalidInput(f"{name} must be positive, got {getattr(self, name)}")
        for name in ("cooldown_s", "watch_s", "warm_up_s", "tolerance"):
            if not getattr(self, name) >= 0:
                raise InvalidInput(f"{name} must not be negative, got {getattr(self, name)}")
        if not 0 <= self.min_saving < 1:
            raise InvalidInput(f"the least saving is a share below 1, got {self.min_saving}")
        if not 1 < self.most_shortfall <= 10:
            raise InvalidInput(
                f"the most shortfall lies above 1 and is at most 10, got {self.most_shortfall}"
            )
        if not 0.5 <= self.confidence < 1:
            raise InvalidInput(f"the confidence lies between 0.5 and 1, got {self.confidence}")
        if self.max_moves is not None and self.max_moves < 1:
            raise InvalidInput(f"a cap of {self.max_moves} moves would stop the job for ever")


def reasons_to_plan(
    rules: Rules, current: Plan | None, demand_per_s: Mapping[str, float], since_promotion_s: float | None
) -> tuple[str, ...]:
    """Why a new plan should be sought; empty while the present one carries the demand and is not too large.

    Parameters
    ----------
    demand_per_s
        By workload, headroom included.
    since_promotion_s
        Time since the last promotion; None: there was none.
    """
    if current is None:
        return ("no plan is promoted yet",)
    capacity = {outcome.name: outcome.surviving_capacity_per_s for outcome in current.workloads}
    reasons = [
        f"{name}: {wanted:.3g}/s are expected, the promoted plan carries {capacity.get(name, 0.0):.3g}/s"
        for name, wanted in sorted(demand_per_s.items())
        if wanted > capacity.get(name, 0.0) * (1 + 1e-9)
    ]
    reasons += [
        f"{name}: is not a workload of the fleet any more"
        for name in sorted(set(capacity) - set(demand_per_s))
    ]
    if reasons:
        return tuple(reasons)
    if since_promotion_s is not None and since_promotion_s < rules.cooldown_s:
        return ()
    return tuple(
        f"{name}: {wanted:.3g}/s are expected, the promoted plan carries {capacity[name]:.3g}/s"
        for name, wanted in sorted(demand_per_s.items())
        if wanted < capacity[name] * (1 - rules.min_saving)
    )


def reasons_against(rules: Rules, new: Plan) -> tuple[str, ...]:
    """Why a plan must not be promoted without asking; empty when it may."""
    if not new.instances:
        return (f"the new plan runs nothing: it is {new.state}",)
    reasons = [
        f"{outcome.name}: {outcome.unserved_per_s:.3g}/s would not be served"
        for outcome in new.workloads
        if outcome.unserved_per_s > 1e-9
    ]
    if new.verification is not None and not new.verification.met:
        missed = sorted({replay.workload for replay in new.verification.replays if not replay.met})
        reasons.append(f"the simulation misses the targets of {', '.join(missed)}")
    if rules.max_moves is not None and len(new.moves) > rules.max_moves:
        reasons.append(f"it takes {len(new.moves)} moves, more than the cap of {rules.max_moves}")
    return tuple(reasons)


def reason_to_stay(
    rules: Rules, current: Plan | None, new: Plan, demand_per_s: Mapping[str, float]
) -> str | None:
    """Why a new plan is not worth its moves, though it may be promoted; None when it is."""
    if current is None or not suffices(current, demand_per_s):
        return None
    saving = 1 - new.cost_per_hour / current.cost_per_hour if current.cost_per_hour > 0 else 0.0
    if saving >= rules.min_saving:
        return None
    return (
        f"the promoted plan suffices, and the best new one saves {100 * saving:.1f} %, "
        f"less than {100 * rules.min_saving:g} %"
    )


def missed_targets(
    rules: Rules, current: Plan, before: Plan, latencies_ms: Mapping[str, tuple[float | None, float | None]],
    rate_per_s: Mapping[str, float], ignored: Collection[str] = (),
) -> tuple[str, ...]:  # fmt: skip
    """Workloads whose measured TTFT or TPOT is beyond its target at a load the plan should carry.

    Parameters
    ----------
    latencies_ms
        TTFT and TPOT by workload, at the targets' percentiles; None where not measured.
    rate_per_s
        Measured; beyond the plan's capacity a miss is the load's fault, not the plan's.
    before
        The plan that would be taken up again. A workload that still has all it had there, or whose load that
        plan could not carry, would not be better off.
    ignored
        Workloads whose measurements cannot be trusted.
    """
    found = []
    carried = {outcome.name: outcome.capacity_per_s for outcome in before.workloads}
    for outcome in current.workloads:
        rate = rate_per_s.get(outcome.name, 0.0)
        if outcome.name in ignored or rate > min(outcome.capacity_per_s, carried.get(outcome.name, 0.0)):
            continue
        if _kept(before, outcome.name) <= _kept(current, outcome.name):
            continue
        ttft, tpot = latencies_ms.get(outcome.name, (None, None))
        for kind, value, target in (
            ("TTFT", ttft, outcome.ttft_target_ms),
            ("TPOT", tpot, outcome.tpot_target_ms),
        ):
            if value is not None and value > target * (1 + rules.tolerance):
                found.append(f"{outcome.name}: {kind} is {value:.0f} ms, the target {target:.0f} ms")
    return tuple(found)


def _kept(plan: Plan, workload: str) -> frozenset[tuple[object, ...]]:
    """The instances of a workload, by what makes them the same: what is expected of them may differ."""
    mine = (instance for instance in plan.instances if instance.workload == workload)
    return frozenset((*instance.shape, *instance.stages) for instance in mine)


def suffices(current: Plan, demand_per_s: Mapping[str, float]) -> bool:
    """Whether a plan carries a demand, after the loss it survives."""
    capacity = {outcome.name: outcome.surviving_capacity_per_s for outcome in current.workloads}
    return all(wanted <= capacity.get(name, 0.0) * (1 + 1e-9) for name, wanted in demand_per_s.items())
