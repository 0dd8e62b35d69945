"""Precisions are what they are called, and what is repeatable is so to the bit."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

import capt_engine as capt
from capt_engine.errors import DeviceProblem, UnknownName
from capt_engine.model import numerics
from capt_engine.model.classifier import Classifier

CPU = torch.device("cpu")


def logits_and_gradient(model: Classifier, pictures: Tensor) -> tuple[Tensor, Tensor]:
    """The logits of some pictures, and the gradient of the sum of their largest."""
    x = pictures.clone().requires_grad_()
    logits = model(x)
    logits.amax(dim=1).sum().backward()
    assert x.grad is not None
    return logits.detach(), x.grad


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_keeps_the_signs_of_gradients(
    tiny_classifier: Classifier, pixels: Callable[..., Tensor], precision: str
) -> None:
    """The gradient does not vanish on its way to the pixels, and fp32 is left as it is."""
    logits, gradient = logits_and_gradient(tiny_classifier, pixels(4))
    half = tiny_classifier.in_precision(precision)
    lower, rounded = logits_and_gradient(half, pixels(4))
    assert not torch.equal(lower, logits)
    assert float((rounded.sign() == gradient.sign()).float().mean()) > 0.9
    # Scaled there and back.
    assert float((rounded - gradient).norm() / gradient.norm()) < 0.1
    assert torch.equal(logits_and_gradient(tiny_classifier, pixels(4))[0], logits)


def test_a_precision_that_a_device_lacks_is_refused(tiny_classifier: Classifier) -> None:
    """A sentence names the device, and another word the words that there are."""
    with pytest.raises(DeviceProblem, match="this is cpu"):
        tiny_classifier.in_precision("tf32")
    with pytest.raises(UnknownName, match="fp8"):
        tiny_classifier.in_precision("fp8")


def test_an_old_gpu_has_neither_tf32_nor_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before Ampere there is fp16 instead."""
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (7, 5))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "an old GPU")
    cuda = torch.device("cuda")
    for precision in ("tf32", "bf16"):
        with pytest.raises(DeviceProblem, match="an old GPU has no units"):
            numerics.require_precision(precision, cuda)
    numerics.require_precision("fp16", cuda)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (8, 0))
    numerics.require_precision("tf32", cuda)


def test_fp32_is_not_tf32_on_a_gpu() -> None:
    """Convolutions too: torch's own default would round them to ten bits."""
    parts = (torch.backends.cudnn.conv, torch.backends.cudnn.rnn, torch.backends.cuda.matmul)
    before = [part.fp32_precision for part in parts]
    try:
        for precision, inside in (("tf32", "tf32"), ("fp32", "ieee")):
            numerics.computing(precision, torch.device("cuda"))
            assert {part.fp32_precision for part in parts} == {inside}
            assert numerics.switches()["float32_convolution"] == inside
    finally:
        for part, value in zip(parts, before, strict=True):
            part.fp32_precision = value


def test_repeatable_algorithms_are_asked_for_only_inside() -> None:
    """One job within another: each has its own setting, and afterwards all is as it was."""
    before = numerics.switches()
    compiler = "torch._inductor" in sys.modules
    with numerics.repeatable(True):
        assert numerics.switches()["algorithms"] is numerics.switches()["cudnn"] is True
        with numerics.repeatable(False):
            pass
        assert torch.are_deterministic_algorithms_enabled()
    assert numerics.switches() == before
    # Which takes seconds to import.
    assert ("torch._inductor" in sys.modules) == compiler


def test_an_operation_that_cannot_be_repeated_is_known_by_its_error() -> None:
    """Torch's own words for it, and no others."""
    words = "upsample_bicubic2d_backward_out_cuda does not have a deterministic implementation, but you set …"
    assert numerics.is_unrepeatable(RuntimeError(words))
    assert not numerics.is_unrepeatable(RuntimeError("out of memory"))
    assert not numerics.is_unrepeatable(ValueError(words))


def test_a_lone_photograph_has_the_bits_that_it_has_among_others() -> None:
    """Logits and gradient of the bundled model of photographs, whose trunk is convolutional."""
    clip = capt.load_clip("photo")
    model = Classifier(clip, ("dog", "cat", "boat"), "a photo of a {}.")
    x = torch.rand(3, 3, clip.size, clip.size, generator=torch.Generator().manual_seed(1))
    logits, gradient = logits_and_gradient(model, x)
    alone, of_it = logits_and_gradient(model, x[1:2])
    assert torch.equal(alone[0], logits[1])
    assert torch.equal(of_it[0], gradient[1])


@pytest.mark.parametrize("n_classes", [4, 10])
def test_a_picture_has_its_bits_among_however_many(n_classes: int) -> None:
    """Logits and gradient of a vision transformer: few pictures go through kernels of the library that many do not."""
    clip = capt.load_clip("demo")
    model = Classifier(clip, [f"thing {i}" for i in range(n_classes)], "a photo of a {}.")
    x = torch.rand(16, 3, clip.size, clip.size, generator=torch.Generator().manual_seed(1))
    alone = [logits_and_gradient(model, one[None]) for one in x[:3]]
    for n in (2, 3, 5, 16):
        logits, gradient = logits_and_gradient(model, x[:n])
        for i, (of_one, its_gradient) in enumerate(alone[:n]):
            assert torch.equal(logits[i], of_one[0]), (n, i)
            assert torch.equal(gradient[i], its_gradient[0]), (n, i)


def test_rows_are_multiplied_alike_however_many_there_are() -> None:
    """Their products are those of the whole matrix, none of no rows, and each row's bits are its own."""
    stream = torch.Generator().manual_seed(2)
    rows, matrix = torch.rand(17, 64, generator=stream), torch.rand(64, 10, generator=stream)
    found = numerics.product_of_rows(rows, matrix)
    assert torch.allclose(found, rows @ matrix, atol=1e-5)
    assert numerics.product_of_rows(rows[:0], matrix).shape == (0, 10)
    for i in range(len(rows)):
        assert torch.equal(numerics.product_of_rows(rows[i : i + 1], matrix)[0], found[i])


def test_a_gpu_is_described_by_all_that_its_bits_depend_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Driver, cuDNN and the kernels of attention; nothing of a processor."""
    assert set(numerics.accelerator_facts(CPU).values()) == {""}
    file = tmp_path / "version"
    file.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Release Build\nGCC version: 13\n")
    monkeypatch.setattr(numerics, "_DRIVER", file)
    found = numerics.accelerator_facts(torch.device("cuda"))
    assert found["driver"] == "580.65.06"
    assert "math" in found["attention"]
