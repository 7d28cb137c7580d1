"""Names to things: the second half of reading a fleet document, collecting every mistake on the way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from models.architecture import (
    Architecture,
    architecture,
    kv_precision,
    load_config,
    parse_config,
    weight_precision,
)
from models.document import Document, InvalidDocument
from models.document.reader import Path as DocumentPath
from models.errors import FulcrumError, InvalidInput, UnknownName
from models.workload import LengthDistribution, load_lengths, parse_lengths
from planner.fleet.adapter_entries import adapters_of
from planner.fleet.demand import Demand, check_delays, make_periods, placed_at, trace_demand
from planner.fleet.fleet import (
    Fleet,
    Parallelism,
    Policies,
    ServedModel,
    ServedWorkload,
    Target,
)
from planner.fleet.limits import placement_limits
from planner.fleet.narrowing import expert_degrees, forbidden_ways
from planner.fleet.network_entries import by_region, topology_of
from planner.fleet.resolve_pool import resolve_pool
from planner.fleet.reuse_entries import ReuseEntry, reuse_of
from planner.fleet.schema import (
    FleetEntry,
    ModelEntry,
    PoliciesEntry,
    SloEntry,
    WorkloadEntry,
)
from planner.fleet.speculative_entries import speculative_of
from planner.fleet.speed_entries import speeds_of
from planner.fleet.trace_entries import INLINED_CHARACTERS, lengths_content, trace_of, written_out

__all__ = ["Resolver"]

T = TypeVar("T")


class Resolver:
    """Turns the entries of one document into a `Fleet`.

    Parameters
    ----------
    document
        For the positions of mistakes, and as the start of the self-contained form.
    base_dir
        Folder that relative paths start from.
    allow_files
        Whether the document may refer to files.
    """

    def __init__(self, *, document: Document, base_dir: Path, allow_files: bool) -> None:
        self.document = document
        self.base_dir = base_dir
        self.allow_files = allow_files
        self.violations: list[InvalidInput] = []
        self.inlined: dict[str, Any] = json.loads(json.dumps(document.value))
        self.room = INLINED_CHARACTERS
        self.lengths: dict[str, LengthDistribution] = {}

    @property
    def self_contained(self) -> str:
        """The document with the files that were read for it so far written into it, as JSON."""
        return json.dumps(self.inlined, sort_keys=True, ensure_ascii=False, allow_nan=False)

    def fleet(self, entry: FleetEntry) -> Fleet:
        """Return the fleet, or raise `InvalidDocument` with every mistake."""
        self.entry = entry
        periods_entry = entry.periods
        if periods_entry is not None and (periods_entry.current or 0) >= periods_entry.count:
            self.fail(f"periods count from 0 to {periods_entry.count - 1}", ("periods", "current"))
        if periods_entry is not None:
            check_delays(self, periods_entry)
        self.unique("pool", [pool.name for pool in entry.pools], "pools")
        self.unique("model", [model.name for model in entry.models], "models")
        self.unique("workload", [w.name or w.model for w in entry.workloads], "workloads")
        if entry.goals[0] != "unserved_demand" or len(set(entry.goals)) != len(entry.goals):
            self.fail(
                "goals name each goal once, unserved_demand first: else the best plan is none", ("goals",)
            )
        pools = [resolve_pool(self, pool, ("pools", i)) for i, pool in enumerate(entry.pools)]
        models = [self.model(model, ("models", i)) for i, model in enumerate(entry.models)]
        names = [model.name for model in entry.models]
        workloads = [self.workload(w, names, ("workloads", i)) for i, w in enumerate(entry.workloads)]
        policies = self.policies(entry.policies)
        self.check_lengths(models, workloads)
        topology = topology_of(self, entry.topology)
        workloads = [
            part
            for i, (workload, stated) in enumerate(zip(workloads, entry.workloads, strict=True))
            if workload is not None
            for part in by_region(self, workload, stated.regions, ("workloads", i, "regions"))
        ]
        if not self.violations:
            self.unique("workload", [w.name for w in workloads if w is not None], "workloads")
        if not self.violations:
            made = [pool for pool in pools if pool is not None]
            asked = [workload for workload in workloads if workload is not None]
            limits = placement_limits(self, entry.policies.assignment, made, asked)
            policies = replace(policies, placement_limits=limits)
        if self.violations:
            raise InvalidDocument(self.violations)
        periods = None
        if entry.periods is not None:
            served = [workload for workload in workloads if workload is not None]
            periods = make_periods(entry.periods, served, [model for model in models if model is not None])
            workloads = [placed_at(workload, periods.placed) for workload in served]
        text = self.self_contained
        return Fleet(
            name=entry.fleet,
            pools=tuple(pool for pool in pools if pool is not None),
            models=tuple(model for model in models if model is not None),
            workloads=tuple(workload for workload in workloads if workload is not None),
            policies=policies,
            goals=tuple(entry.goals),
            periods=periods,
            topology=topology,
            self_contained=text,
            digest=hashlib.sha256(text.encode()).hexdigest(),
        )

    # -- entries -------------------------------------------------------------------------------------------

    def model(self, entry: ModelEntry, path: DocumentPath) -> ServedModel | None:
        built = self.architecture(entry.architecture, entry.repository, entry.name, path)
        chosen = entry.weights or (built.checkpoint_precision if built is not None else "bf16")
        weights = self.attempt(lambda: weight_precision(chosen), (*path, "weights"))
        cache = self.attempt(lambda: kv_precision(entry.kv_cache), (*path, "kv_cache"))
        speculative = speculative_of(self, entry.speculative, built, (*path, "speculative"))
        if built is None or cache is None or weights is None:
            return None
        if entry.max_model_len is not None and entry.max_model_len > built.max_context_tokens:
            self.fail(
                f"{entry.max_model_len} tokens; the model was made for {built.max_context_tokens} at most",
                (*path, "max_model_len"),
            )
        self.inlined["models"][path[1]].setdefault("repository", built.source)
        return ServedModel(
            name=entry.name,
            architecture=built,
            repository=entry.repository or built.source,
            weights=weights.name,
            kv_cache=cache.name,
            engine=entry.engine,
            max_model_len=entry.max_model_len,
            speculative=speculative,
        )

    def architecture(
        self, given: Any, repository: str | None, name: str, path: DocumentPath
    ) -> Architecture | None:
        """Return what ``architecture`` of the entry at `path` means."""
        where = (*path, "architecture")
        if isinstance(given, dict):
            return self.attempt(lambda: parse_config(given, name=name, source=repository or name), where)
        if not isinstance(given, str) or not 0 < len(given) <= 500:
            self.fail(f"expected a catalogue name, a path or a mapping, got {str(given)[:60]!r}", where)
            return None
        if not (given.endswith(".json") or given.startswith((".", "/", "~"))):
            return self.attempt(lambda: architecture(given), where)
        file = self.file(given, where)
        if file is None:
            return None
        file = file / "config.json" if file.is_dir() else file
        if self.attempt(lambda: load_config(file), where) is None:
            return None
        config: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        source = repository or str(Path(given).parent if given.endswith(".json") else Path(given))
        inlined: Any = self.inlined
        for key in path:
            inlined = inlined[key]
        inlined |= {"architecture": config, "repository": source}
        return parse_config(config, name=name, source=source)

    def workload(
        self, entry: WorkloadEntry, models: Sequence[str], path: DocumentPath
    ) -> ServedWorkload | None:
        if entry.model not in models:
            where = (*path, "model")
            self.violations.append(UnknownName("model", entry.model, models, path=where, **self.at(where)))
        lengths, demand, source = self.demand(entry, path)
        ttft = self.target(entry.slo, "ttft", (*path, "slo"))
        tpot = self.target(entry.slo, "tpot", (*path, "slo"))
        periods = self.entry.periods
        if entry.shape is not None:
            count = periods.count if periods is not None else 0
            if len(entry.shape) != count or not any(entry.shape):
                what = f"{count} factors, not all 0, one a period" if count else "no periods to shape"
                self.fail(f"{len(entry.shape)} factors; the fleet has {what}", (*path, "shape"))
                return None
            demand = None if demand is None else replace(demand, shape=tuple(entry.shape))
        if lengths is None or demand is None or ttft is None or tpot is None:
            return None
        trace = None if demand.recorded is None else demand.recorded.trace
        reuse = reuse_of(self, entry.reuse, trace, (*path, "reuse"))
        if reuse is None:
            return None
        if isinstance(entry.reuse, ReuseEntry):
            self.inlined["workloads"][path[1]]["reuse"] = {"share": reuse[0], "source": reuse[1]}
        rate = demand.rate_per_s * entry.scale
        shape = demand.shape or (1.0,) * (periods.count if periods is not None else 0)
        return ServedWorkload(
            name=entry.name or entry.model, model=entry.model, rate_per_s=rate, lengths=lengths,
            ttft=ttft, tpot=tpot, priority=entry.priority, lengths_source=source,
            tenant=entry.tenant or entry.name or entry.model,
            period_rates_per_s=tuple(rate * factor for factor in shape),
            adapters=adapters_of(self, entry.lora, (*path, "lora")), recorded=demand.recorded,
            burstiness=1.0 if entry.burstiness is None else entry.burstiness,
            reuse=reuse[0], reuse_source=reuse[1],
        )  # fmt: skip

    def demand(
        self, entry: WorkloadEntry, path: DocumentPath
    ) -> tuple[LengthDistribution | None, Demand | None, str]:
        """Return lengths, demand before `scale`, and where they are from."""
        if (entry.trace is None) == (entry.lengths is None):
            self.fail("give either a trace, or lengths with a rate", path)
            return None, None, ""
        if entry.columns is not None and entry.trace is None:
            self.fail("columns name those of a trace, and there is none", (*path, "columns"))
        inlined = self.inlined["workloads"][path[1]]
        if entry.trace is not None:
            trace = trace_of(self, entry, path)
            if trace is None:
                return None, None, ""
            policy = self.entry.policies.demand
            periods = self.entry.periods if entry.shape is None else None
            demand = self.attempt(lambda: trace_demand(trace, policy, periods), (*path, "trace"))
            if demand is None:
                return None, None, ""
            if entry.rate is not None:
                demand = replace(demand, rate_per_s=entry.rate)
            lengths = trace.lengths()
            self.room = written_out(inlined, trace, lengths, demand, self.room)
            return lengths, demand, trace.source
        if entry.rate is None:
            self.fail("lengths need a rate beside them, such as rate: 8/s", path)
        where = (*path, "lengths")
        if isinstance(entry.lengths, str) and len(entry.lengths) > 500:
            self.fail(f"expected a file name or a mapping, got {entry.lengths[:60]!r}", where)
            return None, None, ""
        if isinstance(entry.lengths, str):
            file = self.file(entry.lengths, where)
            read = None if file is None else self.lengths_once(str(file), lambda: load_lengths(file), where)
            if read is not None:
                inlined["lengths"] = lengths_content(read, read.source)
        else:
            name = self.document.source or "fleet document"
            said = json.dumps(entry.lengths, sort_keys=True)
            read = self.lengths_once(said, lambda: parse_lengths(entry.lengths, source=name), where)
        demand = Demand(rate_per_s=entry.rate) if entry.rate is not None else None
        return read, demand, read.source if read is not None else ""

    def lengths_once(
        self, said: str, read: Callable[[], LengthDistribution], path: DocumentPath
    ) -> LengthDistribution | None:
        """Lengths that several workloads state are one object: what follows from them is computed once."""
        if said not in self.lengths:
            found = self.attempt(read, path)
            if found is None:
                return None
            self.lengths[said] = found
        return self.lengths[said]

    def target(self, entry: SloEntry, kind: str, path: DocumentPath) -> Target | None:
        given = {
            key: getattr(entry, key) for key in SloEntry.model_fields
            if key.startswith(kind) and getattr(entry, key) is not None
        }  # fmt: skip
        if len(given) != 1:
            found = ", ".join(given) or "none"
            self.fail(f"give exactly one {kind} target, such as {kind}_p95; found {found}", path)
            return None
        ((key, limit_ms),) = given.items()
        return Target(percentile=float(key.removeprefix(f"{kind}_p")), limit_ms=limit_ms)

    def policies(self, entry: PoliciesEntry) -> Policies:
        for kind in ("tensor", "pipeline", "data", "expert"):
            degrees = getattr(entry.parallelism, kind) or ()
            if len(set(degrees)) != len(degrees):
                self.fail("each degree once", ("policies", "parallelism", kind))
        return Policies(
            loss_of=entry.survive.loss_of if entry.survive else None,
            headroom=entry.headroom,
            parallelism=Parallelism(
                tensor=tuple(sorted(entry.parallelism.tensor)),
                pipeline=tuple(sorted(entry.parallelism.pipeline)),
                data=tuple(sorted(entry.parallelism.data)),
                expert=expert_degrees(self, entry.parallelism),
                pipeline_across_nodes=entry.parallelism.pipeline_across_nodes,
                forbidden=forbidden_ways(self, entry.parallelism.forbid),
            ),
            roles=tuple(dict.fromkeys(entry.roles)),
            shortage=entry.shortage,
            keep_free=tuple(sorted(set(entry.keep_free))),
            speeds=speeds_of(entry.transition),
            spill=entry.spill,
        )

    def check_lengths(
        self, models: Sequence[ServedModel | None], workloads: Sequence[ServedWorkload | None]
    ) -> None:
        """Refuse workloads with requests longer than their model takes: the engine would reject those."""
        most = {
            model.name: model.max_model_len or model.architecture.max_context_tokens
            for model in models
            if model is not None
        }
        for index, workload in enumerate(workloads):
            if workload is None or workload.model not in most:
                continue
            longest = workload.lengths.longest_request_tokens
            if longest > most[workload.model]:
                self.fail(
                    f"the longest request has {longest:,.0f} tokens, model {workload.model!r} takes at most "
                    f"{most[workload.model]:,}: set max_model_len or choose another model",
                    ("workloads", index),
                )

    # -- mistakes ------------------------------------------------------------------------------------------

    def fail(self, message: str, path: DocumentPath) -> None:
        self.violations.append(self.document.error(message, path))

    def at(self, path: DocumentPath) -> dict[str, Any]:
        return {"source": self.document.source, "line": self.document.line_of(path)}

    def attempt(self, read: Callable[[], T], path: DocumentPath) -> T | None:
        """Return what `read` gives; where it fails, note the mistake at `path` and return None."""
        try:
            return read()
        except UnknownName as error:
            self.violations.append(
                UnknownName(
                    error.kind, error.name, error.valid, aliases=error.aliases, path=path, **self.at(path)
                )
            )
        except FulcrumError as error:
            # Position of the reference; an error inside a file keeps its own position in the message.
            inside = str(error) if error.source not in (None, self.document.source) else error.message
            if error.source == self.document.source and error.path:
                path = (*path, *error.path)
            self.fail(inside if len(inside) <= 600 else f"{inside[:600]}…", path)
        except (OSError, ValueError) as error:
            self.fail(str(error), path)
        return None

    def file(self, name: str, path: DocumentPath) -> Path | None:
        """Return the file of that name, if this document may refer to files and it exists."""
        if not self.allow_files:
            self.fail(
                f"refers to the file {name!r}, which is not read here: put its content in its place", path
            )
            return None
        file = self.base_dir / Path(name).expanduser()
        if not file.exists():
            self.fail(f"file {name!r} does not exist (looked for {str(file)!r})", path)
            return None
        return file

    def unique(self, kind: str, names: Sequence[str], key: str) -> None:
        for index, name in enumerate(names):
            if name in names[:index]:
                hint = ": give each a name" if kind == "workload" else ""
                self.fail(f"a second {kind} named {name!r}{hint}", (key, index))
