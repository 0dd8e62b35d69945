"""Square windows of pictures, each at a place of its own."""

from __future__ import annotations

import torch
from torch import Tensor


def window(images: Tensor, corners: Tensor, side: int) -> tuple[Tensor, ...]:
    """Build the index of one square window in each picture: `images[window(…)]` reads or sets the windows.

    Args:
        images: (n, c, h, w), for their shape and device.
        corners: the first row and the first column of each window, (n, 2), int64, such that the window lies inside the
            picture.
        side: height and width of the windows, in pixels; a picture that is smaller cuts them to its own height or
            width.

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
