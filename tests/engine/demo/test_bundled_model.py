"""The bundled model is what its card says it is."""

from __future__ import annotations

import json
from functools import cache

import pytest
import torch

from capt_engine.demo import figures, world
from capt_engine.model.clip import Backbone, load_backbone
from capt_engine.resources import resource

FOLDER = resource("demo")


@cache
def _backbone() -> Backbone:
    return load_backbone("demo", torch.device("cpu"))


def _told() -> list[figures.Figure]:
    table = json.loads((FOLDER / "figures.json").read_text(encoding="utf-8"))
    return [figures.Figure(**figure) for figure in table["figures"]]


@pytest.mark.parametrize(("task", "least"), [("shapes", 0.9), ("colours", 0.9), ("materials", 0.8), ("unseen", 0.8)])
def test_the_figures_reach_what_was_promised(task: str, least: float) -> None:
    """On 1,000 unseen plain pictures the bundled model reaches the promised accuracy."""
    (figure,) = [one for one in _told() if (one.task, one.domain, one.eps_255) == (task, "plain", 0)]
    assert figure.n == 1000
    assert figure.accuracy >= least


def test_the_figures_can_be_measured_again() -> None:
    """Shapes on 56 plain test pictures: at least 80 %, and the card's figure is inside this sample's interval."""
    measured = figures.figure_of(_backbone(), "shapes", "plain", 56)
    assert measured.accuracy >= 0.8
    (told,) = [one for one in _told() if (one.task, one.domain, one.eps_255) == ("shapes", "plain", 0)]
    assert measured.low <= told.accuracy <= measured.high


def test_an_attack_takes_most_of_it_away() -> None:
    """PGD at 8/255 leaves clearly less than the clean accuracy: the demo has something to show."""
    clean = figures.figure_of(_backbone(), "shapes", "plain", 14)
    attacked = figures.figure_of(_backbone(), "shapes", "plain", 14, 8)
    assert attacked.accuracy <= clean.accuracy / 2


def test_the_card_is_the_one_the_figures_give() -> None:
    """The card and the figures file say the same, word for word, and every downstream set is on both."""
    told = _told()
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == figures.card(figures.recipe(FOLDER), told)
    assert set(world.DOWNSTREAM) <= {(one.task, one.domain) for one in told if not one.eps_255}
    assert [one.eps_255 for one in told if one.eps_255] == list(figures.BUDGETS)


def test_the_bundled_model_is_small() -> None:
    """The weights stay within 15 MB and the image tower within six million parameters."""
    assert (FOLDER / "open_clip_model.safetensors").stat().st_size <= 15_000_000
    assert sum(value.numel() for value in _backbone().clip.visual.parameters()) <= 6_000_000
