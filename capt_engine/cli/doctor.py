"""`capt doctor`: device, versions, folders, free space; what is wrong, and the command that mends it."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import sys
from pathlib import Path

from capt_engine.cli.options import add_common
from capt_engine.formatting import size
from capt_engine.plugins import off
from capt_engine.runs.versions import versions

HELP = "device, versions, folders, free space, what is wrong and the command that mends it"

_LOW_SPACE = 5 * 10**9


def configure(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Print the report; 0 when nothing is wrong, 5 when something is."""
    from capt_engine import folders

    device, problems = _device(args.device)
    if os.environ.get("DISPLAY") is None and sys.platform == "linux" and not os.environ.get("WAYLAND_DISPLAY"):
        display = "none: the window cannot open here, the command line can"
    else:
        display = "yes"
    places = {
        "settings": folders.config_dir(),
        "models": folders.data_dir(),
        "cache": folders.cache_dir(),
        "logs": folders.log_dir(),
    }
    free = {name: _free(path) for name, path in places.items()}
    problems += [
        f"Only {size(free[name])} are free for {name} ({path}). Free some space before loading large models."
        for name, path in places.items()
        if free[name] < _LOW_SPACE
    ]
    problems += _missing()
    plugins = _plugins()
    report: dict[str, object] = {
        "device": device,
        "display": display,
        "chosen_model": folders.chosen_model(),
        "versions": versions(),
        "folders": {name: str(path) for name, path in places.items()},
        "free_bytes": free,
        "plugins": plugins,
        "problems": problems,
    }
    print(json.dumps({"event": "summary", **report}) if args.json else _text(report))
    return 5 if problems else 0


def _device(name: str) -> tuple[str, list[str]]:
    try:
        from capt_engine.errors import DeviceProblem
        from capt_engine.model import devices
    except Exception as error:
        return "unknown", [f"torch cannot be imported: {error}. Install it again: uv sync --reinstall-package torch"]
    try:
        found = devices.describe_device(devices.pick_device(name))
    except DeviceProblem as error:
        return "none", [str(error)]
    has_nvidia = shutil.which("nvidia-smi") is not None
    problems = []
    if has_nvidia and found.name == "cpu":
        problems.append(
            "There is an NVIDIA driver, but torch computes on the CPU. Install the matching build: "
            "uv pip install --reinstall torch torchvision --torch-backend=auto"
        )
    return f"{found.label}{'. ' + found.note if found.note else ''}", problems


def _missing() -> list[str]:
    return [
        f"{name} is missing: {use}. Install it: uv sync"
        for module, name, use in (
            ("open_clip", "open_clip_torch", "no model can be loaded"),
            ("PIL", "Pillow", "no picture can be read"),
        )
        if importlib.util.find_spec(module) is None
    ]


def _plugins() -> list[dict[str, str]]:
    """Return what other packages add, and from where; what was skipped says why."""
    try:
        from capt_engine.attacks import ATTACKS
        from capt_engine.metrics import METRICS
        from capt_engine.model.importers.families import IMPORTERS
        from capt_engine.tuning.methods import METHODS
    except Exception:
        # The device's line has said already that torch cannot be imported.
        return []
    tables = (ATTACKS.plugins(), METRICS.plugins(), METHODS.plugins(), IMPORTERS.plugins())
    return [one.plain for table in tables for one in table]


def _free(path: Path) -> int:
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


def _text(report: dict[str, object]) -> str:
    found, places, free = report["versions"], report["folders"], report["free_bytes"]
    assert isinstance(found, dict)
    assert isinstance(places, dict)
    assert isinstance(free, dict)
    lines = [
        f"device    {report['device']}",
        f"display   {report['display']}",
        f"model     {report['chosen_model']}",
        "versions",
    ]
    lines += [f"  {name:<20} {version}" for name, version in found.items()]
    lines += ["folders"] + [f"  {name:<10} {path}  ({size(free[name])} free)" for name, path in places.items()]
    plugins = report["plugins"]
    assert isinstance(plugins, list)
    lines += ["plug-ins"] if plugins else [f"plug-ins  {'left out' if off() else 'none'}"]
    for one in plugins:
        lines.append(f"  {one['group']} {one['name']}: {one['module']}, of {one['package']} {one['version']}")
        lines += [f"    skipped: {one['problem']}"] if one["problem"] else []
    problems = report["problems"]
    assert isinstance(problems, list)
    lines += ["wrong"] + [f"  {problem}" for problem in problems] if problems else ["Nothing is wrong."]
    return "\n".join(lines)
