"""LLM architectures: what the weights and the cache of a model are made of."""

from models.architecture.architecture import Architecture, Block
from models.architecture.catalogue import architecture, architecture_names, resolve
from models.architecture.config import load_config, parse_config
from models.architecture.feed_forward import DenseFeedForward, FeedForward, MixtureOfExperts
from models.architecture.mixers import (
    GatedDeltaNet,
    GroupedQueryAttention,
    LatentAttention,
    Mixer,
    SparseIndexer,
)
from models.architecture.precision import (
    KvPrecision,
    WeightPrecision,
    kv_precision,
    kv_precision_names,
    weight_precision,
    weight_precision_names,
)

__all__ = [
    "Architecture",
    "Block",
    "DenseFeedForward",
    "FeedForward",
    "GatedDeltaNet",
    "GroupedQueryAttention",
    "KvPrecision",
    "LatentAttention",
    "Mixer",
    "MixtureOfExperts",
    "SparseIndexer",
    "WeightPrecision",
    "architecture",
    "architecture_names",
    "kv_precision",
    "kv_precision_names",
    "load_config",
    "parse_config",
    "resolve",
    "weight_precision",
    "weight_precision_names",
]
