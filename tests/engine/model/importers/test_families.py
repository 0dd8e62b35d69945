"""Every family of published prompts: imported from its own container, it gives the logits of its paper's equations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from capt_engine.errors import BadCheckpoint, BadRequest
from capt_engine.model.checkpoints import load, plain_sentence, save
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import Backbone
from capt_engine.model.importers.base import ImportOptions
from capt_engine.model.importers.conversion import Converted, converted
from capt_engine.model.learned_prompts import LearnedPrompts
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
NAMES = tuple(name.replace("_", " ") for name in CLASSES)


def half(*shape: int, seed: int) -> Tensor:
    """Random tokens that fp16 holds exactly, as fp16."""
    return random_tokens(*shape, seed=seed).half()


def agrees(
    found: Converted,
    paper: Paper,
    images: Tensor,
    tmp_path: Path,
    classes: tuple[str, ...] = CLASSES,
    template: str = "a sketch of one {}.",
) -> Converted:
    """The logits of what was imported, saved and loaded again are the paper's to 1e-4, and the prompts do matter.

    template: of the data it is used on, which is another than the prompts' own.
    """
    save(tmp_path / "imported.safetensors", found.prompts, found.document)
    prompts, document = load(tmp_path / "imported.safetensors", paper.backbone)
    ours = Classifier(paper.backbone, classes, template, prompts=LearnedPrompts(prompts, document))(images)
    assert plain_sentence(document).count("{}") == 1
    expected = paper.logits(images)
    assert torch.allclose(ours, expected, atol=1e-4), (ours - expected).abs().max()
    plain = Classifier(paper.backbone, classes, "a photo of a {}.")(images)
    assert float((ours - plain).abs().max()) > 0.1
    return found


# CoOp, APT, AdvPT, AdvCoOp


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("n", [1, 4])
def test_coop_at_the_end(uneven: Backbone, pixels: Pixels, tmp_path: Path, n: int, zipped: bool) -> None:
    """Shared vectors before the class name; both of torch's containers; the class names come back out of the file."""
    ctx = half(n, WIDTH, seed=1)
    sentences = [" ".join(["X"] * n) + f" {name}." for name in NAMES]
    path = dassl(tmp_path / "model.pth.tar-5", {"ctx": ctx, **words_of(uneven, sentences, n)}, zipped=zipped)
    found = converted(path, uneven, ImportOptions())
    assert found.document.classes == ("abyssinian", "great pyrenees", "t - shirt", "sea lion")
    assert found.document.method == "coop"
    assert found.document.settings["epochs"] == 5
    assert any("class-position" in line for line in found.assumed)
    agrees(found, Paper(uneven, sentences, ctx.float()), pixels(3), tmp_path)


def moved(backbone: Backbone, ctx: Tensor, position: str) -> tuple[list[str], Tensor]:
    """CoOp's sentences and, row by row, their embeddings with the class name where `position` wants it."""
    n, rows = ctx.shape[-2], []
    sentences = [" ".join(["X"] * n) + f" {name}." for name in NAMES]
    for row, (name, sentence) in enumerate(zip(NAMES, sentences, strict=True)):
        length = len(backbone.tokenize.encode(name))
        embedded = backbone.clip.token_embedding(backbone.tokenize([sentence]))[0]
        first, word, rest = embedded[:1], embedded[1 + n : 1 + n + length], embedded[1 + n + length :]
        own = ctx[row] if ctx.dim() == 3 else ctx
        before, behind = (own[: n // 2], own[n // 2 :]) if position == "middle" else (own[:0], own)
        order = [first, own, word, rest] if position == "end" else [first, before, word, behind, rest]
        rows.append(torch.cat(order))
    return sentences, torch.stack(rows)


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("position", ["end", "middle", "front"])
def test_coop_in_every_place(uneven: Backbone, pixels: Pixels, tmp_path: Path, position: str, own: bool) -> None:
    """The class name behind, amid or before the vectors, which are shared or of each class's own."""
    ctx = half(*((len(CLASSES),) if own else ()), 5, WIDTH, seed=2)
    sentences, rows = moved(uneven, ctx.float(), position)
    path = dassl(tmp_path / "m", {"ctx": ctx, **words_of(uneven, sentences, 5)})
    found = converted(path, uneven, ImportOptions(position=position, classes=CLASSES))
    agrees(found, Paper(uneven, sentences, rows=rows), pixels(2), tmp_path)


def test_own_vectors_follow_their_classes(uneven: Backbone, pixels: Pixels, tmp_path: Path) -> None:
    """Asked about some of its classes in another order, each keeps its own vectors; a class it never saw is refused."""
    ctx = random_tokens(len(CLASSES), 3, WIDTH, seed=3)
    found = converted(dassl(tmp_path / "m", {"ctx": ctx}), uneven, ImportOptions(classes=CLASSES, position="end"))
    prompts, template = found.prompts, found.document.template
    whole = Classifier(uneven, CLASSES, template, prompts=prompts)(pixels(2))
    some = Classifier(uneven, (CLASSES[3], CLASSES[1]), template, prompts=prompts)(pixels(2))
    assert torch.allclose(some, whole[:, [3, 1]], atol=1e-4)
    with pytest.raises(BadRequest, match="none for 'dog'"):
        Classifier(uneven, ("dog", "sea lion"), template, prompts=prompts)


def test_own_vectors_are_found_in_any_spelling(uneven: Backbone, pixels: Pixels, tmp_path: Path) -> None:
    """Names that were read back as tokens ("t - shirt") are found as anybody writes them, where the tokens are the same."""
    ctx = half(4, 3, WIDTH, seed=3)
    names = ("t-shirt", "747-400", "st. bernard", "sea lion")
    path = dassl(tmp_path / "m", {"ctx": ctx, **words_of(uneven, [f"X X X {name}." for name in names], 3)})
    found = converted(path, uneven, ImportOptions(position="end"))
    assert found.document.classes == ("t - shirt", "7 4 7 - 4 0 0", "st . bernard", "sea lion")
    read, written = (
        Classifier(uneven, some, "{}.", prompts=found.prompts)(pixels(2))
        for some in (found.document.classes, ("T-shirt", "747-400", "St. Bernard", "sea_lion"))
    )
    assert torch.equal(read, written)
    own = converted(
        path, uneven, ImportOptions(position="end", classes=("T-shirt", "747-400", "St. Bernard", "Sea lion"))
    )
    assert own.document.classes[:2] == ("T-shirt", "747-400")


def test_own_vectors_of_one_name_are_two_classes(uneven: Backbone, pixels: Pixels, tmp_path: Path) -> None:
    """CLIP's list for ImageNet has "missile" twice: its prompts are used with that list as it is, and each keeps its own vectors."""
    ctx = random_tokens(4, 3, WIDTH, seed=3)
    names = ("missile", "sunglasses", "missile", "t-shirt")
    path = dassl(tmp_path / "m", {"ctx": ctx})
    found = converted(path, uneven, ImportOptions(classes=names, position="end"))
    model = Classifier(uneven, names, "{}.", prompts=found.prompts)
    assert model.classes == ("missile", "sunglasses", "missile (#2)", "t-shirt")
    assert model.alike_classes == ()
    apart = converted(
        dassl(tmp_path / "n", {"ctx": ctx[[2, 1, 0, 3]]}), uneven, ImportOptions(classes=names, position="end")
    )
    swapped = Classifier(uneven, names, "{}.", prompts=apart.prompts)(pixels(2))
    assert torch.equal(model(pixels(2))[:, [2, 1, 0, 3]], swapped)
    assert float((model(pixels(2))[:, 0] - model(pixels(2))[:, 2]).abs().max()) > 1e-3


def test_own_vectors_need_their_classes(uneven: Backbone, tmp_path: Path) -> None:
    """Without the buffers nothing says whose vectors they are, so they are asked for; a wrong number of names is refused."""
    path = dassl(tmp_path / "m", {"ctx": random_tokens(4, 3, WIDTH)})
    for classes in ((), CLASSES[:2]):
        with pytest.raises(BadRequest, match="--classes"):
            converted(path, uneven, ImportOptions(classes=classes))


def test_other_classes_than_the_files_are_refused(uneven: Backbone, tmp_path: Path) -> None:
    """Where the file still holds its words, names given in another order are an error, not a silent mistake."""
    sentences = [f"X X {name}." for name in NAMES]
    path = dassl(tmp_path / "m", {"ctx": random_tokens(2, WIDTH), **words_of(uneven, sentences, 2)})
    with pytest.raises(BadRequest, match="another order"):
        converted(path, uneven, ImportOptions(classes=CLASSES[::-1]))


def test_the_path_and_the_configuration_say_more(uneven: Backbone, tmp_path: Path) -> None:
    """APT's folders tell position and budget, its cfg.yaml tells them better, and what the user says counts most."""
    folder = tmp_path / "nctx4_cscFalse_ctpfront" / "eps4_alpha2.67_step3" / "seed1" / "prompt_learner"
    folder.mkdir(parents=True)
    path = dassl(folder / "model.pth.tar-5", {"ctx": random_tokens(4, WIDTH)})
    found = converted(path, uneven, ImportOptions())
    assert found.document.shape.position == "front"
    assert found.document.settings["eps"] == pytest.approx(4 / 255)
    assert not any("class-position" in line for line in found.assumed)
    assert sum("nctx4" in line or "eps4" in line for line in found.said) == 2
    config = "TRAINER:\n  APT:\n    CLASS_TOKEN_POSITION: 'middle'\nAT:\n  EPS: 1\n  NAME: !!python/object:os.system\n"
    (folder.parent / "cfg.yaml").write_text(config, "utf-8")
    found = converted(path, uneven, ImportOptions())
    assert found.document.shape.position == "middle"
    assert found.document.settings["eps"] == pytest.approx(1 / 255)
    found = converted(path, uneven, ImportOptions(position="end"), eps=2 / 255)
    assert found.document.shape.position == "end"
    assert found.document.settings["eps"] == 2 / 255


# MaPLe and its adversarial forms


@pytest.mark.parametrize("depth", [1, 3])
def test_maple(uneven: Backbone, pixels: Pixels, tmp_path: Path, depth: int) -> None:
    """Two vectors replace "a photo", "of a <class>." stays; deeper ones overwrite; every layer is mapped to vision."""
    ctx, sentences = half(2, WIDTH, seed=4), [f"a photo of a {name}." for name in NAMES]
    deep = [random_tokens(2, WIDTH, seed=5 + i) for i in range(depth - 1)]
    maps = [
        (random_tokens(VISION, WIDTH, seed=20 + i).half(), random_tokens(VISION, seed=30 + i).half())
        for i in range(depth)
    ]
    state = {"ctx": ctx, "proj.weight": maps[0][0], "proj.bias": maps[0][1], **words_of(uneven, sentences, 2)}
    for i, value in enumerate(deep):
        state |= {f"compound_prompts_text.{i}": value}
        state |= {
            f"compound_prompt_projections.{i}.{part}": maps[i + 1][j] for j, part in enumerate(("weight", "bias"))
        }
    state = {f"prompt_learner.{name}": value for name, value in state.items()} | whole_clip(uneven)
    found = converted(dassl(tmp_path / "m", state, parallel=True), uneven, ImportOptions())
    assert found.document.method == "maple"
    assert found.document.template == "a photo of a {}."
    assert any("is this model" in line for line in found.said)
    assert not found.assumed
    vision = [
        torch.nn.functional.linear(one.float(), weight.float(), bias.float())
        for one, (weight, bias) in zip([ctx, *deep], maps, strict=True)
    ]
    agrees(found, Paper(uneven, sentences, ctx.float(), deep_text=deep, vision=vision), pixels(2), tmp_path)


# FAP


@pytest.mark.parametrize("template", ["a photo of a {}.", "a photo of a {}, a type of pet.", "{} texture."])
@pytest.mark.parametrize("told", [True, False])
def test_fap(uneven: Backbone, pixels: Pixels, tmp_path: Path, template: str, told: bool) -> None:
    """The template keeps its braces in front of the class name; vision leads in deeper layers; the file's words tell the template."""
    ctx, sentences = random_tokens(2, WIDTH, seed=6), [f"{template} {name}." for name in NAMES]
    deep = [random_tokens(2, VISION, seed=7 + i) for i in range(2)]
    first = (random_tokens(VISION, WIDTH, seed=40), random_tokens(VISION, seed=41))
    maps = [(random_tokens(WIDTH, VISION, seed=50 + i), random_tokens(WIDTH, seed=60 + i)) for i in range(2)]
    state = {"ctx": ctx, "proj.weight": first[0], "proj.bias": first[1], **words_of(uneven, sentences, 2)}
    for i, value in enumerate(deep):
        state |= {f"compound_prompts_image.{i}": value}
        state |= {f"compound_prompt_projections.{i}.{part}": maps[i][j] for j, part in enumerate(("weight", "bias"))}
    state = {f"prompt_learner.{name}": value for name, value in state.items()} | whole_clip(uneven)
    found = converted(dassl(tmp_path / "m", state), uneven, ImportOptions(template=template if told else ""))
    assert found.document.method == "fap"
    linear = torch.nn.functional.linear
    text = [linear(one, *of) for one, of in zip(deep, maps, strict=True)]
    vision = [linear(ctx, *first), *deep]
    paper = Paper(uneven, sentences, ctx, deep_text=text, vision=vision)
    agrees(found, paper, pixels(2), tmp_path, template=template)


# Prompts of each tower's own


@pytest.mark.parametrize(("n", "n_vision", "depth", "depth_vision"), [(4, 4, 3, 3), (2, 3, 1, 2), (4, 1, 3, 1)])
def test_ivlp(
    uneven: Backbone, pixels: Pixels, tmp_path: Path, n: int, n_vision: int, depth: int, depth_vision: int
) -> None:
    """IVLP and PromptSRC: both towers have their own vectors, which need be neither as many nor as deep."""
    ctx, sentences = half(n, WIDTH, seed=8), [f"a photo of a {name}." for name in NAMES]
    text = [random_tokens(n, WIDTH, seed=9 + i) for i in range(depth - 1)]
    vision = [random_tokens(n_vision, VISION, seed=15 + i) for i in range(depth_vision)]
    state = {f"prompt_learner.{name}": v for name, v in {"ctx": ctx, **words_of(uneven, sentences, n)}.items()}
    state |= whole_clip(uneven) | {"image_encoder.VPT": vision[0]}
    # PromptSRC keeps its teacher there.
    state["prompt_learner.ZS_image_encoder.conv1.weight"] = uneven.clip.visual.conv1.weight.detach().half()
    for tower, values in (("image_encoder", vision[1:]), ("text_encoder", text)):
        state |= {f"{tower}.transformer.resblocks.{i + 1}.VPT_shallow": value for i, value in enumerate(values)}
    found = converted(dassl(tmp_path / "m", state), uneven, ImportOptions())
    assert found.document.method == "ivlp"
    agrees(found, Paper(uneven, sentences, ctx.float(), deep_text=text, vision=vision), pixels(2), tmp_path)


@pytest.mark.parametrize("depth", [1, 3])
def test_vpt(uneven: Backbone, pixels: Pixels, tmp_path: Path, depth: int) -> None:
    """VPT and AdvVPT: only the image tower is prompted; the words are "a photo of a <class>."."""
    vision = [random_tokens(3, VISION, seed=70 + i) for i in range(depth)]
    state = whole_clip(uneven) | {"image_encoder.VPT": vision[0]}
    state |= {f"image_encoder.transformer.resblocks.{i + 1}.VPT_shallow": v for i, v in enumerate(vision[1:])}
    found = converted(dassl(tmp_path / "m", state), uneven, ImportOptions())
    assert found.document.method == "vpt"
    sentences = [f"a photo of a {name}." for name in NAMES]
    agrees(found, Paper(uneven, sentences, vision=vision), pixels(2), tmp_path)


# Visual prompts of TeCoA's repository


def prompter(path: Path, pads: dict[str, Tensor], tokens: dict[str, Tensor]) -> Path:
    """Its container: the border in one dictionary, the tokens in another, both under DataParallel."""
    held = {
        "epoch": 2,
        "state_dict": {f"module.{name}": value for name, value in pads.items()},
        "add_prompter": {f"module.{name}": value for name, value in tokens.items()},
        "best_acc1": 0.5,
        "optimizer": {},
    }
    torch.save(held, path)
    return path


@pytest.mark.parametrize(("with_border", "n"), [(True, 5), (False, 5), (True, 0)])
def test_visual_prompts(uneven: Backbone, pixels: Pixels, tmp_path: Path, with_border: bool, n: int) -> None:
    """A border is added to the normalised picture, tokens stand behind the patches; either may be there alone."""
    wide, tall = (1, 3, 5, 24), (1, 3, 14, 5)
    pads = {"pad_up": random_tokens(*wide, seed=1), "pad_down": random_tokens(*wide, seed=2)}
    pads |= {"pad_left": random_tokens(*tall, seed=3), "pad_right": random_tokens(*tall, seed=4)}
    tokens = random_tokens(1, n, VISION, seed=5)
    border = torch.zeros(3, 24, 24)
    border[:, :5], border[:, 19:] = pads["pad_up"][0], pads["pad_down"][0]
    border[:, 5:19, :5], border[:, 5:19, 19:] = pads["pad_left"][0], pads["pad_right"][0]
    path = prompter(tmp_path / "m.pth.tar", pads if with_border else {}, {"prompt": tokens})
    found = converted(path, uneven, ImportOptions())
    assert found.document.method == "visual-prompt"
    # refine_classname of its utils.py: lower case, and spaces for _, - and /
    sentences = [f"This is a photo of a {name.lower().replace('-', ' ').replace('/', ' ')}" for name in NAMES]
    assert "t shirt" in sentences[2]
    paper = Paper(uneven, sentences, vision=[tokens[0]] if n else [], border=border if with_border else None)
    agrees(found, paper, pixels(2), tmp_path)


def test_visual_prompts_of_other_kinds_are_refused(uneven: Backbone, tmp_path: Path) -> None:
    """Patches, generated tokens, a border without tokens, of another size, or in pieces that do not fit."""
    tokens = {"prompt": random_tokens(1, 5, VISION)}
    wide, tall = torch.ones(1, 3, 5, 24), torch.ones(1, 3, 14, 5)
    whole = {"pad_up": wide, "pad_down": wide, "pad_left": tall, "pad_right": tall}
    for number, (pads, added, told) in enumerate(
        (
            ({"patch": torch.ones(1, 3, 4, 4)}, tokens, "not supported"),
            ({}, {**tokens, "transformer.layers.0.weight": torch.ones(2)}, "not supported"),
            (whole, {"prompt": torch.ones(2, 5, VISION)}, r"not \(1, n, d\)"),
            ({}, {"prompt": torch.ones(1, 0, VISION)}, "'pad_up'"),
            ({**whole, "pad_left": torch.ones(1, 3, 13, 5)}, tokens, "do not fit together"),
            ({name: value for name, value in whole.items() if name != "pad_up"}, tokens, "'pad_up'"),
            ({**whole, "pad_up": torch.ones(1, 3, 6, 24)}, tokens, "no square"),
        )
    ):
        with pytest.raises(BadCheckpoint, match=told):
            converted(prompter(tmp_path / f"{number}.tar", pads, added), uneven, ImportOptions())


# What must not pass in silence


def test_another_clip_inside_is_noticed(uneven: Backbone, tmp_path: Path) -> None:
    """A file that holds the CLIP it was tuned on is refused for another one, unless that is asked for."""
    state = whole_clip(uneven) | {"image_encoder.VPT": random_tokens(3, VISION)}
    state["image_encoder.conv1.weight"] = state["image_encoder.conv1.weight"] * 1.01
    path = dassl(tmp_path / "m", state)
    with pytest.raises(BadCheckpoint, match="is not"):
        converted(path, uneven, ImportOptions())
    assert any("another CLIP" in line for line in converted(path, uneven, ImportOptions(), any_model=True).assumed)


def test_prompts_of_other_sizes_are_refused(uneven: Backbone, tiny_backbone: Backbone, tmp_path: Path) -> None:
    """Vectors of another width, or in more layers than the model has, do not fit it."""
    with pytest.raises(BadCheckpoint, match="do not fit"):
        converted(dassl(tmp_path / "m", {"ctx": random_tokens(4, WIDTH + 1)}), uneven, ImportOptions())
    deep = {"ctx": random_tokens(2, WIDTH), "proj.weight": random_tokens(32, WIDTH), "proj.bias": random_tokens(32)}
    for i in range(2):
        name = f"compound_prompt_projections.{i}"
        deep |= {f"compound_prompts_text.{i}": random_tokens(2, WIDTH)}
        deep |= {f"{name}.weight": random_tokens(32, WIDTH), f"{name}.bias": random_tokens(32)}
    with pytest.raises(BadCheckpoint, match="3 layers"):
        converted(dassl(tmp_path / "m", deep), tiny_backbone, ImportOptions())


def test_a_file_of_no_family_says_what_it_holds(uneven: Backbone, tmp_path: Path) -> None:
    """Image towers and whole CLIPs are sent to the right verb; anything else is described by its first names."""
    for state, told in (
        ({"linear1.weight": torch.ones(2, 2)}, "linear1.weight"),
        ({"ctx": torch.ones(4, WIDTH), "meta_net.linear1.weight": torch.ones(2, 2)}, "CoCoOp"),
        ({"text_decoder.x": torch.ones(2, 2), "text.transformer.y": torch.ones(2, 2)}, "CoCa"),
        ({"conv1.weight": torch.ones(2, 2)}, "capt models import"),
        ({"visual.conv1.weight": torch.ones(2), "token_embedding.weight": torch.ones(2)}, "capt models import"),
    ):
        with pytest.raises(BadCheckpoint) as caught:
            converted(dassl(tmp_path / "m", state), uneven, ImportOptions())
        assert told in str(caught.value)


def test_a_position_or_template_where_there_is_none_is_refused(uneven: Backbone, tmp_path: Path) -> None:
    """What cannot be true of a family is an error of the asker's, said at once."""
    coop = dassl(tmp_path / "coop", {"ctx": random_tokens(4, WIDTH)})
    with pytest.raises(BadRequest, match="template"):
        converted(coop, uneven, ImportOptions(template="a photo of a {}."))
    vpt = dassl(tmp_path / "vpt", {"image_encoder.VPT": random_tokens(3, VISION)})
    with pytest.raises(BadRequest, match="position"):
        converted(vpt, uneven, ImportOptions(position="front"))
