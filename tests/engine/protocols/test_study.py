"""The study: its sets and tables, the order in which they are computed, and where its photographs come from."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from capt_engine.data.sources import load_splits
from capt_engine.errors import BadRequest
from capt_engine.protocols import study
from capt_engine.protocols.data import StudyPictures
from capt_engine.protocols.definitions import Cell, Own, Recipe, Setting, Settings

OWN = Own(2.5, "vision_to_text")


@pytest.fixture(scope="module")
def cifar10(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CIFAR-10's classes as folders, three pictures each, every one of its own grey."""
    root = tmp_path_factory.mktemp("cifar10")
    grey = 0
    for split in ("train", "test"):
        for name in (*study.FIRST, *study.LAST):
            (root / split / name).mkdir(parents=True)
            for i in range(3):
                grey += 4
                Image.fromarray(np.full((8, 8, 3), grey % 256, np.uint8)).save(root / split / name / f"{i}.png")
    return root


def test_sixteen_shots_come_first_and_nothing_twice() -> None:
    """All methods, sets and seeds at 16 shots; then shift, other sets, halves, other shots, ablations, further methods."""
    work = study.results(OWN)
    assert [part.name for part in work.parts] == ["few-shot", "shift", "cross-dataset", "base-to-new", "ablation"]
    assert len(set(work.order)) == len(work.order)
    assert set(work.order) == {cell for part in work.parts for cell in part.cells}
    usual = [cell for cell in work.order if cell.recipe is None or cell.recipe.shots == 16]
    assert work.order.index(Cell(Recipe("cifar10-last@photo", "capt", 16, 3), "cifar10-last@photo")) < 5 + 5 * 6 * 3
    assert {cell.dataset for cell in usual[: 5 + 5 * 6 * 3]} == {*study.names(study.REPORTED)}


def test_each_set_is_measured_at_its_own_budget() -> None:
    """The plain photograph model at a quarter of 1/255, tuned and attacked alike; all others at 1/255."""
    settings = study.settings(250, dict.fromkeys(study.ALL, ("text", 1)))
    assert {name: one.budgets for name, one in settings.of_set.items() if one.budgets != (1 / 255,)} == {
        "cifar10-first@photo": (0.25 / 255,),
        "cifar10-last@photo": (0.25 / 255,),
    }
    assert all(one.tune_eps == one.budgets[0] for one in settings.of_set.values())
    assert {one.model for one in settings.of_set.values()} == {"demo", "photo", "photo-robust"}


def test_prompts_of_another_setting_make_another_cell() -> None:
    """Where prompts come from a set with a setting of its own, changing that setting changes the key of the cell elsewhere."""
    cell = Cell(Recipe("a", "capt", 16, 1), "b")
    usual, other = Setting("demo", ""), Setting("demo", "", tune_eps=0.01)
    keys = {
        Settings(usual).cell_key(cell),
        Settings(usual, {"a": other}).cell_key(cell),
        Settings(usual, {"a": replace(other, tune_eps=0.02)}).cell_key(cell),
    }
    assert len(keys) == 3


def test_photographs_of_a_set_are_its_classes_of_its_split(cifar10: Path) -> None:
    """Development is measured on training pictures of the first five classes, results on test pictures of the other five."""
    pictures = StudyPictures(cifar10, 10, (1,))
    for one in (*study.DEVELOPMENT, *study.REPORTED):
        if one.is_toy:
            continue
        place, root = pictures.place(one.name, lambda *_: None)
        splits = load_splits(place)
        assert root == ""
        assert tuple(splits["test"].classes) == one.classes
        measured = sorted(Path(item.path).read_bytes() for item in splits["test"].items)
        assert measured == sorted(
            file.read_bytes() for name in one.classes for file in (cifar10 / one.split / name).iterdir()
        )
        learned = {Path(item.path).read_bytes() for item in splits["train"].items}
        assert learned == {file.read_bytes() for name in one.classes for file in (cifar10 / "train" / name).iterdir()}
    assert len(list(cifar10.rglob("*.png"))) == 60, "nothing is written into the user's folder"


def test_without_photographs_the_toys_are_there(cifar10: Path, tmp_path: Path) -> None:
    """A folder that is not CIFAR-10 is refused; without any, its sets are known as missing."""
    pictures = StudyPictures(None, 10, (1,))
    assert pictures.has("shapes@night")
    assert not pictures.has("cifar10-last@photo")
    with pytest.raises(BadRequest, match="needs the pictures"):
        pictures.place("cifar10-last@photo", lambda *_: None)
    broken = tmp_path / "broken"
    shutil.copytree(cifar10, broken)
    shutil.rmtree(broken / "test" / "airplane")
    with pytest.raises(BadRequest, match="is not CIFAR-10"):
        StudyPictures(broken, 10, (1,))
