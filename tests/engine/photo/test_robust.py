"""The image tower tuned on attacked pictures: its losses, its attack, its draws, and a run that is killed."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file

from capt_engine.cli.main import main
from capt_engine.errors import BadCheckpoint, BadRequest, ExitCode
from capt_engine.model.clip import TOWER_WEIGHTS, Backbone, load_backbone
from capt_engine.model.imports import open_clip
from capt_engine.photo import robust
from capt_engine.progress import no_progress

ROUNDS = (robust.Round(3, 1, 32, 1e-2), robust.Round(2, 2, 32, 1e-3))
PLAN = robust.RobustPlan(rounds=ROUNDS, batch=4, cifar=1)
TOWER = {"image_size": 64, "patch_size": 32, "width": 32, "head_width": 16, "layers": 1}
TEXT = {"context_length": 4, "vocab_size": 10, "width": 16, "heads": 2, "layers": 1}


def _noise(width: int, height: int, seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def _tuning(plan: robust.RobustPlan = PLAN) -> robust.RobustTuning:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        clip = open_clip().CLIP(embed_dim=16, vision_cfg=dict(TOWER), text_cfg=dict(TEXT)).requires_grad_(False).eval()
        text = F.normalize(torch.randn(7, 16), dim=1)
    half = torch.full((3, 1, 1), 0.5)
    backbone = Backbone("stand-in", clip, lambda _: text, lambda _: text, 64, half, half, "0" * 64, 4)
    pictures = robust.Pictures([_noise(90, 70, i) for i in range(3)], [_noise(32, 32, 9)])
    return robust.RobustTuning(backbone, text, pictures, plan)


@pytest.mark.parametrize("loss", robust.LOSSES)
def test_the_loss_is_the_one_written_down(loss: str) -> None:
    """By hand: the clean answer of the frozen tower against the attacked answer of the tuned one, averaged over the batch."""
    tuning = _tuning(replace(PLAN, loss=loss))
    frozen: Any = tuning.backbone.clip.visual
    with torch.no_grad():
        for value in tuning.tower.parameters():
            value.add_(0.05)
    clean = tuning._pictures.batch(tuning.plan, 2, 64)
    generator = torch.Generator().manual_seed(700_021 + 2)
    start = (torch.rand(clean.shape, generator=generator) * 2 - 1) * 1.25 / 255

    def distance(x: torch.Tensor) -> torch.Tensor:
        found, wanted = (F.normalize(one((y - 0.5) / 0.5), dim=1) for one, y in ((tuning.tower, x), (frozen, clean)))
        if loss == "fare":
            return torch.linalg.vector_norm(found - wanted, dim=1) ** 2
        scale, text = tuning.backbone.clip.logit_scale.exp(), tuning._text
        p, q = (scale * wanted @ text.T).softmax(1), (scale * found @ text.T).softmax(1)
        return (p * (p / q).log()).sum(1)

    begun = (clean + start).clamp(0, 1).requires_grad_()
    (gradient,) = torch.autograd.grad(distance(begun).sum(), begun)
    moved = (start + 1.5 / 255 * gradient.sign()).clamp(-1.25 / 255, 1.25 / 255)
    expected = distance((clean + moved).clamp(0, 1)).mean()
    torch.testing.assert_close(tuning.loss(2), expected, rtol=1e-4, atol=1e-6)
    assert float(expected) > 0


def test_the_attack_stays_in_the_ball_and_raises_the_loss() -> None:
    """On a linear loss every pixel ends at the ball's edge on the side of the weight's sign, or at the end of the pixel range."""
    images, weight = torch.rand(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    attacked = robust.one_step_attack(lambda x: (weight * x).sum(), images, torch.zeros_like(images), 0.1, 0.125)
    torch.testing.assert_close(attacked, (images + 0.1 * weight.sign()).clamp(0, 1))


def test_a_batch_is_drawn_by_seed_and_step() -> None:
    """The same step gives the same pixels, whatever was drawn before; another step or seed gives others."""
    pictures = _tuning()._pictures
    first = pictures.batch(PLAN, 0, 32)
    assert first.shape == (4, 3, 32, 32)
    assert 0 <= float(first.min()) < float(first.max()) <= 1
    for plan, step, same in ((PLAN, 1, False), (replace(PLAN, seed=1), 0, False), (PLAN, 0, True)):
        assert torch.equal(pictures.batch(plan, step, 32), first) is same


def test_a_killed_run_ends_in_the_bits_of_one_that_was_not(tmp_path: Path) -> None:
    """Stopped in either round and taken up again: the same weights, other ones than the frozen tower's, which did not change."""
    whole = _tuning()
    frozen = {name: value.clone() for name, value in whole.backbone.clip.visual.state_dict().items()}
    whole.run(tmp_path / "whole", no_progress)
    for until in (2, 4, None):
        begun = _tuning()
        begun.run(tmp_path / "part", no_progress, until)
    for name, value in whole.tower.state_dict().items():
        assert torch.equal(value, begun.tower.state_dict()[name])
        assert torch.equal(frozen[name], whole.backbone.clip.visual.state_dict()[name])
    assert not torch.equal(whole.tower.proj, frozen["proj"])
    with pytest.raises(BadCheckpoint, match="other settings"):
        _tuning(replace(PLAN, eps=2 / 255)).run(tmp_path / "part", no_progress)


def test_the_last_steps_of_a_round_see_the_models_own_size() -> None:
    """Two rounds of three and two steps: the third, fourth and fifth step are at full size; there is no sixth."""
    assert [PLAN.side(step, 64) for step in range(5)] == [32, 32, 64, 64, 64]
    with pytest.raises(ValueError, match="5 steps"):
        PLAN.side(5, 64)


def test_what_is_exported_loads_over_its_base_and_over_no_other(tmp_path: Path) -> None:
    """The weights come back in fp16 over the bundled model; a base with other weights, and weights that are no numbers, are refused."""
    (tmp_path / "pictures").mkdir()
    _noise(50, 40, 0).save(tmp_path / "pictures" / "0003_shark.png")
    plan = replace(PLAN, rounds=(robust.Round(1, 0, 32, 1e-2),), batch=2)
    tuning = robust.build(plan, tmp_path / "pictures", None, tmp_path / "work", tmp_path / "out", no_progress)
    base, again = tuning.backbone, load_backbone(f"local-dir:{tmp_path / 'out'}", torch.device("cpu"))
    assert torch.equal(again.clip.visual.proj, tuning.tower.proj.half().float())
    assert not torch.equal(again.clip.visual.proj, base.clip.visual.proj)
    assert (tmp_path / "out" / TOWER_WEIGHTS).stat().st_size < 20_000_000
    assert load_file(tmp_path / "out" / TOWER_WEIGHTS)["proj"].dtype == torch.float16
    described = tmp_path / "out" / "tower.json"
    described.write_text(described.read_text(encoding="utf-8").replace(base.sha256, "0" * 64), encoding="utf-8")
    with pytest.raises(BadCheckpoint, match="other weights"):
        load_backbone(f"local-dir:{tmp_path / 'out'}", torch.device("cpu"))
    with torch.no_grad():
        tuning.tower.proj.fill_(torch.nan)
    with pytest.raises(BadCheckpoint, match="not finite"):
        robust.export(tuning, {}, tmp_path / "broken")


def test_cifars_training_pictures_are_read_by_class(tmp_path: Path) -> None:
    """The first of each class are read; test pictures are not, and an archive without training pictures is refused."""
    with tarfile.open(tmp_path / "some.tar.xz", "w:xz") as archive:
        for name in ("train/cat/0000.png", "train/cat/0001.png", "train/dog/0000.png", "test/cat/0000.png"):
            buffer = io.BytesIO()
            _noise(32, 32, 0).save(buffer, "png")
            member = tarfile.TarInfo(f"cifar10/{name}")
            member.size = buffer.tell()
            archive.addfile(member, io.BytesIO(buffer.getvalue()))
    assert len(robust.cifar_pictures(tmp_path / "some.tar.xz", 1)) == 2
    assert len(robust.cifar_pictures(tmp_path / "some.tar.xz", 2)) == 3
    with pytest.raises(BadRequest, match="no training pictures"):
        robust.cifar_pictures(tmp_path / "some.tar.xz", 0)


def test_settings_that_cannot_be_are_refused() -> None:
    """An unknown loss, no step, and more steps at full size than steps end in a sentence."""
    for plan in (
        replace(PLAN, loss="l2"),
        replace(PLAN, rounds=(robust.Round(0, 0, 32, 1e-2),)),
        replace(PLAN, rounds=(*ROUNDS, robust.Round(4, 5, 32, 1e-2))),
    ):
        with pytest.raises(BadRequest):
            _tuning(plan)


def test_the_command_names_a_folder_without_training_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`capt photo robust` of an empty folder ends in a sentence, before anything is loaded."""
    assert main(["photo", "robust", str(tmp_path)]) == ExitCode.REQUEST
    assert "class index" in capsys.readouterr().err
