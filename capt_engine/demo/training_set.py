"""The pre-training pictures, rendered once into shards in the user's cache folder and read from there ever after."""

from __future__ import annotations

import io
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

from capt_engine.demo.domains import Pixels
from capt_engine.demo.world import REVISION, picture, pretraining_scene
from capt_engine.files import write_atomic
from capt_engine.folders import cache_dir
from capt_engine.progress import Progress

STORED_SIZE = 80
SHARD = 500


def default_folder(seed: int) -> Path:
    """Return the folder in the user's cache for the pre-training pictures of a seed."""
    return cache_dir() / "demo" / f"pictures-r{REVISION}-s{seed}"


def _stored(index: int, seed: int) -> Pixels:
    drawn = Image.fromarray(picture(pretraining_scene(index, seed)))
    return np.asarray(drawn.resize((STORED_SIZE, STORED_SIZE), Image.Resampling.BICUBIC))


def _shard_path(folder: Path, shard: int, count: int) -> Path:
    return folder / f"{shard:04d}-{count}.npy"


def _write_shard(folder: Path, seed: int, shard: int, count: int) -> None:
    first = shard * SHARD
    rendered = np.stack([_stored(index, seed) for index in range(first, first + count)])
    buffer = io.BytesIO()
    np.save(buffer, rendered)
    write_atomic(_shard_path(folder, shard, count), buffer.getvalue())


def load(count: int, seed: int, folder: Path, processes: int, progress: Progress) -> Pixels:
    """Load the first pictures of the pre-training stream from files, after rendering those that are missing.

    Args:
        count: how many, from the first.
        seed: of the stream of pictures; another one gives other pictures.
        folder: the folder of the shards (files of up to 500 pictures), where missing ones are written.
        processes: how many render at once.
        progress: called after each rendered shard with (pictures done, pictures in all, text).

    Returns:
        RGB, uint8 (count, 80, 80, 3).
    """
    sizes = [min(SHARD, count - first) for first in range(0, count, SHARD)]
    missing = [shard for shard, size in enumerate(sizes) if not _shard_path(folder, shard, size).exists()]
    done = len(sizes) - len(missing)
    # A fresh interpreter per worker: a forked one would inherit the threads of a loaded torch.
    many = missing and processes > 1
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) if many else nullcontext() as pool:
        write = partial(_write_shard, folder, seed)
        for _ in (map if pool is None else pool.map)(write, missing, [sizes[shard] for shard in missing]):
            done += 1
            progress(min(done * SHARD, count), count, "rendering the training pictures")
    return np.concatenate([np.load(_shard_path(folder, shard, size)) for shard, size in enumerate(sizes)])
