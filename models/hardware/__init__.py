"""GPUs as their makers describe them; measured behaviour lives in `models.profiles`."""

from models.hardware.catalogue import gpu, gpu_aliases, gpu_names
from models.hardware.gpu import Gpu

__all__ = ["Gpu", "gpu", "gpu_aliases", "gpu_names"]
