"""One deployment a model: what formats that put a gateway in front of prefill and decode want."""

from __future__ import annotations

from dataclasses import dataclass

from models.errors import Unsupported
from planner.export.shared.groups import Group, groups_of, kubernetes_name
from planner.plan import Plan

__all__ = ["Serving", "servings"]


@dataclass(frozen=True, slots=True)
class Serving:
    """The instances of one workload: prefill beside decode, or mixed instances alone.

    Parameters
    ----------
    name
        Fit for Kubernetes.
    main
        Decode instances, or mixed ones.
    prefill
        None where prompts are computed by `main` too.
    """

    name: str
    main: Group
    prefill: Group | None

    @property
    def groups(self) -> tuple[Group, ...]:
        """Both, prefill last."""
        return (self.main,) if self.prefill is None else (self.main, self.prefill)


def servings(plan: Plan, title: str, *, engine: str = "", several_nodes: bool = False) -> tuple[Serving, ...]:
    """The plan's workloads, one deployment each.

    Parameters
    ----------
    title
        The format, for messages.
    engine
        The only one the format starts; "" = any.
    several_nodes
        Whether an instance may span nodes.

    Raises
    ------
    Unsupported
        Another engine, a workload whose instances differ in more than their role, an instance on several
        nodes or with several attention replicas.
    """
    by_workload: dict[str, list[Group]] = {}
    for group in groups_of(plan):
        one = group.one
        if engine and one.engine != engine:
            raise Unsupported(f"{one.name}: {title} starts {engine}, not {one.engine}")
        if one.data_parallel_size > 1:
            raise Unsupported(
                f"{one.name}: {one.data_parallel_size} attention replicas in one instance are not written "
                f"for {title}; export to kubernetes"
            )
        if group.nodes > 1 and not several_nodes:
            raise Unsupported(
                f"{one.name} runs on {group.nodes} nodes, which is not written for {title}; export to "
                "leaderworkerset"
            )
        by_workload.setdefault(one.workload, []).append(group)
    return tuple(_serving(workload, groups, title) for workload, groups in by_workload.items())


def _serving(workload: str, groups: list[Group], title: str) -> Serving:
    roles = sorted(group.one.role for group in groups)
    if roles not in (["mixed"], ["decode", "prefill"]):
        kinds = ", ".join(f"{len(g.members)} × {g.one.role} ({g.name})" for g in groups)
        raise Unsupported(
            f"{workload}: {title} has one kind of instance a role, and prefill only beside decode; the "
            f"plan has {kinds}"
        )
    by_role = {group.one.role: group for group in groups}
    main = by_role.get("decode") or by_role["mixed"]
    return Serving(kubernetes_name(workload), main, by_role.get("prefill"))
