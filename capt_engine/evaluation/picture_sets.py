"""Clean pictures, perturbations and adversarial pictures as records, for window, reports and files."""

from __future__ import annotations

import torch
from torch import Tensor

from capt_engine.evaluation.plan import PlannedAttack
from capt_engine.records import Picture, PictureSet, SignedPicture
from capt_engine.wrappers.reencoding import to_bytes


def picture_sets(images: Tensor, attacked: Tensor, planned: PlannedAttack | None) -> list[PictureSet]:
    """Turn a batch of clean and attacked pixels into records.

    Args:
        images: clean pixels (n, 3, h, w) in [0, 1].
        attacked: adversarial pixels of the same shape.
        planned: the attack, whose budget is the perturbation's scale where the norm bounds each value; None for none.

    Returns:
        One set a picture: both pictures rounded to 8 bits, and the perturbation in 254 steps of its own scale.
    """
    deltas = (attacked - images).permute(0, 2, 3, 1).cpu()
    return [
        PictureSet(_picture(seen), _signed(delta, planned), _picture(adversarial))
        for seen, delta, adversarial in zip(to_bytes(images), deltas, to_bytes(attacked), strict=True)
    ]


def picture_of(seen: Tensor) -> Picture:
    """Return a picture as a value of 8-bit colours.

    Args:
        seen: pixels (3, h, w) in [0, 1].

    Returns:
        Its width, height and RGB bytes.
    """
    return _picture(to_bytes(seen[None])[0])


def _picture(rgb: Tensor) -> Picture:
    height, width, _ = rgb.shape
    return Picture(width, height, rgb.numpy().tobytes())


def _signed(delta: Tensor, planned: PlannedAttack | None) -> SignedPicture:
    height, width, _ = delta.shape
    largest = float(delta.abs().max())
    # In the budget's own units where the norm bounds each value, so that ±ε is exactly ±127.
    bounded = (
        planned is not None
        and not planned.wanted.budget
        and planned.threat.norm.name == "linf"
        and planned.threat.eps > 0
    )
    scale = planned.threat.eps if planned is not None and bounded else largest or 1.0
    values = (delta / scale * 127).round().clamp(-127, 127).to(torch.int8)
    return SignedPicture(width, height, scale, values.contiguous().numpy().tobytes())
