"""Crops of training pictures: their size, their draws, and the shards that they are kept in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.random import PCG64, Generator
from PIL import Image

from capt_engine.model.trunk import Trunk
from capt_engine.photo.crops import centre_crop, crop_maps, random_crop
from capt_engine.progress import no_progress


def _picture(width: int, height: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize("size", [(300, 200), (64, 400), (224, 224), (5, 7)])
def test_crops_have_the_models_size(size: tuple[int, int]) -> None:
    """Whatever a picture's shape, both kinds of crop are squares of 224."""
    picture = _picture(*size)
    assert centre_crop(picture).size == (224, 224)
    assert all(random_crop(picture, Generator(PCG64([0, i]))).size == (224, 224) for i in range(5))


def test_crops_are_drawn_by_their_number_alone() -> None:
    """The same draw gives the same pixels, another draw gives others."""
    picture = _picture(300, 200)
    one, same, other = (np.asarray(random_crop(picture, Generator(PCG64([0, seed])))) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_maps_are_computed_once(tmp_path: Path) -> None:
    """What lies in the folder is read again; a shard that is missing is computed, with the same values."""
    paths = []
    for index in range(2):
        paths.append(tmp_path / f"{index}.png")
        _picture(40, 30, index).save(paths[-1])
    trunk = Trunk(8).eval()
    maps = crop_maps(paths, trunk, 2, 0, tmp_path / "maps", no_progress)
    assert (maps.shape, maps.dtype) == ((4, 320, 7, 7), torch.float16)
    shards = sorted((tmp_path / "maps").iterdir())
    assert [one.name for one in shards] == ["00-00000.npy", "01-00000.npy"]
    shards[1].unlink()
    kept = shards[0].stat().st_mtime_ns
    assert torch.equal(crop_maps(paths, trunk, 2, 0, tmp_path / "maps", no_progress), maps)
    assert shards[0].stat().st_mtime_ns == kept
