"""The peak memory of this process, and work that does with less of it where there is no more."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from types import ModuleType
from typing import TypeVar

import torch

from capt_engine.errors import DeviceProblem
from capt_engine.model.devices import free_memory, is_out_of_memory

T = TypeVar("T")


# The peaks before the parts of the work whose own peaks were counted.
_before: dict[torch.device, int] = {}


def start_counting(device: torch.device) -> None:
    """Start counting the peak memory of an accelerator anew; where it does not say, nothing happens."""
    _before.pop(device, None)
    if (module := _telling(device)) is not None:
        module.reset_peak_memory_stats(device)


def peak_bytes(device: torch.device) -> int:
    """Return the peak memory in bytes: on an accelerator of torch's tensors since `start_counting`, else of the process.

    That of the process is for its whole life; 0 where the system does not say.
    """
    if (module := _telling(device)) is not None:
        return max(_before.get(device, 0), int(module.max_memory_allocated(device)))
    if sys.platform == "win32":
        return _windows_peak()
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes on Linux, bytes on a Mac.
    return peak if sys.platform == "darwin" else peak * 1024


def begin_part(device: torch.device) -> int:
    """Begin a part of the work whose own peak is wanted, and return the bytes in use before it; 0 where the device does not say."""
    module = _telling(device)
    if module is None:
        return 0
    _before[device] = peak_bytes(device)
    module.reset_peak_memory_stats(device)
    return int(module.memory_allocated(device))


def part_bytes(device: torch.device) -> int:
    """Return the most bytes that tensors held since `begin_part`; 0 where the device does not say."""
    module = _telling(device)
    return 0 if module is None else int(module.max_memory_allocated(device))


def _telling(device: torch.device) -> ModuleType | None:
    """The part of torch that tells what an accelerator's tensors take; None where none does, as on the processor and on MPS."""
    module: ModuleType | None = None if device.type == "cpu" else getattr(torch, device.type, None)
    return module if hasattr(module, "max_memory_allocated") else None


def with_smaller_batches(work: Callable[[int], T], batch_size: int, device: torch.device) -> T:
    """Return `work(batch_size)`, begun anew with half the batch size each time the GPU's memory runs out.

    device: named in the error. Raises DeviceProblem where a batch of one picture is still too much.
    """
    while True:
        try:
            return work(batch_size)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            if batch_size == 1:
                raise DeviceProblem(
                    f"{device.type} ran out of memory with a single picture.",
                    "Choose the CPU (--device cpu), fewer classes, or a smaller model.",
                ) from None
        batch_size //= 2
        free_memory(device)


def _windows_peak() -> int:
    class Counters(ctypes.Structure):
        _fields_ = (
            ("size", ctypes.c_uint32),
            ("faults", ctypes.c_uint32),
            *((name, ctypes.c_size_t) for name in ("peak", "now", "a", "b", "c", "d", "e", "f")),
        )

    counters = Counters()
    counters.size = ctypes.sizeof(Counters)
    try:
        kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined]
        kernel.GetCurrentProcess.restype = ctypes.c_void_p
        ask = kernel.K32GetProcessMemoryInfo
        ask.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32)
        return int(counters.peak) if ask(kernel.GetCurrentProcess(), ctypes.byref(counters), counters.size) else 0
    except (OSError, AttributeError):
        return 0
