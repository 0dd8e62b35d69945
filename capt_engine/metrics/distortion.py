"""How different the attacked picture is from the clean one, to a ruler and to an eye."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from capt_engine.metrics.base import Metric, Outcomes


def psnr(images: Tensor, attacked: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB, (n,), for pixels in [0, 1]; infinite for equal pictures."""
    return -10 * torch.log10((images - attacked).square().flatten(1).mean(dim=1))


def ssim(images: Tensor, attacked: Tensor) -> Tensor:
    """Structural similarity (Wang et al. 2004), (n,), pixels in [0, 1]: Gaussian window 11 × 11, σ 1.5, valid region, mean over RGB.

    Pictures smaller than the window give NaN.
    """
    if min(images.shape[-2:]) < 11:
        return torch.full((len(images),), math.nan, device=images.device)
    down, across = (_window(size, images.device) for size in images.shape[-2:])

    def blurred(x: Tensor) -> Tensor:
        found: Tensor = down @ x @ across.T
        return found

    # In double precision: the variances are differences of nearly equal numbers in flat regions.
    x, y = images.double(), attacked.double()
    mean_x, mean_y = blurred(x), blurred(y)
    var_x, var_y = blurred(x * x) - mean_x**2, blurred(y * y) - mean_y**2
    covariance = blurred(x * y) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    scores = (2 * mean_x * mean_y + c1) * (2 * covariance + c2) / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))
    return scores.view(len(images), -1).mean(dim=1).float()


def _window(size: int, device: torch.device) -> Tensor:
    """What the window does along one axis, as a matrix (size − 10, size): a product with it is several times as fast as a convolution."""
    offsets = torch.arange(11, dtype=torch.float64, device=device) - 5
    window = torch.exp(-(offsets**2) / (2 * 1.5**2))
    rows = torch.arange(size - 10, device=device)[:, None]
    band = torch.zeros(size - 10, size, dtype=torch.float64, device=device)
    return band.scatter(1, rows + torch.arange(11, device=device), (window / window.sum()).expand(size - 10, 11))


HALF_NYQUIST = 0.25
"""The cut-off of `high_share` in cycles per pixel: a pattern that repeats every 4 pixels. The finest that pixels hold repeats every 2."""


def high_share(images: Tensor, attacked: Tensor) -> Tensor:
    """The share of the change's energy at high spatial frequencies, (n,), in [0, 1]; NaN where nothing changed.

    Energy: |DFT|² of the change, added up over the colours. High: √(f_x² + f_y²) > HALF_NYQUIST, in cycles per pixel. White noise has
    1 − π/16 ≈ 0.80 of its energy there, on large pictures.
    """
    height, width = images.shape[-2:]
    energy: Tensor = torch.fft.rfft2(attacked - images).abs().square().sum(dim=1)
    across: Tensor = torch.fft.rfftfreq(width, device=images.device)
    down: Tensor = torch.fft.fftfreq(height, device=images.device)
    # Of a real signal's spectrum half is kept: what has a mirror image beyond it counts twice.
    mirrored = 1 + ((across > 0) & (across < 0.5)).double()
    energy = energy.double() * mirrored
    is_high = (down[:, None].square() + across.square()) > HALF_NYQUIST**2
    return ((energy * is_high).flatten(1).sum(dim=1) / energy.flatten(1).sum(dim=1)).clamp(0, 1).float()


def _saved(outcomes: Outcomes) -> Tensor:
    """The change between the two pictures as 8-bit files hold them, (n, 3 · h · w)."""
    return ((outcomes.adversarial_images * 255).round() - (outcomes.images * 255).round()).flatten(1) / 255


def _lpips(outcomes: Outcomes) -> Tensor:
    if outcomes.lpips is None:
        return torch.full((len(outcomes.images),), math.nan)
    return outcomes.lpips(outcomes.images, outcomes.adversarial_images)


LINF_DISTANCE = Metric(
    "linf",
    "L∞ distance",
    lambda o: (o.adversarial_images - o.images).flatten(1).abs().amax(dim=1),
    "The largest change of any colour value of any pixel.",
    unit="/255",
    low=0.0,
    high=1.0,
    higher_is_better=False,
)
L2_DISTANCE = Metric(
    "l2",
    "L2 distance",
    lambda o: (o.adversarial_images - o.images).flatten(1).square().sum(dim=1).sqrt(),
    "The Euclidean length of the whole change, with colour values in [0, 1].",
    low=0.0,
    higher_is_better=False,
)
PSNR = Metric(
    "psnr",
    "PSNR",
    lambda o: psnr(o.images, o.adversarial_images),
    "Peak signal-to-noise ratio: above some 40 dB few people see a difference.",
    unit="dB",
    higher_is_better=True,
)
SSIM = Metric(
    "ssim",
    "SSIM",
    lambda o: ssim(o.images, o.adversarial_images),
    "Structural similarity to the clean picture as an eye would judge it; 1 is the same picture.",
    low=-1.0,
    high=1.0,
    higher_is_better=True,
)
L0_DISTANCE = Metric(
    "l0",
    "Pixels changed",
    lambda o: (o.adversarial_images != o.images).any(dim=1).flatten(1).double().mean(dim=1).float(),
    "The share of pixels of which any colour value changed at all.",
    low=0.0,
    high=1.0,
    higher_is_better=False,
)
MEAN_CHANGE = Metric(
    "mean_change",
    "Mean change",
    lambda o: (o.adversarial_images - o.images).flatten(1).abs().double().mean(dim=1).float(),
    "By how much a colour value changed on average.",
    unit="/255",
    low=0.0,
    high=1.0,
    higher_is_better=False,
)
HIGH_FREQUENCY = Metric(
    "high_frequency",
    "Fine-grained change",
    lambda o: high_share(o.images, o.adversarial_images),
    "The share of the change's energy in patterns finer than four pixels, which eyes and JPEG drop first; white noise has 0.80.",
    low=0.0,
    high=1.0,
)
LINF_SAVED = Metric(
    "linf_png",
    "L∞ distance, saved",
    lambda o: _saved(o).abs().amax(dim=1),
    "The largest change of any colour value between the two pictures as PNG files hold them, in whole steps of 1/255.",
    unit="/255",
    low=0.0,
    high=1.0,
    higher_is_better=False,
)
L2_SAVED = Metric(
    "l2_png",
    "L2 distance, saved",
    lambda o: _saved(o).square().sum(dim=1).sqrt(),
    "The Euclidean length of the change between the two pictures as PNG files hold them, with colour values in [0, 1].",
    low=0.0,
    higher_is_better=False,
)
LPIPS = Metric(
    "lpips",
    "LPIPS",
    _lpips,
    "How far apart another network sees both pictures (Zhang et al. 2018); 0 for the same picture. Measured where you brought its weights.",
    low=0.0,
    higher_is_better=False,
)
