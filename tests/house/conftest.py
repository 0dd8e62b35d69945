"""Where the tree is, and how the house tests ask other programs about it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import warm

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the checkout."""
    return Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def sources(root: Path) -> tuple[Path, ...]:
    """Every Python file of both packages."""
    return tuple(sorted(file for package in ("capt_engine", "capt_gui") for file in (root / package).rglob("*.py")))


@pytest.fixture(scope="session")
def tree(root: Path) -> tuple[Path, ...]:
    """Every file that git knows here or would offer to add; in an unpacked archive, every file that is not hidden."""
    asked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if asked.returncode == 0:
        names = [name for name in asked.stdout.split("\0") if name]
    else:
        names = [path.relative_to(root).as_posix() for path in root.rglob("*")]
        names = [name for name in names if not any(part.startswith(".") for part in name.split("/"))]
    return tuple(root / name for name in sorted(names) if (root / name).is_file())


@pytest.fixture(scope="session")
def python(root: Path) -> Run:
    """Run this interpreter with some arguments; `env` is added to the environment, None takes a variable away."""

    def run(
        *arguments: str, cwd: Path = root, env: dict[str, str | None] | None = None
    ) -> subprocess.CompletedProcess[str]:
        wanted = {**os.environ, "PYTHONIOENCODING": "utf-8", **(env or {})}
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=cwd,
            env={name: value for name, value in wanted.items() if value is not None},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def warm_python(root: Path, python: Run) -> Run:
    """The same in a process that has torch in memory already, where the system can fork one; for `-c` and `-m` only."""

    def run(
        *arguments: str, cwd: Path = root, env: dict[str, str | None] | None = None
    ) -> subprocess.CompletedProcess[str]:
        wanted = {**os.environ, "PYTHONIOENCODING": "utf-8", **(env or {})}
        return warm.run(arguments, cwd, {name: value for name, value in wanted.items() if value is not None})

    return run if warm.IS_POSSIBLE else python
