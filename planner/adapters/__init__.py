"""LoRA adapters: the memory they take, and which instance of their base model holds which."""

from __future__ import annotations
