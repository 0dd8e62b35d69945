"""Labelled pictures of the toy world as tensors: enough to try everything without any data."""

from __future__ import annotations

import torch
from PIL import Image
from torch import Tensor

from capt_engine.demo import world
from capt_engine.model.clip import Backbone


def demo_pictures(
    clip: Backbone, task: str = "shapes", *, split: str = "test", domain: str = "plain", n: int = 8
) -> tuple[Tensor, Tensor, tuple[str, ...]]:
    """Draw labelled pictures of the bundled toy world.

    Args:
        clip: the model that will look at them; the demo model knows this world, others do not.
        task: "shapes", "colours", "materials", "shape-material" or "unseen".
        split: "train", "val" or "test"; no picture is in two of them.
        domain: "plain", "night", "fog", "sketch", "clay", "tumbled" or "film".
        n: how many; the same ones every time.

    Returns:
        Pixels (n, 3, h, w) in [0, 1] at the size that `clip` sees, labels (n,), both on its device, and the class names.

    Raises:
        UnknownName: another task, split or domain.
        BadRequest: a domain that does not fit the task.

    Example:
        >>> import capt_engine as capt
        >>> x, y, classes = capt.demo_pictures(capt.load_clip("demo"), n=3)
        >>> x.shape[:2], y.shape, classes[:3]
        (torch.Size([3, 3]), torch.Size([3]), ('sphere', 'cube', 'cylinder'))
    """
    pixels, labels = world.pictures(task, split, n, domain)
    device = clip.mean.device
    images = torch.stack([clip.view(Image.fromarray(one)) for one in pixels])
    return images.to(device), torch.tensor(labels, device=device), world.TASKS[task].classes
