"""LPIPS: a distance, whatever the weights; and what is refused as weights."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from capt_engine.errors import BadCheckpoint
from capt_engine.model.lpips import ALEX, NETS, VGG, Lpips, checked, digest, linear_name
from tests.engine.model.perceptual import random_lpips, random_state

Pixels = Callable[..., Tensor]

# torchvision's `features`: channels:kernel:stride:padding of a convolution, after which a ReLU stands; P and the window of a pool with
# stride 2; | where two pictures are compared.
LISTED = {
    "alex": "64:11:4:2 | P3 192:5:1:2 | P3 384:3:1:1 | 256:3:1:1 | 256:3:1:1 |",
    "vgg": "64:3:1:1 64:3:1:1 | P2 128:3:1:1 128:3:1:1 | P2 256:3:1:1 256:3:1:1 256:3:1:1 | "
    "P2 512:3:1:1 512:3:1:1 512:3:1:1 | P2 512:3:1:1 512:3:1:1 512:3:1:1 |",
}


@pytest.fixture(params=NETS, ids=str)
def lpips(request: pytest.FixtureRequest) -> Lpips:
    """Each network with random weights."""
    return random_lpips(str(request.param))


def noisy(images: Tensor, amount: float, seed: int = 1) -> Tensor:
    """The pictures with noise on them."""
    stream = torch.Generator().manual_seed(seed)
    return (images + amount * torch.randn(images.shape, generator=stream)).clamp(0, 1)


def by_hand(name: str, images: Tensor, others: Tensor) -> Tensor:
    """Equation 1 of the paper, written as it stands there, over torch's own modules."""
    layers: list[nn.Module] = []
    places, channels = [], 3
    for word in LISTED[name].split():
        if word == "|":
            places.append(len(layers) - 1)
        elif word[0] == "P":
            layers.append(nn.MaxPool2d(int(word[1:]), 2))
        else:
            wide, *sizes = map(int, word.split(":"))
            layers += [nn.Conv2d(channels, wide, *sizes), nn.ReLU()]
            channels = wide
    features = nn.Sequential(*layers)
    state = random_state(NETS[name])
    features.load_state_dict({key.removeprefix("features."): state[key] for key in NETS[name].backbone_shapes})
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    x, y = ((one - mean[:, None, None]) / deviation[:, None, None] for one in (images, others))
    total = torch.zeros(len(images))
    with torch.no_grad():
        for at, layer in enumerate(features):
            x, y = layer(x), layer(y)
            if at in places:
                w = state[linear_name(places.index(at))].flatten()[:, None, None]
                apart = w.sqrt() * (F.normalize(x, dim=1) - F.normalize(y, dim=1))
                total += apart.square().sum(dim=1).mean(dim=(1, 2))
    return total


def test_it_is_the_papers_equation(lpips: Lpips, pixels: Pixels) -> None:
    """Stage by stage gives what torch's modules and the sum over places, positions and channels give."""
    images = pixels(3, 40)
    found, expected = (one(images, noisy(images, 0.1)) for one in (lpips, lambda x, y: by_hand(lpips.net.name, x, y)))
    assert expected.min() > 0.001, "the test would show little"
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-7)


def test_it_is_a_distance(lpips: Lpips, pixels: Pixels) -> None:
    """Exactly 0 for equal pictures, the same from either side, never negative, one number a picture."""
    images = pixels(3, 33)
    others = noisy(images, 0.05)
    assert lpips(images, images).tolist() == [0, 0, 0]
    assert torch.equal(lpips(images, others), lpips(others, images))
    assert lpips(images, others).shape == (3,)
    assert lpips(images, pixels(3, 33, seed=9)).min() > 0


def test_more_noise_is_further_away(lpips: Lpips, pixels: Pixels) -> None:
    """For every picture, over a hundredfold range of noise."""
    images = F.interpolate(pixels(4, 8), size=40, mode="bilinear")
    found = torch.stack([lpips(images, noisy(images, amount)) for amount in (0.003, 0.03, 0.1, 0.3)])
    assert (found.diff(dim=0) > 0).all()


def test_pictures_are_measured_one_by_one(lpips: Lpips, pixels: Pixels) -> None:
    """Alone, among others and in another order: the same bits."""
    images = pixels(5, 33)
    others = noisy(images, 0.05)
    together = lpips(images, others)
    for order in ([0], [4, 2], [3, 1, 0, 2, 4]):
        assert torch.equal(lpips(images[order], others[order]), together[order])
    assert lpips(images[:0], others[:0]).shape == (0,)


def test_it_can_be_stopped_between_pictures(pixels: Pixels) -> None:
    """On a CPU before each one, as a photograph can take VGG16 a second."""
    images = pixels(5, 33)
    beats: list[None] = []
    random_lpips("alex")(images, images, lambda: beats.append(None))
    assert len(beats) == 5


@pytest.mark.parametrize(("name", "smallest"), [("alex", 31), ("vgg", 16)])
def test_too_small_a_picture_is_undefined(pixels: Pixels, name: str, smallest: int) -> None:
    """Where the last layer would have no pixel left the answer is NaN, and one pixel more is enough."""
    lpips = random_lpips(name)
    small, large = pixels(2, smallest - 1), pixels(2, smallest)
    assert lpips(small, small).isnan().all()
    assert lpips(small[:, :, :, :5], small[:, :, :, :5]).isnan().all()
    assert lpips(large, noisy(large, 0.1)).isfinite().all()


def test_measuring_leaves_no_trace(pixels: Pixels) -> None:
    """No gradient is kept, and neither the pictures nor the weights it was given change."""
    state = random_state(ALEX)
    lpips = Lpips(ALEX, state, torch.device("cpu"))
    images = pixels(2, 33).requires_grad_()
    before = images.detach().clone()
    assert not lpips(images, noisy(images, 0.1)).requires_grad
    assert torch.equal(images, before)
    assert digest(state) == lpips.sha256 == digest(random_state(ALEX))


def test_the_digest_is_of_the_values_alone() -> None:
    """The order of the tensors does not matter; the last bit of a weight does, and so does a name."""
    state = random_state(ALEX)
    assert digest(dict(reversed(state.items()))) == digest(state)
    other = dict(state)
    other["features.3.bias"] = state["features.3.bias"].clone()
    other["features.3.bias"][5] = torch.nextafter(other["features.3.bias"][5], torch.tensor(9.0))
    assert digest(other) != digest(state)
    assert digest({f"x{name}": value for name, value in state.items()}) != digest(state)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("features.6.weight", None, "lacks 'features.6.weight'"),
        ("features.0.weight", torch.zeros(64, 3, 3, 3), "64×3×3×3; AlexNet's is 64×3×11×11"),
        ("features.8.bias", torch.full((256,), torch.nan), "'features.8.bias' that are not finite numbers"),
        ("features.8.bias", torch.zeros(256, dtype=torch.int64), "not finite numbers"),
        ("lin2.model.1.weight", torch.full((1, 384, 1, 1), -0.1), "negative weights in 'lin2.model.1.weight'"),
    ],
)
def test_other_weights_are_refused(name: str, value: Tensor | None, words: str) -> None:
    """Each in a sentence that names the tensor."""
    state = {**random_state(ALEX), name: value}
    with pytest.raises(BadCheckpoint) as refused:
        checked(ALEX, {key: one for key, one in state.items() if one is not None}, "The file", "Take another.")
    assert words in refused.value.message
    assert refused.value.hint == "Take another."
    with pytest.raises(BadCheckpoint):
        Lpips(VGG, random_state(ALEX), torch.device("cpu"))
