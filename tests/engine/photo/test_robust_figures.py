"""The tower and the figures that ship with photo-robust: of these very files, small, and as the card says."""

from __future__ import annotations

import json
import runpy
from typing import Any

import torch

from capt_engine.metrics.interval import wilson
from capt_engine.model.clip import TOWER_WEIGHTS, load_backbone
from capt_engine.photo.figures import with_table
from capt_engine.photo.robust import RobustPlan
from capt_engine.reading import decode
from capt_engine.resources import resource

HERE = resource("photo-robust")


def _figures() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HERE / "figures.json").read_text(encoding="utf-8"))
    return found


def test_photo_robust_is_photo_with_another_image_tower() -> None:
    """Same text tower, other image tower, under 20 MB; the figures name both by the hashes of the files that ship."""
    photo, robust = (load_backbone(name, torch.device("cpu")) for name in ("photo", "photo-robust"))
    assert robust.base is not None
    assert (robust.base.id, robust.base.sha256) == ("photo", photo.sha256)
    assert torch.equal(photo.clip.token_embedding.weight, robust.clip.token_embedding.weight)
    assert not torch.equal(photo.clip.visual.proj, robust.clip.visual.proj)
    assert (HERE / TOWER_WEIGHTS).stat().st_size < 20_000_000
    measured = _figures()
    assert {name: one["sha256"] for name, one in measured.items()} == {
        "photo": photo.sha256,
        "photo-robust": robust.sha256,
    }


def test_the_card_holds_the_table_of_its_figures() -> None:
    """README.md is what the recorded command writes from figures.json."""
    made = runpy.run_path(str(HERE / "make.py"))
    card = (HERE / "README.md").read_text(encoding="utf-8")
    assert with_table(card, f"{made['table'](_figures())}\n") == card


def test_it_was_made_by_the_settings_of_the_command() -> None:
    """tower.json names the plan that `capt photo robust` follows today."""
    settings = json.loads((HERE / "tower.json").read_text(encoding="utf-8"))["settings"]
    assert decode(json.dumps(settings), RobustPlan, called="the settings") == RobustPlan()


def test_it_withstands_what_breaks_photo() -> None:
    """Of the same 500 pictures more are right under each attack, and at 1/255 its interval lies wholly above photo's."""
    made, measured = runpy.run_path(str(HERE / "make.py")), _figures()
    robust, photo = (measured[name]["broken"] for name in ("photo-robust", "photo"))
    assert len(robust) == len(photo) == made["TESTED"]
    for budget in made["BUDGETS"]:
        assert sum(made["holds"](robust, budget)) > sum(made["holds"](photo, budget))
    ours, theirs = (wilson(sum(made["holds"](one, 1)), len(one)) for one in (robust, photo))
    assert ours[0] > theirs[1]
