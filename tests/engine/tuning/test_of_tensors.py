"""Tuning from Python: the prompts of a run over files, from tensors or any loader, and nothing written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from capt_engine.errors import BadRequest, Cancelled, UnknownName
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import Backbone
from capt_engine.model.learned_prompts import LearnedPrompts
from capt_engine.progress import no_progress
from capt_engine.records import TuneEpoch, TuneRequest
from capt_engine.tuning import run
from capt_engine.tuning.of_tensors import tune
from capt_engine.tuning.pictures import draw, read_pictures

Pixels = Callable[..., Tensor]
CLASSES, TEMPLATE = ("cat", "dog"), "a photo of a {}."
BRIEF: dict[str, Any] = {"epochs": 2, "batch_size": 3, "n_ctx": 2, "depth": 1, "seed": 3}


def values(prompts: LearnedPrompts) -> dict[str, Tensor]:
    """The learned values by name."""
    return dict(prompts.prompts.state_dict())


def same(one: LearnedPrompts, other: LearnedPrompts) -> bool:
    """Equal bit for bit?"""
    return all(torch.equal(value, values(other)[name]) for name, value in values(one).items())


@pytest.fixture
def labelled(pixels: Pixels) -> tuple[Tensor, Tensor]:
    """Six pictures of whole 255ths in two classes."""
    return (pixels(6) * 255).round() / 255, torch.tensor([0, 1, 0, 1, 0, 1])


def test_tensors_and_files_give_the_same_prompts(tiny_backbone: Backbone, pixels: Pixels, tmp_path: Path) -> None:
    """A request reads its pictures, and is from there on the same run: the same bits, in the same file."""
    for i, image in enumerate(pixels(6)):
        folder = tmp_path / "data" / CLASSES[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray((image * 255).round().byte().permute(1, 2, 0).numpy()).save(folder / f"{i}.png")
    out = tmp_path / "prompts.safetensors"
    request = TuneRequest(str(tmp_path / "data"), str(out), shots=None, template=TEMPLATE, validate=False, **BRIEF)
    run.tune(request, tiny_backbone, lambda _: tiny_backbone, lambda _: None, no_progress)
    read, _ = read_pictures(draw(request).train, tiny_backbone, lambda _: None)
    data = (read.images.float() / 255, read.labels)
    ours = tune(tiny_backbone, data, CLASSES, TEMPLATE, **BRIEF)
    theirs = LearnedPrompts.load(out, tiny_backbone)
    assert same(ours, theirs)
    assert ours.document.settings == theirs.document.settings


def test_any_loader_gives_the_same_prompts(tiny_backbone: Backbone, labelled: tuple[Tensor, Tensor]) -> None:
    """The loader's batches only carry the pictures; those of training have a size of their own."""
    whole = tune(tiny_backbone, labelled, CLASSES, TEMPLATE, **BRIEF)
    loader = DataLoader(TensorDataset(*labelled), batch_size=4)
    assert same(whole, tune(tiny_backbone, loader, CLASSES, TEMPLATE, **BRIEF))
    assert not same(whole, tune(tiny_backbone, loader, CLASSES, TEMPLATE, **BRIEF | {"seed": 4}))


def test_pictures_between_the_255ths_stay_as_they_are(tiny_backbone: Backbone, labelled: tuple[Tensor, Tensor]) -> None:
    """A change of a tenth of a 255th reaches the prompts: nothing is rounded on the way."""
    images, labels = labelled
    moved = (images + 0.1 / 255).clamp(0, 1)
    first, other = (tune(tiny_backbone, (one, labels), CLASSES, TEMPLATE, **BRIEF) for one in (images, moved))
    assert not same(first, other)
    assert first.document.data != other.document.data


def test_epochs_are_heard_and_validated(tiny_backbone: Backbone, labelled: tuple[Tensor, Tensor]) -> None:
    """Plain text first, then each epoch, with shares of the validation pictures; listening changes nothing."""
    heard: list[TuneEpoch] = []
    loud = tune(
        tiny_backbone, labelled, CLASSES, TEMPLATE, validation=labelled, patience=5, on_epoch=heard.append, **BRIEF
    )
    assert [one.epoch for one in heard] == [0, 1, 2]
    assert all(one.clean is not None and one.clean.n == 6 for one in heard)
    assert loud.document.figures["n_val"] == 6
    silent = tune(tiny_backbone, labelled, CLASSES, TEMPLATE, validation=labelled, patience=5, **BRIEF)
    assert same(loud, silent)


def test_what_was_learned_is_used_saved_and_read(
    tiny_backbone: Backbone, labelled: tuple[Tensor, Tensor], tmp_path: Path
) -> None:
    """A classifier takes the prompts themselves, or the name of their file, with the same answers."""
    learned = tune(tiny_backbone, labelled, CLASSES, TEMPLATE, **BRIEF)
    path = learned.save(tmp_path / "night.safetensors")
    models = [Classifier(tiny_backbone, CLASSES, TEMPLATE, prompts=one) for one in (learned, path, str(path))]
    answers = [model(labelled[0]) for model in models]
    assert torch.equal(answers[0], answers[1])
    assert torch.equal(answers[1], answers[2])
    plain = models[0].zero_shot
    assert not torch.equal(plain(labelled[0]), answers[0])
    assert plain.zero_shot is plain
    with pytest.raises(BadRequest, match="safetensors"):
        learned.save(tmp_path / "night.pt")


def test_stopping_leaves_nothing_behind(
    tiny_backbone: Backbone, labelled: tuple[Tensor, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the caller raises comes through, and no file was written on the way."""

    def stop(done: int = 0, total: int = 0, note: str = "") -> None:
        if total and done > 2 and note:
            raise Cancelled

    monkeypatch.chdir(tmp_path)
    with pytest.raises(Cancelled):
        tune(tiny_backbone, labelled, CLASSES, TEMPLATE, progress=stop, **BRIEF)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"data": lambda x, y: (x * 255, y)}, "not from 0 to 1"),
        ({"data": lambda x, y: (x, y + 1)}, "Labels range"),
        ({"data": lambda x, y: (x, y * 0)}, "'dog'"),
        ({"validation": (torch.rand(1, 3, 9, 9), torch.tensor([0]))}, "9 × 9"),
        ({"method": "tecoa"}, "learns no prompts"),
        ({"classes": "cat"}, "no list of class names"),
        ({"patience": 2}, "no validation pictures"),
        ({"epochs": 0}, "number of epochs"),
    ],
)
def test_anything_else_is_refused_in_a_sentence(
    tiny_backbone: Backbone, labelled: tuple[Tensor, Tensor], changes: dict[str, Any], sentence: str
) -> None:
    """Pictures, labels and settings that do not fit are refused before any step."""
    data = changes.pop("data", lambda x, y: (x, y))(*labelled)
    classes = changes.pop("classes", CLASSES)
    with pytest.raises(BadRequest, match=sentence):
        tune(tiny_backbone, data, classes, TEMPLATE, **BRIEF | changes)
    with pytest.raises(UnknownName):
        tune(tiny_backbone, labelled, CLASSES, TEMPLATE, method="cpat")
