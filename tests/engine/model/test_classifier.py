"""The classifier gives what open_clip's own pipeline gives, from pixels that anybody can read."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import Backbone, load_backbone, open_clip
from capt_engine.model.prompts import COUPLINGS, Prompts, PromptShape, initial_context
from capt_engine.resources import resource

Pixels = Callable[..., Tensor]
CPU = torch.device("cpu")
NAMES = ("cube", "sphere", "cone", "coffee mug")


def scene(width: int, height: int) -> Image.Image:
    """A picture of waves in three colours, of any shape."""
    y, x = torch.meshgrid(torch.linspace(0, 9, height), torch.linspace(0, 13, width), indexing="ij")
    rgb = torch.stack([x.sin(), (x + y).cos(), (x * y).sin()], dim=-1)
    return Image.fromarray(((rgb + 1) * 127.5).to(torch.uint8).numpy())


@pytest.mark.parametrize("name", ["demo", "tiny"])
@pytest.mark.parametrize("shape", [(64, 64), (200, 90), (37, 61)])
def test_equals_open_clip_from_picture_to_logits(name: str, shape: tuple[int, int], tiny_folder: Path) -> None:
    """open_clip's transform, towers and scale, one after the other, give the same logits to 1e-5 of their range."""
    folder = resource("demo") if name == "demo" else tiny_folder
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model, _, transform = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    model.eval()
    picture = scene(*shape)
    with torch.no_grad():
        image = model.encode_image(transform(picture)[None], normalize=True)
        ids = open_clip.get_tokenizer(f"local-dir:{folder}")([f"a photo of a {name}." for name in NAMES])
        text = model.encode_text(ids, normalize=True)
        scale = model.logit_scale.exp()
        expected = scale * image @ text.T

        backbone = load_backbone(f"local-dir:{folder}", CPU)
        ours = Classifier(backbone, NAMES, "a photo of a {}.").forward(backbone.view(picture)[None])
    torch.testing.assert_close(ours.features, image, atol=1e-5, rtol=0)
    torch.testing.assert_close(ours.logits, expected, atol=1e-5 * scale.item(), rtol=1e-5)


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
def test_the_view_is_open_clips_transform_without_the_normalisation(
    tiny_folder: Path, tmp_path: Path, mode: str
) -> None:
    """What the user is shown, normalised, is bit for bit what open_clip would feed the model."""
    folder = Path(shutil.copytree(tiny_folder, tmp_path / mode))
    config = json.loads((folder / "open_clip_config.json").read_text(encoding="utf-8"))
    config["preprocess_cfg"]["resize_mode"] = mode
    (folder / "open_clip_config.json").write_text(json.dumps(config), encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, _, transform = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    backbone = load_backbone(str(folder), CPU)
    for shape in ((64, 64), (90, 31), (24, 24), (20, 300)):
        seen = backbone.view(scene(*shape))
        assert seen.shape == (3, 24, 24)
        assert seen.min() >= 0
        assert seen.max() <= 1
        torch.testing.assert_close((seen - backbone.mean) / backbone.std, transform(scene(*shape)), atol=1e-6, rtol=0)


def test_a_picture_of_the_models_size_is_seen_as_it_is(tiny_backbone: Backbone) -> None:
    """Nothing is resampled that has the right size already."""
    picture = scene(24, 24)
    expected = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).view(24, 24, 3).permute(2, 0, 1) / 255
    assert torch.equal(tiny_backbone.view(picture), expected)


def test_normalisation_is_inside(tiny_classifier: Classifier, pixels: Pixels) -> None:
    """Pixels go in as they are; the image tower receives (pixel − mean) / std."""
    received: list[Tensor] = []
    hook = tiny_classifier.backbone.clip.visual.register_forward_pre_hook(lambda _, given: received.append(given[0]))
    try:
        images = pixels(3)
        tiny_classifier(images)
    finally:
        hook.remove()
    mean, std = torch.tensor([0.48, 0.46, 0.41]), torch.tensor([0.27, 0.26, 0.28])
    torch.testing.assert_close(received[0], (images - mean.view(3, 1, 1)) / std.view(3, 1, 1))


def test_what_it_says_of_itself(tiny_classifier: Classifier) -> None:
    """Its size, its device, one row of text a class, and outputs of fp32 with unit features."""
    assert (tiny_classifier.size, tiny_classifier.device.type) == (24, "cpu")
    assert tiny_classifier.text.shape == (len(tiny_classifier.classes), 16)
    output = tiny_classifier.forward(torch.rand(2, 3, 24, 24))
    assert output.logits.shape == (2, len(tiny_classifier.classes))
    assert output.logits.dtype == output.features.dtype == torch.float32
    torch.testing.assert_close(output.features.norm(dim=1), torch.ones(2))


def test_the_gradient_reaches_the_pixels_and_no_weight(tiny_classifier: Classifier, pixels: Pixels) -> None:
    """Attacks climb through it; every pixel has a gradient, and it is that of the function, as small steps confirm."""
    images = pixels(1).requires_grad_(True)
    (gradient,) = torch.autograd.grad(tiny_classifier(images)[0, 2], images)
    assert (gradient != 0).float().mean() > 0.99
    direction = gradient / gradient.norm()
    with torch.no_grad():
        gained = (tiny_classifier(images + 1e-2 * direction) - tiny_classifier(images - 1e-2 * direction))[0, 2] / 2e-2
    torch.testing.assert_close(gained, gradient.norm(), rtol=2e-2, atol=0)
    assert all(weight.grad is None for weight in tiny_classifier.backbone.clip.parameters())


def test_bf16_is_near_fp32(tiny_backbone: Backbone, tiny_classifier: Classifier, pixels: Pixels) -> None:
    """Under autocast the features differ in the third digit, not in kind; logits stay fp32."""
    half = Classifier(tiny_backbone, tiny_classifier.classes, tiny_classifier.template, precision="bf16")
    with torch.no_grad():
        exact, near = tiny_classifier.forward(pixels(4)), half.forward(pixels(4))
    assert near.logits.dtype == torch.float32
    assert not torch.equal(near.features, exact.features)
    assert (near.features * exact.features).sum(dim=1).min() > 0.999


def test_a_models_bias_is_added(tiny_folder: Path, tiny_classifier: Classifier, tmp_path: Path, pixels: Pixels) -> None:
    """SigLIP-like models learn a bias of their logits; it is part of them."""
    folder = Path(shutil.copytree(tiny_folder, tmp_path / "biased"))
    config = json.loads((folder / "open_clip_config.json").read_text(encoding="utf-8"))
    config["model_cfg"]["init_logit_bias"] = -10
    (folder / "open_clip_config.json").write_text(json.dumps(config), encoding="utf-8")
    weights = load_file(folder / "open_clip_model.safetensors")
    save_file({**weights, "logit_bias": torch.tensor(-7.5)}, folder / "open_clip_model.safetensors")
    biased = Classifier(load_backbone(str(folder), CPU), tiny_classifier.classes, tiny_classifier.template)
    with torch.no_grad():
        torch.testing.assert_close(biased(pixels(2)), tiny_classifier(pixels(2)) - 7.5)


def prompted(backbone: Backbone, classes: tuple[str, ...], coupling: str = "vision_to_text") -> Classifier:
    """A classifier with prompts that are far from the words they began as."""
    stream = torch.Generator().manual_seed(3)
    shape = PromptShape(coupling, 3, 2)
    prompts = Prompts(backbone, shape, initial_context(backbone, "a photo of a {}.", 3), stream)
    for value in prompts.parameters():
        value.data += 0.2 * torch.randn(value.shape, generator=stream)
    return Classifier(backbone, classes, "a photo of a {}.", prompts=prompts)


@pytest.mark.parametrize("coupling", COUPLINGS)
def test_the_order_of_the_classes_changes_nothing_but_the_order(
    tiny_backbone: Backbone, pixels: Pixels, coupling: str
) -> None:
    """Learned prompts are shared by all classes, so each class's logit stays its own wherever it stands."""
    names = ("a cube", "sphere", "a long name of three words", "cone")
    images = pixels(3)
    one = prompted(tiny_backbone, names, coupling)(images)
    other = prompted(tiny_backbone, names[::-1], coupling)(images)
    assert torch.allclose(one, other.flip(1), atol=1e-5)


def test_prompts_move_to_other_class_names(tiny_backbone: Backbone, pixels: Pixels) -> None:
    """A class keeps its logit among other neighbours; a name of another length is only another name."""
    images = pixels(3)
    known = prompted(tiny_backbone, ("cube", "sphere"))(images)
    moved = prompted(tiny_backbone, ("sphere", "something never tuned on", "cube"))(images)
    assert torch.allclose(known, moved[:, [2, 0]], atol=1e-5)


def test_prompts_that_are_the_words_are_the_plain_model(tiny_backbone: Backbone, pixels: Pixels) -> None:
    """Text prompts as long as the template that still are its own words give the zero-shot answer."""
    template, images = "a photo of a {}.", pixels(2)
    words = initial_context(tiny_backbone, template, 3)
    prompts = Prompts(tiny_backbone, PromptShape("text_only", 3, 1), words, torch.Generator())
    plain = Classifier(tiny_backbone, ("cube", "sphere"), template)
    same = Classifier(tiny_backbone, ("cube", "sphere"), template, prompts=prompts)
    assert torch.allclose(plain(images), same(images), atol=1e-5)


def test_prompts_are_constants_to_a_classifier(tiny_backbone: Backbone, pixels: Pixels) -> None:
    """An attack's gradient reaches the pixels and no learned value."""
    images = pixels(2).requires_grad_()
    classifier = prompted(tiny_backbone, ("cube", "sphere"))
    classifier(images).sum().backward()  # type: ignore[no-untyped-call]
    assert images.grad is not None
    assert float(images.grad.abs().max()) > 0
    assert not classifier.text.requires_grad
