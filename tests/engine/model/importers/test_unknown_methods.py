"""Prompts of methods that are not known: every learned tensor of a file is used, or the file is refused with that tensor's name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from capt_engine.errors import BadCheckpoint, BadRequest, UnknownName
from capt_engine.model.checkpoints import sentence_in
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import Backbone
from capt_engine.model.importers.base import ImportOptions
from capt_engine.model.importers.conversion import Converted, converted
from tests.engine.model.importers.published import (
    CLASSES,
    VISION,
    WIDTH,
    Paper,
    dassl,
    random_tokens,
    whole_clip,
    words_of,
)

Pixels = Callable[..., Tensor]
State = dict[str, Tensor]
NAMES = tuple(name.replace("_", " ") for name in CLASSES)


def learner(backbone: Backbone, **tensors: Tensor) -> State:
    """A prompt learner of two vectors in MaPLe's sentence, and further tensors of its own, with the CLIP around it."""
    sentences = [f"a photo of a {name}." for name in NAMES]
    own = {"ctx": random_tokens(2, WIDTH, seed=1), **words_of(backbone, sentences, 2), **tensors}
    return {f"prompt_learner.{name}": value for name, value in own.items()} | whole_clip(backbone)


def tame(tower: str, width: int, layer: int) -> State:
    """The mixture that TAPT's TAME keeps in a block: experts, their mean, the gate, and two bounded scales."""
    block = f"{tower}.transformer.resblocks.{layer}"
    return {
        f"{block}.expert_prompts": random_tokens(3, 2, width, seed=layer),
        f"{block}.base_prompt": random_tokens(2, width, seed=layer),
        f"{block}.gate.weight": random_tokens(3, width),
        f"{block}.gate.bias": random_tokens(3),
        f"{block}.tau": torch.ones(1),
        f"{block}.alpha": torch.ones(1),
    }


def tame_v(backbone: Backbone) -> State:
    """TAME-V: a first layer like VPT's, mixtures behind it."""
    return whole_clip(backbone) | {"image_encoder.VPT": random_tokens(2, VISION)} | tame("image_encoder", VISION, 1)


def tame_vli(backbone: Backbone) -> State:
    """TAME-VLI: first layers like IVLP's, mixtures in both towers."""
    first = learner(backbone) | {"image_encoder.VPT": random_tokens(2, VISION)}
    return first | tame("image_encoder", VISION, 1) | tame("text_encoder", WIDTH, 1)


def tame_vlj(backbone: Backbone) -> State:
    """TAME-VLJ: MaPLe's prompts of two layers, and mixtures beside them."""
    maps = {"proj.weight": random_tokens(VISION, WIDTH), "proj.bias": random_tokens(VISION)}
    maps |= {f"compound_prompt_projections.0.{name[5:]}": value for name, value in maps.items()}
    whole = learner(backbone, **maps, **{"compound_prompts_text.0": random_tokens(2, WIDTH, seed=3)})
    return whole | tame("image_encoder", VISION, 1) | tame("text_encoder", WIDTH, 1)


@pytest.mark.parametrize("method", [tame_v, tame_vli, tame_vlj])
def test_mixtures_of_prompts_are_refused_by_name(
    uneven: Backbone, tmp_path: Path, method: Callable[[Backbone], State]
) -> None:
    """TAPT's TAME looks like VPT, IVLP or MaPLe with more in it; it is refused with the tensor that gives it away."""
    with pytest.raises(BadCheckpoint, match=r"resblocks\.1\.expert_prompts") as caught:
        converted(dassl(tmp_path / "m", method(uneven)), uneven, ImportOptions())
    assert "gate" in caught.value.hint


def left_over(backbone: Backbone) -> dict[str, State]:
    """Files of known families with one learned tensor too many, by the name of that tensor."""
    vpt = whole_clip(backbone) | {"image_encoder.VPT": random_tokens(2, VISION)}
    deep = {"text_encoder.transformer.resblocks.1.VPT_shallow": random_tokens(2, WIDTH)}
    gap = {"image_encoder.transformer.resblocks.2.VPT_shallow": random_tokens(2, VISION)}
    return {
        "bias_vectors": {"ctx": random_tokens(2, WIDTH), "bias_vectors": random_tokens(1, WIDTH)},
        "prompt_learner.cls": learner(backbone, cls=random_tokens(4, 1, WIDTH)),
        "text_encoder.transformer.resblocks.1.VPT_shallow": vpt | deep,
        "image_encoder.transformer.resblocks.2.VPT_shallow": vpt | gap,
        "VPT_image_trans.conv1.weight": vpt | {"VPT_image_trans.conv1.weight": random_tokens(4, 4)},
        "adapter.fc.weight": vpt | {"adapter.fc.weight": random_tokens(4, 4)},
        "prompt_learner.teacher.conv1.weight": learner(
            backbone, **{"teacher.conv1.weight": backbone.clip.visual.conv1.weight.detach() * 1.1}
        ),
    }


def test_any_tensor_that_is_left_over_is_named(uneven: Backbone, tmp_path: Path) -> None:
    """CoCoOp-like biases, learned class words, prompts of a tower that VPT leaves alone, a gap in the layers, adapters, another tower."""
    for number, (name, state) in enumerate(left_over(uneven).items()):
        with pytest.raises(BadCheckpoint) as caught:
            converted(dassl(tmp_path / str(number), state), uneven, ImportOptions())
        assert repr(name) in caught.value.message
        assert "would be wrong" in caught.value.message
        assert ("gap" in caught.value.hint) == name.endswith("VPT_shallow")


def test_a_learned_tensor_in_another_dictionary_is_named(uneven: Backbone, tmp_path: Path) -> None:
    """A second set of weights beside the prompts is not dropped; a lone number, such as the best accuracy, is no weight."""
    state = {"ctx": random_tokens(2, WIDTH)}
    torch.save({"state_dict": state, "best_acc1": torch.tensor(51.5)}, tmp_path / "one")
    assert converted(tmp_path / "one", uneven, ImportOptions()).family
    torch.save(
        {"state_dict": {**state, "n": torch.tensor(3)}, "ema": {"ctx": random_tokens(2, WIDTH)}}, tmp_path / "two"
    )
    with pytest.raises(BadCheckpoint, match=r"'ema\.ctx'"):
        converted(tmp_path / "two", uneven, ImportOptions())


def test_copies_of_the_model_are_no_learned_tensors(uneven: Backbone, tmp_path: Path) -> None:
    """The model's own weights under any module's name, in half precision, and its words are not learned."""
    copies = {f"frozen.clip.{name}": value.half() for name, value in uneven.clip.state_dict().items()}
    path = dassl(tmp_path / "m", {"ctx": random_tokens(2, WIDTH)} | copies)
    assert converted(path, uneven, ImportOptions()).document.method == "coop"


def test_another_scale_or_depth_is_another_clip(uneven: Backbone, tmp_path: Path) -> None:
    """A tuned temperature and a layer that the model does not have are seen, though every shared tensor is equal."""
    vpt = whole_clip(uneven) | {"image_encoder.VPT": random_tokens(2, VISION)}
    deeper = vpt | {"image_encoder.transformer.resblocks.3.ln_1.weight": torch.ones(VISION)}
    for number, state in enumerate((vpt | {"logit_scale": torch.tensor(3.0)}, deeper)):
        path = dassl(tmp_path / str(number), state)
        with pytest.raises(BadCheckpoint, match="and that is not"):
            converted(path, uneven, ImportOptions())
        assert converted(path, uneven, ImportOptions(), any_model=True).document.method == "vpt"


def test_prompts_below_one_module_are_read(uneven: Backbone, tmp_path: Path) -> None:
    """Lightning puts "model." in front of everything, and its optimiser beside it."""
    vpt = whole_clip(uneven) | {"image_encoder.VPT": random_tokens(2, VISION)}
    for number, state in enumerate((vpt, learner(uneven))):
        below = {f"model.{name}": value for name, value in state.items()}
        moments = {i: {"exp_avg": torch.ones(2)} for i in range(200)}
        torch.save({"state_dict": below, "optimizer_states": [{"state": moments}]}, tmp_path / str(number))
        found = converted(tmp_path / str(number), uneven, ImportOptions())
        assert found.document.method == ("vpt", "coop")[number]
        assert any("is this model" in line for line in found.said)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_words_between_vectors_and_name_are_no_part_of_the_name(
    uneven: Backbone, pixels: Pixels, tmp_path: Path, n: int
) -> None:
    """IVLP with prompts in the first text layer alone looks like CoOp; the rest of "a photo of a" stays in the sentence."""
    sentences = [f"a photo of a {name}." for name in NAMES]
    ctx = random_tokens(n, WIDTH, seed=n)
    path = dassl(tmp_path / "m", {"ctx": ctx, **words_of(uneven, sentences, n)})
    found = converted(path, uneven, ImportOptions())
    assert found.document.template == "a photo of a {}."
    assert found.document.classes[0] == "abyssinian"
    assert difference(found, Paper(uneven, sentences, ctx), pixels(2)) < 1e-4


# MaPLe and FAP of one layer


def one_layer(
    backbone: Backbone, sentences: list[str], *, half: bool = True, words: bool = True
) -> tuple[State, Paper]:
    """A file of two vectors mapped to vision, around the words of its sentences, and the same by its paper's equations."""
    ctx = random_tokens(2, WIDTH, seed=6)
    weight, bias = random_tokens(VISION, WIDTH, seed=40), random_tokens(VISION, seed=41)
    state = {"ctx": ctx, "proj.weight": weight, "proj.bias": bias}
    state |= words_of(backbone, sentences, 2, half=half) if words else {}
    vision = [torch.nn.functional.linear(ctx, weight, bias)]
    return {f"prompt_learner.{name}": v for name, v in state.items()}, Paper(backbone, sentences, ctx, vision=vision)


def difference(found: Converted, paper: Paper, images: Tensor) -> float:
    """The largest difference of the logits to the paper's."""
    template = sentence_in(found.document, "a photo of a {}.")
    ours = Classifier(paper.backbone, CLASSES, template, prompts=found.prompts)(images)
    return float((ours - paper.logits(images)).abs().max())


SENTENCES = {
    "maple": [f"a photo of a {name}." for name in NAMES],
    "fap": [f"a photo of a {{}}. {name}." for name in NAMES],
}


@pytest.mark.parametrize("method", ["maple", "fap"])
def test_prompts_of_one_layer_are_told_apart_by_their_words(
    uneven: Backbone, pixels: Pixels, tmp_path: Path, method: str
) -> None:
    """FAP leaves the braces of the template in its sentence, MaPLe does not; taken for each other the logits differ."""
    state, paper = one_layer(uneven, SENTENCES[method])
    found = converted(dassl(tmp_path / "m", state), uneven, ImportOptions())
    assert found.document.method == method
    assert difference(found, paper, pixels(2)) < 1e-4


@pytest.mark.parametrize("method", ["maple", "fap"])
def test_prompts_of_one_layer_without_words_must_be_named(
    uneven: Backbone, pixels: Pixels, tmp_path: Path, method: str
) -> None:
    """Without the words nothing tells them apart: the user names the method, or the trainer's folder does; a wrong name costs logits."""
    state, paper = one_layer(uneven, SENTENCES[method], words=False)
    path = dassl(tmp_path / "m", state)
    with pytest.raises(BadRequest, match="--family"):
        converted(path, uneven, ImportOptions())
    found = converted(path, uneven, ImportOptions(family=method))
    assert difference(found, paper, pixels(2)) < 1e-4
    assert any("was named" in line for line in found.said)
    other = "fap" if method == "maple" else "maple"
    assert difference(converted(path, uneven, ImportOptions(family=other)), paper, pixels(2)) > 0.1
    folder = tmp_path / {"maple": "MaPLe", "fap": "FAP"}[method]
    folder.mkdir()
    found = converted(dassl(folder / "m", state), uneven, ImportOptions())
    assert found.document.method == method
    assert any("folder" in line for line in found.assumed)


def test_a_family_that_does_not_fit_is_refused(uneven: Backbone, tmp_path: Path) -> None:
    """A method that is named must be one that is known, and the file must look like it."""
    path = dassl(tmp_path / "m", {"ctx": random_tokens(2, WIDTH)})
    assert converted(path, uneven, ImportOptions(family="coop")).document.method == "coop"
    with pytest.raises(BadCheckpoint, match="does not hold prompts of VPT"):
        converted(path, uneven, ImportOptions(family="vpt"))
    with pytest.raises(UnknownName):
        converted(path, uneven, ImportOptions(family="mapel"))


def test_long_prompts_of_fap_have_no_template(uneven: Backbone, pixels: Pixels, tmp_path: Path) -> None:
    """Beyond four vectors FAP starts from noise behind placeholders, and its sentence is the class name alone."""
    ctx, deep = random_tokens(5, WIDTH, seed=6), random_tokens(5, VISION, seed=7)
    first = (random_tokens(VISION, WIDTH, seed=40), random_tokens(VISION, seed=41))
    back = (random_tokens(WIDTH, VISION, seed=50), random_tokens(WIDTH, seed=60))
    state = {"ctx": ctx, "proj.weight": first[0], "proj.bias": first[1], "compound_prompts_image.0": deep}
    state |= {"compound_prompt_projections.0.weight": back[0], "compound_prompt_projections.0.bias": back[1]}
    linear = torch.nn.functional.linear
    sentences = [f"X X X X X {name}." for name in NAMES]
    paper = Paper(uneven, sentences, ctx, deep_text=[linear(deep, *back)], vision=[linear(ctx, *first), deep])
    found = converted(dassl(tmp_path / "m", state), uneven, ImportOptions())
    assert difference(found, paper, pixels(2)) < 1e-4
