"""Measured figures of a demo model: zero-shot accuracy on every set of the toy world, and robust accuracy under PGD."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import safe_open

from capt_engine.attacks.base import LINF, PictureRngs, Threat
from capt_engine.attacks.pgd import PGD
from capt_engine.demo import world
from capt_engine.demo.pictures import demo_pictures
from capt_engine.files import write_atomic
from capt_engine.formatting import exact_percent, percent, percent_number
from capt_engine.formatting import interval as ends
from capt_engine.metrics.interval import wilson
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import Backbone, load_backbone
from capt_engine.progress import no_progress
from capt_engine.reading import decode

BUDGETS = (2, 4, 8)
PGD_STEPS = 20

_BATCH = 100


@dataclass(frozen=True)
class Figure:
    """One accuracy: which pictures, under which L∞ budget in 255ths (0: clean), and its 95 % Wilson interval."""

    task: str
    domain: str
    eps_255: int
    n: int
    accuracy: float
    low: float
    high: float


def figure_of(backbone: Backbone, task: str, domain: str, n: int, eps_255: int = 0) -> Figure:
    """Measure zero-shot accuracy, with its interval, on the first n test pictures of a task in a domain.

    backbone: the model. task, domain: names such as "shapes" and "night". eps_255: 0 for clean pictures, else the
    budget in 255ths of L∞ PGD-20 (untargeted, cross-entropy, random start, steps of a quarter of it).
    """
    images, labels, classes = demo_pictures(backbone, task, domain=domain, n=n)
    classifier = Classifier(backbone, classes, world.TASKS[task].template)
    attack, threat = PGD(steps=PGD_STEPS, step_size=eps_255 / 255 / 4), Threat(LINF, eps_255 / 255)
    right = 0
    for first in range(0, n, _BATCH):
        x, y = images[first : first + _BATCH], labels[first : first + _BATCH]
        if eps_255:
            rngs = PictureRngs.of(0, [f"{task}/{domain}/{first + i}" for i in range(len(y))])
            x = attack.run(classifier, x, y, threat, rngs, no_progress)
        with torch.no_grad():
            right += int((classifier(x).argmax(dim=1) == y).sum())
    return Figure(task, domain, eps_255, n, right / n, *wilson(right, n))


def measure(
    folder: Path, n: int, n_attacked: int, on_line: Callable[[str], None], device: torch.device
) -> list[Figure]:
    """Measure every accuracy that the model card of a demo model reports, and return them in its order.

    folder: the model, as an open_clip folder. n, n_attacked: the number of test pictures of each clean set and of each
    attacked set. on_line: called with each accuracy as a line of text as soon as it is known. device: where to compute.
    """
    backbone = load_backbone(f"local-dir:{folder}", device)
    plain = [(task, "plain") for task in ("shapes", "colours", "materials")]
    sets = [(task, domain, n, 0) for task, domain in (*plain, *world.DOWNSTREAM)]
    sets += [("shapes", "plain", n_attacked, eps_255) for eps_255 in BUDGETS]
    figures = []
    for one in sets:
        figures.append(figure_of(backbone, *one))
        on_line(as_line(figures[-1]))
    return figures


def as_line(figure: Figure) -> str:
    """Return a measured accuracy as a line of text in columns: task, domain, attack, accuracy, interval, n."""
    attack = f"PGD-{PGD_STEPS} {figure.eps_255}/255" if figure.eps_255 else "clean"
    interval = f"[{percent_number(figure.low)}, {percent_number(figure.high)}]"
    return f"{figure.task:15} {figure.domain:8} {attack:13} {percent(figure.accuracy):>7} {interval:13} n = {figure.n}"


def recipe(folder: Path) -> dict[str, int | float]:
    """Return the training settings by name from the weights file in a demo model's folder; {} if it holds none."""
    with safe_open(folder / "open_clip_model.safetensors", framework="pt") as file:
        text = (file.metadata() or {}).get("recipe", "{}")
    return decode(text, dict[str, int | float], called=f"The recipe in {str(folder)!r}")


def write(folder: Path, figures: list[Figure]) -> None:
    """Write figures.json and the model card README.md, made from measured accuracies, into a demo model's folder."""
    made = recipe(folder)
    table = {"recipe": made, "figures": [asdict(figure) for figure in figures]}
    write_atomic(folder / "figures.json", json.dumps(table, indent=1) + "\n")
    write_atomic(folder / "README.md", card(made, figures))


def _rows(figures: list[Figure]) -> str:
    rows = []
    for figure in figures:
        budget = f"{figure.eps_255}/255" if figure.eps_255 else "clean"
        interval = ends(figure.low, figure.high)
        rows.append(
            f"| {figure.task} | {figure.domain} | {budget} | {percent_number(figure.accuracy)} | {interval} | {figure.n} |"
        )
    return "\n".join(rows)


def card(made: Mapping[str, int | float], figures: list[Figure]) -> str:
    """Return the text of a demo model's model card, in Markdown.

    made: the training settings, as `recipe` reads them from the weights. figures: the measured accuracies. Every
    measured number in the card is one of these.
    """
    head = "| task | domain | L∞ budget | accuracy % | 95 % interval | n |\n| --- | --- | --- | ---: | ---: | ---: |\n"
    plain = [one for one in figures if not one.eps_255 and (one.task, one.domain) not in world.DOWNSTREAM]
    downstream = [one for one in figures if not one.eps_255 and (one.task, one.domain) in world.DOWNSTREAM]
    attacked = [one for one in figures if one.eps_255]
    sizes = [len(world.TASKS[task].classes) for task in ("shapes", "colours", "materials")]
    return f"""# Demo model: knows only the toy world

A very small CLIP, trained from nothing on rendered pictures, so that CAPT Explorer has a model to show on a machine
without network. It has never seen a photograph, and what it says about one means nothing.

## Data
{made["pictures"]:,} pictures of single objects, ray-marched by `capt_engine/demo`: {sizes[0]} shapes, {sizes[1]} colours,
{sizes[2]} materials, {world.PICTURE_SIZE} px, domain `plain`, world revision {made["revision"]}, seed {made["seed"]};
captions drawn from templates and synonyms.
{len(world.UNSEEN_PAIRS)} of the pairs of shape and colour never occur in training: they are the set `unseen`.
Other domains never occur in training either. No picture or text of anybody else was used.

## Recipe
An open_clip `CLIP`: ViT of {made["layers"]} layers, {made["width"]} wide, 64 px input, patches of 8; text tower of
{made["text_layers"]} layers, {made["text_width"]} wide, context 32, open_clip's own tokenizer; GELU.
AdamW, {made["step"]:,} steps of {made["batch"]} pictures, learning rate {made["lr"]} with warm-up and cosine,
weight decay {made["weight_decay"]}, label smoothing {made["smoothing"]}, patch dropout {made["patch_dropout"]}
but for the last {exact_percent(made["whole_share"])} of the steps, weights averaged with decay {made["averaging"]};
cross-entropy of each picture against one caption per class of six families. A picture is never
asked to rule out a pair of shape and colour that training does not show (their columns are left out of its loss), so that what
training lacks does not count as evidence. Seed {made["seed"]}.
To train it again: `capt demo train`; on another machine that gives a model as good, not the same bits.

## Figures
Zero-shot with one sentence per class, on test pictures that training never saw. Intervals are Wilson's.
To measure them again: `capt demo figures`.

### On the distribution it was trained on
{head}{_rows(plain)}

### Downstream sets
{head}{_rows(downstream)}

### Under attack
PGD-{PGD_STEPS}, untargeted, cross-entropy, random start, steps of a quarter of the budget, at the model's own 64 px.
{head}{_rows(attacked)}

## Limits
It knows the words of the toy world and no others; any other word is noise to it. One object to a picture.
Of most pictures from elsewhere it says itself that it cannot know them; how often that errs stands in
[docs/evaluation.md](../../docs/evaluation.md#pictures-that-a-model-cannot-know).
It was not trained to withstand attacks, and it does not: that is what it is for.
How strong the domains are was set by hand, watching test pictures of half-trained models, so that zero-shot leaves
few-shot tuning something to win; the downstream figures are therefore no estimate for domains nobody looked at.
PGD alone can overstate how robust a model is; read the last table as an upper bound.

## Licence
MIT, like the program that made it.
"""
