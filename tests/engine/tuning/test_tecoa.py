"""`--method tecoa`: a request becomes a folder that is a model, and what only prompts have is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from capt_engine.errors import BadRequest, Cancelled
from capt_engine.model.clip import load_backbone
from capt_engine.records import TuneEpoch
from tests.engine.tuning.conftest import Runs

PLAIN: dict[str, object] = {"method": "tecoa", "depth": None, "lr": 0.001, "attack_steps": 1}


def test_a_tower_is_a_model(runs: Runs) -> None:
    """The folder opens as a model that came from the one that was tuned, and the result has no prompts."""
    out = runs.out.with_name("robust")
    result = runs(**PLAIN, out=str(out), name="Mine")
    assert result.prompts is None
    assert (result.n_train, result.n_val, result.epochs) == (6, 6, 2)
    assert result.zero_shot_clean is not None
    assert [one.epoch for one in runs.news if isinstance(one, TuneEpoch)] == [0, 1, 2]
    tuned = load_backbone(str(out), torch.device("cpu"))
    assert tuned.base is not None
    assert tuned.base.sha256 == runs.backbone.sha256
    assert "Mine" in (out / "tower.json").read_text(encoding="utf-8")


def test_a_stopped_tower_goes_on(runs: Runs) -> None:
    """Cancelled in the second epoch and resumed, it ends in the weights of an unbroken run; without --resume it is left alone."""
    whole, broken = runs.out.with_name("whole"), runs.out.with_name("broken")
    runs(**PLAIN, out=str(whole))

    def progress(_: int, __: int, note: str) -> None:
        if note.startswith("epoch 2"):
            raise Cancelled

    with pytest.raises(Cancelled):
        runs(progress, **PLAIN, out=str(broken))
    with pytest.raises(BadRequest, match="Give --resume"):
        runs(**PLAIN, out=str(broken))
    runs(**PLAIN, out=str(broken), resume=True)
    assert (broken / "tower.safetensors").read_bytes() == (whole / "tower.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"out": "tower.safetensors"}, "writes a folder"),
        ({"coupling": "text_only"}, "knows no coupling"),
        ({"lambda_": 2.0}, "knows no lambda"),
        ({"patience": 3}, "knows no patience"),
        ({"eps": 3.0}, "make no sense"),
        ({"lr": -1.0}, "make no sense"),
        ({"epochs": 0}, "make no sense"),
        ({"batch_size": 0}, "make no sense"),
    ],
)
def test_what_a_tower_cannot_is_refused(runs: Runs, tmp_path: Path, changes: dict[str, object], words: str) -> None:
    """Settings of prompts and impossible numbers end in a sentence."""
    with pytest.raises(BadRequest, match=words):
        runs(**{"out": str(tmp_path / "t"), **PLAIN, **changes})


def test_a_folder_with_something_in_it_is_left_alone(runs: Runs) -> None:
    """Nothing is written into a folder that holds anything."""
    with pytest.raises(BadRequest, match="not empty"):
        runs(**PLAIN, out=str(runs.folder))
