"""Tuning the image tower: TeCoA's loss and nothing else moved, whole or resumed; and no tower but a sound one is opened."""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from capt_engine.attacks.base import LINF, PictureRngs, Threat
from capt_engine.bundled_models import BUNDLED
from capt_engine.errors import BadCheckpoint, BadRequest, Cancelled, CannotWrite
from capt_engine.model import clip
from capt_engine.model.clip import TOWER_WEIGHTS, Backbone, lasting_id, load_backbone
from capt_engine.model.store.model_store import TOWER_CONFIG
from capt_engine.model.text import class_features
from capt_engine.progress import Progress
from capt_engine.resources import resource
from capt_engine.tuning.image_tower import CARD, CHECKPOINT, TowerTuning, export, tower_recipe
from capt_engine.tuning.inner_attack import InnerAttack
from capt_engine.tuning.loop import Recipe, TuningFailed
from capt_engine.tuning.schedule import linear_then_cosine

Pixels = Callable[..., Tensor]

CPU = torch.device("cpu")
CLASSES = ("a cube", "a sphere", "a mug")
ATTACK = InnerAttack(Threat(LINF, 4 / 255), 4 / 255, 2)
RECIPE = tower_recipe(ATTACK, epochs=3, batch_size=5, lr=1e-3)
LABELS = torch.arange(12) % 3


def silent(*_: object) -> None:
    """A tick that reports nothing."""


def tune_tower(
    backbone: Backbone, images: Tensor, labels: Tensor, text: Tensor, recipe: Recipe, out: Path, progress: Progress
) -> Path:
    """Tune a tower and write it to `out`; a run that was stopped there goes on."""
    tuning, checkpoint = TowerTuning(backbone, images, labels, text, recipe), out / CHECKPOINT
    if checkpoint.is_file():
        tuning.resume(checkpoint)
    while tuning.epoch < recipe.epochs:
        tuning.advance(progress)
        tuning.save(checkpoint)
    export(tuning, out, {"data": "colours"})
    checkpoint.unlink(missing_ok=True)
    return out


@pytest.fixture
def coloured(pixels: Pixels) -> Tensor:
    """Twelve pictures (12, 3, 24, 24), uint8, whose class is their colour."""
    images = pixels(12) * 0.2
    for i in range(12):
        images[i, i % 3] += 0.8
    return (images * 255).round().to(torch.uint8)


@pytest.fixture
def text(tiny_backbone: Backbone) -> Tensor:
    """Unit features (3, d) of the three classes."""
    return class_features(tiny_backbone, CLASSES, "a photo of {}.")


@pytest.fixture
def tuned(tiny_backbone: Backbone, coloured: Tensor, text: Tensor, tmp_path: Path) -> Path:
    """A tower tuned for three epochs."""
    return tune_tower(tiny_backbone, coloured, LABELS, text, RECIPE, tmp_path / "tower", silent)


def refusal(folder: Path | str) -> BadCheckpoint:
    """What opening a folder is refused with: one line that is a sentence, and a remedy."""
    with pytest.raises(BadCheckpoint) as caught:
        load_backbone(str(folder), CPU)
    assert "\n" not in caught.value.message
    assert caught.value.message.endswith(".")
    assert caught.value.hint.endswith(".")
    return caught.value


def reworded(folder: Path, **said: object) -> None:
    """Change what a tower's description says."""
    told = json.loads((folder / TOWER_CONFIG).read_text(encoding="utf-8")) | said
    (folder / TOWER_CONFIG).write_text(json.dumps(told), encoding="utf-8")


def test_only_the_copys_image_tower_moves(tiny_backbone: Backbone, tuned: Path) -> None:
    """The base keeps every weight and has no gradient; the tower that is opened again differs from it in `visual` alone."""
    again = load_backbone(str(tuned), CPU)
    before, after = tiny_backbone.clip.state_dict(), again.clip.state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved
    assert all(name.startswith("visual.") for name in moved)
    assert not any(p.requires_grad or p.grad is not None for p in tiny_backbone.clip.parameters())
    assert not any(p.requires_grad for p in again.clip.parameters())


def test_the_base_stays_as_it_was(tiny_backbone: Backbone, coloured: Tensor, text: Tensor, tmp_path: Path) -> None:
    """Not one value of the model that was handed in has changed when tuning ends."""
    before = copy.deepcopy(tiny_backbone.clip.state_dict())
    tune_tower(tiny_backbone, coloured, LABELS, text, RECIPE, tmp_path, silent)
    assert all(torch.equal(before[name], value) for name, value in tiny_backbone.clip.state_dict().items())


def test_it_learns(tiny_backbone: Backbone, coloured: Tensor, text: Tensor) -> None:
    """On pictures whose class is their colour the loss falls by a half, and most attacked pictures are told."""
    tuning = TowerTuning(tiny_backbone, coloured, LABELS, text, replace(RECIPE, epochs=12))
    logs = [tuning.advance(silent) for _ in range(12)]
    assert logs[-1].loss < 0.5 * logs[0].loss
    assert logs[-1].attacked_accuracy > 0.6


def test_a_step_is_a_transcription_of_its_equation(tiny_backbone: Backbone, coloured: Tensor, text: Tensor) -> None:
    """One SGD step: PGD by hand, then θ − rate · ∇CE(attacked), written out once more, gives the same weights."""
    recipe = replace(RECIPE, epochs=1, batch_size=12, optimiser="sgd", weight_decay=0.0, lr=0.01)
    tuning = TowerTuning(tiny_backbone, coloured, LABELS, text, recipe)
    log = tuning.advance(silent)
    model = copy.deepcopy(tiny_backbone.clip)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(1_000_003 + 1))
    images, labels = coloured[order].float() / 255, LABELS[order]

    def nll(x: Tensor) -> Tensor:
        features = model.encode_image((x - tiny_backbone.mean) / tiny_backbone.std)
        logits = model.logit_scale.exp() * (features / features.norm(dim=1, keepdim=True)) @ text.T
        return (logits.exp().sum(dim=1).log() - logits[torch.arange(12), labels]).mean()

    start = PictureRngs.of(1, [f"1:{int(i)}" for i in order]).uniform(images) * 2 - 1
    attacked = (images + start * (4 / 255)).clamp(0, 1)
    for _ in range(2):
        (gradient,) = torch.autograd.grad(nll(attacked.requires_grad_()), attacked)
        delta = (attacked.detach() + 4 / 255 * gradient.sign() - images).clamp(-4 / 255, 4 / 255)
        attacked = (images + delta).clamp(0, 1)
    model.visual.requires_grad_(True)
    loss = nll(attacked)
    loss.backward()
    assert log.loss == pytest.approx(float(loss.detach()), rel=1e-4)
    for name, weight in model.visual.named_parameters():
        assert weight.grad is not None
        reached = tuning.tuned.clip.visual.get_parameter(name)
        torch.testing.assert_close(reached, weight.detach() - 0.01 * weight.grad, rtol=1e-3, atol=2e-5)


def test_the_rate_rises_and_falls_to_nothing() -> None:
    """Linear up to the peak over the warm-up's share of the steps, then half a cosine."""
    rates = [linear_then_cosine(0.1)(1.0, (1, 1), (i, 100)) for i in range(100)]
    assert rates[:10] == pytest.approx([(i + 1) / 10 for i in range(10)])
    assert rates[10] == 1.0
    assert rates[55] == pytest.approx(0.5)
    assert 0 < rates[99] < 0.001


class Stopped:
    """A tick that cancels the run at its n-th step."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, *_: object) -> None:
        """Count down, then raise."""
        self.left -= 1
        if self.left < 0:
            raise Cancelled


@pytest.mark.parametrize("optimiser", ["adamw", "sgd"])
@pytest.mark.parametrize("at", [1, 4])
def test_resumed_is_unbroken_bit_for_bit(
    tiny_backbone: Backbone, coloured: Tensor, text: Tensor, tmp_path: Path, optimiser: str, at: int
) -> None:
    """Stopped in the first or the second epoch and called again, a run ends in the file of an unbroken one, and leaves no checkpoint."""
    recipe = replace(RECIPE, optimiser=optimiser)
    tune_tower(tiny_backbone, coloured, LABELS, text, recipe, tmp_path / "whole", silent)
    with pytest.raises(Cancelled):
        tune_tower(tiny_backbone, coloured, LABELS, text, recipe, tmp_path / "broken", Stopped(at))
    assert not (tmp_path / "broken" / TOWER_CONFIG).exists()
    assert (tmp_path / "broken" / CHECKPOINT).exists() == (at > 3)
    tune_tower(tiny_backbone, coloured, LABELS, text, recipe, tmp_path / "broken", silent)
    for name in (TOWER_WEIGHTS, TOWER_CONFIG, CARD):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "broken" / name).read_bytes()
    assert {path.name for path in (tmp_path / "broken").iterdir()} == {TOWER_WEIGHTS, TOWER_CONFIG, CARD}


def test_the_tick_hears_of_every_step(tiny_backbone: Backbone, coloured: Tensor, text: Tensor) -> None:
    """Three batches an epoch, the last one smaller; done and total count over the whole run."""
    heard: list[tuple[int, int]] = []
    tuning = TowerTuning(tiny_backbone, coloured, LABELS, text, RECIPE)
    for _ in range(3):
        tuning.advance(lambda done, total, _: heard.append((done, total)))
    assert heard == [(i, 9) for i in range(9)]


def test_a_checkpoint_of_another_run_is_refused(
    tiny_backbone: Backbone, coloured: Tensor, text: Tensor, tmp_path: Path
) -> None:
    """Other settings, other labels, or a damaged file: no run goes on from what is not its own."""
    with pytest.raises(Cancelled):
        tune_tower(tiny_backbone, coloured, LABELS, text, RECIPE, tmp_path, Stopped(4))
    with pytest.raises(BadCheckpoint, match="another"):
        tune_tower(tiny_backbone, coloured, LABELS, text, replace(RECIPE, seed=2), tmp_path, silent)
    with pytest.raises(BadCheckpoint, match="another"):
        tune_tower(tiny_backbone, coloured, LABELS.flip(0), text, RECIPE, tmp_path, silent)
    content = (tmp_path / CHECKPOINT).read_bytes()
    (tmp_path / CHECKPOINT).write_bytes(content[: len(content) // 2])
    with pytest.raises(BadCheckpoint, match="damaged"):
        tune_tower(tiny_backbone, coloured, LABELS, text, RECIPE, tmp_path, silent)


def test_bytes_and_fractions_are_the_same_pictures(tiny_backbone: Backbone, coloured: Tensor, text: Tensor) -> None:
    """uint8 pictures, and the same as values in [0, 1], end in the same weights."""
    ends = []
    for images in (coloured, coloured.float() / 255):
        tuning = TowerTuning(tiny_backbone, images, LABELS, text, RECIPE)
        tuning.advance(silent)
        ends.append(tuning.tuned.clip.visual.state_dict())
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def test_a_loss_that_is_no_number_stops_the_run(
    tiny_backbone: Backbone, coloured: Tensor, text: Tensor, tmp_path: Path
) -> None:
    """An absurd rate ends in a sentence, and in no model."""
    recipe = replace(RECIPE, optimiser="sgd", lr=1e30)
    with pytest.raises(TuningFailed, match="is not a number"):
        tune_tower(tiny_backbone, coloured, LABELS, text, recipe, tmp_path, silent)
    assert not (tmp_path / TOWER_CONFIG).exists()


def test_what_makes_no_sense_is_refused(tiny_backbone: Backbone, coloured: Tensor, text: Tensor) -> None:
    """Too few labels, and a label that no class has."""
    with pytest.raises(BadRequest):
        TowerTuning(tiny_backbone, coloured, LABELS[:5], text, RECIPE)
    with pytest.raises(BadRequest):
        TowerTuning(tiny_backbone, coloured, LABELS + 1, text, RECIPE)


def test_a_folder_that_cannot_be_written_is_said(
    tiny_backbone: Backbone, coloured: Tensor, text: Tensor, tmp_path: Path
) -> None:
    """A file in the folder's place is answered with a sentence."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(CannotWrite, match="cannot be written"):
        tune_tower(tiny_backbone, coloured, LABELS, text, RECIPE, tmp_path / "file", silent)


def test_the_folder_says_how_it_was_made(tiny_backbone: Backbone, tuned: Path) -> None:
    """Base, settings and data stand in tower.json and on the card; the weights are fp16."""
    said = json.loads((tuned / TOWER_CONFIG).read_text(encoding="utf-8"))
    assert (said["base"], said["base_sha256"]) == (lasting_id(tiny_backbone.id), tiny_backbone.sha256)
    assert said["settings"]["attack"]["eps"] == 4 / 255
    card = (tuned / CARD).read_text(encoding="utf-8")
    assert all(word in card for word in (tiny_backbone.sha256, "data: colours", "ε = 4/255", "CE(attacked) against"))
    assert {value.dtype for value in load_file(tuned / TOWER_WEIGHTS).values()} == {torch.float16}


def test_its_hash_is_of_both_files(tiny_backbone: Backbone, tuned: Path) -> None:
    """The SHA-256 of a tower is that of a text that holds the base's and the tower file's."""
    again = load_backbone(f"local-dir:{tuned}", CPU)
    own = hashlib.sha256((tuned / TOWER_WEIGHTS).read_bytes()).hexdigest()
    assert again.sha256 == hashlib.sha256(f"{tiny_backbone.sha256}\n{own}\n".encode()).hexdigest()
    assert again.base is not None
    assert again.base.sha256 == tiny_backbone.sha256


def test_a_tower_can_be_tuned_again(tuned: Path, coloured: Tensor, text: Tensor, tmp_path: Path) -> None:
    """What comes of a tuned tower names the base below it, so that no tower ever stands on a tower."""
    first = load_backbone(str(tuned), CPU)
    second = tune_tower(first, coloured, LABELS, text, replace(RECIPE, epochs=1), tmp_path / "second", silent)
    assert load_backbone(str(second), CPU).base == first.base
    reworded(second, base=str(tuned))
    assert "itself a tuned tower" in refusal(second).message


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ({"format": 2}, "does not say format 1"),
        ({"base": 7}, "base: expected `str`, got `int`"),
        ({"base": "local-dir:nowhere"}, "could not be loaded: There is no folder"),
        ({"base": "demo"}, "with other weights"),
        ({"base_sha256": "0" * 64}, "with other weights"),
        ({"base_sha256": "abc"}, "base_sha256: expected `str` matching"),
    ],
)
def test_a_description_that_cannot_be_followed(tuned: Path, said: dict[str, object], answer: str) -> None:
    """A tower whose tower.json names no base, another one, or one that is gone is refused in one sentence."""
    reworded(tuned, **said)
    assert answer in refusal(tuned).message


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100_000, b" " * 1_000_001])
def test_a_description_that_is_none(tuned: Path, content: bytes) -> None:
    """Whatever else lies in the place of tower.json, opening the folder ends in a sentence."""
    (tuned / TOWER_CONFIG).write_bytes(content)
    assert TOWER_CONFIG in refusal(tuned).message


def _lacks(weights: dict[str, Tensor]) -> None:
    del weights["proj"]


def _adds(weights: dict[str, Tensor]) -> None:
    weights["more"] = torch.zeros(1)


def _reshapes(weights: dict[str, Tensor]) -> None:
    weights["proj"] = weights["proj"].T.contiguous()


def _breaks(weights: dict[str, Tensor]) -> None:
    weights["proj"][0, 0] = float("nan")


def _counts(weights: dict[str, Tensor]) -> None:
    weights["proj"] = weights["proj"].to(torch.int64)


def _swells(weights: dict[str, Tensor]) -> None:
    weights["more"] = torch.zeros(400_000)


@pytest.mark.parametrize(
    ("spoil", "answer"),
    [
        (_lacks, "lacks the tensor 'proj'"),
        (_adds, "does not have, 'more'"),
        (_reshapes, "holds 'proj' as (16, 32)"),
        (_breaks, "'proj' that are not finite"),
        (_counts, "torch.int64"),
        (_swells, "larger than"),
    ],
)
def test_foreign_weights_are_refused(tuned: Path, spoil: Callable[[dict[str, Tensor]], None], answer: str) -> None:
    """Weights that are not exactly this tower's, by name, shape, kind and finiteness, are refused in one sentence."""
    weights = load_file(tuned / TOWER_WEIGHTS)
    spoil(weights)
    save_file(weights, tuned / TOWER_WEIGHTS)
    assert answer in refusal(tuned).message


def test_damaged_or_missing_weights_are_refused(tuned: Path) -> None:
    """Half a file, a file of something else, and no file."""
    path = tuned / TOWER_WEIGHTS
    content = path.read_bytes()
    for spoiled in (content[: len(content) // 2], b"not weights at all", b""):
        path.write_bytes(spoiled)
        assert "not a sound safetensors file" in refusal(tuned).message
    path.unlink()
    assert "There is no file" in refusal(tuned).message


def test_a_lasting_id_leads_there_from_anywhere(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folders and files get their whole path; bundled models keep their names."""
    shutil.copytree(tiny_folder, tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    assert lasting_id("model") == lasting_id("local-dir:model") == f"local-dir:{tmp_path.resolve() / 'model'}"
    assert lasting_id("ViT-B-32:openai@x.safetensors") == f"ViT-B-32:openai@{tmp_path.resolve() / 'x.safetensors'}"
    assert [lasting_id(name) for name in BUNDLED] == list(BUNDLED)


ROBUST = resource("demo-robust")


def test_demo_robust_is_the_demo_with_another_image_tower() -> None:
    """The bundled robust backbone loads by its id, and text tower, temperature and preprocessing are the demo's, bit for bit."""
    demo, robust = load_backbone("demo", CPU), load_backbone("demo-robust", CPU)
    before, after = demo.clip.state_dict(), robust.clip.state_dict()
    assert before.keys() == after.keys()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved
    assert all(name.startswith("visual.") for name in moved)
    assert (robust.id, robust.size, robust.base) == ("demo-robust", demo.size, clip.Base("demo", demo.sha256))
    assert robust.sha256 != demo.sha256
    assert robust.clip.visual.image_size == demo.clip.visual.image_size


def test_demo_robust_is_small() -> None:
    """What it adds to what ships stays within 8 MB."""
    assert sum(path.stat().st_size for path in ROBUST.iterdir()) <= 8_000_000
