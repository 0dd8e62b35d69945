"""Every common corruption: worse with severity, the same for the same picture, alike at every size; and each against its own definition."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from capt_engine.attacks.base import LINF, PictureRngs, Threat
from capt_engine.attacks.corruption import Corrupt
from capt_engine.attacks.corruptions import CORRUPTIONS, SEVERITIES, Corruption, corruption_specs
from capt_engine.attacks.corruptions.base import blurred, clouds, streaked
from capt_engine.progress import no_progress
from capt_engine.registry import build

DRAWS_NOTHING = {
    "defocus-blur",
    "zoom-blur",
    "gaussian-blur",
    "brightness",
    "contrast",
    "pixelate",
    "jpeg",
    "saturate",
}
# Root mean square change of the scene at 64 pixels under severities 1, 3 and 5, as measured when this was written: a guard against
# constants and filters that change unnoticed, with room for another torch or Pillow.
MEASURED = {
    "gaussian-noise": (0.0596, 0.1490, 0.2860),
    "shot-noise": (0.0739, 0.1552, 0.2788),
    "impulse-noise": (0.0792, 0.1688, 0.2857),
    "defocus-blur": (0.0202, 0.0641, 0.0938),
    "glass-blur": (0.0400, 0.0675, 0.1069),
    "motion-blur": (0.0585, 0.0992, 0.1498),
    "zoom-blur": (0.0832, 0.1391, 0.1654),
    "snow": (0.0822, 0.1731, 0.2773),
    "frost": (0.0750, 0.1882, 0.3179),
    "fog": (0.1763, 0.3140, 0.4210),
    "brightness": (0.0643, 0.1791, 0.2775),
    "contrast": (0.1011, 0.1719, 0.2275),
    "elastic": (0.0343, 0.0748, 0.1205),
    "pixelate": (0.0682, 0.1107, 0.1474),
    "jpeg": (0.0474, 0.0611, 0.0769),
    "speckle-noise": (0.0610, 0.1412, 0.2594),
    "gaussian-blur": (0.0099, 0.0585, 0.0983),
    "spatter": (0.0516, 0.0883, 0.1961),
    "saturate": (0.0745, 0.1416, 0.2934),
}


def scene(height: int = 64, width: int = 64) -> Tensor:
    """A sky, a hill, a wall of ever narrower stripes and a red ball, (1, 3, h, w): the same scene at every size."""
    y, x = torch.meshgrid((torch.arange(height) + 0.5) / height, (torch.arange(width) + 0.5) / width, indexing="ij")
    picture = torch.stack([0.35 + 0.3 * x, 0.5 + 0.2 * y, 0.85 - 0.4 * y])
    hill = y > 0.6 + 0.1 * torch.sin(5 * x)
    picture = torch.where(hill, torch.stack([0.2 + 0.2 * x, 0.45 - 0.2 * y, 0.1 + 0 * x]), picture)
    wall = (x > 0.55) & (x < 0.9) & (y > 0.3) & (y < 0.75)
    stripes = 0.55 + 0.35 * torch.sign(torch.sin(2 * math.pi * (3 * x + 4 * x**2)))
    picture = torch.where(wall, stripes * torch.tensor([1.0, 0.95, 0.8])[:, None, None], picture)
    ball = (x - 0.3).square() + (y - 0.65).square() < 0.03
    return torch.where(ball, torch.tensor([0.85, 0.1, 0.12])[:, None, None], picture)[None]


def bad(one: Corruption, picture: Tensor, severity: int, key: str = "a") -> Tensor:
    """The picture gone bad, with the stream of `key`."""
    return one(picture, severity, PictureRngs.of(0, [key]))


def change(one: Corruption, picture: Tensor, severity: int, keys: str = "a") -> float:
    """The root mean square change, over several draws."""
    changes = torch.stack([(bad(one, picture, severity, key) - picture).square().mean() for key in keys])
    return float(changes.mean().sqrt())


every = pytest.mark.parametrize("one", list(CORRUPTIONS), ids=lambda one: one.name)


def test_fifteen_and_four() -> None:
    """The benchmark's fifteen in its four groups, and the four that it holds out."""
    groups = [one.group for one in CORRUPTIONS if not one.held_out]
    assert [groups.count(group) for group in ("noise", "blur", "weather", "digital")] == [3, 4, 4, 4]
    held_out = {one.name for one in CORRUPTIONS if one.held_out}
    assert held_out == {"speckle-noise", "gaussian-blur", "spatter", "saturate"}
    assert all(len(one.levels) == SEVERITIES for one in CORRUPTIONS)


@pytest.mark.parametrize(("side", "keys"), [(64, "abcd"), (224, "a")])
@every
def test_every_severity_is_worse_than_the_one_before(one: Corruption, side: int, keys: str) -> None:
    """The mean change rises from each severity to the next, from something to be seen to not the whole picture."""
    changes = [change(one, scene(side, side), severity, keys) for severity in range(1, SEVERITIES + 1)]
    assert changes == sorted(changes)
    assert len(set(changes)) == SEVERITIES
    assert changes[0] > 2 / 255
    assert 0.04 < changes[-1] < 0.5


@every
def test_changes_as_much_as_when_it_was_measured(one: Corruption) -> None:
    """Within a tenth, over eight draws, for severities 1, 3 and 5."""
    measured = tuple(change(one, scene(), severity, "abcdefgh") for severity in (1, 3, 5))
    assert measured == pytest.approx(MEASURED[one.name], rel=0.1)


@pytest.mark.parametrize("shape", [(1, 1), (3, 50), (24, 24), (40, 17)], ids=str)
@every
def test_any_picture_stays_a_picture(one: Corruption, shape: tuple[int, int]) -> None:
    """Shape, range and finiteness hold for pictures of any shape, for black and for white; the given picture is left alone."""
    for picture in (scene(*shape), torch.zeros(1, 3, *shape), torch.ones(1, 3, *shape)):
        before = picture.clone()
        for severity in (1, SEVERITIES):
            gone = bad(one, picture, severity)
            assert gone.shape == picture.shape
            assert gone.dtype == torch.float32
            assert gone.isfinite().all()
            assert gone.min() >= 0
            assert gone.max() <= 1
        assert torch.equal(picture, before)


@every
def test_a_picture_has_a_fate_of_its_own(one: Corruption) -> None:
    """The same key gives the same result, another key another one; but where nothing is drawn, keys do not matter."""
    picture = scene()
    assert torch.equal(bad(one, picture, 3), bad(one, picture, 3))
    assert torch.equal(bad(one, picture, 3), bad(one, picture, 3, "b")) == (one.name in DRAWS_NOTHING)


@pytest.mark.parametrize(
    "name", ["defocus-blur", "motion-blur", "zoom-blur", "gaussian-blur", "elastic", "frost", "fog", "spatter"]
)
def test_lengths_follow_the_size_of_the_picture(name: str) -> None:
    """The same scene at half the size changes about as much: what is a length is a share of the picture."""
    one = CORRUPTIONS[name]
    large, small = (change(one, scene(side, side), 4, "abc") for side in (224, 112))
    assert small == pytest.approx(large, rel=0.25)


def test_noise_is_as_strong_as_written() -> None:
    """Measured on a flat grey: standard deviations, the share of stuck values, and the photons' mean and variance."""
    flat = torch.full((1, 3, 200, 200), 0.5)
    for name in ("gaussian-noise", "speckle-noise"):
        one = CORRUPTIONS[name]
        (sigma,) = one.levels[0]
        noise = one.apply(flat, sigma, PictureRngs.of(0, ["a"])) - 0.5
        assert float(noise.std()) == pytest.approx(sigma * (0.5 if name == "speckle-noise" else 1), rel=0.02)
        assert abs(float(noise.mean())) < 0.002
    one = CORRUPTIONS["impulse-noise"]
    gone = bad(one, flat, 3)
    (share,) = one.levels[2]
    for value in (0.0, 1.0):
        assert float((gone == value).float().mean()) == pytest.approx(share / 2, rel=0.05)
    assert float((gone == 0.5).float().mean()) == pytest.approx(1 - share, rel=0.01)
    one = CORRUPTIONS["shot-noise"]
    (photons,) = one.levels[2]
    counted = one.apply(flat, photons, PictureRngs.of(0, ["a"])) * photons
    torch.testing.assert_close(counted, counted.round())
    assert float(counted.mean()) == pytest.approx(photons / 2, rel=0.01)
    assert float(counted.var()) == pytest.approx(photons / 2, rel=0.02)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.7, 6.0])
def test_a_gaussian_blur_has_its_width(sigma: float) -> None:
    """A point becomes a bell of that variance (and a pixel's own, 1/12), and no light is lost."""
    point = torch.zeros(1, 1, 61, 61)
    point[..., 30, 30] = 1
    bell = blurred(point, sigma)[0, 0].double()
    at = torch.arange(61) - 30.0
    assert float(bell.sum()) == pytest.approx(1, abs=1e-5)
    for axis in (0, 1):
        assert float((bell.sum(dim=axis) * at.square()).sum()) == pytest.approx(sigma**2 + 1 / 12, rel=0.03)


@pytest.mark.parametrize("degrees", [0.0, 30.0, 45.0, 90.0, -70.0])
def test_a_streak_has_its_length_and_direction(degrees: float) -> None:
    """A point becomes a line: its spread along the direction is that of a line of the length, across it that of a pixel."""
    point = torch.zeros(1, 1, 61, 61)
    point[..., 30, 30] = 1
    line = streaked(point, 20, degrees)[0, 0].double()
    y, x = torch.meshgrid(torch.arange(61) - 30.0, torch.arange(61) - 30.0, indexing="ij")
    along = x * math.cos(math.radians(degrees)) + y * math.sin(math.radians(degrees))
    across = y * math.cos(math.radians(degrees)) - x * math.sin(math.radians(degrees))
    assert float(line.sum()) == pytest.approx(1, abs=1e-5)
    assert float((line * along.square()).sum()) == pytest.approx(20**2 / 12, rel=0.08)
    assert float((line * across.square()).sum()) < 0.5


@pytest.mark.parametrize(
    "name", ["defocus-blur", "motion-blur", "zoom-blur", "gaussian-blur", "glass-blur", "elastic", "pixelate"]
)
def test_blurs_leave_a_flat_picture_alone(name: str) -> None:
    """What only moves or mixes light cannot change a picture of one colour, up to its edges."""
    flat = torch.tensor([0.2, 0.5, 0.8]).view(1, 3, 1, 1).expand(1, 3, 40, 40).contiguous()
    torch.testing.assert_close(bad(CORRUPTIONS[name], flat, 5), flat, atol=1e-5, rtol=0)


def test_contrast_brightness_and_saturation_move_one_thing() -> None:
    """Contrast keeps the mean, brightness the hue and the saturation, saturation the grey of what does not clip."""
    picture = scene() * 0.5 + 0.2
    duller = bad(CORRUPTIONS["contrast"], picture, 3)
    torch.testing.assert_close(duller.mean(dim=(2, 3)), picture.mean(dim=(2, 3)))
    torch.testing.assert_close(duller.std(dim=(2, 3)), picture.std(dim=(2, 3)) * CORRUPTIONS["contrast"].levels[2][0])
    lighter = bad(CORRUPTIONS["brightness"], picture, 2)
    torch.testing.assert_close(lighter / lighter.amax(dim=1, keepdim=True), picture / picture.amax(dim=1, keepdim=True))
    colourless = picture.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)
    torch.testing.assert_close(bad(CORRUPTIONS["saturate"], colourless, 5), colourless)


def test_clouds_fill_their_range_and_are_smooth() -> None:
    """They go from 0 to 1, and neighbours differ little."""
    sky = clouds(torch.zeros(1, 3, 64, 96), PictureRngs.of(0, ["a"]))
    assert sky.shape == (1, 1, 64, 96)
    assert (sky.min(), sky.max()) == (0, 1)
    assert sky.diff(dim=3).abs().mean() < 0.1


@every
def test_as_an_attack_it_is_the_same(one: Corruption) -> None:
    """The attack gives each picture of a batch what the table gives it alone, and names it with its severity."""
    attack = Corrupt(kind=one.name, severity=2)
    images = torch.cat([scene(24, 24), scene(24, 24).flip(3)])
    gone = attack.run(
        lambda x: x.flatten(1),
        images,
        torch.tensor([0, 0]),
        Threat(LINF, 0.0),
        PictureRngs.of(0, ["a", "b"]),
        no_progress,
    )
    assert torch.equal(gone, torch.cat([bad(one, images[:1], 2, "a"), bad(one, images[1:], 2, "b")]))
    assert attack.budget == f"{one.label}, severity 2 of 5"


def test_the_whole_table_as_attacks() -> None:
    """Fifteen by five, or nineteen by five, each buildable as it stands."""
    assert (len(corruption_specs()), len(corruption_specs(held_out=True))) == (75, 95)
    assert len(corruption_specs(severities=(3,))) == 15
    built = {build(Corrupt, spec.values) for spec in corruption_specs(held_out=True)}
    assert len(built) == 95
