"""LPIPS inside an evaluation: of the pictures as the model saw them, whatever the batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from capt_engine.data.labelled_set import Item
from capt_engine.errors import BadRequest
from capt_engine.evaluation.analysis import evaluate
from capt_engine.evaluation.plan import Variant, plan_evaluation
from capt_engine.model.classifier import Classifier
from capt_engine.model.lpips import Lpips
from capt_engine.progress import no_progress
from capt_engine.records import AttackSpec, EvaluateRequest, PictureRow, RunOptions, ThreatModel
from tests.engine.model.perceptual import random_lpips

NOISE = (AttackSpec("noise"),)


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    """Three pictures of 40 × 36 pixels, of which the model sees 24 × 24."""
    stream = np.random.default_rng(1)
    for i in range(3):
        Image.fromarray(stream.integers(0, 256, (36, 40, 3), dtype=np.uint8)).save(tmp_path / f"{i}.png")
    return [Item(str(tmp_path / f"{i}.png"), i) for i in range(3)]


def rows(classifier: Classifier, items: list[Item], asked: EvaluateRequest, lpips: Lpips | None) -> list[PictureRow]:
    """The rows of an evaluation."""
    work = plan_evaluation(asked, [Variant("none", classifier)], classifier, "folder", lpips=lpips)
    found: list[PictureRow] = []
    evaluate(work, items, lambda some: found.extend(one for one in some if isinstance(one, PictureRow)), no_progress)
    return found


def test_it_is_of_what_the_model_saw(tiny_classifier: Classifier, items: list[Item]) -> None:
    """The row's number is the distance of the two pictures that were shown, here within the rounding to 8 bits."""
    vgg = random_lpips("vgg")
    asked = EvaluateRequest(
        "d", attacks=NOISE, checks="off", options=RunOptions(threat=ThreatModel(eps=0.2), with_pictures=True)
    )
    for row in rows(tiny_classifier, items, asked, vgg):
        assert row.pictures is not None
        assert row.pictures.adversarial is not None
        clean, attacked = (
            torch.frombuffer(bytearray(one.rgb), dtype=torch.uint8).view(1, 24, 24, 3).permute(0, 3, 1, 2) / 255
            for one in (row.pictures.seen, row.pictures.adversarial)
        )
        assert dict(row.metrics)["lpips"] == pytest.approx(vgg(clean, attacked).item(), rel=0.05)


@pytest.mark.parametrize("batch", [1, 2, 0])
def test_rows_do_not_depend_on_the_batch(tiny_classifier: Classifier, items: list[Item], batch: int) -> None:
    """The same bits one by one and all at once."""

    def measured(batch: int) -> list[float]:
        asked = EvaluateRequest("d", attacks=NOISE, checks="off", options=RunOptions(batch_size=batch))
        return [dict(row.metrics)["lpips"] for row in rows(tiny_classifier, items, asked, random_lpips("vgg"))]

    assert measured(batch) == measured(3)


def test_at_their_own_size_pictures_take_the_smaller_network(tiny_classifier: Classifier, items: list[Item]) -> None:
    """AlexNet looks at all 40 × 36 pixels; VGG16, which would need gigabytes for a photograph, is refused with the way out."""
    whole = ThreatModel(eps=0.1, perturb="original")
    asked = EvaluateRequest("d", attacks=NOISE, checks="off", options=RunOptions(threat=whole))
    assert all(dict(row.metrics)["lpips"] > 0 for row in rows(tiny_classifier, items, asked, random_lpips("alex")))
    with pytest.raises(BadRequest) as refused:
        rows(tiny_classifier, items, asked, random_lpips("vgg"))
    assert "--lpips alex" in refused.value.hint
