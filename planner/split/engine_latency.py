"""Steps of an engine as its serving model prices them, for the simulator of prefill and decode instances."""

from __future__ import annotations

from collections.abc import Sequence

from models.errors import InvalidInput
from models.serving import InstanceModel
from models.serving.curves import BATCHES, CONTEXTS, TOKENS
from models.serving.simulator import step_costs

__all__ = ["EngineLatency"]


class EngineLatency:
    """`StepLatency` of one instance without pipeline stages.

    Raises
    ------
    InvalidInput
        The instance has pipeline stages: engines hand caches over without them only.
    """

    def __init__(self, instance: InstanceModel) -> None:
        from models.serving.kernel import step_ms

        curves = instance.curves
        if curves.parallelism.pipeline_parallel_size > 1:
            raise InvalidInput(
                f"{instance.configuration}: prefill and decode apart have one pipeline stage, "
                f"got {curves.parallelism.pipeline_parallel_size}"
            )
        self._step = step_ms
        self._prefill_attention = curves.prefill_attention_ms
        self._grids = (
            TOKENS, curves.linear_ms, curves.experts_ms, curves.head_ms, BATCHES, CONTEXTS,
            curves.decode_attention_ms, curves.send_ms, step_costs(instance),
        )  # fmt: skip

    def prefill_ms(self, prompt_tokens: Sequence[int]) -> float:
        """See `StepLatency`."""
        import numpy as np

        each = np.interp(np.asarray(prompt_tokens, np.float64), TOKENS, self._prefill_attention)
        one = float(self._prefill_attention[0])
        attention = float(np.maximum(each - one, 0.0).sum()) + one
        return float(
            self._step(0, 1.0, float(sum(prompt_tokens)), attention, len(prompt_tokens), *self._grids)
        )

    def decode_ms(self, batch: int, context_tokens: float) -> float:
        """See `StepLatency`."""
        return float(self._step(batch, context_tokens / batch, 0.0, 0.0, batch, *self._grids))
