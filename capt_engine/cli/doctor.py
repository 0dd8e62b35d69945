"""`capt doctor`: device, versions, folders, free space; what is wrong, and the command that mends it."""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from capt_engine.cli.options import set_up
from capt_engine.cli.output import print_result
from capt_engine.errors import ExitCode
from capt_engine.formatting import size
from capt_engine.plugins import off
from capt_engine.runs.versions import versions

HELP = "device, versions, folders, free space, what is wrong and the command that mends it"

_LOW_SPACE = 5 * 10**9


@dataclass(frozen=True)
class _Report:
    """Everything that the command says; `problems` are sentences."""

    device: str
    display: str
    chosen_model: str
    versions: Mapping[str, str]
    folders: Mapping[str, str]
    free_bytes: Mapping[str, int]
    plugins: list[dict[str, str]]
    problems: list[str]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `capt doctor` to `parser`, and name `run` as the function that does the command."""
    set_up(parser, run)


def run(args: argparse.Namespace) -> int:
    """Print a report on this machine: device, display, versions, folders, free space, plug-ins and problems.

    args: the parsed arguments; with --json the report is one JSON object. Returns the exit code: 0 when nothing is
    wrong, 5 when something is.
    """
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
    paths = {name: str(path) for name, path in places.items()}
    report = _Report(device, display, folders.chosen_model(), versions(), paths, free, _plugins(), problems)
    print_result(args, asdict(report), *_lines(report))
    return ExitCode.MACHINE if problems else ExitCode.DONE


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


def _lines(report: _Report) -> list[str]:
    lines = [
        f"device    {report.device}",
        f"display   {report.display}",
        f"model     {report.chosen_model}",
        "versions",
    ]
    lines += [f"  {name:<20} {version}" for name, version in report.versions.items()]
    lines += ["folders"]
    lines += [f"  {name:<10} {path}  ({size(report.free_bytes[name])} free)" for name, path in report.folders.items()]
    lines += ["plug-ins"] if report.plugins else [f"plug-ins  {'left out' if off() else 'none'}"]
    for one in report.plugins:
        lines.append(f"  {one['group']} {one['name']}: {one['module']}, of {one['package']} {one['version']}")
        lines += [f"    skipped: {one['problem']}"] if one["problem"] else []
    wrong = [f"  {problem}" for problem in report.problems]
    return [*lines, *(["wrong", *wrong] if wrong else ["Nothing is wrong."])]
