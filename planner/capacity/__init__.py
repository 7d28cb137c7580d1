"""How many GPUs of which kind one model needs, without a fleet document.

`Question` says what must be served; `answer` finds the ways to serve it on each GPU type.
"""

from __future__ import annotations

from planner.capacity.answer import Answer, GpuAnswer, answer
from planner.capacity.question import Question
from planner.capacity.ways import Way

__all__ = ["Answer", "GpuAnswer", "Question", "Way", "answer"]
