"""Other packages add attacks, metrics, methods and importers by entry point; a broken one is named and skipped."""

from __future__ import annotations

import csv
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

ADDED = """
import json, logging
import capt_engine as capt
from capt_engine.attacks import ATTACKS
from capt_engine.metrics import METRICS
from capt_engine.model.importers.families import IMPORTERS
from capt_engine.tuning.methods import METHODS
clip = capt.load_clip("demo")
x, y, classes = capt.demo_pictures(clip, n=2)
model = capt.Classifier(clip, classes, "a photo of a {}.")
rows = []
if "brighten" in ATTACKS.names():
    rows = capt.evaluate(model, (x, y), attacks="brighten", eps=2 / 255, checks="off").rows()
tables = (ATTACKS, METRICS, METHODS, IMPORTERS)
print(json.dumps([[table.names()[-1] for table in tables], [row["brightness_change"] for row in rows]]))
"""

CATALOGUE = """
import json
from capt_engine.jobs.catalogue import catalogue
found = catalogue()
attack = found.attacks[-1]
offered = "capt-short" in {method.name for method in found.methods}
print(json.dumps([attack.name, [one.name for one in attack.params], found.metrics[-1].name, offered]))
"""

SKIPPED = {
    "broken": "RuntimeError: this plug-in is out of order",
    "leaving": "SystemExit: away with it",
    "pgd": "The name 'pgd' is taken.",
    "unlabelled": "It is nothing that capt.attacks takes.",
    "column": "A row has a column 'path' already.",
    "nothing": "It is nothing that capt.metrics takes.",
    "pointless": "There is no objective called 'nothing'.",
}

HELP = """
import importlib.metadata, sys
def refuse(*_, **__):
    raise AssertionError("somebody looked for plug-ins")
importlib.metadata.entry_points = refuse
from capt_engine.cli.main import main
main(sys.argv[1:])
"""


@pytest.fixture
def installed(root: Path) -> dict[str, str | None]:
    """An environment in which the tiny package is installed."""
    return {"PYTHONPATH": os.pathsep.join([str(root / "tests/plugins"), str(root)]), "CAPT_NO_PLUGINS": None}


def test_additions_work_and_broken_ones_are_named(
    warm_python: Run, installed: dict[str, str | None], tmp_path: Path
) -> None:
    """The attack attacks, the metric is a column of every row; what cannot be loaded, does not fit or has a taken name is skipped."""
    done = warm_python("-c", ADDED, cwd=tmp_path, env=installed)
    assert done.returncode == 0, done.stderr
    names, values = json.loads(done.stdout)
    assert names == ["brighten", "brightness_change", "capt-short", "coop-again"]
    assert all(0 < value <= 2 / 255 + 1e-6 for value in values)
    assert len(values) == 2
    assert done.stderr.count("was skipped") == len(SKIPPED)


def test_they_can_be_left_out(warm_python: Run, installed: dict[str, str | None], tmp_path: Path) -> None:
    """With the variable that `--no-plugins` sets, the tables are our own, and nothing of theirs is loaded."""
    done = warm_python("-c", ADDED, cwd=tmp_path, env=installed | {"CAPT_NO_PLUGINS": "1"})
    assert done.returncode == 0, done.stderr
    names, values = json.loads(done.stdout)
    assert not values
    assert not {"brighten", "brightness_change", "capt-short", "coop-again"} & set(names)
    assert "skipped" not in done.stderr


@pytest.mark.parametrize("arguments", [(), ("--no-plugins",)])
def test_the_doctor_lists_them(
    warm_python: Run, installed: dict[str, str | None], tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """Each with the package it is from, the broken ones with the reason; none where they are left out."""
    done = warm_python("-m", "capt_engine", "doctor", "--json", *arguments, cwd=tmp_path, env=installed)
    plugins = json.loads(done.stdout)["plugins"]
    if arguments:
        assert plugins == []
        return
    assert {(one["package"], one["version"]) for one in plugins} == {("capt-example", "1.0")}
    assert [one["name"] for one in plugins if not one["problem"]] == [
        "brighten",
        "brightness_change",
        "capt-short",
        "coop-again",
    ]
    skipped = {one["name"]: one["problem"] for one in plugins if one["problem"]}
    assert skipped.keys() == SKIPPED.keys()
    assert all(skipped[name].startswith(why) for name, why in SKIPPED.items())
    assert all(one["module"].startswith(("capt_example.", "capt_engine.attacks.pgd:")) for one in plugins)


def test_the_terminal_runs_them_and_the_run_names_them(
    warm_python: Run, installed: dict[str, str | None], root: Path, tmp_path: Path
) -> None:
    """The attack is asked for by its name, its metric is the last column, the manifest says whose; left out, the name is unknown."""
    command = (
        "-m",
        "capt_engine",
        "analyze",
        str(root / "resources/samples/blue-marble-mug.png"),
        "--attack",
        "brighten",
    )
    run = tmp_path / "run"
    done = warm_python(*command, "--out", str(run), "--set", "share=0.5", cwd=tmp_path, env=installed)
    assert done.returncode == 0, done.stderr
    with (run / "rows.csv").open(newline="", encoding="utf-8") as file:
        lines = csv.DictReader(file)
        (line,) = lines
        assert list(lines.fieldnames or ())[-1] == "brightness_change"
    assert 0 < float(line["brightness_change"]) <= float(line["eps"]) / 2 + 1e-6
    assert json.loads((run / "manifest.json").read_text(encoding="utf-8"))["plugins"] == [
        {"name": name, "package": "capt-example", "version": "1.0"} for name in ("brighten", "brightness_change")
    ]
    for arguments, variable in ((("--no-plugins",), None), ((), "1")):
        refused = warm_python(*command, *arguments, cwd=tmp_path, env=installed | {"CAPT_NO_PLUGINS": variable})
        assert refused.returncode == 2
        assert "There is no attack called 'brighten'" in refused.stderr


def test_one_that_fails_is_named(
    warm_python: Run, installed: dict[str, str | None], root: Path, tmp_path: Path
) -> None:
    """An error inside a plug-in is one sentence about it and its package with the exit code of an expected failure, and no bug of ours."""
    picture = str(root / "resources/samples/blue-marble-mug.png")
    command = ("-m", "capt_engine", "analyze", picture, "--attack", "brighten", "--set", "share=0.25")
    done = warm_python(*command, cwd=tmp_path, env=installed)
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1].startswith(
        "The plug-in brighten of capt-example 1.0 failed: ZeroDivisionError: the light has gone out."
    )
    assert "Traceback" not in done.stderr
    assert "bug" not in done.stderr


def test_the_window_offers_them(warm_python: Run, installed: dict[str, str | None], tmp_path: Path) -> None:
    """The catalogue that the window draws its forms from has them behind ours, settings included."""
    done = warm_python("-c", CATALOGUE, cwd=tmp_path, env=installed)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["brighten", ["share"], "brightness_change", True]


@pytest.mark.parametrize("arguments", [("--help",), ("evaluate", "--help"), ("tune", "--help")])
def test_help_does_not_look_for_them(
    python: Run, installed: dict[str, str | None], tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """Nobody asks for entry points before a table is looked into."""
    done = python("-c", HELP, *arguments, cwd=tmp_path, env=installed)
    assert done.returncode == 0, done.stderr
    assert "usage" in done.stdout
    assert "tune" not in arguments or "or a plug-in's method" in " ".join(done.stdout.split())
