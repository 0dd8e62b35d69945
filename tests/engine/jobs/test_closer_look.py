"""A replay finds what the analysis found, and saliency maps are those of the pictures that were shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from capt_engine.errors import BadRequest, UnknownName
from capt_engine.explanations.gradient import gradient_size, input_gradient
from capt_engine.explanations.of_records import pixels_of
from capt_engine.jobs.closer_look import handle_replay, handle_saliency
from capt_engine.jobs.context import ModelContext
from capt_engine.jobs.handlers import handle_analyze
from capt_engine.jobs.model_cache import ModelCache
from capt_engine.model.classifier import Classifier
from capt_engine.progress import no_progress
from capt_engine.records import (
    AnalyzeRequest,
    AttackSpec,
    Event,
    JobId,
    PictureRow,
    ReplayRequest,
    ReplayStep,
    ReplayStepsReady,
    RowsReady,
    RunOptions,
    SaliencyRequest,
    ThreatModel,
)

CLASSES = ("cube", "sphere", "cone", "heart", "star")


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A picture file of 40 × 30 pixels."""
    path = tmp_path_factory.mktemp("pictures") / "a.png"
    values = np.random.default_rng(1).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    Image.fromarray(values).save(path)
    return str(path)


@pytest.fixture(scope="module")
def cache() -> ModelCache:
    """The models of a worker."""
    return ModelCache("cpu")


def request_for(folder: Path, picture: str, attack: AttackSpec, **threat: object) -> AnalyzeRequest:
    """An analysis of one picture by the tiny model."""
    options = RunOptions(
        model=f"local-dir:{folder}",
        classes=CLASSES,
        template="a photo of a {}.",
        threat=replace(ThreatModel(eps=4 / 255), **threat),  # type: ignore[arg-type]
        with_pictures=True,
    )
    return AnalyzeRequest((picture,), attack, options=options)


def analysed(cache: ModelCache, request: AnalyzeRequest) -> PictureRow:
    """The row of an analysis."""
    events: list[Event] = []
    handle_analyze(ModelContext(JobId(1), events.append, no_progress, cache), request)
    (row,) = (row for event in events if isinstance(event, RowsReady) for row in event.rows)
    assert isinstance(row, PictureRow)
    return row


def replayed(cache: ModelCache, request: AnalyzeRequest) -> tuple[list[ReplayStep], int]:
    """The steps of a replay, and the one that was kept."""
    events: list[Event] = []
    result = handle_replay(ModelContext(JobId(2), events.append, no_progress, cache), ReplayRequest(request))
    steps = [step for event in events if isinstance(event, ReplayStepsReady) for step in event.steps]
    assert result.n == len(steps)
    return steps, result.kept


@pytest.mark.parametrize(
    ("attack", "n"),
    [
        (AttackSpec("fgsm"), 2),
        (AttackSpec("pgd", (("steps", 5),)), 7),
        (AttackSpec("apgd-ce", (("steps", 5),)), 7),
    ],
)
@pytest.mark.parametrize("rounding", ["none", "8-bit"])
def test_a_replay_ends_with_the_analysis_own_picture(
    tiny_folder: Path, picture: str, cache: ModelCache, attack: AttackSpec, n: int, rounding: str
) -> None:
    """The clean picture comes first; the step that is kept has the adversarial picture, answer and margin of the row."""
    request = request_for(tiny_folder, picture, attack, rounding=rounding)
    row = analysed(cache, request)
    steps, kept = replayed(cache, request)
    assert len(steps) == n
    assert row.pictures is not None
    assert row.attacked is not None
    first, last = steps[0], steps[kept]
    assert (first.name, first.answer) == ("clean", row.classes[row.clean.winner])
    assert first.pictures is not None
    assert first.pictures.adversarial == row.pictures.seen
    assert last.answer == row.classes[row.attacked.winner]
    assert last.margin == min(step.margin for step in steps)
    assert last.pictures is not None
    if rounding == "none":
        assert last.pictures.adversarial == row.pictures.adversarial


def test_an_attack_without_gradients_has_no_steps(tiny_folder: Path, picture: str, cache: ModelCache) -> None:
    """A sentence says which ones have."""
    with pytest.raises(BadRequest, match="follows no gradient"):
        replayed(cache, request_for(tiny_folder, picture, AttackSpec("noise")))


def test_saliency_is_that_of_the_pictures_shown(tiny_folder: Path, picture: str, cache: ModelCache) -> None:
    """The gradient's size over the clean and the attacked picture, to the last digit that a record keeps."""
    request = request_for(tiny_folder, picture, AttackSpec("pgd", (("steps", 3),)))
    row = analysed(cache, request)
    assert row.pictures is not None
    job = ModelContext(JobId(3), lambda _: None, no_progress, cache)
    asked = SaliencyRequest(request, "a", row.pictures, row.label)
    found = handle_saliency(job, asked)
    model = Classifier(cache.backbone(request.options.model, "cpu"), CLASSES, "a photo of a {}.")
    both = torch.cat(pixels_of(row.pictures))
    labels = torch.full((2,), CLASSES.index(row.label))
    expected = gradient_size(input_gradient(model, both, labels))
    for maps, size in zip((found.clean, found.attacked), expected, strict=True):
        assert maps[0].numbers() == pytest.approx(tuple(size.flatten().tolist()), rel=1e-4, abs=1e-6)
        assert len(maps) == 2
    assert found.answers[0][0] == row.classes[row.clean.winner]
    assert found.answers[0][1] == pytest.approx(row.clean.probabilities[row.clean.winner], abs=1e-5)
    assert found.pictures[0] == row.pictures.seen
    shapes = {"rollout": (1, 1, 3), "occlusion": (1, 1, 2), "drift": (0, 2, 3)}
    for method, (clean, attacked, side) in shapes.items():
        some = handle_saliency(job, replace(asked, method=method))
        assert (len(some.clean), len(some.attacked), some.attacked[0].rows) == (clean, attacked, side)
    with pytest.raises(UnknownName, match="gradcam"):
        handle_saliency(job, replace(asked, method="gradcam"))
    with pytest.raises(UnknownName, match="mug"):
        handle_saliency(job, replace(asked, label="mug"))


def test_pictures_of_their_own_size_are_explained_as_the_model_sees_them(
    tiny_folder: Path, picture: str, cache: ModelCache
) -> None:
    """Where the attack changes the file's own pixels, the maps lie over what the resizing makes of them."""
    request = request_for(tiny_folder, picture, AttackSpec("fgsm"), perturb="original")
    row = analysed(cache, request)
    assert row.pictures is not None
    assert (row.pictures.seen.width, row.pictures.seen.height) == (40, 30)
    job = ModelContext(JobId(4), lambda _: None, no_progress, cache)
    found = handle_saliency(job, SaliencyRequest(request, "a", row.pictures, row.label, "rollout"))
    assert (found.pictures[0].width, found.pictures[0].height) == (24, 24)
