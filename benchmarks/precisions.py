"""The share of gradient signs that are those of fp32, and how far logits lie apart, in bf16 and fp16 on the processor."""

from __future__ import annotations

from capt_engine import torch_settings as _torch_settings  # noqa: F401 - before any torch, as in the program

# isort: split

import torch
import torch.nn.functional as F
from torch import Tensor

import capt_engine as capt
from capt_engine.attacks.criterion import Criterion
from capt_engine.attacks.gradients import value_and_grad
from capt_engine.attacks.losses import LOSSES

WORDS = ["dog", "cat", "car", "tree", "house", "bird", "boat", "cup"]


def main() -> None:
    demo, photo = capt.load_clip("demo"), capt.load_clip("photo")
    x, y, classes = capt.demo_pictures(demo, n=24)
    report("demo", capt.Classifier(demo, classes, "a photo of a {}."), x, y)
    noise = torch.rand(8, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    smooth = F.interpolate(noise, (photo.size, photo.size), mode="bicubic").clamp(0, 1)
    model = capt.Classifier(photo, WORDS, "a photo of a {}.")
    with torch.no_grad():
        answers = model(smooth).argmax(dim=1)
    report("photo", model, smooth, answers)


def report(name: str, model: capt.Classifier, x: Tensor, y: Tensor) -> None:
    """Print what becomes of the gradient of the cross-entropy."""

    def gradient(one: capt.Classifier) -> Tensor:
        return value_and_grad(one, x, Criterion(y), lambda logits: LOSSES["cross-entropy"](logits, y)).gradient

    exact = gradient(model)
    with torch.no_grad():
        logits = model(x)
    for precision in ("bf16", "fp16"):
        lower = model.in_precision(precision)
        same = (gradient(lower).sign() == exact.sign()).flatten(1).float().mean(dim=1)
        with torch.no_grad():
            apart = float((lower(x) - logits).abs().max())
        print(
            f"{name} {precision}: {float(same.mean()):.1%} of the signs, {float(same.min()):.1%} of the worst picture; "
            f"logits at most {apart:.3g} apart ({len(x)} pictures)"
        )


if __name__ == "__main__":
    main()
