"""Every way to name a model either gives a frozen CLIP or one sentence that says what is wrong and what to do."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from capt_engine.bundled_models import BUNDLED
from capt_engine.errors import BadCheckpoint, CaptError, UnknownName
from capt_engine.model import distribution
from capt_engine.model.clip import Backbone, load_backbone, open_clip
from capt_engine.model.store import model_store
from capt_engine.model.store.catalog import entry_of
from capt_engine.resources import resource

CPU = torch.device("cpu")
WEIGHTS = "open_clip_model.safetensors"
CONFIG = "open_clip_config.json"

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def folder(tiny_folder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model that a test may spoil."""
    return Path(shutil.copytree(tiny_folder, tmp_path / "model"))


def reworded(folder: Path, change: Change) -> None:
    """Change the configuration of a model."""
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    change(config)
    (folder / CONFIG).write_text(json.dumps(config), encoding="utf-8")


def reweighted(folder: Path, change: Callable[[dict[str, Tensor]], object]) -> None:
    """Change the weights of a model."""
    weights = load_file(folder / WEIGHTS)
    change(weights)
    save_file(weights, folder / WEIGHTS)


def refusal(model_id: str) -> BadCheckpoint:
    """What loading is refused with: one line that is a sentence, and a remedy."""
    with pytest.raises(BadCheckpoint) as caught:
        load_backbone(model_id, CPU)
    error = caught.value
    assert "\n" not in error.message
    assert error.message[0].isupper() or error.message[0] == "'"
    assert error.hint.endswith(".")
    return error


def activations(backbone: Backbone) -> set[str]:
    """The names of the activation functions in both towers."""
    kinds = {type(module).__name__ for module in backbone.clip.modules()}
    return kinds & {"GELU", "QuickGELU"}


def test_the_demo_loads() -> None:
    """The bundled model is there, takes 64 pixels and 32 tokens, and knows its file."""
    demo = load_backbone("demo", CPU)
    assert (demo.id, demo.size, demo.context_length) == ("demo", 64, 32)
    assert len(demo.sha256) == 64


def test_the_photograph_model_loads() -> None:
    """It sees 224 pixels, is what the list of models says of it, and is the same model by the path of its folder."""
    photo = load_backbone("photo", CPU)
    entry = entry_of("photo")
    assert (photo.id, photo.size, photo.size) == ("photo", entry.size, 224)
    assert sum(weight.numel() for weight in photo.clip.parameters()) == entry.parameters
    assert photo.sha256 == load_backbone(f"local-dir:{resource('photo')}", CPU).sha256


def _weights_of(folder: Path) -> Path:
    """The one weights file in a model's folder, beside which statistics of its training pictures may lie."""
    (weights,) = (one for one in folder.glob("*.safetensors") if one.name != distribution.FILE)
    return weights


def test_the_list_of_models_has_those_that_ship() -> None:
    """Each has an entry that says so and the bytes of its weights file."""
    for name in BUNDLED:
        weights = _weights_of(resource(name))
        assert entry_of(name).bundled
        assert entry_of(name).bytes == weights.stat().st_size


@pytest.mark.parametrize("name", ["demo", "demo-robust"])
def test_a_bundled_model_with_a_changed_byte_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One bit of one weight is enough, in a model and in a tuned tower; the sentence says what to do."""
    shutil.copytree(resource(name), tmp_path / name)
    weights = _weights_of(tmp_path / name)
    data = bytearray(weights.read_bytes())
    data[-2] ^= 1
    weights.write_bytes(data)
    monkeypatch.setattr(model_store, "resource", lambda one: tmp_path / one if one == name else resource(one))
    with pytest.raises(BadCheckpoint, match="not those that ship with the program") as caught:
        load_backbone(name, CPU)
    assert caught.value.hint == "Install the program again."


@pytest.mark.parametrize("prefix", ["local-dir:", ""])
def test_a_folder_loads_frozen_and_whole(tiny_folder: Path, prefix: str) -> None:
    """With or without its prefix: the weights of the file, fp32, in evaluation mode, asking for no gradient."""
    backbone = load_backbone(f"{prefix}{tiny_folder}", CPU)
    assert (backbone.size, backbone.context_length) == (24, 16)
    assert backbone.sha256 == hashlib.sha256((tiny_folder / WEIGHTS).read_bytes()).hexdigest()
    assert not backbone.clip.training
    assert not any(weight.requires_grad for weight in backbone.clip.parameters())
    stored = load_file(tiny_folder / WEIGHTS)
    loaded = backbone.clip.state_dict()
    assert set(stored) == set(loaded)
    assert all(torch.equal(stored[name], loaded[name]) for name in stored)
    torch.testing.assert_close(backbone.mean.flatten(), torch.tensor([0.48, 0.46, 0.41]))
    torch.testing.assert_close(backbone.std.flatten(), torch.tensor([0.27, 0.26, 0.28]))


def test_half_precision_weights_become_fp32(folder: Path) -> None:
    """Weights stored in fp16, as the demo's are, are computed with in fp32."""
    reweighted(folder, lambda w: w.update({name: value.half() for name, value in w.items()}))
    backbone = load_backbone(str(folder), CPU)
    assert {weight.dtype for weight in backbone.clip.parameters()} == {torch.float32}


def test_open_clip_says_nothing_of_its_own(tiny_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What it would remark about weights that follow a moment later never reaches the user; other remarks do."""
    filters = list(logging.getLogger().filters)
    load_backbone(str(tiny_folder), CPU)
    assert caplog.records == []
    assert logging.getLogger().filters == filters


def test_no_such_model() -> None:
    """A name that means nothing is answered with what can be named."""
    assert "There is no model called 'resnet'" in refusal("resnet").message
    assert "architecture" in refusal("ViT-B-32").message
    assert "ViT-B-32:openai@" in refusal("ViT-B-32").hint


def test_a_folder_without_what_it_takes(folder: Path, tmp_path: Path) -> None:
    """No folder, no configuration, no weights: each has its sentence."""
    assert "There is no folder" in refusal(f"local-dir:{tmp_path / 'none'}").message
    (folder / WEIGHTS).rename(folder / "open_clip_model.bin")
    assert "no safetensors file" in refusal(str(folder)).message
    assert "pickled" in refusal(str(folder)).hint
    (folder / CONFIG).unlink()
    assert CONFIG in refusal(str(folder)).message


def test_of_several_weights_the_well_known_one_is_taken(folder: Path) -> None:
    """A snapshot may hold another program's weights; without open_clip's name among them nobody guesses."""
    (folder / "model.safetensors").write_bytes(b"another program's")
    assert load_backbone(str(folder), CPU).size == 24
    (folder / WEIGHTS).rename(folder / "weights.safetensors")
    assert "2 safetensors files" in refusal(str(folder)).message


def test_a_pickle_beside_the_weights_is_never_opened(folder: Path) -> None:
    """Not even one of the name that open_clip itself would prefer to an unknown one."""
    (folder / WEIGHTS).rename(folder / "mine.safetensors")
    (folder / "open_clip_pytorch_model.bin").write_bytes(b"\x80\x04not a pickle of weights")
    sha256 = hashlib.sha256((folder / "mine.safetensors").read_bytes()).hexdigest()
    assert load_backbone(str(folder), CPU).sha256 == sha256


@pytest.mark.parametrize("keep", [0, 4, 1000, 200_000])
def test_a_cut_file_is_refused(folder: Path, keep: int) -> None:
    """A download that stopped early is a sentence, wherever it stopped."""
    whole = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(whole[:keep])
    assert "arrived whole" in refusal(str(folder)).hint


def test_garbage_is_refused(folder: Path) -> None:
    """So is a file of something else under the right name."""
    (folder / WEIGHTS).write_bytes(b"<html>404</html>" * 1000)
    assert "could not be loaded" in refusal(str(folder)).message


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(folder: Path, value: float) -> None:
    """One NaN anywhere would make every answer NaN: it is found at loading, and the tensor is named."""
    reweighted(folder, lambda w: w["visual.ln_post.bias"].view(-1)[3:4].fill_(value))
    assert "'visual.ln_post.bias'" in refusal(str(folder)).message


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["model_cfg"]["vision_cfg"].update(width=48),
        lambda c: c["model_cfg"]["vision_cfg"].update(layers=3),
        lambda c: c["model_cfg"]["text_cfg"].update(width=64),
        lambda c: c["model_cfg"].update(embed_dim=8),
        lambda c: c["model_cfg"]["vision_cfg"].update(wdith=32),
        lambda c: c["model_cfg"].pop("text_cfg"),
        lambda c: c["model_cfg"]["vision_cfg"].update(image_size="large"),
        lambda c: c.pop("model_cfg"),
    ],
    ids=["width", "layers", "text width", "embed_dim", "typo", "no text", "odd size", "no model"],
)
def test_a_configuration_that_does_not_fit_is_refused(folder: Path, change: Change) -> None:
    """Whatever open_clip, torch or JSON raise about it, the user reads one sentence."""
    reworded(folder, change)
    assert "could not be loaded" in refusal(str(folder)).message


def test_a_configuration_of_another_form_is_refused(folder: Path) -> None:
    """A list in the place of the model's table is said to be one."""
    reworded(folder, lambda c: c.update(model_cfg=[1, 2]))
    assert "model_cfg: expected" in refusal(str(folder)).message


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', "\x00"])
def test_a_broken_configuration_is_refused(folder: Path, text: str) -> None:
    """So it is with a file that is not the JSON it should be; the sentence names the file."""
    (folder / CONFIG).write_text(text, encoding="utf-8")
    assert CONFIG in refusal(str(folder)).message


@pytest.fixture
def arch(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An architecture of open_clip's list, small, with two known trainings that differ as OpenAI's and LAION's do."""
    config = json.loads((tiny_folder / CONFIG).read_text(encoding="utf-8"))["model_cfg"]
    openai = open_clip.get_pretrained_cfg("ViT-L-14", "openai")
    laion = open_clip.get_pretrained_cfg("ViT-L-14", "laion2b_s32b_b82k")
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "Tiny-8", config)
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "Tiny-8-quickgelu", {**config, "quick_gelu": True})
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "Tiny-8", {"openai": openai, "laion2b_s32b_b82k": laion})
    return "Tiny-8"


@pytest.fixture
def file(tiny_folder: Path, tmp_path: Path) -> Path:
    """Weights under a name that tells nothing."""
    return Path(shutil.copy(tiny_folder / WEIGHTS, tmp_path / "weights.safetensors"))


@pytest.mark.parametrize(
    ("written", "named", "expected"),
    [
        ("Tiny-8:openai", "weights.safetensors", "QuickGELU"),
        ("Tiny-8:laion2b_s32b_b82k", "weights.safetensors", "GELU"),
        ("Tiny-8:quickgelu", "weights.safetensors", "QuickGELU"),
        ("Tiny-8:gelu", "weights.safetensors", "GELU"),
        ("Tiny-8-quickgelu", "weights.safetensors", "QuickGELU"),
        ("Tiny-8-quickgelu:laion2b_s32b_b82k", "weights.safetensors", "GELU"),
        ("Tiny-8", "clip-openai.safetensors", "QuickGELU"),
        ("Tiny-8", "laion2b_s32b_b82k.safetensors", "GELU"),
        ("Tiny-8:laion2b_s32b_b82k", "openai.safetensors", "GELU"),
    ],
)
@pytest.mark.usefixtures("arch")
def test_the_origin_of_weights_decides_their_activation(file: Path, written: str, named: str, expected: str) -> None:
    """What the user says comes first, then the architecture's name, then the file's."""
    backbone = load_backbone(f"{written}@{file.rename(file.with_name(named))}", CPU)
    assert activations(backbone) == {expected}


@pytest.mark.parametrize(
    ("written", "tag"), [("Tiny-8:laion2b_s32b_b82k", "laion2b_s32b_b82k"), ("Tiny-8:openai", "openai")]
)
@pytest.mark.usefixtures("arch")
def test_the_origin_of_weights_decides_their_normalisation(file: Path, written: str, tag: str) -> None:
    """LAION's ViT-L-14 was trained with another mean than OpenAI's: a file of either gets its own."""
    known = open_clip.get_pretrained_cfg("ViT-L-14", tag)
    backbone = load_backbone(f"{written}@{file}", CPU)
    torch.testing.assert_close(backbone.mean.flatten(), torch.tensor(known["mean"]))
    torch.testing.assert_close(backbone.std.flatten(), torch.tensor(known["std"]))


def test_the_trainings_above_differ() -> None:
    """The two tags that stand for all others do not share activation or normalisation in open_clip's own table."""
    one, other = (open_clip.get_pretrained_cfg("ViT-L-14", tag) for tag in ("openai", "laion2b_s32b_b82k"))
    assert (one.get("quick_gelu"), other.get("quick_gelu")) == (True, None)
    assert one["mean"] != other["mean"]


@pytest.mark.usefixtures("arch")
def test_weights_of_unknown_origin_are_refused(file: Path) -> None:
    """Loading them with the wrong activation would go unnoticed, so the user is asked to say, and told how."""
    error = refusal(f"Tiny-8@{file}")
    assert "QuickGELU or GELU" in error.message
    assert "Tiny-8:openai@" in error.hint
    with pytest.raises(UnknownName, match="laion2b_s32b_b82k"):
        load_backbone(f"Tiny-8:laion2b@{file}", CPU)


@pytest.mark.usefixtures("arch")
def test_files_that_cannot_be_weights_are_refused(file: Path, tmp_path: Path) -> None:
    """A missing file, a pickle, and a folder in a file's place."""
    assert "There is no file" in refusal(f"Tiny-8:openai@{tmp_path / 'none.safetensors'}").message
    assert "There is no file" in refusal(f"Tiny-8:openai@{tmp_path}").message
    pickled = file.rename(file.with_suffix(".pt"))
    error = refusal(f"Tiny-8:openai@{pickled}")
    assert "not a safetensors file" in error.message
    assert "run code" in error.hint


def test_an_unknown_architecture_is_answered_with_the_nearest(file: Path) -> None:
    """One letter off is enough of a hint."""
    with pytest.raises(UnknownName) as caught:
        load_backbone(f"ViT-B-23:openai@{file}", CPU)
    assert caught.value.hint.startswith("Did you mean 'ViT-B-")


def test_weights_of_another_architecture_are_refused(file: Path) -> None:
    """A real architecture of open_clip's does not take the tiny model's weights."""
    smallest = "ViT-S-32-alt"
    assert smallest in open_clip.list_models()
    assert "could not be loaded" in refusal(f"{smallest}:gelu@{file}").message


def test_every_refusal_is_an_expected_failure() -> None:
    """Names made to confuse the parser raise nothing but CaptError."""
    for model_id in ("", "@", ":", "a:b@c", "local-dir:", "ViT-B-32@", "ViT-B-32:@", "\0", "local-dir:\0", "@@@", "/"):
        with pytest.raises(CaptError):
            load_backbone(model_id, CPU)
