"""The examination of `capt doctor`, a process of its own: the large packages, imported and tried together, the device, the plug-ins.

A package that does not fit may end the process or hang in it. The answer leaves as JSON lines on stdout; the last one that came says how
far it got.
"""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from dataclasses import asdict, dataclass, field

_AGAIN = "uv pip install --reinstall torch torchvision --torch-backend=auto"
# Module, what is installed under what name, and the command that mends it.
_NEEDED = (
    ("numpy", "numpy", "uv sync --reinstall-package numpy"),
    ("PIL.Image", "Pillow", "uv sync --reinstall-package pillow"),
    ("safetensors", "safetensors", "uv sync --reinstall-package safetensors"),
    ("torch", "torch", _AGAIN),
    ("torchvision", "torchvision", _AGAIN),
    ("open_clip", "open_clip_torch", "uv sync --reinstall-package open-clip-torch"),
)
# Each of these imports torch.
_ON_TORCH = ("torchvision", "open_clip")


@dataclass
class Probe:
    """The answer. at: the step that is being done; device: its label; plugins: what other packages add; problems: sentences."""

    at: str = ""
    device: str = "unknown"
    plugins: list[dict[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def main() -> int:
    """Examine this Python for the device that the first argument names, print the answer, and return 0."""
    probe, broken = Probe(), set[str]()
    for module, package, mending in _NEEDED:
        if module in _ON_TORCH and "torch" in broken:
            continue
        _say(probe, f"importing {package}")
        try:
            found = importlib.import_module(module)
            if module == "torchvision":
                _use(found)
        except Exception as error:
            broken.add(module)
            probe.problems.append(_problem(package, error, mending))
    if not broken:
        _say(probe, "looking for devices")
        _device(probe, sys.argv[1])
        _say(probe, "loading plug-ins")
        _plugins(probe)
    _say(probe, "")
    return 0


def _say(probe: Probe, at: str) -> None:
    probe.at = at
    print(json.dumps(asdict(probe)), flush=True)


def _problem(package: str, error: Exception, mending: str) -> str:
    said = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
    if isinstance(error, ModuleNotFoundError):
        return f"{package} is missing ({said}). Install it: uv sync"
    if package == "torchvision":
        return f"torch and torchvision do not fit each other: {said}. Install both again together: {mending}"
    return f"{package} cannot be imported: {said}. Install it again: {mending}"


def _use(torchvision: object) -> None:
    """Call one of torchvision's compiled functions: of another torch's it can be imported, and fails at work."""
    import torch

    getattr(torchvision, "ops").nms(torch.zeros(1, 4), torch.zeros(1), 0.5)  # noqa: B009  # any module


def _device(probe: Probe, name: str) -> None:
    from capt_engine.errors import DeviceProblem
    from capt_engine.model import devices

    try:
        found = devices.describe_device(devices.pick_device(name))
    except DeviceProblem as error:
        probe.device = "none"
        probe.problems.append(str(error))
        return
    probe.device = f"{found.label}{'. ' + found.note if found.note else ''}"
    if shutil.which("nvidia-smi") is not None and found.name == "cpu":
        probe.problems.append(
            f"There is an NVIDIA driver, but torch computes on the CPU. Install the matching build: {_AGAIN}"
        )


def _plugins(probe: Probe) -> None:
    """Note the plug-ins that other packages add, and from where; a skipped one says why."""
    from capt_engine.attacks import ATTACKS
    from capt_engine.metrics import METRICS
    from capt_engine.model.importers.families import IMPORTERS
    from capt_engine.tuning.methods import METHODS

    tables = (ATTACKS.plugins(), METRICS.plugins(), METHODS.plugins(), IMPORTERS.plugins())
    probe.plugins = [one.plain for table in tables for one in table]


if __name__ == "__main__":
    sys.exit(main())
