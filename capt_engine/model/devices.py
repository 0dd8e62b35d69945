"""The devices that the work runs on: which there are, what each cannot do, and what a user should know about it."""

from __future__ import annotations

import gc
from types import ModuleType

import torch
from torch import Tensor

from capt_engine.errors import BadRequest, DeviceProblem
from capt_engine.records import DeviceInfo, device_name

WITHOUT_DOUBLE = {"mps"}
"""The types of device that know no float64."""

_BACKENDS = ("cuda", "xpu", "mps")
# MPS and the processor raise a plain RuntimeError; only CUDA and XPU have a type of their own for it, and not for what their libraries
# (cuBLAS, cuDNN, Level Zero) find no room for.
_OUT_OF_MEMORY = (
    "out of memory", "not enough memory", "can't allocate memory", "status_alloc_failed", "error_out_of_device_memory",
    "error_out_of_host_memory", "error_out_of_resources",
)  # fmt: skip


def pick_device(name: str) -> torch.device:
    """Return the torch device of that name: "cpu", "mps", "cuda", "xpu", or "cuda:1" for the second of several.

    "auto" takes the accelerator that this torch can use, else the processor. Raises DeviceProblem where the device is
    not there or the name is another.
    """
    kind, _, number = name.partition(":")
    if name == "auto":
        return torch.device(next((one for one in _BACKENDS if _count(one)), "cpu"))
    if name == "cpu":
        return torch.device("cpu")
    try:
        device_name(name)
    except BadRequest as refused:
        raise DeviceProblem(refused.message, refused.hint) from None
    there = _count(kind)
    if number and there and int(number) >= there:
        raise DeviceProblem(f"There is no {name}; this machine has {there}, counted from 0.", f"Use {kind}:0.")
    if there:
        return torch.device(name)
    use = "Use --device auto or cpu; `capt doctor` says more."
    if kind == "mps":
        raise DeviceProblem("MPS was requested, but this is not an Apple GPU that torch can use.", use)
    built = torch.version.cuda or torch.version.hip if kind == "cuda" else torch.xpu._is_compiled()
    maker = {"cuda": "AMD" if torch.version.hip else "NVIDIA", "xpu": "Intel"}[kind]
    reason = f"torch finds no usable {maker} GPU" if built else f"this torch was built without {kind.upper()}"
    raise DeviceProblem(f"{kind.upper()} was requested, but {reason}.", use)


def describe_device(device: torch.device) -> DeviceInfo:
    """Return a torch device's type, a label for users, its memory in bytes if known, and a note why it may be slow."""
    if device.type in ("cuda", "xpu"):
        properties = _module(device.type).get_device_properties(device)
        by = " (ROCm)" if device.type == "cuda" and torch.version.hip else ""
        return DeviceInfo(device.type, f"{properties.name}{by}", int(properties.total_memory))
    if device.type == "mps":
        return DeviceInfo("mps", "Apple GPU", None)
    threads = torch.get_num_threads()
    label = f"CPU, {threads} thread{'s' if threads != 1 else ''}"
    note = "" if torch.version.cuda else "This torch cannot use an NVIDIA GPU (CPU build)."
    return DeviceInfo("cpu", label, None, note)


def name_of(device: torch.device) -> str:
    """Return the name that the maker gave the accelerator `device`; "" for the processor and where torch does not say."""
    return str(_module(device.type).get_device_name(device)) if device.type in ("cuda", "xpu") else ""


def finest(device: torch.device) -> torch.dtype:
    """Return the most precise type of float that `device` can compute with: float64, or float32 where it knows no other."""
    return torch.float32 if device.type in WITHOUT_DOUBLE else torch.float64


def exact(values: Tensor) -> Tensor:
    """Convert values to double precision, on the processor where their device knows none.

    Args:
        values: numbers of any shape and type.

    Returns:
        The same numbers in float64; on `values.device`, or on the CPU where that device knows no float64.
    """
    there = values.cpu() if values.device.type in WITHOUT_DOUBLE else values
    return there.double()


def is_out_of_memory(error: BaseException) -> bool:
    """Return True for the error by which torch says that a device, or the processor, has no memory left."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _OUT_OF_MEMORY)


def free_memory(device: torch.device) -> None:
    """Free what a failed attempt left behind, and give memory that torch keeps for later back to the accelerator `device`."""
    # Frames of the failed attempt hold each other, and with them its tensors.
    gc.collect()
    if device.type in _BACKENDS and _count(device.type):
        _module(device.type).empty_cache()


def free_bytes(device: torch.device) -> int:
    """Return the bytes of memory that `device` has for further tensors; 0 where it does not say, as the processor."""
    if device.type == "mps":
        return max(0, int(torch.mps.recommended_max_memory()) - int(torch.mps.driver_allocated_memory()))
    found = None if device.type == "cpu" else getattr(torch, device.type, None)
    if found is None or not hasattr(found, "mem_get_info"):
        return 0
    free, total = found.mem_get_info(device)
    # What torch keeps for later is free too.
    kept = int(found.memory_reserved(device)) - int(found.memory_allocated(device))
    return max(1, int(free) + kept) if total else 0


def _module(kind: str) -> ModuleType:
    """The part of torch that speaks to a type of accelerator."""
    found: ModuleType = getattr(torch, kind)
    return found


def _count(kind: str) -> int:
    """The number of accelerators of a type that this torch can use."""
    if kind == "mps":
        return int(torch.backends.mps.is_available())
    return max(1, int(_module(kind).device_count())) if _module(kind).is_available() else 0
