"""Instances that differ in their place only: replicas of one thing, as clusters see them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from models.errors import Unsupported
from planner.export.shared.launch import nodes_of
from planner.plan import Instance, Plan

__all__ = ["Group", "groups_of", "kubernetes_name"]

_LONGEST = 52
"""Of a name: what a Deployment and a LeaderWorkerSet add to it for a pod must fit in 63 characters."""


@dataclass(frozen=True, slots=True)
class Group:
    """Equal instances.

    Parameters
    ----------
    name
        Unique in the plan, fit for Kubernetes: ``chat-mixed``, ``chat-mixed-2``.
    members
        At least one, in the plan's order.
    """

    name: str
    members: tuple[Instance, ...]

    @property
    def one(self) -> Instance:
        """Any of them."""
        return self.members[0]

    @property
    def nodes(self) -> int:
        """Nodes of each."""
        return len(nodes_of(self.one))

    @property
    def gpus_per_node(self) -> int:
        """GPUs on each of its nodes; raises `Unsupported` when they differ."""
        if self.one.gpu_parts > 1:
            raise Unsupported(
                f"{self.one.name}: pods are given whole GPUs, and {self.one.gpu_parts} instances share each "
                f"of {self.one.pool}; export to commands (vllm, sglang)"
            )
        found = {_gpus_by_node(member) for member in self.members}
        counts = {count for shares in found for count in shares}
        if len(counts) != 1:
            raise Unsupported(
                f"{self.one.name}: its nodes give it {sorted(counts)} GPUs; pods of one set have the same"
            )
        return counts.pop()

    @property
    def places(self) -> str:
        """Where the plan has them, for a note: ``n0:0,1 n1:0,1``, one instance after the other."""
        return "; ".join(
            " ".join(f"{s.node}:{','.join(map(str, s.gpus))}" for s in member.stages)
            for member in self.members
        )


def groups_of(plan: Plan) -> tuple[Group, ...]:
    """The instances of a plan by what they are, named after workload and role, in the plan's order."""
    found: dict[tuple[object, ...], list[Instance]] = {}
    for instance in plan.instances:
        found.setdefault(_kind(instance), []).append(instance)
    used: Counter[str] = Counter()
    groups = []
    for members in found.values():
        base = kubernetes_name(f"{members[0].workload}-{members[0].role}")
        used[base] += 1
        groups.append(Group(base if used[base] == 1 else f"{base}-{used[base]}", tuple(members)))
    return tuple(groups)


def kubernetes_name(text: str) -> str:
    """A DNS label made of a name: lower case, letters, digits and dashes; raises `Unsupported` for none."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_LONGEST].strip("-")
    if not name or not name[0].isalpha():
        raise Unsupported(f"{text!r} makes no Kubernetes name: it must start with a letter from a to z")
    return name


def _kind(i: Instance) -> tuple[object, ...]:
    """Everything a process is started with, and the shape of its place."""
    return (
        *i.shape, i.checkpoint, i.max_num_seqs, i.max_num_batched_tokens, i.max_model_len,
        i.gpu_memory_utilization, i.adapters, i.adapter_slots, i.adapter_rank, _gpus_by_node(i),
    )  # fmt: skip


def _gpus_by_node(instance: Instance) -> tuple[int, ...]:
    return tuple(
        sum(len(stage.gpus) for stage in instance.stages if stage.node == node) for node in nodes_of(instance)
    )
