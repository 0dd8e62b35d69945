"""The directions of import drawn in .importlinter hold in the tree, and each contract is proven by breaking it.

The proof: an empty copy of the tree gets one wrong line, and the contract meant for that line must name the file.
"""

from __future__ import annotations

import configparser
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

# What the window may use directly: the door, plain values, and places on disk.
OPEN_TO_THE_WINDOW = {
    "api",
    "bundled_models",
    "crash_log",
    "errors",
    "files",
    "folders",
    "formatting",
    "frozen",
    "progress",
    "reading",
    "records",
    "resources",
    "session",
    "trash",
}

# The contract, the file that gets the wrong line, and the line.
WRONG_LINES = [
    ("The engine knows no Qt and no GUI", "capt_engine/jobs/runner.py", "from PySide6.QtCore import QThread"),
    ("The engine knows no Qt and no GUI", "capt_engine/data/images.py", "import shiboken6"),
    ("The engine knows no Qt and no GUI", "capt_engine/api.py", "import capt_gui.bridge"),
    ("The GUI knows no torch", "capt_gui/widgets/image_view.py", "import torch"),
    ("The GUI knows no torch", "capt_gui/settings.py", "import open_clip"),
    ("The GUI enters the engine by its door only", "capt_gui/bridge.py", "from capt_engine.jobs import runner"),
    ("The GUI enters the engine by its door only", "capt_gui/view_models/rows.py", "import capt_engine.metrics.base"),
    ("Only the bridge and the start-up hold the engine", "capt_gui/main_window.py", "import capt_engine.api"),
    ("Engine layers", "capt_engine/attacks/pgd.py", "from capt_engine.jobs import tick"),
    ("Engine layers", "capt_engine/model/clip.py", "from capt_engine.data import images"),
    ("Engine layers", "capt_engine/errors.py", "import capt_engine.records"),
    ("GUI layers", "capt_gui/widgets/bars.py", "from capt_gui import main_window"),
    ("GUI layers", "capt_gui/theme.py", "import capt_gui.settings"),
    ("GUI layers", "capt_gui/panels/model_panel.py", "from capt_gui.pages import other_page"),
    ("GUI layers", "capt_gui/widgets/card.py", "from capt_gui.panels import model_panel"),
    ("Pages do not know each other", "capt_gui/pages/explore_page.py", "import capt_gui.pages.other_page"),
]
# What those lines import, and the folders that every contract speaks of.
ALSO_THERE = [
    "capt_engine/jobs/progress.py",
    "capt_engine/metrics/base.py",
    "capt_engine/evaluation/__init__.py",
    "capt_engine/cli/__init__.py",
    "capt_engine/demo/__init__.py",
    "capt_gui/__main__.py",
    "capt_gui/pages/other_page.py",
]


@pytest.fixture(scope="module")
def contracts(root: Path) -> configparser.ConfigParser:
    """The file of contracts."""
    parser = configparser.ConfigParser()
    parser.read(root / ".importlinter", encoding="utf-8")
    return parser


@pytest.fixture
def skeleton(root: Path, sources: tuple[Path, ...], tmp_path: Path) -> Path:
    """An empty module for every module of the tree, and for every file that a wrong line speaks of."""
    files = {file.relative_to(root) for file in sources}
    files |= {Path(file) for _, file, _ in WRONG_LINES} | {Path(file) for file in ALSO_THERE}
    files |= {folder / "__init__.py" for file in files for folder in file.parents if folder.name}
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    shutil.copy(root / ".importlinter", tmp_path)
    return tmp_path


def _lint(python: Run, tree: Path) -> subprocess.CompletedProcess[str]:
    # With -c the working folder comes first on the path, so a copy is found before the installed packages.
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return python("-c", program, "--no-cache", "--no-logo", cwd=tree)


def test_every_import_keeps_the_contracts(python: Run, root: Path) -> None:
    """`lint-imports` finds no broken contract; its own report says which line is wrong, if one is."""
    report = _lint(python, root)
    assert report.returncode == 0, report.stdout + report.stderr


def test_everything_behind_the_door_is_closed(root: Path, contracts: configparser.ConfigParser) -> None:
    """A new engine folder is either open to the window on purpose, or listed in the contract that closes it."""
    closed = set(contracts["importlinter:contract:one-door"]["protected_modules"].split())
    engine = root / "capt_engine"
    modules = {file.stem for file in engine.glob("*.py")} | {file.parent.name for file in engine.glob("*/__init__.py")}
    behind = {f"capt_engine.{module}" for module in modules - OPEN_TO_THE_WINDOW if not module.startswith("__")}
    assert behind <= closed, f"neither open nor closed to the window: {sorted(behind - closed)}"


def test_an_empty_tree_keeps_every_contract(python: Run, skeleton: Path) -> None:
    """The skeleton itself breaks nothing, so whatever the next test finds comes from its one wrong line."""
    report = _lint(python, skeleton)
    assert report.returncode == 0, report.stdout + report.stderr


@pytest.mark.parametrize(("contract", "file", "line"), WRONG_LINES)
def test_a_wrong_line_breaks_its_contract(python: Run, skeleton: Path, contract: str, file: str, line: str) -> None:
    """One wrong import breaks the contract meant for it, and the report names module and line number."""
    (skeleton / file).write_text(f'"""Wrong on purpose."""\n\n{line}\n', encoding="utf-8")
    report = _lint(python, skeleton)
    assert report.returncode == 1, report.stdout + report.stderr
    assert f"{contract} BROKEN" in report.stdout
    module = file.removesuffix(".py").replace("/", ".")
    assert f"{module} -> " in report.stdout
    assert "(l.3)" in report.stdout


def test_no_contract_goes_unproven(contracts: configparser.ConfigParser) -> None:
    """Every contract of the file has a wrong line above."""
    sections = [section for section in contracts.sections() if ":contract:" in section]
    assert {contracts[section]["name"] for section in sections} == {contract for contract, _, _ in WRONG_LINES}
