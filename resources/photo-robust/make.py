"""Makes this folder again: `python resources/photo-robust/make.py PICTURES --cifar FILE --test LABELS`; stopped, the same command goes on.

PICTURES: photographs of ImageNet's classes, each name beginning with its index of four digits; FILE: CIFAR-10 in class folders; both are
for training. LABELS: a labels.csv with columns `path` and `label_index`, whose first 500 photographs are attacked for the figures.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from capt_engine.attacks.base import LINF, PictureRngs, Threat
from capt_engine.attacks.pgd import PGD
from capt_engine.cli.terminal import ProgressLine
from capt_engine.data.class_lists import IMAGENET, names_of
from capt_engine.data.images import read_photo
from capt_engine.files import write_atomic
from capt_engine.folders import cache_dir
from capt_engine.formatting import interval, percent_number
from capt_engine.metrics.interval import newcombe_paired, wilson
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import load_backbone
from capt_engine.model.devices import pick_device
from capt_engine.photo import robust
from capt_engine.photo.build import PLAIN
from capt_engine.photo.figures import with_table
from capt_engine.progress import no_progress

HERE = Path(__file__).resolve().parent
MODELS = ("photo-robust", "photo")
TESTED, BATCH, STEPS = 500, 20, 50
BUDGETS = (0.5, 1, 2)


def measure(model: str, labels: Path, kept: Path, tested: int) -> list[float | None]:
    """The smallest budget that breaks each picture: 0 where it is wrong without an attack, None where it withstands all.

    Kept in the folder `kept` batch by batch. What a smaller budget broke counts as broken by a larger one, so only survivors go on.
    """
    backbone = load_backbone(model, pick_device("cpu"))
    classifier = Classifier(backbone, names_of(IMAGENET), PLAIN)
    with labels.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:tested]
    path, line = kept / f"{backbone.sha256[:16]}.json", ProgressLine(quiet=False)
    broken: list[float | None] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    while len(broken) < len(rows):
        line.show(len(broken), len(rows), f"attacking {model}", None)
        some = rows[len(broken) : len(broken) + BATCH]
        images = torch.stack(
            [backbone.view(Image.fromarray(read_photo(labels.parent / one["path"]).rgb)) for one in some]
        )
        wanted = torch.tensor([int(one["label_index"]) for one in some])
        found: list[float | None] = [None if bool(right) else 0 for right in _right(classifier, images, wanted)]
        for budget in BUDGETS:
            left = torch.tensor([place for place, one in enumerate(found) if one is None], dtype=torch.long)
            if len(left):
                attack = PGD(steps=STEPS, step_size=budget / 255 / 4, stop_early=True)
                rngs = PictureRngs.of(0, [f"{budget}/{some[int(place)]['path']}" for place in left])
                threat = Threat(LINF, budget / 255)
                attacked = attack.run(classifier, images[left], wanted[left], threat, rngs, no_progress)
                for place, right in zip(left, _right(classifier, attacked, wanted[left]), strict=True):
                    found[int(place)] = None if bool(right) else budget
        broken += found
        write_atomic(path, json.dumps(broken))
    line.clear()
    return broken


@torch.no_grad()
def _right(classifier: Classifier, images: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return classifier(images).argmax(dim=1) == wanted


def holds(broken: list[float | None], budget: float) -> list[bool]:
    """Which pictures are right under a budget; 0 is none."""
    return [one is None or one > budget for one in broken]


def table(measured: dict[str, Any]) -> str:
    """Accuracy of both models with its interval, and on how many pictures only one of them is right."""
    robust_, photo = (measured[model]["broken"] for model in MODELS)
    n = min(len(robust_), len(photo))
    rows = []
    for budget in (0, *BUDGETS):
        ours, theirs = holds(robust_[:n], budget), holds(photo[:n], budget)
        cells = [f"{percent_number(sum(one) / n)} ({interval(*wilson(sum(one), n))})" for one in (ours, theirs)]
        pairs = list(zip(theirs, ours, strict=True))
        low, high = newcombe_paired(
            *(pairs.count(one) for one in ((True, True), (True, False), (False, True), (False, False)))
        )
        more = f"{100 * (sum(ours) - sum(theirs)) / n:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"
        rows.append(f"| {f'{budget}/255' if budget else 'clean'} | {' | '.join(cells)} | {more} |")
    return "\n".join(
        (
            "| L∞ budget | photo-robust | photo | difference in points |",
            "| --- | ---: | ---: | ---: |",
            *rows,
            "",
            f"n = {n}: the first photographs of a list of the NIPS 2017 adversarial competition's development set, at the model's",
            f"own 224 px. Top-1 among ImageNet's 1,000 names in {PLAIN!r}, in % with its Wilson 95 % interval.",
            f"PGD-{STEPS}: untargeted, cross-entropy, random start, steps of a quarter of the budget; what a smaller budget broke",
            "counts as broken by a larger one. Both models saw the same pictures, which had no part in the choice of the recipe;",
            "the interval of the difference is Newcombe's for pairs.",
        )
    )


def main() -> None:
    """Tunes, measures and writes, in this folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path, nargs="?", help="training photographs")
    parser.add_argument("--cifar", type=Path, help="CIFAR-10's archive of class folders")
    parser.add_argument("--test", type=Path, help="labels.csv of the photographs that are attacked")
    parser.add_argument("--tested", type=int, default=TESTED, help="how many of them")
    parser.add_argument("--work", type=Path, default=cache_dir() / "photo-robust", help="for what is made on the way")
    parser.add_argument("--only", choices=("tune", "figures", *MODELS), help="a part; a model: its figures alone")
    args = parser.parse_args()
    if args.only in (None, "tune"):
        line = ProgressLine(quiet=False)
        robust.build(robust.RobustPlan(), args.pictures, args.cifar, args.work / "seed-0", HERE, line.show)
        line.clear()
    if args.only in MODELS:
        measure(args.only, args.test, args.work / "figures", args.tested)
    if args.only in (None, "figures"):
        measured = {
            model: {
                "sha256": load_backbone(model, pick_device("cpu")).sha256,
                "broken": measure(model, args.test, args.work / "figures", args.tested),
            }
            for model in MODELS
        }
        write_atomic(HERE / "figures.json", json.dumps(measured) + "\n")
        card = HERE / "README.md"
        write_atomic(card, with_table(card.read_text(encoding="utf-8"), f"{table(measured)}\n"))


if __name__ == "__main__":
    main()
