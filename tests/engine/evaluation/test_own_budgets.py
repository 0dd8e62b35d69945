"""Attacks that no ball binds, through a whole evaluation: their budget stands beside their figure, and no ε does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from capt_engine.attacks import ATTACKS
from capt_engine.data.labelled_set import Item
from capt_engine.errors import BadRequest
from capt_engine.evaluation.analysis import evaluate
from capt_engine.evaluation.plan import Variant, plan_evaluation
from capt_engine.model.classifier import Classifier
from capt_engine.progress import no_progress
from capt_engine.records import AnalyzeResult, AttackSpec, EvaluateRequest, ParamValue, PictureRow
from tests.engine.settings import changed

BRIEF: dict[str, tuple[tuple[str, ParamValue], ...]] = {
    "square": (("queries", 10),),
    "hop-skip-jump": (("queries", 10), ("probes", 3)),
    "typographic": (("places", 2), ("words", 3)),
    "patch": (("steps", 3),),
    "spatial": (("turns", 3), ("shifts", 1)),
    "corruption": (("kind", "snow"), ("severity", 4)),
    "noise": (),
}


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    """Four pictures of noise, labelled 0 and 1 in turn."""
    stream = np.random.default_rng(1)
    found = []
    for i in range(4):
        Image.fromarray(stream.integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(tmp_path / f"{i}.png")
        found.append(Item(str(tmp_path / f"{i}.png"), i % 2))
    return found


def evaluated(model: Classifier, items: list[Item], *names: str, **more: Any) -> tuple[AnalyzeResult, list[PictureRow]]:
    """The result of an evaluation, and its rows."""
    specs = tuple(AttackSpec(name, BRIEF.get(name, ())) for name in names)
    rows: list[Any] = []
    request = changed(EvaluateRequest("somewhere"), attacks=specs, checks="off", **more)
    work = plan_evaluation(request, [Variant("a", model)], model, "folder")
    return evaluate(work, items, rows.extend, no_progress), rows


@pytest.mark.parametrize("k", [2, 3, 1000])
@pytest.mark.parametrize("name", list(BRIEF))
def test_any_number_of_classes(name: str, k: int, items: list[Item], tiny_classifier: Classifier) -> None:
    """Two, three or a thousand classes: every picture has a row with its figures, and the summary an answer."""
    model = Classifier(tiny_classifier.backbone, [f"thing {i}" for i in range(k)], "a photo of {}.")
    result, rows = evaluated(model, items, name)
    assert len(rows) == 4
    assert all(row.attacked is not None for row in rows)
    assert result.robust_accuracy is not None


@pytest.mark.parametrize("name", [one.name for one in ATTACKS if not one.norms])
def test_the_budget_stands_beside_the_figure(name: str, items: list[Item], tiny_classifier: Classifier) -> None:
    """In every row and in the summary, in the attack's own words."""
    result, rows = evaluated(tiny_classifier, items, name)
    said = result.threat_model.budget
    assert said
    assert {row.threat.budget for row in rows} == {said}


@pytest.mark.parametrize(
    ("names", "known"),
    [
        (("noise",), "no search"),
        (("square", "hop-skip-jump"), "black-box, sees scores"),
        (("square", "pgd"), "white-box"),
        ((), "white-box"),
    ],
)
def test_the_summary_says_what_the_best_informed_attack_knew(
    names: tuple[str, ...], known: str, items: list[Item], tiny_classifier: Classifier
) -> None:
    """No random search is sold as white-box; where nobody attacks, the request's own word stays."""
    result, _ = evaluated(tiny_classifier, items, *names)
    assert result.threat_model.knowledge == known


def test_a_ball_is_told_by_its_radius(items: list[Item], tiny_classifier: Classifier) -> None:
    """Where an attack keeps to ε, no other budget is claimed."""
    result, rows = evaluated(tiny_classifier, items, "noise")
    assert not result.threat_model.budget
    assert not any(row.threat.budget for row in rows)


def test_no_worst_case_over_a_patch_and_a_ball(items: list[Item], tiny_classifier: Classifier) -> None:
    """What is bound by ε and what is not share no figure; and there is no curve over an ε that binds nothing."""
    with pytest.raises(BadRequest, match="Patch has a budget of its own"):
        evaluated(tiny_classifier, items, "noise", "patch")
    with pytest.raises(BadRequest, match="no curve"):
        evaluated(tiny_classifier, items, "patch", curve=(0.01, 0.02))
