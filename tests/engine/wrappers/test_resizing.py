"""Perturbations at a picture's own size: the resizing inside the model agrees with the one outside, and has a gradient."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from capt_engine.data.labelled_set import Item
from capt_engine.errors import BadRequest
from capt_engine.evaluation.analysis import evaluate
from capt_engine.evaluation.plan import Variant, plan_evaluation
from capt_engine.model.classifier import Classifier
from capt_engine.progress import no_progress
from capt_engine.records import AttackSpec, EvaluateRequest, PictureRow, RunOptions, ThreatModel
from capt_engine.wrappers.resizing import Resizing

# Pillow rounds to 8 bits after each direction; ours does not.
TOLERANCE = 2 / 255

SIZES = [(24, 24), (60, 40), (33, 97), (10, 10), (24, 51)]


def noise(width: int, height: int) -> Image.Image:
    """The hardest picture to resize alike: every pixel its own colour."""
    stream = np.random.default_rng(width)
    return Image.fromarray(stream.integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_it_agrees_with_pillow(width: int, height: int, tiny_classifier: Classifier) -> None:
    """Within the stated tolerance of the model's own preprocessing, for larger, smaller, wide and high pictures."""
    picture = noise(width, height)
    expected = tiny_classifier.backbone.view(picture)
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 255
    found = Resizing(tiny_classifier).resized(pixels)[0]
    assert found.shape == expected.shape
    assert (found - expected).abs().max() <= TOLERANCE


def test_at_the_models_own_size_it_is_the_classifier(tiny_classifier: Classifier, pixels: Any) -> None:
    """Bit for bit."""
    images = pixels(3)
    assert torch.equal(Resizing(tiny_classifier)(images), tiny_classifier(images))


def test_every_pixel_inside_the_middle_has_a_gradient(tiny_classifier: Classifier, pixels: Any) -> None:
    """And none outside it, which the model never sees."""
    images = pixels(1, 48)[:, :, :, :].repeat(1, 1, 1, 2).requires_grad_(True)
    (gradient,) = torch.autograd.grad(Resizing(tiny_classifier)(images).square().sum(), images)
    seen = gradient.abs().sum(dim=(0, 1)) > 0
    assert seen[:, 30:66].all()
    assert not seen[:, :20].any()


def test_preprocessing_that_is_not_known_is_refused(
    tiny_classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Padding to the longer side, for one."""
    visual = tiny_classifier.backbone.clip.visual
    monkeypatch.setattr(visual, "preprocess_cfg", {**visual.preprocess_cfg, "resize_mode": "longest"})
    with pytest.raises(BadRequest, match="longest"):
        Resizing(tiny_classifier)


def test_an_evaluation_at_original_size(tmp_path: Path, tiny_classifier: Classifier) -> None:
    """Rows of pictures of several sizes: the attacked double has the picture's own size, stays within ε there, and says so."""
    items = []
    for i, (width, height) in enumerate([(40, 30), (40, 30), (24, 24), (70, 50)]):
        noise(width, height).save(tmp_path / f"{i}.png")
        items.append(Item(str(tmp_path / f"{i}.png"), i % 2))
    threat = ThreatModel(eps=8 / 255, perturb="original")
    request = EvaluateRequest(
        "d", attacks=(AttackSpec("pgd", (("steps", 3),)),), options=RunOptions(threat=threat, with_pictures=True)
    )
    rows: list[Any] = []
    work = plan_evaluation(request, [Variant("none", tiny_classifier)], tiny_classifier, "folder")
    result = evaluate(work, items, rows.extend, no_progress)
    assert result.n == 4
    assert {one.status for one in result.checks if one.name in ("budget-kept", "normalised", "pixels")} == {"pass"}
    for row in rows:
        assert isinstance(row, PictureRow)
        assert row.pictures is not None
        shown = row.pictures.adversarial
        assert (shown.width, shown.height) == (row.width, row.height)
        assert dict(row.metrics)["linf"] <= 8 / 255 + 1e-6
        assert row.threat.perturb == "original"
    alone: list[Any] = []
    evaluate(replace(work, batch=1), items, alone.extend, no_progress)
    assert [row.attacked.winner for row in alone] == [row.attacked.winner for row in rows]
