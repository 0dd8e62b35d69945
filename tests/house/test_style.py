"""The manners of the house that a machine can check: style, types, names, sizes, nothing of one machine in the tree."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

FORBIDDEN_NAMES = {"utils", "util", "misc", "helpers", "helper", "common", "stuff", "manager", "managers"}
LONGEST_FILE = 500
LARGEST_BYTES = 20 * 1024 * 1024

# Where packages come from, and where somebody's home is, are settings of a machine: never of this project.
ONE_MACHINE = {
    "a package index": re.compile(
        r"(?i)index[-_]url\S?\s*[=:\s]\s*\S*://|find[-_]links\s*[=:\s]\s*\S*://|--(?:default-)?index[ =]\S*://|"
        r"\[\[(?:tool\.uv\.)?index\]\]|trusted-host|registry\s*[=:]\s*\S?https?://|\"resolved\":\s*\"http"
    ),
    "a home folder": re.compile(r"(?<![\w.$}])/(?:home|Users|root)/[A-Za-z0-9._-]+/|[A-Za-z]:\\+Users\\+\w"),
    "a password in an address": re.compile(r"://[^/\s:@]+:[^/\s:@]+@"),
}


def test_ruff_finds_nothing(python: Run) -> None:
    """`ruff check` is clean."""
    report = python("-m", "ruff", "check", ".")
    assert report.returncode == 0, report.stdout + report.stderr


def test_ruff_would_format_nothing(python: Run) -> None:
    """`ruff format` has nothing to change."""
    report = python("-m", "ruff", "format", "--check", ".")
    assert report.returncode == 0, report.stdout + report.stderr


def test_types_hold(python: Run) -> None:
    """mypy, in strict mode, accepts both packages."""
    report = python("-m", "mypy")
    assert report.returncode == 0, report.stdout + report.stderr


def test_docstrings_name_the_arguments_there_are(python: Run, tmp_path: Path) -> None:
    """pydoclint accepts the sections of both packages' docstrings, and finds an argument that is named wrongly."""
    report = python("-m", "pydoclint.main", "--quiet", "capt_engine", "capt_gui")
    assert report.returncode == 0, report.stdout + report.stderr
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        'def double(value: int) -> int:\n    """Double it.\n\n    Args:\n        number: any.\n\n'
        '    Returns:\n        Twice that.\n    """\n'
        "    return 2 * value\n",
        encoding="utf-8",
    )
    assert "DOC103" in (refused := python("-m", "pydoclint.main", str(wrong))).stdout + refused.stderr


def test_docstrings_begin_with_their_subject(sources: tuple[Path, ...], root: Path) -> None:
    """No docstring opens with a question word: it names the thing, or says what the function does."""
    questions = {"what", "where", "whether", "who", "whom", "whose", "how"}
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found = []
    for file in sources:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            words = (ast.get_docstring(node) or "").split() if isinstance(node, documented) else []
            if words and words[0].strip(",.:;").lower() in questions:
                found.append(f"{file.relative_to(root)}: {' '.join(words[:12])}")
    assert not found


def test_no_drawer_for_everything(sources: tuple[Path, ...], root: Path) -> None:
    """No module or folder has a name that says nothing about what is inside."""
    drawers = [
        str(file.relative_to(root))
        for file in sources
        if FORBIDDEN_NAMES & {word for part in file.relative_to(root).with_suffix("").parts for word in part.split("_")}
    ]
    assert not drawers


def test_files_stay_readable(tree: tuple[Path, ...]) -> None:
    """No Python file is longer than can be read in one sitting."""
    files = [file for file in tree if file.suffix == ".py"]
    lengths = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in files}
    assert not {file: length for file, length in lengths.items() if length > LONGEST_FILE}


def test_every_test_says_what_it_shows(tree: tuple[Path, ...], root: Path) -> None:
    """Every test function has a docstring."""
    silent = []
    for file in tree:
        if file.suffix == ".py" and root / "tests" in file.parents:
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
                    continue
                if not ast.get_docstring(node):
                    silent.append(f"{file.relative_to(root)}:{node.lineno} {node.name}")
    assert not silent


def test_no_file_is_large(tree: tuple[Path, ...], root: Path) -> None:
    """Nothing over 20 MB is kept in the repository."""
    assert not [str(file.relative_to(root)) for file in tree if file.stat().st_size > LARGEST_BYTES]


@pytest.mark.parametrize("what", ONE_MACHINE)
def test_nothing_of_one_machine_is_kept(tree: tuple[Path, ...], root: Path, what: str) -> None:
    """No file names a package index, a home folder or a password: those belong to a machine, not to the project."""
    found = []
    for file in tree:
        if file == Path(__file__).resolve():
            continue  # the patterns themselves
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue  # pictures and weights
        found += [
            f"{file.relative_to(root)}:{at}: {line.strip()[:120]}"
            for at, line in enumerate(lines, 1)
            if ONE_MACHINE[what].search(line)
        ]
    assert not found


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("a package index", "index-url = " + "https://packages.example/simple"),
        ("a package index", "uv pip install --extra-index-url " + "https://packages.example/simple torch"),
        ("a package index", "UV_INDEX_URL=" + "https://packages.example/simple"),
        ("a home folder", "open('/home/" + "somebody/pictures')"),
        ("a home folder", r"C:\Users" + r"\somebody"),
        ("a password in an address", "https://name:" + "secret@packages.example"),
    ],
)
def test_the_patterns_bite(what: str, line: str) -> None:
    """Each pattern finds the line that it was written for."""
    assert ONE_MACHINE[what].search(line)


def test_tests_speak_to_public_behaviour(root: Path) -> None:
    """Tests reach for fewer than 60 private names of the product, counted over attributes and names that are patched."""
    public_by_habit = {"_replace", "_asdict", "_fields", "_getframe", "_exit", "_MEIPASS"}
    found: list[str] = []
    # A backend of torch in Python is made of torch's private names, and knows none of ours.
    foreign = root / "tests" / "devices" / "pretend.py"
    for path in sorted({*(root / "tests").rglob("*.py")} - {foreign}):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and not (
                isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            ):
                names = [node.attr]
            elif (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr.endswith("attr")
            ):
                strings = (one.value for one in node.args if isinstance(one, ast.Constant))
                names = [one.rsplit(".", 1)[-1] for one in strings if isinstance(one, str)]
            else:
                continue
            found += [
                f"{path.relative_to(root)}: {name}"
                for name in names
                if name.startswith("_") and not name.startswith("__") and name not in public_by_habit
            ]
    assert len(found) < 60, f"{len(found)} private names:\n" + "\n".join(found)
