"""What one does here, the same on every system: `uv run nox -s check | test | app | package`, and now and then `coverage` or `oracles`.

Every other session uses the environment that nox itself runs in: a fresh one for each would mean one more torch for each, and
`uv run` keeps this one true to pyproject.toml anyway.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import nox

nox.options.sessions = ["check", "test"]
nox.options.default_venv_backend = "none"


@nox.session
def check(session: nox.Session) -> None:
    """Style, types and import contracts, in seconds: what the pre-commit hook runs."""
    session.run(sys.executable, "-m", "ruff", "check", ".")
    session.run(sys.executable, "-m", "ruff", "format", "--check", ".")
    session.run(sys.executable, "-m", "mypy")
    session.run("lint-imports", "--no-logo")


@nox.session
def test(session: nox.Session) -> None:
    """The whole suite, or what is asked for: `nox -s test -- tests/engine/attacks -x`."""
    session.run(sys.executable, "-m", "pytest", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Count which lines the suite runs, in every process it starts, and fail below the floor that pyproject.toml names."""
    measured = (sys.executable, "-m", "coverage")
    session.run(*measured, "erase")
    session.run(*measured, "run", "-m", "pytest", *session.posargs)
    session.run(*measured, "combine", "--quiet")
    session.run(*measured, "report")


@nox.session
def oracles(session: nox.Session) -> None:
    """Our attacks and measures beside other houses', in an environment of their own; with `-- -m heavy` on the demo model, for minutes."""
    alone = ("uv", "run", "--isolated", "--group", "oracles", "python", "-m", "pytest", "-s", "tests/oracles")
    session.run(*alone, *session.posargs, external=True)


@nox.session
def app(session: nox.Session) -> None:
    """Open the window, with the pictures named after `--` if there are any."""
    session.run(sys.executable, "-m", "capt_gui", *session.posargs)


@nox.session
def package(session: nox.Session) -> None:
    """Build wheel and source archive into dist/; packaging/README.md says what to do with them."""
    shutil.rmtree(Path("dist"), ignore_errors=True)
    session.run(sys.executable, "-m", "hatchling", "build", "--directory", "dist")
    for built in sorted(Path("dist").iterdir()):
        session.log(f"{built}  {built.stat().st_size / 1e6:.1f} MB")


@nox.session
def api(session: nox.Session) -> None:
    """Write docs/api.md from the docstrings."""
    session.run(sys.executable, "docs/api_page.py", "--write")


@nox.session
def language(session: nox.Session) -> None:
    """Give a catalogue of translations an empty line for each text that it lacks: `nox -s language -- fr`."""
    session.run(sys.executable, "docs/languages.py", *session.posargs)


@nox.session
def pictures(session: nox.Session) -> None:
    """Draw the pictures of README and guide by steps of the tour, with free photographs that scikit-image brings."""
    steps = ("pytest", "-n0", "-s", "-p", "no:cacheprovider", "tests/tour/pictures.py")
    session.run(
        "uv", "run", "--isolated", "--group", "pictures", *steps, env={"CAPT_TOUR_PATIENCE_S": "3600"}, external=True
    )
