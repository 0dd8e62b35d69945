"""Attacked pictures as files hold them: rounding to 8 bits as a part of the model while attacking, and of the picture afterwards.

So nothing counts as fooled that is so only between two 8-bit values; without it an attack is judged at full precision, and what
saving does to its picture stands beside (`survival`).
"""

from __future__ import annotations

from torch import Tensor

from capt_engine.attacks.base import Attack, Logits, PictureRngs, Threat
from capt_engine.model.classifier import Classifier, Output
from capt_engine.progress import Progress
from capt_engine.wrappers.reencoding import as_png


class InEightBits(Classifier):
    """A classifier that sees every picture rounded to 8 bits; the slope passes the rounding as if it were not there.

    (Bengio et al. 2013, arXiv 1308.3432, call that a straight-through estimator.) On a picture that has 8-bit values already it is
    the classifier itself, bit for bit.
    """

    def __init__(self, inner: Classifier) -> None:
        """The same model, class list and view of pictures."""
        self.__dict__.update(vars(inner))
        self.inner = inner

    def forward(self, images: Tensor) -> Output:
        """As the classifier's, of the rounded pictures."""
        rounded = as_png(images.detach())
        # The difference is exactly 0, and carries the slope.
        return self.inner.forward(rounded + (images - images.detach()) if images.requires_grad else rounded)


def without_rounding(model: Logits) -> Logits:
    """The model behind the rounding, where there is any."""
    return model.inner if isinstance(model, InEightBits) else model


def crafted(
    attack: Attack, model: Logits, images: Tensor, labels: Tensor, threat: Threat, rngs: PictureRngs, progress: Progress
) -> Tensor:
    """What the attack finds, (n, 3, h, w) in [0, 1]; where the threat asks for 8 bits, the nearest such pictures in its ball.

    images: of 8-bit values, as read from files. An attack with a budget of its own has no ball, and is rounded plainly.
    """
    found = attack.run(model, images, labels, threat, rngs, progress)
    if not threat.eight_bits:
        return found
    if not attack.norms:
        return as_png(found)
    # In whole numbers, so that k + 4 is the same value whether it was reached from k or read from a file.
    steps = (threat.norm.whole(found - images, threat.eps) * 255).round()
    return ((images * 255).round() + steps) / 255
