"""Square windows of pictures, each at a place of its own."""

from __future__ import annotations

import torch
from torch import Tensor


def window(images: Tensor, corners: Tensor, side: int) -> tuple[Tensor, ...]:
    """Index of one square window a picture: `images[window(…)]` reads the windows, (n, c, side, side), and assigning to it writes them.

    Args:
        images: (n, c, h, w).
        corners: the first row and the first column of each window, (n, 2), int64.
        side: height and width of the windows, in pixels; the part that lies beyond a picture's edge is cut off.

    Returns:
        Four int64 tensors that broadcast to (n, c, side, side).
    """
    n, channels, height, width = images.shape
    rows, columns = (torch.arange(min(side, length), device=images.device) for length in (height, width))
    return (
        torch.arange(n, device=images.device)[:, None, None, None],
        torch.arange(channels, device=images.device)[:, None, None],
        (corners[:, :1] + rows)[:, None, :, None],
        (corners[:, 1:] + columns)[:, None, None, :],
    )
