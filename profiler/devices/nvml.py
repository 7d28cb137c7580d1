"""Clocks, temperature, power and other users of an NVIDIA GPU, through NVML. Settings are only ever read."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable
from typing import Any

from profiler.devices.device import Observation
from profiler.own_processes import OWN_PROCESSES

__all__ = ["Nvml"]

_FOREIGN_BYTES = 512 * 1024**2
_BUSY_PERCENT = 5
_HELD_DOWN = {
    0x04: "power cap",
    0x08: "hardware slowdown",
    0x20: "software thermal slowdown",
    0x40: "hardware thermal slowdown",
    0x80: "hardware power brake",
}
"""Bits of NVML's clock event reasons that say a card ran slower than it was asked to."""


class Nvml:
    """One GPU as the driver sees it; every answer is NaN or empty when NVML is not there.

    Parameters
    ----------
    uuid
        As torch reports it, without or with ``GPU-``: indices differ between NVML and CUDA when
        CUDA_VISIBLE_DEVICES is set.
    module
        Stands in for ``pynvml`` in tests.
    """

    def __init__(self, uuid: str, module: Any = None) -> None:
        self._nvml: Any = None
        self._handle: Any = None
        self.problem = ""
        self.throttled: Counter[str] = Counter()
        try:
            self._nvml = module or importlib.import_module("pynvml")
            self._nvml.nvmlInit()
            full = uuid if uuid.startswith("GPU-") else f"GPU-{uuid}"
            self._handle = self._nvml.nvmlDeviceGetHandleByUUID(full)
        except ImportError:
            self.problem = "nvidia-ml-py is not installed: clocks, temperature and other users were not seen"
        except Exception as error:  # noqa: BLE001 - NVMLError is only known once the import has worked
            self.problem = f"NVML did not answer ({error}): clocks, temperature and other users were not seen"

    def _ask(self, question: Callable[[Any, Any], Any]) -> Any:
        if self._handle is None:
            return None
        try:
            return question(self._nvml, self._handle)
        except Exception:  # noqa: BLE001 - cards differ in what they report
            return None

    def _number(self, question: Callable[[Any, Any], Any], scale: float = 1.0) -> float:
        value = self._ask(question)
        return float("nan") if value is None else float(value) * scale

    @property
    def driver(self) -> str:
        """Driver version, empty when unknown."""
        value = self._ask(lambda n, _: n.nvmlSystemGetDriverVersion())
        return value.decode() if isinstance(value, bytes) else str(value or "")

    def limits(self) -> dict[str, float | str]:
        """Highest clocks and the power limit, where reported."""
        found = {
            "max_sm_clock_mhz": self._number(lambda n, h: n.nvmlDeviceGetMaxClockInfo(h, n.NVML_CLOCK_SM)),
            "max_memory_clock_mhz": self._number(
                lambda n, h: n.nvmlDeviceGetMaxClockInfo(h, n.NVML_CLOCK_MEM)
            ),
            "power_limit_watts": self._number(lambda n, h: n.nvmlDeviceGetEnforcedPowerLimit(h), 1e-3),
        }
        return {k: v for k, v in found.items() if v == v}  # noqa: PLR0124 - drops NaN

    def power_watts(self) -> float:
        """Power drawn now."""
        return self._number(lambda n, h: n.nvmlDeviceGetPowerUsage(h), 1e-3)

    def observe(self, own_bytes: int, *, idle: bool = False) -> Observation:
        """State now.

        Parameters
        ----------
        own_bytes
            Device memory this process holds; what is used beyond it (and a context's worth) belongs to
            others.
        idle
            This process is not computing: any utilisation is somebody else's.
        """
        others = []
        memory = self._ask(lambda n, h: n.nvmlDeviceGetMemoryInfo(h).used)
        processes = self._ask(lambda n, h: n.nvmlDeviceGetComputeRunningProcesses(h)) or []
        foreign = [p for p in processes if int(p.pid) not in OWN_PROCESSES]
        # In a container NVML reports the host's process ids: as many as we started may well be ours.
        strangers = len(foreign) if len(foreign) < len(processes) else len(processes) - len(OWN_PROCESSES)
        if strangers > 0:
            others.append(f"{strangers} other processes use this GPU")
        elif memory is not None and int(memory) - own_bytes > 4 * _FOREIGN_BYTES:
            others.append(f"{(int(memory) - own_bytes) / 1e9:.1f} GB of its memory are used by others")
        if idle:
            utilization = self._ask(lambda n, h: n.nvmlDeviceGetUtilizationRates(h).gpu)
            if utilization is not None and int(utilization) > _BUSY_PERCENT:
                others.append(f"it is {int(utilization)} % busy while we are idle")
        self._note_throttling()
        return Observation(
            sm_clock_mhz=self._number(lambda n, h: n.nvmlDeviceGetClockInfo(h, n.NVML_CLOCK_SM)),
            memory_clock_mhz=self._number(lambda n, h: n.nvmlDeviceGetClockInfo(h, n.NVML_CLOCK_MEM)),
            temperature_c=self._number(lambda n, h: n.nvmlDeviceGetTemperature(h, n.NVML_TEMPERATURE_GPU)),
            power_watts=self.power_watts(),
            others="; ".join(others),
        )

    def _note_throttling(self) -> None:
        # renamed in CUDA 12.2; older libraries know only the first name
        for name in ("nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"):
            ask = getattr(self._nvml, name, None)
            reasons = None if ask is None else self._ask(lambda _, h, ask=ask: ask(h))  # type: ignore[misc]
            if reasons is not None:
                self.throttled.update(said for bit, said in _HELD_DOWN.items() if int(reasons) & bit)
                return
