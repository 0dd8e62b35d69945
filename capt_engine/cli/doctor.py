"""`capt doctor`: device, versions, folders, free space; what is wrong, and the command that mends it."""

from __future__ import annotations

import argparse
import getpass
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from capt_engine.cli.options import set_up
from capt_engine.cli.output import print_result
from capt_engine.cli.probe import Probe
from capt_engine.errors import ExitCode
from capt_engine.files import cannot_write
from capt_engine.formatting import size
from capt_engine.plugins import off
from capt_engine.reading import decode
from capt_engine.results import limits
from capt_engine.results.disks import network_file_system
from capt_engine.results.store import ResultStore
from capt_engine.runs.versions import versions

_LOW_SPACE = 5 * 10**9
# A cold disk reads torch in a minute.
_LONGEST_S = 180


@dataclass(frozen=True)
class _Report:
    """Everything that the command says; `problems` are sentences."""

    device: str
    display: str
    chosen_model: str
    versions: Mapping[str, str]
    folders: Mapping[str, str]
    free_bytes: Mapping[str, int]
    store_bytes: int
    store_budget: int
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

    probe = _examined(args.device)
    if os.environ.get("DISPLAY") is None and sys.platform == "linux" and not os.environ.get("WAYLAND_DISPLAY"):
        display = "none: the window cannot open here, the command line can"
    else:
        display = "yes"
    places = {
        "settings": folders.config_dir(),
        "models": folders.data_dir(),
        "cache": folders.cache_dir(),
        "results": folders.results_dir(),
        "logs": folders.log_dir(),
        "temporary": _temporary(),
    }
    free = {name: _free(path) for name, path in places.items()}
    unwritable = {name: _unwritable(name, path) for name, path in places.items()}
    problems = [*probe.problems, *filter(None, unwritable.values())]
    if kind := network_file_system(folders.results_dir()):
        problems.append(
            f"Results are not stored: {folders.results_dir()} lies on a file system of another computer ({kind}). "
            f"Name a folder on a disk of this one: export {folders.RESULTS}=FOLDER"
        )
    problems += [
        f"Only {size(free[name])} are free for {name} ({path}). Free some space before loading large models."
        for name, path in places.items()
        if free[name] < _LOW_SPACE and not unwritable[name]
    ]
    paths = {name: str(path) for name, path in places.items()}
    report = _Report(
        device=probe.device,
        display=display,
        chosen_model=folders.chosen_model(),
        versions=versions(),
        folders=paths,
        free_bytes=free,
        store_bytes=ResultStore().n_bytes(),
        store_budget=0 if limits.is_off() else limits.budget(),
        plugins=probe.plugins,
        problems=problems,
    )
    print_result(args, asdict(report), *_lines(report))
    return ExitCode.MACHINE if problems else ExitCode.DONE


def _temporary() -> Path:
    """The folder for temporary files; the usual one where Python found none that can be written."""
    try:
        return Path(tempfile.gettempdir())
    except OSError:
        return Path(os.environ.get("TMPDIR", "/tmp"))


def _examined(device: str) -> Probe:
    """Return what the process of `probe` found, or how it ended."""
    # -P: a file of the folder that we stand in is never taken for a module.
    command = (sys.executable, "-P", "-m", "capt_engine.cli.probe", device)
    try:
        done = subprocess.run(command, capture_output=True, timeout=_LONGEST_S, check=False)
        code, out = done.returncode, done.stdout
    except subprocess.TimeoutExpired as expired:
        code, out = None, expired.stdout or b""
    lines = [line for line in out.decode("utf-8", "replace").splitlines() if line.startswith("{")]
    probe = decode(lines[-1], Probe, called="The examination") if lines else Probe(at="starting Python")
    if probe.at:
        how = "took too long and was stopped" if code is None else f"ended the process ({_ending(code)})"
        probe.problems.append(f"An examination {how} while {probe.at}. Install the packages again: uv sync --reinstall")
    return probe


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def _nearest(path: Path) -> Path:
    """The folder itself, or the nearest one above it that is there; a file where a folder should be counts as there."""
    while not os.path.lexists(path):
        path = path.parent
    return path


def _unwritable(name: str, path: Path) -> str:
    """Why nothing can be written into a folder, as a sentence; "" where it can."""
    there = _nearest(path)
    try:
        # What is not there yet will be made in this one.
        with tempfile.TemporaryFile(dir=there):
            return ""
    except OSError as error:
        own = f" Or make it yours: sudo chown -R {getpass.getuser()} {shlex.quote(str(there))}"
        mending = own if isinstance(error, PermissionError) and os.name == "posix" else ""
        return f"Nothing can be kept for {name}: {cannot_write(path, error)}{mending}"


def _free(path: Path) -> int:
    try:
        return shutil.disk_usage(_nearest(path)).free
    except OSError:
        return 0


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
    budget = (
        f"at most {size(report.store_budget)} (`capt cache`)" if report.store_budget else f"off ({limits.OFF} is set)"
    )
    lines += [f"results   {size(report.store_bytes)}, {budget}"]
    lines += ["plug-ins"] if report.plugins else [f"plug-ins  {'left out' if off() else 'none'}"]
    for one in report.plugins:
        lines.append(f"  {one['group']} {one['name']}: {one['module']}, of {one['package']} {one['version']}")
        lines += [f"    skipped: {one['problem']}"] if one["problem"] else []
    wrong = [f"  {problem}" for problem in report.problems]
    return [*lines, *(["wrong", *wrong] if wrong else ["Nothing is wrong."])]
