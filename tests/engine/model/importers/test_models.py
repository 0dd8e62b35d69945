"""Weights in every published form: each is installed under a name, loads like any model, and gives the same logits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from capt_engine.errors import BadCheckpoint, BadRequest, CaptError
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import load_backbone
from capt_engine.model.importers import models
from capt_engine.model.store import install_record
from tests.engine.model.importers import forms

CPU = torch.device("cpu")
CLASSES = ("cat", "dog", "sea lion")
LOOK: dict[str, Any] = {
    "mean": [0.48145466, 0.4578275, 0.40821073],
    "std": [0.26862954, 0.26130258, 0.27577711],
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}
SMALL: dict[str, Any] = {
    "embed_dim": 32,
    "quick_gelu": True,
    "vision_cfg": {"image_size": 24, "patch_size": 8, "width": 128, "layers": 2, "mlp_ratio": 2.0},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 2},
}
FULL: dict[str, Any] = {
    "embed_dim": 512,
    "quick_gelu": True,
    "vision_cfg": {"image_size": 224, "patch_size": 32, "width": 768, "layers": 12},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 512, "heads": 8, "layers": 12},
}
Pixels = Callable[..., Tensor]


def logits(model: str, images: Tensor) -> Tensor:
    """Of three classes."""
    return Classifier(load_backbone(model, CPU), CLASSES, "a photo of a {}.")(images)


def every_form(tmp_path: Path, model: dict[str, Any], images: Tensor) -> None:
    """Install one CLIP in each form and compare; the towers go over a base whose own image tower is another."""
    state = forms.random_clip(model)
    folder = forms.open_clip_folder(tmp_path / "open_clip", state, model, LOOK)
    expected = logits(f"local-dir:{folder}", images)
    other = {n: v * 1.2 if n.startswith("visual.") and v.dim() > 1 else v for n, v in state.items()}
    base = f"local-dir:{forms.open_clip_folder(tmp_path / 'base', other, model, LOOK)}"
    assert not torch.allclose(logits(base, images), expected, atol=1e-2)
    made: dict[str, tuple[Path, str]] = {
        "open_clip folder": (folder, ""),
        "state dict": (forms.state_dict(tmp_path / "ViT.pt", state), ""),
        "TeCoA container": (forms.tecoa(tmp_path / "model_best.pth.tar", state), base),
        "bare image tower": (forms.fare(tmp_path / "vitb32_fare_eps_4.pt", state), base),
        "CLIPModel folder": (forms.clip_model(tmp_path / "hf", state, model, LOOK), ""),
    }
    for number, (form, (path, under)) in enumerate(made.items()):
        brought = models.install(path, f"form-{number}", base=under, head_width=64, root=tmp_path / "models")
        assert brought.form == form
        assert any("visual prompts" in line for line in brought.said) == (form == "TeCoA container")
        found = logits(f"local-dir:{brought.folder}", images)
        assert torch.allclose(found, expected, atol=1e-4), (form, (found - expected).abs().max())
        assert install_record.changed(brought.folder / install_record.INSTALLED) == ()
        assert not list((tmp_path / "models").glob(".*"))


def test_every_form_gives_the_same_logits(tmp_path: Path, pixels: Pixels) -> None:
    """open_clip folder, state dict, TeCoA container, bare tower and CLIPModel folder of one small CLIP."""
    every_form(tmp_path, SMALL, pixels(3))


@pytest.mark.heavy
def test_every_form_gives_the_same_logits_at_full_size(tmp_path: Path, pixels: Pixels) -> None:
    """The same of a random ViT-B/32."""
    every_form(tmp_path, FULL, pixels(2, size=224))


@pytest.fixture(scope="module")
def state() -> forms.State:
    """Weights of the small CLIP."""
    return forms.random_clip(SMALL)


@pytest.mark.parametrize("quick", [True, False])
def test_the_activation_is_the_configs(tmp_path: Path, state: forms.State, pixels: Pixels, quick: bool) -> None:
    """hidden_act decides between QuickGELU and GELU, and --activation over it; the two give other logits."""
    model = {**SMALL, "quick_gelu": quick}
    expected = logits(f"local-dir:{forms.open_clip_folder(tmp_path / 'o', state, model, LOOK)}", pixels(2))
    folder = forms.clip_model(tmp_path / "hf", state, model, LOOK, pickled=True)
    told = models.install(folder, "told", root=tmp_path / "models")
    options = models.install(folder, "asked", activation="gelu" if quick else "quickgelu", root=tmp_path / "models")
    assert torch.allclose(logits(f"local-dir:{told.folder}", pixels(2)), expected, atol=1e-4)
    assert not torch.allclose(logits(f"local-dir:{options.folder}", pixels(2)), expected, atol=1e-2)


def test_what_a_state_dict_does_not_say_is_assumed_aloud(tmp_path: Path, state: forms.State) -> None:
    """The activation and the normalisation of a bare file are guesses, and are called so."""
    path = forms.state_dict(tmp_path / "m.pt", state)
    told = " ".join(models.install(path, "one", head_width=64, root=tmp_path / "models").assumed)
    assert "QuickGELU" in told
    assert "normalised" in told
    two = models.install(path, "two", activation="gelu", head_width=64, root=tmp_path / "models")
    assert "QuickGELU" not in " ".join(two.assumed)


def test_a_tower_from_another_model_is_remarked(tmp_path: Path, state: forms.State) -> None:
    """A tower near its base passes in silence; one that is as far as another model's would be is remarked."""
    base = f"local-dir:{forms.open_clip_folder(tmp_path / 'o', state, SMALL, LOOK)}"
    near = {name: value * 1.01 for name, value in state.items()}
    far = {name: torch.randn_like(value) * value.abs().mean() for name, value in state.items()}
    for kind, expected in ((near, False), (far, True)):
        path = forms.fare(tmp_path / f"{expected}.pt", kind)
        brought = models.install(path, f"t-{expected}", base=base, root=tmp_path / "models")
        assert any("another model" in line for line in brought.assumed) is expected


def refusal(path: Path, root: Path, **options: Any) -> str:
    """What is said about it; nothing is left behind."""
    with pytest.raises(CaptError) as caught:
        models.install(path, "x", root=root, **options)
    assert not root.exists() or not list(root.iterdir())
    assert caught.value.hint
    return str(caught.value)


def test_what_cannot_be_installed_is_refused_in_a_sentence(tmp_path: Path, state: forms.State) -> None:
    """A tower without base or over a wrong one, weights without their configuration, prompts, pages, empty folders."""
    root = tmp_path / "models"
    tower = forms.fare(tmp_path / "t.pt", state)
    small = {**SMALL, "vision_cfg": {**SMALL["vision_cfg"], "layers": 1}}
    base = f"local-dir:{forms.open_clip_folder(tmp_path / 'b', forms.random_clip(small), small, LOOK)}"
    assert "--base" in refusal(tower, root)
    assert "lacks" in refusal(tower, root, base=base)
    assert "activation" in refusal(tower, root, base=base, activation="gelu")
    whole = forms.state_dict(tmp_path / "w.pt", state)
    assert "no base" in refusal(whole, root, base=base)
    hf = forms.clip_model(tmp_path / "hf", state, SMALL, LOOK)
    assert "folder instead" in refusal(hf / "model.safetensors", root)
    config = json.loads((hf / "config.json").read_text("utf-8"))
    config["text_config"]["hidden_act"] = "relu"
    (hf / "config.json").write_text(json.dumps(config), "utf-8")
    assert "activations" in refusal(hf, root)
    torch.save({"ctx": torch.ones(4, 8)}, tmp_path / "p.pt")
    assert "capt prompts import" in refusal(tmp_path / "p.pt", root)
    (tmp_path / "page.pt").write_text("<!DOCTYPE html><html>Sign in</html>", "utf-8")
    assert "web page" in refusal(tmp_path / "page.pt", root)
    (tmp_path / "nothing").mkdir()
    assert "no model folder" in refusal(tmp_path / "nothing", root)
    broken = dict(state)
    del broken["ln_final.bias"]
    assert "could not be loaded" in refusal(forms.state_dict(tmp_path / "b.pt", broken), root, head_width=64)


def test_a_name_is_never_taken_twice(tmp_path: Path, state: forms.State) -> None:
    """The second install under a name is refused and changes nothing; names that could not be folders are refused too."""
    path, root = forms.state_dict(tmp_path / "m.pt", state), tmp_path / "models"
    first = models.install(path, "mine", head_width=64, root=root)
    before = (first.folder / "installed.json").read_bytes()
    for name in ("mine", "demo", "../up", "a/b", "", ".hidden", "x" * 101):
        with pytest.raises(BadRequest):
            models.install(path, name, root=root)
    assert (first.folder / "installed.json").read_bytes() == before
    assert [one.name for one in root.iterdir()] == ["mine"]


def test_a_changed_model_is_reported(tmp_path: Path, state: forms.State) -> None:
    """Weights that are not what was install_record, or are gone, are named; where nothing was remembered that is said."""
    folder = models.install(
        forms.state_dict(tmp_path / "m.pt", state), "mine", head_width=64, root=tmp_path / "models"
    ).folder
    note, file = folder / install_record.INSTALLED, folder / models.OPEN_CLIP_WEIGHTS
    save_file({"a": torch.ones(2)}, file)
    assert install_record.changed(note) == (models.OPEN_CLIP_WEIGHTS,)
    file.unlink()
    assert install_record.changed(note) == (models.OPEN_CLIP_WEIGHTS,)
    note.write_text("[", "utf-8")
    with pytest.raises(BadCheckpoint, match="JSON"):
        install_record.changed(note)
    note.unlink()
    with pytest.raises(BadCheckpoint, match="Nothing was remembered"):
        install_record.changed(note)
