"""Weights as training programs and hubs leave them: wrapped, compiled, in parts, of other heads, or no CLIP at all."""

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
from capt_engine.model.importers.head_widths import head_width, published
from capt_engine.model.store import catalog
from capt_engine.resources import resource
from tests.engine.model.importers import forms

CPU = torch.device("cpu")
LOOK: dict[str, Any] = {
    "mean": [0.48145466, 0.4578275, 0.40821073],
    "std": [0.26862954, 0.26130258, 0.27577711],
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}
SMALL: dict[str, Any] = {
    "embed_dim": 16,
    "quick_gelu": True,
    "vision_cfg": {"image_size": 16, "patch_size": 8, "width": 64, "head_width": 16, "layers": 2, "mlp_ratio": 1.0},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2, "mlp_ratio": 1.0},
}
Pixels = Callable[..., Tensor]


def logits(model: str, images: Tensor) -> Tensor:
    """Of three classes."""
    return Classifier(load_backbone(model, CPU), ("cat", "dog", "sea lion"), "a photo of a {}.")(images)


@pytest.fixture(scope="module")
def state() -> forms.State:
    """Weights of the small CLIP."""
    return forms.random_clip(SMALL)


@pytest.fixture(scope="module")
def expected(state: forms.State, tmp_path_factory: pytest.TempPathFactory) -> Tensor:
    """Its logits, as open_clip has them."""
    folder = forms.open_clip_folder(tmp_path_factory.mktemp("small") / "open_clip", state, SMALL, LOOK)
    return logits(f"local-dir:{folder}", IMAGES)


IMAGES = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(7))


def refusal(path: Path, root: Path, **options: Any) -> CaptError:
    """The refusal of a file or folder; nothing is left behind."""
    with pytest.raises(CaptError) as caught:
        models.install(path, "x", root=root, **options)
    assert not root.exists() or not list(root.iterdir())
    return caught.value


# Heads


def test_heads_are_those_of_the_published_models(tmp_path: Path) -> None:
    """A bare state dict 1,280 wide gets ViT-H's heads of 80, not OpenAI's of 64, and the record says that this was assumed."""
    vision = {"image_size": 16, "patch_size": 8, "width": 1280, "head_width": 80, "layers": 1, "mlp_ratio": 0.1}
    text = {"context_length": 16, "vocab_size": 49408, "width": 256, "heads": 4, "layers": 1, "mlp_ratio": 0.1}
    model = {"embed_dim": 16, "quick_gelu": True, "vision_cfg": vision, "text_cfg": text}
    weights = forms.random_clip(model)
    wanted = logits(f"local-dir:{forms.open_clip_folder(tmp_path / 'o', weights, model, LOOK)}", IMAGES)
    file = forms.state_dict(tmp_path / "h.pt", weights)
    brought = models.install(file, "huge", root=tmp_path / "models")
    assert torch.allclose(logits(f"local-dir:{brought.folder}", IMAGES), wanted, atol=1e-4)
    kept = json.loads((brought.folder / "installed.json").read_text("utf-8"))["assumed"]
    assert "The 16 attention heads of the image tower are 80 wide, as the published models" in " ".join(kept)
    assert head_width("vision_cfg", 1280, 64)[0] == 64
    assert "64 wide, because --head-width says so" in head_width("vision_cfg", 1280, 64)[1]


def test_published_widths_are_open_clips() -> None:
    """ViT-H, g, bigG and e have heads of their own widths; every text tower has 64."""
    assert {width: published("vision_cfg")[width] for width in (768, 1024, 1280, 1408, 1664, 1792)} == {
        768: 64,
        1024: 64,
        1280: 80,
        1408: 88,
        1664: 104,
        1792: 112,
    }
    assert set(published("text_cfg").values()) == {64}


def test_heads_that_nobody_knows_are_asked_for(tmp_path: Path, state: forms.State, expected: Tensor) -> None:
    """A width of no published model is refused with the option that helps; heads that do not fill the tower are refused too."""
    path, root = forms.state_dict(tmp_path / "m.pt", state), tmp_path / "models"
    for options, said in (
        ({}, "--head-width"),
        ({"head_width": 24}, "do not fill"),
        ({"head_width": -16}, "do not fill"),
    ):
        failure = refusal(path, root, **options)
        assert isinstance(failure, BadRequest)
        assert said in str(failure)
    brought = models.install(path, "x", head_width=16, root=root)
    assert torch.allclose(logits(f"local-dir:{brought.folder}", IMAGES), expected, atol=1e-4)
    assert head_width("text_cfg", 512, 16)[0] == 64


def test_heads_of_a_configuration_must_fill_the_tower(tmp_path: Path, state: forms.State) -> None:
    """A config.json whose heads cannot be is refused, not rounded."""
    folder = forms.clip_model(tmp_path / "hf", state, SMALL, LOOK)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config["vision_config"]["num_attention_heads"] = 5
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    assert "do not fill" in str(refusal(folder, tmp_path / "models"))


# Wrappers


def test_wrapped_and_compiled_state_dicts_are_read(tmp_path: Path, state: forms.State, expected: Tensor) -> None:
    """torch.compile's `_orig_mod.`, around all or a part, `module.` on top of it, `model_state`, and Lightning's "model."."""
    compiled = {f"_orig_mod.{name}": value for name, value in state.items()}
    part = {name.replace("visual.", "visual._orig_mod."): value for name, value in state.items()}
    lightning = {
        "epoch": 3,
        "pytorch-lightning_version": "2.4.0",
        "state_dict": {f"model.{name}": value for name, value in state.items()},
        "optimizer_states": [
            {"state": {i: {"exp_avg": torch.ones(3), "exp_avg_sq": torch.ones(3)} for i in range(999)}}
        ],
        "lr_schedulers": [{"last_epoch": 3}],
    }
    held: dict[str, Any] = {
        "compiled": compiled,
        "part": {"model_state": part, "optimizer": {}},
        "both": {"state_dict": {f"module.{name}": value for name, value in compiled.items()}},
        "lightning": lightning,
    }
    for name, content in held.items():
        torch.save(content, tmp_path / f"{name}.pt")
        brought = models.install(tmp_path / f"{name}.pt", name, head_width=16, root=tmp_path / "models")
        assert torch.allclose(logits(f"local-dir:{brought.folder}", IMAGES), expected, atol=1e-4), name
    save_file({f"model.{name}": value for name, value in state.items()}, tmp_path / "s.safetensors")
    said = models.install(tmp_path / "s.safetensors", "s", head_width=16, root=tmp_path / "models").said
    assert any("below 'model'" in line for line in said)


def test_two_tensors_of_one_name_and_two_models_in_a_file_are_refused(tmp_path: Path, state: forms.State) -> None:
    """Which of two is meant cannot be seen: twice one name under a wrapper, or an average of the weights beside them."""
    root = tmp_path / "models"
    torch.save({**state, "_orig_mod.logit_scale": torch.ones(())}, tmp_path / "twice.pt")
    assert "'logit_scale' twice" in str(refusal(tmp_path / "twice.pt", root))
    torch.save({"state_dict": state, "ema": {"logit_scale": torch.ones(2)}}, tmp_path / "ema.pt")
    assert "'ema.logit_scale' beside the model" in str(refusal(tmp_path / "ema.pt", root, head_width=16))


# What a file is, where it cannot be read


def named(*names: str) -> forms.State:
    """A file of these tensors."""
    return {name: torch.ones(2, 2) for name in names}


OTHERS: dict[str, tuple[forms.State, str]] = {
    "coca": (named("text_decoder.text_projection", "text.transformer.x", "visual.conv1.weight"), "a CoCa"),
    "lightning coca": (named("model.text_decoder.x", "model.visual.conv1.weight"), "a CoCa"),
    "siglip": (named("logit_bias", "visual.trunk.patch_embed.proj.weight", "text.transformer.x"), "a SigLIP"),
    "siglip of transformers": (named("logit_bias", "vision_model.head.probe"), "a SigLIP"),
    "custom text": (named("text.transformer.resblocks.0.ln_1.weight", "visual.conv1.weight"), "CustomTextCLIP"),
    "timm tower": (named("visual.trunk.stem.weight", "token_embedding.weight"), "one of timm's"),
    "adapters": (named("visual.proj.lora_A", "visual.proj.lora_B"), "LoRA"),
    "plain transformer": (named("patch_embed.proj.weight", "blocks.0.attn.qkv.weight"), "without a text tower"),
    "blip": (named("visual_encoder.cls_token", "text_encoder.bert.x"), "a BLIP"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_models_are_called_what_they_are(tmp_path: Path, kind: str) -> None:
    """CoCa, SigLIP, CustomText and their like are named, with what can be done, instead of a list of tensors."""
    held, said = OTHERS[kind]
    torch.save({"state_dict": held}, tmp_path / "m.pt")
    failure = refusal(tmp_path / "m.pt", tmp_path / "models")
    assert said in failure.message
    assert failure.hint


def test_an_optimisers_state_is_called_that(tmp_path: Path) -> None:
    """Dumps of an optimiser, alone or as all that is left of a checkpoint, are sent back for the weights."""
    moments = {i: {"exp_avg": torch.ones(2), "exp_avg_sq": torch.ones(2)} for i in range(4)}
    dump = {"state": moments, "param_groups": [{"lr": 0.1}]}
    for number, held in enumerate((dump, {"optimizer": dump, "epoch": 3}, {"optimizer_states": [dump]})):
        path = tmp_path / f"{number}.pt"
        torch.save(held, path)
        failure = refusal(path, tmp_path / "models")
        assert "the state of an optimiser, not weights" in failure.message
        assert "weights" in failure.hint


def test_another_tokenizer_is_seen_by_the_number_of_tokens(tmp_path: Path, state: forms.State) -> None:
    """CLIPA's and multilingual CLIPs have other vocabularies, whose words CLIP's tokenizer would number wrongly."""
    other = {**state, "token_embedding.weight": state["token_embedding.weight"][:32000]}
    failure = refusal(forms.state_dict(tmp_path / "m.pt", other), tmp_path / "models", head_width=16)
    assert "32,000 tokens" in failure.message


def test_a_fault_is_the_users_files_not_a_hidden_folders(tmp_path: Path, state: forms.State) -> None:
    """Where weights and configuration do not fit, the sentence names the path that was given."""
    folder = forms.open_clip_folder(
        tmp_path / "theirs", {n: v for n, v in state.items() if n != "ln_final.bias"}, SMALL, LOOK
    )
    failure = refusal(folder, tmp_path / "models")
    assert str(folder) in failure.message
    assert ".x.import" not in str(failure)


# CLIPModel folders in parts


def test_a_folder_in_parts_is_read(tmp_path: Path, state: forms.State, expected: Tensor) -> None:
    """The index of a sharded CLIPModel names its files; one that is missing is named."""
    folder = forms.in_parts(forms.clip_model(tmp_path / "hf", state, SMALL, LOOK))
    brought = models.install(folder, "parts", root=tmp_path / "models")
    assert torch.allclose(logits(f"local-dir:{brought.folder}", IMAGES), expected, atol=1e-4)
    (folder / "model-00002-of-00002.safetensors").unlink()
    assert "lacks 'model-00002-of-00002.safetensors'" in str(refusal(folder, tmp_path / "others"))


@pytest.mark.parametrize("name", ["../secret.safetensors", "/etc/x.bin", "..\\x.bin", "sub/x.safetensors", "x.txt"])
def test_an_index_names_only_files_beside_it(tmp_path: Path, state: forms.State, name: str) -> None:
    """A path out of the folder is refused, whatever lies there."""
    folder = forms.in_parts(forms.clip_model(tmp_path / "hf", state, SMALL, LOOK))
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"logit_scale": name}}), "utf-8")
    failure = refusal(folder, tmp_path / "models")
    assert isinstance(failure, BadCheckpoint)
    assert "no file of weights beside it" in failure.message


def test_a_folder_of_another_type_is_called_so(tmp_path: Path, state: forms.State) -> None:
    """The config.json says which model it is."""
    folder = forms.clip_model(tmp_path / "hf", state, SMALL, LOOK)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "siglip"}), "utf-8")
    assert "'siglip'" in refusal(folder, tmp_path / "models").message


# Folders of ours


def test_a_folder_with_a_trunk_stays_loadable(tmp_path: Path) -> None:
    """The copy of `photo` is the same model to the bit: its trunk, its words and its statistics come along."""
    brought = models.install(resource("photo"), "copy", root=tmp_path / "models")
    copy = load_backbone(f"local-dir:{brought.folder}", CPU)
    assert copy.sha256 == catalog.entry_of("photo").sha256
    assert copy.distribution is not None
    assert json.loads((brought.folder / "open_clip_config.json").read_text("utf-8"))["trunk"] == "efficientnet-lite0"
    assert (brought.folder / "vocabulary.txt").read_bytes() == (resource("photo") / "vocabulary.txt").read_bytes()


def test_other_keys_of_a_configuration_are_kept(tmp_path: Path, state: forms.State) -> None:
    """An import loses nothing that a configuration says, and weights that need no change are copied to the byte."""
    folder = forms.open_clip_folder(tmp_path / "theirs", state, SMALL, LOOK)
    config = json.loads((folder / "open_clip_config.json").read_text("utf-8"))
    (folder / "open_clip_config.json").write_text(json.dumps({**config, "license": "MIT"}), "utf-8")
    brought = models.install(folder, "mine", root=tmp_path / "models")
    assert json.loads((brought.folder / "open_clip_config.json").read_text("utf-8"))["license"] == "MIT"
    files = [one / "open_clip_model.safetensors" for one in (folder, brought.folder)]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_what_lies_beside_a_tower_is_said_or_refused(tmp_path: Path, state: forms.State) -> None:
    """A border that was tuned with a tower is named; a second set of weights beside it is refused."""
    base = f"local-dir:{forms.open_clip_folder(tmp_path / 'base', state, SMALL, LOOK)}"
    tower = {name.removeprefix("visual."): v for name, v in state.items() if name.startswith("visual.")}
    border = {"vision_encoder_state_dict": tower, "state_dict": {"pad_up": torch.ones(1, 3, 2, 16)}, "add_prompter": {}}
    torch.save(border, tmp_path / "border.tar")
    brought = models.install(tmp_path / "border.tar", "border", base=base, root=tmp_path / "models")
    assert any("visual prompts" in line for line in brought.said)
    for name, held in (
        ("tecoa", {"vision_encoder_state_dict": tower, "text_encoder": {"w": torch.ones(2)}}),
        ("bare", {"state_dict": tower, "ema": {"w": torch.ones(2)}}),
    ):
        torch.save(held, tmp_path / f"{name}.tar")
        assert "beside the image tower" in str(refusal(tmp_path / f"{name}.tar", tmp_path / "others", base=base))
