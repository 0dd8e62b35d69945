"""`capt demo data` writes class folders, goes on where it stopped, and never writes over anybody's files."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from capt_engine.cli import demo as cli
from capt_engine.demo import world
from capt_engine.errors import BadRequest, UnknownName


def _capt_demo(*words: str) -> None:
    parser = argparse.ArgumentParser()
    cli.configure(parser)
    args = parser.parse_args(words)
    args.run(args)


def test_class_folders_hold_the_pictures_of_the_split(tmp_path: Path) -> None:
    """Two pictures a class land in folders named by class, and each is the picture the split defines."""
    folder = tmp_path / "data"
    _capt_demo("data", str(folder), "--task", "materials", "--domain", "night", "--per-class", "2")
    files = sorted(folder.glob("*/*.png"))
    assert len(files) == 10
    assert {file.parent.name for file in files} == set(world.TASKS["materials"].classes)
    for file in files[:3]:
        scene = world.scene("materials", "test", int(file.stem), "night")
        assert scene.subject.material == file.parent.name
        with Image.open(file) as image:
            np.testing.assert_array_equal(np.asarray(image), world.picture(scene))


def test_the_same_command_goes_on_and_another_is_refused(tmp_path: Path) -> None:
    """What was finished is kept; other settings in the same folder are refused and change nothing."""
    folder = tmp_path / "data"
    _capt_demo("data", str(folder), "--task", "materials", "--per-class", "1")
    kept, lost, *_ = sorted(folder.glob("*/*.png"))
    written, pixels = kept.stat().st_mtime_ns, lost.read_bytes()
    lost.unlink()
    _capt_demo("data", str(folder), "--task", "materials", "--per-class", "1")
    assert kept.stat().st_mtime_ns == written
    assert lost.read_bytes() == pixels
    with pytest.raises(BadRequest, match="other settings"):
        _capt_demo("data", str(folder), "--task", "materials", "--per-class", "2")


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    """A folder that holds anything of somebody else's is refused, and so is a name that does not exist."""
    (tmp_path / "holiday.jpg").write_bytes(b"mine")
    with pytest.raises(BadRequest, match="not an empty folder"):
        _capt_demo("data", str(tmp_path))
    with pytest.raises(UnknownName, match="shapes"):
        _capt_demo("data", str(tmp_path / "new"), "--task", "shpes")
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]
