"""The figures that ship with demo-robust: of these very files, as good as promised, and measurable again."""

from __future__ import annotations

import json
import runpy

import pytest
import torch

from capt_engine.bundled_models import TOYS
from capt_engine.demo import figures
from capt_engine.model.clip import load_backbone
from capt_engine.resources import resource
from capt_engine.tuning.image_tower import CARD

CPU = torch.device("cpu")
ROBUST = resource("demo-robust")


def figure_of(model: str, task: str, eps_255: int) -> figures.Figure:
    """What figures.json says of a model on plain pictures."""
    table = json.loads((ROBUST / "figures.json").read_text(encoding="utf-8"))[model]["figures"]
    (figure,) = [one for one in table if (one["task"], one["domain"], one["eps_255"]) == (task, "plain", eps_255)]
    return figures.Figure(**figure)


def test_demo_robust_reaches_what_was_promised() -> None:
    """Shapes stay at 80 % or more, and under PGD at 2/255 and 4/255 its interval lies wholly above the demo's."""
    assert figure_of("demo-robust", "shapes", 0).accuracy >= 0.8
    for eps_255 in (2, 4):
        assert figure_of("demo-robust", "shapes", eps_255).low > figure_of("demo", "shapes", eps_255).high


def test_demo_robusts_figures_are_of_these_models() -> None:
    """figures.json names both models by the hashes of the files that ship."""
    table = json.loads((ROBUST / "figures.json").read_text(encoding="utf-8"))
    assert {name: load_backbone(name, CPU).sha256 for name in table} == {
        name: of["sha256"] for name, of in table.items()
    }
    assert set(table) == set(TOYS)


@pytest.mark.parametrize("eps_255", [0, pytest.param(4, marks=pytest.mark.heavy)])
def test_demo_robusts_figures_can_be_measured_again(eps_255: int) -> None:
    """On 42 plain pictures of shapes, the card's figure lies inside this sample's interval."""
    measured = figures.figure_of(load_backbone("demo-robust", CPU), "shapes", "plain", 42, eps_255)
    assert measured.low <= figure_of("demo-robust", "shapes", eps_255).accuracy <= measured.high


def test_demo_robusts_card_is_the_one_its_figures_give() -> None:
    """README.md is, word for word, what the recorded command writes from figures.json and tower.json."""
    card = runpy.run_path(str(ROBUST / "make.py"))["card"]
    table = json.loads((ROBUST / "figures.json").read_text(encoding="utf-8"))
    assert (ROBUST / CARD).read_text(encoding="utf-8") == card(table)
