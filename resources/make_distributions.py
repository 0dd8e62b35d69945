"""Make and measure the statistics by which the bundled models judge what they cannot know: `distribution.safetensors` of each model.

    python resources/make_distributions.py IMAGENET CIFAR [--photographs DIR …] [--models demo photo …] [--only-measure]

IMAGENET: one picture of each ImageNet class. CIFAR: CIFAR-10 as class folders, with `train` and `test` in it. Fitted are, for the models of
the toy world, pictures of its pre-training stream and of its train split in every domain; for the photograph models, the middle and a
random crop of pictures of IMAGENET, and training pictures of CIFAR-10. Each is the other's background. Pictures that decide the thresholds,
and those that the error rates are measured on, are others. All draws have seed 0; the table of error rates is printed as Markdown.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from numpy.random import PCG64, Generator
from PIL import Image
from torch import Tensor

from capt_engine.bundled_models import BUNDLED, TOYS
from capt_engine.cli.terminal import ProgressLine
from capt_engine.data.images import read_photo
from capt_engine.demo import world
from capt_engine.demo.domains import DOMAINS
from capt_engine.folders import cache_dir
from capt_engine.metrics.interval import share
from capt_engine.model.clip import LOCAL_DIR, Backbone, load_backbone
from capt_engine.model.devices import pick_device
from capt_engine.model.distribution import FILE, About, Distribution
from capt_engine.model.vision import encode_pixels
from capt_engine.photo.crops import random_crop
from capt_engine.records import OOD_FALSE_ALARM

HERE = Path(__file__).resolve().parent
SEED, RANK, BATCH = 0, 64, 25
STREAM, TRAIN, HELD, TEST = 300, 250, 200, 150
"""Pictures of the toy world: of the pre-training stream; of each domain's train split, fitted and held back; of its test split."""
PER_CLASS = 100
_FIFTHS = {"fit": (0, 1, 2), "held": (3,), "test": (4,)}
"""The fifth pictures of IMAGENET and CIFAR-10's training pictures, by their number modulo 5, that serve for what."""
_STREAMS = "pre-training stream and train split of every domain"
SOURCE = {
    True: f"toy world, revision {world.REVISION}, {_STREAMS}, seed {SEED}; background: photographs",
    False: f"one picture of each ImageNet class, CIFAR-10 training pictures, seed {SEED}; background: toy world",
}


def drawn(task: tuple[str, str, int]) -> np.ndarray:
    """One picture of the toy world; a domain of "" means the pre-training stream."""
    split, domain, index = task
    scene = world.scene("shapes", split, index, domain, SEED) if domain else world.pretraining_scene(index, SEED)
    return world.picture(scene)


def toys() -> dict[str, np.ndarray]:
    """Pictures (n, s, s, 3) by what they serve for; drawn once, and kept in the user's cache folder."""
    path = cache_dir() / "demo" / f"distribution-r{world.REVISION}-{STREAM}-{TRAIN}-{HELD}-{TEST}.npz"
    if not path.is_file():
        tasks = {"fit": [("", "", i) for i in range(STREAM)], "held": []}
        for domain in DOMAINS:
            tasks["fit"] += [("train", domain, i) for i in range(TRAIN)]
            tasks["held"] += [("train", domain, i) for i in range(TRAIN, TRAIN + HELD)]
            tasks[f"test {domain}"] = [("test", domain, i) for i in range(TEST)]
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            found = {name: np.stack(list(pool.map(drawn, some, chunksize=25))) for name, some in tasks.items()}
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **found)
    return dict(np.load(path))


def opened(path: Path) -> Image.Image:
    """A picture file as the program reads it."""
    return Image.fromarray(read_photo(path).rgb)


def files(folder: Path) -> list[Path]:
    """The picture files of a folder, in the order of their names."""
    return sorted(one for one in folder.iterdir() if one.suffix.lower() in (".jpg", ".jpeg", ".png"))


def cifar(folder: Path) -> list[Path]:
    """The first pictures of each class."""
    return [path for one in sorted(folder.iterdir()) for path in files(one)[:PER_CLASS]]


def photographs(imagenet: Path, small: Path, others: Sequence[Path]) -> dict[str, list[tuple[Path, int]]]:
    """Files with the crop to take, 0 for the middle, by what they serve for."""
    found: dict[str, list[tuple[Path, int]]] = {}
    for use, places in _FIFTHS.items():
        whole = [(path, crop) for crop in ((0, 1) if use == "fit" else (0,)) for path in _some(files(imagenet), places)]
        tiny = [(path, 0) for path in _some(cifar(small / "train"), places)]
        if use == "test":
            found["test ImageNet, one each"] = whole
        else:
            found[use] = whole + tiny
    found["test CIFAR-10 test"] = [(path, 0) for path in cifar(small / "test")]
    for folder in others:
        found[f"test {folder.name}"] = [(path, 0) for path in files(folder)]
    return found


def _some(paths: list[Path], places: tuple[int, ...]) -> list[Path]:
    return [path for number, path in enumerate(paths) if number % 5 in places]


def cropped(some: Iterable[tuple[Path, int]]) -> Iterator[Image.Image]:
    """The pictures themselves; a random crop is drawn by the picture's name."""
    for path, crop in some:
        rng = Generator(PCG64([SEED, crop, *path.stem.encode()]))
        yield random_crop(opened(path), rng) if crop else opened(path)


def features(backbone: Backbone, pictures: Iterable[Image.Image], note: str) -> Tensor:
    """Unit image features (n, d)."""
    line, waiting, done = ProgressLine(quiet=False), [], []
    for picture in pictures:
        waiting.append(backbone.view(picture))
        if len(waiting) == BATCH:
            done.append(_encoded(backbone, waiting))
            waiting = []
            line.show(len(done) * BATCH, 0, f"{backbone.id}: {note}", None)
    line.clear()
    return torch.cat([*done, _encoded(backbone, waiting)] if waiting else done)


@torch.no_grad()
def _encoded(backbone: Backbone, views: list[Tensor]) -> Tensor:
    return encode_pixels(backbone, torch.stack(views).to(backbone.mean.device))


def main() -> None:
    """Fit the statistics of each model, unless they are only measured, and print their error rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("imagenet", type=Path)
    parser.add_argument("cifar", type=Path)
    parser.add_argument(
        "--photographs", type=Path, nargs="*", default=[], help="folders of more photographs to measure on"
    )
    parser.add_argument("--models", nargs="*", default=BUNDLED, help="folders beside this file")
    parser.add_argument("--only-measure", action="store_true", help="measure the statistics that are there")
    args = parser.parse_args()
    renders, photos = toys(), photographs(args.imagenet, args.cifar, args.photographs)
    say = ProgressLine(quiet=False).say
    say("| model | pictures | kind | n | called out of distribution, % (95 % interval) |")
    say("| --- | --- | --- | ---: | ---: |")
    for model in args.models:
        backbone = load_backbone(f"{LOCAL_DIR}{HERE / model}", pick_device("cpu"))
        is_toy = model in TOYS
        found = {
            ("toy world", use): features(backbone, map(Image.fromarray, some), use) for use, some in renders.items()
        }
        found |= {("photographs", use): features(backbone, cropped(some), use) for use, some in photos.items()}
        own, other = ("toy world", "photographs") if is_toy else ("photographs", "toy world")
        about = About(backbone.sha256, OOD_FALSE_ALARM, SOURCE[is_toy])
        fitted = backbone.distribution
        if not args.only_measure or fitted is None:
            fitted = Distribution.fit(about, found[own, "fit"], found[own, "held"], found[other, "fit"], rank=RANK)
            fitted.write(HERE / model / FILE)
        tests = {key: some for key, some in found.items() if key[1].startswith("test ")}
        tests["toy world", "test every domain"] = torch.cat(
            [some for key, some in tests.items() if key[0] == "toy world"]
        )
        for (world_of, use), some in sorted(tests.items(), key=lambda one: (one[0][0] != own, one[0][1])):
            out = int((fitted.scores(some) > 1).sum())
            kind = "known" if world_of == own else "foreign"
            say(
                f"| {model} | {world_of}: {use.removeprefix('test ')} | {kind} | {len(some):,} | {share(out, len(some))} |"
            )


if __name__ == "__main__":
    main()
