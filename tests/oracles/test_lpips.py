"""LPIPS against its authors' package, with the very same weights; skipped where that is not installed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from capt_engine.model.importers.lpips import read_lpips
from capt_engine.model.lpips import NETS, Lpips

package = pytest.importorskip("lpips", reason="the package lpips is not installed: nox -s oracles")

Pixels = Callable[..., Tensor]
AMOUNTS = (2 / 255, 8 / 255, 0.1, 0.5)


@pytest.fixture(scope="module", params=NETS)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Lpips, Any]:
    """Ours and theirs: a random network, saved as torchvision saves one, and the published weights of its channels."""
    name = str(request.param)
    folder = tmp_path_factory.mktemp(name)
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it calls torchvision the way torchvision no longer likes
        torch.manual_seed(0)
        theirs = package.LPIPS(net=name, pretrained=True, pnet_rand=True, verbose=False)
    layers = {}
    for slice_ in (theirs.net.slice1, theirs.net.slice2, theirs.net.slice3, theirs.net.slice4, theirs.net.slice5):
        for at, layer in slice_.named_children():
            for kind, value in layer.named_parameters():
                # As they are they let nothing through to the last layers, and then every distance is 0.
                value.data *= 2.5 if kind == "weight" else 1
                layers[f"features.{at}.{kind}"] = value.detach().clone()
    torch.save(layers, folder / "network.pth")
    published = Path(package.__file__).parent / "weights" / "v0.1" / f"{name}.pth"
    found = read_lpips(folder / "network.pth", published)
    return Lpips(found.net, found.state, torch.device("cpu")), theirs.eval()


@pytest.mark.parametrize("size", [64, 224])
def test_distances_agree(both: tuple[Lpips, Any], pixels: Pixels, size: int) -> None:
    """On random pictures and on perturbed ones, to the fifth digit, however small they are."""
    ours, theirs = both
    images = pixels(3, size)
    stream = torch.Generator().manual_seed(1)
    others = [pixels(3, size, seed=7)]
    others += [
        (images + amount * (2 * torch.rand(images.shape, generator=stream) - 1)).clamp(0, 1) for amount in AMOUNTS
    ]
    found = torch.stack([ours(images, one) for one in others])
    with torch.no_grad():
        expected = torch.stack([theirs(images, one, normalize=True).flatten() for one in others])
    apart = (found - expected).abs().max().item()
    print(  # noqa: T201 - the figures are what such a comparison is run for
        f"{ours.net.label}, {size} pixels: distances from {expected.min():.2g} to {expected.max():.2g}, at most {apart:.2g} apart"
    )
    assert expected.min() > 1e-6, "the comparison would show little"
    torch.testing.assert_close(found, expected, atol=1e-7, rtol=1e-5)
