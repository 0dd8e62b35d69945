"""Distances between pictures, against loops that follow the definitions word by word."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from capt_engine.metrics import METRICS
from capt_engine.metrics.base import Outcomes
from capt_engine.metrics.distortion import HALF_NYQUIST, high_frequency, psnr, ssim

Pixels = Callable[..., Tensor]


def ssim_by_hand(x: np.ndarray, y: np.ndarray) -> float:
    """Wang et al. 2004, equation 13, over one channel (h, w): Gaussian weights 11 × 11, σ 1.5, mean over all whole windows."""
    c1, c2 = (0.01 * 1.0) ** 2, (0.03 * 1.0) ** 2
    weights = np.array([[math.exp(-(i * i + j * j) / (2 * 1.5**2)) for j in range(-5, 6)] for i in range(-5, 6)])
    weights /= weights.sum()
    scores = []
    for top in range(x.shape[0] - 10):
        for left in range(x.shape[1] - 10):
            a, b = x[top : top + 11, left : left + 11], y[top : top + 11, left : left + 11]
            mean_a, mean_b = (weights * a).sum(), (weights * b).sum()
            var_a, var_b = (weights * (a - mean_a) ** 2).sum(), (weights * (b - mean_b) ** 2).sum()
            covariance = (weights * (a - mean_a) * (b - mean_b)).sum()
            scores.append(
                (2 * mean_a * mean_b + c1)
                * (2 * covariance + c2)
                / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
            )
    return float(np.mean(scores))


@pytest.mark.parametrize("amount", [0.0, 0.02, 0.3])
def test_ssim_is_its_definition(pixels: Pixels, amount: float) -> None:
    """The convolutions give what two loops and the formula of the paper give."""
    images = pixels(2, 17)
    attacked = (images + amount * (pixels(2, 17, seed=1) - 0.5)).clamp(0, 1)
    for i, score in enumerate(ssim(images, attacked).tolist()):
        x, y = images[i].double().numpy(), attacked[i].double().numpy()
        expected = np.mean([ssim_by_hand(x[channel], y[channel]) for channel in range(3)])
        assert score == pytest.approx(expected, abs=1e-6)


def test_ssim_of_flat_pictures_compares_their_brightness() -> None:
    """Without structure only the means are left: (2ab + c₁) / (a² + b² + c₁)."""
    dark, light = torch.full((1, 3, 12, 12), 0.25), torch.full((1, 3, 12, 12), 0.75)
    expected = (2 * 0.25 * 0.75 + 1e-4) / (0.25**2 + 0.75**2 + 1e-4)
    assert ssim(dark, light).item() == pytest.approx(expected, abs=1e-6)


def test_ssim_of_a_negative_is_low(pixels: Pixels) -> None:
    """A picture turned into its negative keeps no structure."""
    images = pixels(3)
    assert ssim(images, 1 - images).max() < 0


def test_ssim_of_a_picture_below_the_window_is_undefined() -> None:
    """Ten pixels do not hold a window of eleven: NaN, which no row repeats."""
    assert ssim(torch.zeros(2, 3, 10, 40), torch.zeros(2, 3, 10, 40)).isnan().all()


def test_psnr_is_its_definition(pixels: Pixels) -> None:
    """10 · log₁₀(1 / mean squared error): 20 dB for an error of 0.1 everywhere."""
    grey = torch.full((1, 3, 12, 12), 0.4)
    assert psnr(grey, grey + 0.1).item() == pytest.approx(20, abs=1e-4)
    x, y = pixels(1), pixels(1, seed=1)
    error = np.mean((x.double().numpy() - y.double().numpy()) ** 2)
    assert psnr(x, y).item() == pytest.approx(10 * math.log10(1 / error), abs=1e-4)


def test_lpips_is_undefined_without_its_weights() -> None:
    """Nobody brought a network: NaN for each picture, which no row repeats."""
    logits = torch.zeros(2, 2)
    images = torch.zeros(2, 3, 12, 12)
    given = Outcomes(images, images, torch.tensor([0, 1]), *[logits] * 7)
    assert METRICS["lpips"].measure(given).isnan().tolist() == [True, True]


def test_distances_are_the_largest_and_the_whole_change() -> None:
    """One value moved by 0.3 and one by 0.4: 0.4 for L∞, 0.5 for L2."""
    images = torch.full((1, 3, 12, 12), 0.5)
    attacked = images.clone()
    attacked[0, 0, 0, 0] += 0.3
    attacked[0, 2, 5, 5] -= 0.4
    logits = torch.zeros(1, 2)
    given = Outcomes(images, attacked, torch.tensor([0]), logits, logits, logits, logits, logits, logits, logits)
    assert METRICS["linf"].measure(given).item() == pytest.approx(0.4)
    assert METRICS["l2"].measure(given).item() == pytest.approx(0.5)


def waves(*amplitudes: tuple[float, int, int], size: int = 32) -> Tensor:
    """(1, 3, size, size): cosines added up, each (amplitude, periods across, periods down) over the whole picture."""
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    total = sum(a * torch.cos(2 * math.pi * (across * x + down * y) / size) for a, across, down in amplitudes)
    return torch.as_tensor(total)[None, None].expand(1, 3, size, size)


@pytest.mark.parametrize(
    ("change", "share"),
    [
        (waves((0.1, 4, 0)), 0.0),
        (waves((0.1, 0, 12)), 1.0),
        (waves((0.1, 16, 0)), 1.0),
        (waves((0.1, 5, 5)), 0.0),
        (waves((0.1, 6, 6)), 1.0),
        (waves((0.1, 8, 0)), 0.0),
        (waves((0.03, 2, 3), (0.04, 12, 9)), 16 / 25),
        (waves((0.2, 0, 0), (0.1, 16, 0)), 1 / 5),
    ],
)
def test_the_high_frequency_of_known_waves(change: Tensor, share: float) -> None:
    """A wave lies on one side of the cut-off, whatever its direction.

    Of several, energies add: amplitude² / 2, or amplitude² where the cosine is ±1 at every pixel.
    """
    grey = torch.full((1, 3, 32, 32), 0.5)
    assert high_frequency(grey, grey + change).item() == pytest.approx(share, abs=1e-5)


def test_the_high_frequency_is_that_of_the_whole_spectrum(pixels: Pixels) -> None:
    """Half a spectrum is computed; the whole one of numpy gives the same, for even and odd sizes; white noise has 1 − π/16."""
    for height, width in ((15, 16), (16, 15), (20, 12)):
        x, y = pixels(2, 20)[..., :height, :width], pixels(2, 20, seed=1)[..., :height, :width]
        energy = (np.abs(np.fft.fft2((y - x).double().numpy())) ** 2).sum(axis=1)
        radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None])
        expected = (energy * (radius > HALF_NYQUIST)).sum(axis=(1, 2)) / energy.sum(axis=(1, 2))
        assert high_frequency(x, y).tolist() == pytest.approx(expected.tolist(), abs=1e-6)
    noise = torch.randn((1, 3, 128, 128), generator=torch.Generator().manual_seed(0))
    assert high_frequency(torch.zeros_like(noise), noise).item() == pytest.approx(1 - math.pi / 16, abs=0.01)


def test_saved_distances_are_those_of_the_bytes(pixels: Pixels) -> None:
    """What two arrays of bytes differ by; less than half a step vanishes, more becomes a whole one, even beyond ε."""
    images = (pixels(1) * 200).round() / 255
    for step, whole in ((0.4, 0), (0.6, 1), (1.4, 1)):
        attacked = images + step / 255
        logits = torch.zeros(1, 2)
        given = Outcomes(images, attacked, torch.tensor([0]), *[logits] * 7)
        assert METRICS["linf_png"].measure(given).item() == pytest.approx(whole / 255, abs=1e-7)
        a, b = ((one.double().numpy() * 255).round().astype(np.uint8).astype(int) for one in (images, attacked))
        assert METRICS["l2_png"].measure(given).item() == pytest.approx(np.linalg.norm((b - a) / 255), abs=1e-6)
