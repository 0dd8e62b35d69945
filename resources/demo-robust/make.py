"""Makes this folder again: `python resources/demo-robust/make.py`; stopped, the same command goes on.

The demo's image tower is tuned, TeCoA-style, on pictures of the stream that the demo itself was pre-trained on, drawn at the size the
model sees. A tower tuned to tell shapes could forget colours and materials, so each class names all three: "red metal cube". Pairs of
shape and colour that pre-training left out are left out here too, as pictures and as classes.
"""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from capt_engine.attacks.base import LINF, PictureRngs, Threat
from capt_engine.attacks.pgd import PGD
from capt_engine.cli.terminal import ProgressLine
from capt_engine.demo import figures, world
from capt_engine.demo.captions import COLOURS, MATERIALS, SHAPE_TEMPLATE, SHAPES, class_name
from capt_engine.folders import cache_dir
from capt_engine.metrics.interval import wilson
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import TOWER_WEIGHTS, Backbone, load_backbone
from capt_engine.model.devices import pick_device
from capt_engine.model.store.model_store import TOWER_CONFIG
from capt_engine.model.text import class_features
from capt_engine.reading import read_json
from capt_engine.tuning import image_tower

HERE = Path(__file__).resolve().parent
PICTURES = 10_000
SHARD = 1_000
RECIPE = image_tower.tower_recipe(epochs=2, batch_size=32, lr=3e-4)
TESTED = 500
# (task, domain): how many of the pictures are attacked; on two processor cores that is what takes the time.
SETS = {
    ("shapes", "plain"): 300,
    ("shapes", "night"): 100,
    ("shapes", "fog"): 100,
    ("materials", "plain"): 100,
    ("colours", "plain"): 100,
    ("unseen", "plain"): 0,
}
BUDGETS = (1, 2, 4)
BATCH = 100


def pictures(backbone: Backbone, count: int, folder: Path) -> torch.Tensor:
    """The first `count` pictures of the pre-training stream (count, 3, h, w), uint8; drawn once, and kept in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    shards, progress = [], ProgressLine(quiet=False)
    for first in range(0, count, SHARD):
        last = min(first + SHARD, count)
        path = folder / f"{first:05d}-{last:05d}.safetensors"
        if not path.is_file():
            progress.show(first, count, "drawing the training pictures", None)
            drawn = [Image.fromarray(world.picture(world.pretraining_scene(i))) for i in range(first, last)]
            pixels = torch.stack([(backbone.view(one) * 255).round().to(torch.uint8) for one in drawn])
            partial = path.with_suffix(".part")
            save_file({"pixels": pixels}, partial)
            partial.replace(path)
        shards.append(load_file(path)["pixels"])
    progress.clear()
    return torch.cat(shards)


def labelled(count: int) -> tuple[list[str], torch.Tensor]:
    """The classes, joined from colour, material and shape, and the label (count,) of every picture."""
    classes = [
        f"{colour} {material} {shape}"
        for shape in SHAPES
        for material in MATERIALS
        for colour in COLOURS
        if (shape, colour) not in world.UNSEEN_PAIRS
    ]
    place = {name: i for i, name in enumerate(classes)}
    names = [class_name("colour-material-shape", world.pretraining_scene(i).subject) for i in range(count)]
    return classes, torch.tensor([place[name] for name in names])


def tune(work: Path) -> None:
    """Tunes the tower in the folder `work`, where what is half done may lie, and brings it here."""
    backbone = load_backbone("demo", pick_device("cpu"))
    images = pictures(backbone, PICTURES, work / "pictures")
    classes, labels = labelled(PICTURES)
    text = class_features(backbone, classes, SHAPE_TEMPLATE)
    about = {
        "data": f"{PICTURES:,} plain pictures of the toy world (pre-training stream, seed 0, world revision {world.REVISION})",
        "classes": f"{len(classes)}, each a colour, a material and a shape; {len(world.UNSEEN_PAIRS)} pairs of shape and colour left out",
        "template": SHAPE_TEMPLATE,
        "command": "python resources/demo-robust/make.py",
        "licence": "MIT, like the program that made it",
    }
    progress = ProgressLine(quiet=False)

    def tick(done: int, total: int, note: str = "") -> None:
        progress.show(done, total, f"{note}, step {done} of {total}", None)

    tuning, checkpoint = image_tower.TowerTuning(backbone, images, labels, text, RECIPE), work / image_tower.CHECKPOINT
    if checkpoint.is_file():
        tuning.resume(checkpoint)
    while tuning.epoch < RECIPE.epochs:
        tuning.advance(tick)
        tuning.save(checkpoint)
    image_tower.export(tuning, work / "tuned", about)
    progress.clear()
    for name in (TOWER_WEIGHTS, TOWER_CONFIG):
        shutil.copyfile(work / "tuned" / name, HERE / name)


def measure(model: str, task: str, domain: str, kept: Path) -> list[figures.Figure]:
    """Clean and attacked accuracy of a model on one set; measured once, and kept in the folder `kept`."""
    backbone = load_backbone(model, pick_device("cpu"))
    n = SETS[task, domain]
    path = kept / f"{backbone.sha256[:16]}-{task}-{domain}-{TESTED}-{n}.json"
    if path.is_file():
        return [figures.Figure(**one) for one in json.loads(path.read_text(encoding="utf-8"))]
    asked = world.find_task(task)
    classifier = Classifier(backbone, asked.classes, asked.template)
    pixels, listed = world.pictures(task, "test", TESTED, domain)
    images = torch.stack([backbone.view(Image.fromarray(one)) for one in pixels])
    labels = torch.tensor(listed)
    right = torch.cat([told(classifier, images[i : i + BATCH], labels[i : i + BATCH]) for i in range(0, TESTED, BATCH)])
    measured = [figure(task, domain, 0, right)]
    right = right[:n]
    for eps_255 in BUDGETS if n else ():
        attack = PGD(steps=figures.PGD_STEPS, step_size=eps_255 / 255 / 4)
        # What broke within a smaller budget is broken within this one too, so only what is left needs the work.
        for batch in right.nonzero().flatten().split(BATCH):
            rngs = PictureRngs.of(0, [f"{task}/{domain}/{int(i)}" for i in batch])
            attacked = attack.run(classifier, images[batch], labels[batch], Threat(LINF, eps_255 / 255), rngs, silent)
            right[batch] = told(classifier, attacked, labels[batch])
        measured.append(figure(task, domain, eps_255, right))
    for one in measured:
        ProgressLine(quiet=False).say(f"{model}: {figures.as_line(one)}")
    kept.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(one) for one in measured]), encoding="utf-8")
    return measured


def told(classifier: Classifier, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Which pictures (n,) the classifier gets right."""
    with torch.no_grad():
        return classifier(images).argmax(dim=1) == labels


def figure(task: str, domain: str, eps_255: int, right: torch.Tensor) -> figures.Figure:
    """The share of what is right, with its interval."""
    correct, n = int(right.sum()), len(right)
    return figures.Figure(task, domain, eps_255, n, correct / n, *wilson(correct, n))


def silent(*_: object) -> None:
    """Figures are measured to the end."""


def table(robust: list[figures.Figure], demo: list[figures.Figure]) -> str:
    """The part of the card that says what the tower can do, beside the demo on the same pictures."""
    rows = []
    for ours, theirs in zip(robust, demo, strict=True):
        budget = f"{ours.eps_255}/255" if ours.eps_255 else "clean"
        cells = (f"{one.accuracy * 100:.1f} ({one.low * 100:.1f} to {one.high * 100:.1f})" for one in (ours, theirs))
        rows.append(f"| {ours.task} | {ours.domain} | {budget} | {' | '.join(cells)} | {ours.n} |")
    return "\n".join(
        (
            "",
            "## Figures",
            "Zero-shot accuracy in % with its Wilson 95 % interval, on test pictures that training never saw; attacked by",
            f"PGD-{figures.PGD_STEPS} (untargeted, cross-entropy, random start, steps of ε / 4); what a smaller budget broke counts as",
            "broken by a larger one. Both models see the same pictures. Attacked are the first n of them.",
            "Training saw only plain pictures; `unseen` are pairs of shape and colour that it never saw.",
            "",
            "| task | domain | L∞ budget | demo-robust | demo | n |",
            "| --- | --- | --- | ---: | ---: | ---: |",
            *rows,
            "",
            "## Limits",
            "It knows the toy world and nothing else. PGD can overstate how robust a model is; nothing stronger was tried here.",
            "Of most pictures from elsewhere it says itself that it cannot know them; how often that errs stands in",
            "[docs/evaluation.md](../../docs/evaluation.md#pictures-that-a-model-cannot-know).",
            "",
        )
    )


def card(measured: dict[str, Any]) -> str:
    """The whole card, from what figures.json and tower.json in this folder say."""
    robust, demo = ([figures.Figure(**one) for one in measured[model]["figures"]] for model in ("demo-robust", "demo"))
    return image_tower.card(read_json(HERE / TOWER_CONFIG, image_tower.TowerDocument), table(robust, demo))


def write(kept: Path) -> None:
    """Writes figures.json and the card, measuring what is not in the folder `kept` yet."""
    measured: dict[str, Any] = {}
    for model in ("demo-robust", "demo"):
        rows = [asdict(one) for task, domain in SETS for one in measure(model, task, domain, kept)]
        measured[model] = {"sha256": load_backbone(model, pick_device("cpu")).sha256, "figures": rows}
    (HERE / "figures.json").write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    (HERE / image_tower.CARD).write_text(card(measured), encoding="utf-8")


def main() -> None:
    """Draws, tunes, measures and writes, in this folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    work = cache_dir() / "demo" / "tower"
    parser.add_argument("--work", type=Path, default=work, metavar="DIR", help="for what is made on the way")
    parser.add_argument("--only", metavar="PART", help="tune, figures, or one set of one model: demo/shapes/night")
    args = parser.parse_args()
    if args.only in (None, "tune"):
        tune(args.work)
    if args.only in (None, "figures"):
        write(args.work / "figures")
    elif args.only != "tune":
        model, task, domain = args.only.split("/")
        measure(model, task, domain, args.work / "figures")


if __name__ == "__main__":
    main()
