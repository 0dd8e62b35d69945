"""Attacks on pictures of 8-bit values: the model rounds its input during the attack, and the adversarial picture is rounded afterwards.

So no success depends on values between two 8-bit ones. Without this an attack is judged at full precision, and its survival of saving is
measured beside (`wrappers.reencoding`).
"""

from __future__ import annotations

from torch import Tensor

from capt_engine.attacks.base import Attack, LogitsFn, PictureRngs, Threat
from capt_engine.model.classifier import Classifier, Output
from capt_engine.progress import Progress
from capt_engine.wrappers.reencoding import as_png


class Quantized(Classifier):
    """A classifier that rounds its input to 8 bits, with a straight-through gradient (Bengio et al. 2013, arXiv 1308.3432).

    On a picture of 8-bit values it is the classifier itself, bit for bit.
    """

    def __init__(self, inner: Classifier) -> None:
        """Take over the model, the class list and the preprocessing of `inner`."""
        self.__dict__.update(vars(inner))
        self.inner = inner

    def forward(self, images: Tensor) -> Output:
        """Classify pictures rounded to 8 bits.

        Args:
            images: pixels (n, 3, h, w) in [0, 1].

        Returns:
            Logits (n, k) and unit image embeddings (n, d) of the rounded pictures; their gradient passes the rounding unchanged.
        """
        rounded = as_png(images.detach())
        # The difference is exactly 0, and carries the gradient.
        return self.inner.forward(rounded + (images - images.detach()) if images.requires_grad else rounded)


def unquantized(model: LogitsFn) -> LogitsFn:
    """Return the model behind the rounding to 8 bits.

    Args:
        model: pixels (n, 3, h, w) -> logits (n, k), `Quantized` or not.

    Returns:
        The model that `Quantized` wraps, or `model` itself where it does not round.
    """
    return model.inner if isinstance(model, Quantized) else model


def run_attack(
    attack: Attack,
    model: LogitsFn,
    images: Tensor,
    labels: Tensor,
    threat: Threat,
    rngs: PictureRngs,
    progress: Progress,
) -> Tensor:
    """Run an attack, and where the threat model asks for it round its pictures to 8 bits without leaving the ball.

    An attack with a budget of its own has no ball; its pictures are rounded to the nearest value.

    Args:
        attack: the attack with its settings.
        model: pixels (n, 3, h, w) in [0, 1] → logits (n, k), `Quantized` where `threat.eight_bits`.
        images: clean pictures (n, 3, h, w) in [0, 1], of 8-bit values as read from files where `threat.eight_bits`.
        labels: class indices (n,) to get away from; when `threat.targeted`, the classes to reach.
        threat: norm, budget, goal and rounding.
        rngs: one random stream per picture.
        progress: called `attack.work` times at most; an exception that it raises ends the attack.

    Returns:
        Adversarial pictures (n, 3, h, w) in [0, 1].

    Raises:
        BadRequest: the threat or the model does not fit the attack.
    """
    found = attack.run(model, images, labels, threat, rngs, progress)
    if not threat.eight_bits:
        return found
    if not attack.norms:
        return as_png(found)
    # In whole numbers, so that k + 4 is the same value whether it was reached from k or read from a file.
    steps = (threat.norm.quantize(found - images, threat.eps) * 255).round()
    return ((images * 255).round() + steps) / 255
