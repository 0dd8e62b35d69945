"""Distances between an attacked picture and the clean one, to a ruler and to an eye: functions of two batches of pixels."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from capt_engine.model.devices import exact

__all__ = ["high_frequency", "l0", "l2", "linf", "mean_change", "psnr", "ssim"]

HALF_NYQUIST = 0.25
"""The cut-off of `high_frequency` in cycles per pixel, a pattern that repeats every 4 pixels; the finest that pixels hold has 0.5."""


# Rows that are blurred at once: on a CPU the least time lies between 24 and 48.
_BLOCK = 32


def linf(images: Tensor, adversarial: Tensor) -> Tensor:
    """Compute the largest change of any colour value, max |x′ − x|.

    Args:
        images: clean pixels (n, 3, h, w) in [0, 1].
        adversarial: attacked pixels, shaped like `images`.

    Returns:
        Distances (n,) in [0, 1].

    Example:
        >>> linf(torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 0.25))
        tensor([0.2500])
    """
    return (adversarial - images).flatten(1).abs().amax(dim=1)


def l2(images: Tensor, adversarial: Tensor) -> Tensor:
    """Euclidean length of the change, √Σ (x′ − x)².

    Args:
        images: clean pixels (n, 3, h, w) in [0, 1].
        adversarial: attacked pixels, shaped like `images`.

    Returns:
        Distances (n,), from 0 to √(3 h w).

    Example:
        >>> l2(torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 0.5))
        tensor([1.7321])
    """
    return (adversarial - images).flatten(1).square().sum(dim=1).sqrt()


def l0(images: Tensor, adversarial: Tensor) -> Tensor:
    """Compute the share of pixels of which any colour value changed.

    Args:
        images: clean pixels (n, 3, h, w) in [0, 1].
        adversarial: attacked pixels, shaped like `images`.

    Returns:
        Shares (n,) in [0, 1].

    Example:
        >>> adversarial = torch.zeros(1, 3, 2, 2)
        >>> adversarial[0, 0, 0, 0] = 0.1
        >>> l0(torch.zeros(1, 3, 2, 2), adversarial)
        tensor([0.2500])
    """
    return exact((adversarial != images).any(dim=1).flatten(1)).mean(dim=1).float()


def mean_change(images: Tensor, adversarial: Tensor) -> Tensor:
    """Compute the mean absolute change of a colour value, mean |x′ − x|.

    Args:
        images: clean pixels (n, 3, h, w) in [0, 1].
        adversarial: attacked pixels, shaped like `images`.

    Returns:
        Mean changes (n,) in [0, 1].

    Example:
        >>> mean_change(torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 0.5))
        tensor([0.5000])
    """
    return exact((adversarial - images).flatten(1).abs()).mean(dim=1).float()


def psnr(images: Tensor, adversarial: Tensor) -> Tensor:
    """Peak signal-to-noise ratio, −10 log₁₀ mean (x′ − x)².

    Args:
        images: clean pixels (n, 3, h, w) in [0, 1].
        adversarial: attacked pixels, shaped like `images`.

    Returns:
        Ratios (n,) in dB; infinity for equal pictures.

    Example:
        >>> psnr(torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 0.1))
        tensor([20.])
    """
    return -10 * torch.log10((images - adversarial).square().flatten(1).mean(dim=1))


def ssim(images: Tensor, adversarial: Tensor) -> Tensor:
    """Compute the structural similarity (Wang et al. 2004), its mean over windows and colours.

    The window is a Gaussian of 11 × 11 pixels with σ 1.5; only whole windows count.

    Args:
        images: clean pixels (n, 3, h, w) in [0, 1].
        adversarial: attacked pixels, shaped like `images`.

    Returns:
        Similarities (n,) in [−1, 1], 1 for equal pictures; NaN for pictures smaller than the window.

    Example:
        >>> picture = torch.linspace(0, 1, 3 * 12 * 12).view(1, 3, 12, 12)
        >>> ssim(picture, picture)
        tensor([1.])
    """
    if min(images.shape[-2:]) < 11:
        return torch.full((len(images),), math.nan, device=images.device)

    if not len(images):
        return torch.empty(0, device=images.device)
    # In double precision: the variances are differences of nearly equal numbers in flat regions.
    like = exact(images[:0])
    n, colours, height, width = images.shape
    # A picture at a time stays in a processor's cache; and in place, as most of the time was the first touch of fresh memory.
    at_once = 1 if like.device.type == "cpu" else n
    planes = at_once * colours
    x, y = (like.new_empty(planes, height, width) for _ in range(2))
    mean_x, mean_y, squares, product = (like.new_empty(planes, height - 10, width - 10) for _ in range(4))
    blur = _Blur(x)
    c1, c2 = 0.01**2, 0.03**2
    scores = []
    for clean, attacked in zip(torch.split(images, at_once), torch.split(adversarial, at_once), strict=True):
        x.copy_(clean.flatten(0, 1))
        y.copy_(attacked.flatten(0, 1))
        blur(x, mean_x)
        blur(y, mean_y)
        blur(x * y, product)
        # Only the sum of the two variances is needed, so the squares are blurred together.
        blur(x.square_().addcmul_(y, y), squares)
        product_of_means = mean_x * mean_y
        squares_of_means = mean_x.square_().addcmul_(mean_y, mean_y)
        covariance, variances = product.sub_(product_of_means), squares.sub_(squares_of_means)
        likeness = product_of_means.mul_(2).add_(c1).mul_(covariance.mul_(2).add_(c2))
        likeness.div_(squares_of_means.add_(c1).mul_(variances.add_(c2)))
        scores.append(likeness.view(at_once, -1).mean(dim=1))
    return torch.cat(scores).float()


def high_frequency(images: Tensor, adversarial: Tensor) -> Tensor:
    """Compute the share of the change's energy at high spatial frequencies, √(f_x² + f_y²) > HALF_NYQUIST.

    Energy is |DFT|² of the change, added up over the colours. White noise has 1 − π/16 ≈ 0.80 of its energy there, on
    large pictures.

    Args:
        images: clean pixels (n, 3, h, w) in [0, 1].
        adversarial: attacked pixels, shaped like `images`.

    Returns:
        Shares (n,) in [0, 1]; NaN where nothing changed.

    Example:
        >>> stripes = torch.tensor([0.0, 1.0]).repeat(4).expand(1, 3, 8, 8)
        >>> high_frequency(torch.full((1, 3, 8, 8), 0.5), stripes)
        tensor([1.])
    """
    height, width = images.shape[-2:]
    energy = exact(torch.fft.rfft2(adversarial - images).abs().square().sum(dim=1))
    across: Tensor = torch.fft.rfftfreq(width, device=energy.device)
    down: Tensor = torch.fft.fftfreq(height, device=energy.device)
    # Of a real signal's spectrum half is kept: what has a mirror image beyond it counts twice.
    mirrored = 1 + ((across > 0) & (across < 0.5)).double()
    energy = energy * mirrored
    is_high = (down[:, None].square() + across.square()) > HALF_NYQUIST**2
    return ((energy * is_high).flatten(1).sum(dim=1) / energy.flatten(1).sum(dim=1)).clamp(0, 1).float()


class _Blur:
    """The window's means of planes of one shape.

    A product with a band of the window's weights is several times as fast as a convolution, and in blocks as a band that is mostly
    zeros need not be multiplied whole.
    """

    def __init__(self, like: Tensor) -> None:
        """like: planes (p, h, w) as those that are blurred."""
        planes, height, width = like.shape
        self._rows, self._columns = _blocks(height - 10), _blocks(width - 10)
        self._bands = {one: _window(one + 10, like.device) for one in {b - a for a, b in self._rows + self._columns}}
        self._down = like.new_empty(planes, height - 10, width)

    def __call__(self, x: Tensor, into: Tensor) -> None:
        """Write the means of x (p, h, w) into a contiguous tensor (p, h − 10, w − 10)."""
        for start, end in self._rows:
            band = self._bands[end - start].expand(len(x), -1, -1)
            torch.bmm(band, x[:, start : end + 10], out=self._down[:, start:end])
        down, across = self._down.flatten(0, 1), into.flatten(0, 1)
        for start, end in self._columns:
            torch.mm(down[:, start : end + 10], self._bands[end - start].T, out=across[:, start:end])


def _blocks(n: int) -> list[tuple[int, int]]:
    """Begin and end of the blocks of n rows."""
    return [(start, min(start + _BLOCK, n)) for start in range(0, n, _BLOCK)]


def _window(size: int, device: torch.device) -> Tensor:
    """The window's weights along one axis as a matrix (size − 10, size)."""
    offsets = torch.arange(11, dtype=torch.float64, device=device) - 5
    window = torch.exp(-(offsets**2) / (2 * 1.5**2))
    rows = torch.arange(size - 10, device=device)[:, None]
    band = torch.zeros(size - 10, size, dtype=torch.float64, device=device)
    return band.scatter(1, rows + torch.arange(11, device=device), (window / window.sum()).expand(size - 10, 11))
