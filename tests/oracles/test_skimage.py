"""SSIM and PSNR against scikit-image; skipped where that is not installed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from torch import Tensor

from capt_engine.metrics.distortion import psnr, ssim

measure = pytest.importorskip("skimage.metrics", reason="scikit-image is not installed; nox -s oracles brings it")

Pixels = Callable[..., Tensor]


@pytest.mark.parametrize("amount", [0.01, 0.1, 0.5])
def test_distortions_agree(pixels: Pixels, amount: float) -> None:
    """The same window, weights and constants give the same numbers, to the sixth digit."""
    images = pixels(3, 40)
    attacked = (images + amount * (pixels(3, 40, seed=1) - 0.5)).clamp(0, 1)
    for i in range(3):
        x, y = (one[i].permute(1, 2, 0).double().numpy() for one in (images, attacked))
        similar = measure.structural_similarity(
            x, y, data_range=1, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        assert ssim(images, attacked)[i].item() == pytest.approx(similar, abs=1e-6)
        noise = measure.peak_signal_noise_ratio(x, y, data_range=1)
        assert psnr(images, attacked)[i].item() == pytest.approx(noise, abs=1e-4)
