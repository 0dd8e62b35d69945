"""Which device the work runs on, and what a user should know about it."""

from __future__ import annotations

import torch

from capt_engine.errors import DeviceProblem
from capt_engine.records import DeviceInfo


def pick_device(name: str) -> torch.device:
    """Return the torch device called "cpu", "cuda" or "mps"; "auto" takes the first of cuda, mps and cpu that is there.

    Raises DeviceProblem where the device is not there or the name is another.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(one for one, is_there in present.items() if is_there))
    if present.get(name):
        return torch.device(name)
    if name == "cuda":
        reason = "torch finds no usable NVIDIA GPU" if torch.version.cuda else "this torch was built without CUDA"
        raise DeviceProblem(f"CUDA was requested, but {reason}.", "Use --device auto or cpu; `capt doctor` says more.")
    if name == "mps":
        raise DeviceProblem(
            "MPS was requested, but this is not an Apple GPU that torch can use.", "Use --device auto or cpu."
        )
    raise DeviceProblem(f"There is no device called {name!r}.", "Known: auto, cpu, cuda, mps.")


def describe_device(device: torch.device) -> DeviceInfo:
    """Return a torch device's type, a label for users, its memory in bytes if known, and a note why it may be slow."""
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return DeviceInfo("cuda", properties.name, int(properties.total_memory))
    if device.type == "mps":
        return DeviceInfo("mps", "Apple GPU", None)
    threads = torch.get_num_threads()
    label = f"CPU, {threads} thread{'s' if threads != 1 else ''}"
    note = "" if torch.version.cuda else "This torch cannot use an NVIDIA GPU (CPU build)."
    return DeviceInfo("cpu", label, None, note)
