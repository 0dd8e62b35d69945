"""What opens first stays light: the door, the window and `capt --help` load nothing heavy; a terminal needs no Qt."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable

import pytest

from capt_engine.cli.main import VERBS

Run = Callable[..., "subprocess.CompletedProcess[str]"]

SCIENCE = ("torch", "torchvision", "open_clip", "numpy", "PIL", "safetensors", "huggingface_hub")
# Counted where this was written: 473. A new one must be worth a later window.
MOST_AT_FIRST_PAINT = 478
QT = ("PySide6", "shiboken6", "pyqtgraph")
OWN_HEAVY = ("capt_engine.attacks", "capt_engine.metrics", "capt_engine.model", "capt_engine.evaluation")

# Runs a module or a statement in a fresh interpreter, then prints what is loaded, as the last line of stderr.
PROBE = """
import json, runpy, sys

class Absent:
    # Stands in for a machine where these packages were never installed.
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
status = 0
try:
{work}
except SystemExit as leave:
    status = leave.code or 0
print(json.dumps(dict(status=status, modules=sorted(sys.modules))), file=sys.stderr)
"""


def _loaded(python: Run, work: str, absent: tuple[str, ...] = (), statuses: tuple[int, ...] = (0,)) -> set[str]:
    """What a fresh interpreter has loaded after doing `work`, on a machine without the packages `absent`."""
    done = python("-c", PROBE.format(work=f"    {work}", absent=absent), env={"QT_QPA_PLATFORM": "offscreen"})
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stderr.splitlines()[-1])
    assert said["status"] in statuses, done.stdout + done.stderr
    return set(said["modules"])


def _run_module(package: str, *arguments: str) -> str:
    return f"sys.argv = {[package, *arguments]!r}; runpy.run_module({package!r}, run_name='__main__', alter_sys=True)"


def test_the_door_is_light(python: Run) -> None:
    """Importing the door loads no torch, no Qt and no attack: the worker does that once it runs."""
    loaded = _loaded(python, "import capt_engine.api")
    assert not loaded & {*SCIENCE, *QT, *OWN_HEAVY}


def test_the_window_opens_without_the_science(python: Run) -> None:
    """Importing the main window loads neither torch nor open_clip, so it is on screen before they are."""
    loaded = _loaded(python, "import capt_gui.main_window")
    assert not loaded & {"torch", "torchvision", "open_clip", *OWN_HEAVY}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("--version",),
        ("analyze", "--help"),
        ("evaluate", "--help"),
        ("tune", "--help"),
        ("protocol", "--help"),
        ("run", "--help"),
        ("report", "--help"),
        ("merge", "--help"),
        ("prompts", "--help"),
        ("lpips", "--help"),
        ("demo", "--help"),
        ("doctor", "--help"),
    ],
    ids=" ".join,
)
def test_help_is_light_and_needs_no_qt(python: Run, arguments: tuple[str, ...]) -> None:
    """Help and version answer at once: nothing heavy is loaded to print them, and Qt may be missing altogether."""
    loaded = _loaded(python, _run_module("capt_engine", *arguments), absent=QT)
    assert not loaded & {*SCIENCE, *QT, *OWN_HEAVY}


@pytest.mark.parametrize(
    ("arguments", "most"),
    [(("--help",), 115), (("--version",), 170), (("doctr",), 115)],
    ids=["help", "version", "mistake"],
)
def test_the_list_of_commands_imports_none_of_them(python: Run, arguments: tuple[str, ...], most: int) -> None:
    """What names no command is answered from a table, and few modules: counted, as no machine is too slow for that."""
    loaded = _loaded(python, _run_module("capt_engine", *arguments), statuses=(0, 2))
    own = {name for name in loaded if name.startswith("capt_engine")}
    light = ("", ".cli", ".errors", ".formatting", ".cli.interrupts", ".cli.main", ".cli.terminal")
    assert own <= {f"capt_engine{one}" for one in light}
    assert len(loaded) <= most


def test_a_command_imports_no_other(python: Run) -> None:
    """The help of one command is made without the modules of the others."""
    loaded = _loaded(python, _run_module("capt_engine", "merge", "--help"))
    assert not loaded & {f"capt_engine.cli.{name}" for name in VERBS if name != "merge"}


def test_the_first_paint_waits_for_few_modules(python: Run) -> None:
    """The window with its first page is made without what no first paint needs; how many modules that takes is counted."""
    loaded = _loaded(python, "import capt_gui.__main__, capt_gui.application, capt_gui.pages.explore.page")
    assert not loaded & {*SCIENCE, *OWN_HEAVY, "pyqtgraph", "timm", "pikepdf", "reportlab", "scipy"}
    pages = [name for name in loaded if re.match(r"capt_gui\.pages\.(evaluate|tune|report|models)", name)]
    assert not pages
    assert not loaded & {"capt_gui.panels.preferences.dialog", "capt_gui.panels.help.help_window"}
    assert len(loaded) <= MOST_AT_FIRST_PAINT


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_the_window_program_explains_itself_without_qt(python: Run, argument: str) -> None:
    """`capt-explorer --help` loads neither torch nor Qt, so it can explain what is missing."""
    loaded = _loaded(python, _run_module("capt_gui", argument), absent=QT)
    assert not loaded & {*SCIENCE, *QT, *OWN_HEAVY}


def test_the_doctor_needs_no_qt(python: Run) -> None:
    """`capt doctor` examines a machine on which Qt was never installed, instead of falling over."""
    loaded = _loaded(python, _run_module("capt_engine", "doctor"), absent=QT, statuses=(0, 5))  # 5: something is wrong
    assert not loaded & set(QT)


def test_the_whole_engine_needs_no_qt(python: Run) -> None:
    """Every module of the engine can be imported where Qt was never installed."""
    names = "[m.name for m in pkgutil.walk_packages(capt_engine.__path__, 'capt_engine.') if '__main__' not in m.name]"
    work = f"import capt_engine, importlib, pkgutil; [importlib.import_module(name) for name in {names}]"
    loaded = _loaded(python, work, absent=QT)
    assert "capt_engine.api" in loaded
    assert not loaded & set(QT)
