"""Hours of one GPU that the tables of docs/reproduce.md take: passes that are counted, pictures as published, and a rate that is assumed.

    python benchmarks/reproduce_hours.py [--rates 200 1000] [--model demo]

A pass is one picture going forward, or back, through the image tower. How many of them a step of tuning and an attacked test picture
take is counted while the program tunes and attacks a few pictures by the requests of `capt protocol`, whatever the model. Backward
passes cost what forward ones do, as no weight of a tower is learned. Text costs its share of the tower's arithmetic (`TEXT`). No GPU
was measured: a rate is the PGD steps, of one picture each, that one does in a second, and a step is two passes. A few minutes.
"""

from __future__ import annotations

from capt_engine import torch_settings as _torch_settings  # noqa: F401 - before any torch, as in the program

# isort: split

import argparse
import contextlib
import csv
import queue
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from torch import Tensor

from capt_engine import records
from capt_engine.api import Engine
from capt_engine.cli.run_job import ending
from capt_engine.cli.terminal import ProgressLine
from capt_engine.data.benchmarks import BENCHMARKS
from capt_engine.demo.class_folders import write_class_folders
from capt_engine.model import classifier, text
from capt_engine.progress import no_progress
from capt_engine.protocols import definitions
from capt_engine.protocols.definitions import Cell, Recipe, Setting
from capt_engine.tuning import prompted
from capt_engine.tuning.defaults import usual
from capt_engine.tuning.methods import METHODS

# Methods of the tables, and those that learn alike in all that costs time.
TABLE_METHODS = ("zero-shot", "coop", "apt", "maple", "fap", "trades", "capt")
SEEDS = (1, 2, 3)
# One class' sentence of 77 tokens, and one picture, in GFLOP (open_clip, docs/model_profile.csv); sentences are cut at the longest of the
# class list, 20 tokens or so.
SENTENCE_GFLOP, TOKENS, CUT_AT = 5.96, 77, 20
PICTURE_GFLOP = {"ViT-B/32": 8.82, "ViT-B/16": 35.13}
TEXT = {name: SENTENCE_GFLOP * CUT_AT / TOKENS / each for name, each in PICTURE_GFLOP.items()}
# Above TEXT_CHUNK classes the text is encoded again in the backward pass.
FEW, MANY = 8, prompted.TEXT_CHUNK + 4
# PGD-100 accuracy of FAP at 16 shots, mean of eleven data sets (its Table 15); who is fooled needs fewer steps.
STAYS_RIGHT = 0.3461
ELEVEN = tuple(one.name for one in BENCHMARKS if not one.test_only)
SHIFTS = tuple(one.name for one in BENCHMARKS if one.test_only)


class Passes(NamedTuple):
    """Passes through the image tower, forward and back, and through the text tower, a class' sentence each."""

    pictures: float = 0.0
    pictures_back: float = 0.0
    sentences: float = 0.0
    sentences_back: float = 0.0

    def minus(self, other: Passes) -> Passes:
        """Return the difference."""
        return Passes(*(one - two for one, two in zip(self, other, strict=True)))

    def times(self, number: float) -> Passes:
        """Return so many times as much."""
        return Passes(*(one * number for one in self))


@dataclass(frozen=True)
class Counts:
    """The passes of the program.

    step: of tuning, by method: of pictures per picture of the batch, of sentences per class. epoch: beside its steps, on the few
    pictures that it shows. chunked: sentences forward per class and step where there are many classes. clean: of a test picture
    that is not attacked; attack_step: of one step on one picture; attack_rest: of an attack beside its steps.
    """

    step: dict[str, Passes]
    epoch: float
    chunked: float
    clean: float
    attack_step: float
    attack_rest: float


class Counter:
    """Counts what goes through the towers, as long as it is open."""

    def __init__(self) -> None:
        self.forward: dict[str, int] = {"pictures": 0, "sentences": 0}
        self.back: dict[str, int] = {"pictures": 0, "sentences": 0}

    def passes(self) -> Passes:
        """Return what was counted so far."""
        return Passes(
            self.forward["pictures"], self.back["pictures"], self.forward["sentences"], self.back["sentences"]
        )

    def wrapped(self, kind: str, function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        """Return the encoder `function`, counted."""

        def encode(backbone: Any, given: Tensor, *args: Any, **named: Any) -> Tensor:
            features = function(backbone, given, *args, **named)
            self.forward[kind] += len(given)
            if features.requires_grad:
                features.register_hook(lambda gradient: self._count_back(kind, len(gradient)))
            return features

        return encode

    def _count_back(self, kind: str, n: int) -> None:
        self.back[kind] += n


@contextlib.contextmanager
def counted() -> Iterator[Counter]:
    """Count the passes of everything that the program computes inside."""
    counter = Counter()
    places = (
        (classifier, "encode_pixels", "pictures"),
        (prompted, "encode_pixels", "pictures"),
        (prompted, "encode_tokens", "sentences"),
        (text, "encode_tokens", "sentences"),
    )
    before = [getattr(module, name) for module, name, _ in places]
    for module, name, kind in places:
        setattr(module, name, counter.wrapped(kind, getattr(module, name)))
    try:
        yield counter
    finally:
        for (module, name, _), function in zip(places, before, strict=True):
            setattr(module, name, function)


def passes_of(request: records.Request) -> tuple[Passes, Any]:
    """The passes of one job, through the door as in the program, and its result."""
    events: queue.SimpleQueue[records.Event] = queue.SimpleQueue()
    rows: list[Any] = []

    def keep(event: records.Event) -> None:
        if isinstance(event, records.RowsReady):
            rows.extend(event.rows)

    with counted() as counter:
        engine = Engine(events.put, device="cpu")
        try:
            end = ending(engine, events, request, ProgressLine(quiet=True), keep)
        finally:
            engine.close(timeout_s=30)
    if not isinstance(end, records.JobFinished):
        raise SystemExit(str(end))
    return counter.passes(), rows


def count(model: str, folder: Path, methods: Sequence[str] = TABLE_METHODS[1:]) -> Counts:
    """Tune on noise and attack the toy world with `model`, which changes no count; files in `folder`."""
    setting = Setting(model, str(folder), attack_steps=4, limit=0)
    few, many = noise(folder / "few", FEW, 4), noise(folder / "many", MANY, 1)

    def an_epoch(method: str, data: Path, shots: int, batch: int) -> Passes:
        """What a second epoch adds; all that comes before the first, the trial of the forecast too, is in both."""
        at = []
        for epochs in (1, 2):
            out = str(folder / f"{method}-{data.name}-{shots}-{epochs}.safetensors")
            request = definitions.tune_request(Recipe("noise", method, shots, 1), setting, (str(data), ""), out, "cpu")
            at.append(passes_of(replace(request, epochs=epochs, batch_size=batch, resume=False))[0])
        return at[1].minus(at[0])

    steps, epoch = {}, Passes()
    for method in methods:
        # Beside its steps an epoch shows a few pictures, which are no more where there are more to learn from.
        half, whole = an_epoch(method, few, 2, FEW), an_epoch(method, few, 4, FEW)
        more = whole.minus(half)
        pictures, steps_more = 2 * FEW, 2
        steps[method] = Passes(
            more.pictures / pictures,
            more.pictures_back / pictures,
            more.sentences / steps_more / FEW,
            more.sentences_back / steps_more / FEW,
        )
        epoch = whole.minus(more.times(2))
    chunked = an_epoch(methods[0], many, 1, MANY // 3)
    text_again = (chunked.sentences / MANY - epoch.sentences / FEW) / 3
    return Counts(steps, epoch.pictures + epoch.pictures_back, text_again, *_measuring(setting, folder))


def _measuring(setting: Setting, folder: Path) -> tuple[float, float, float]:
    """The passes of a picture without attack, of one step, and of an attack beside its steps; for one that stays right."""
    write_class_folders(folder / "toys" / "test", "shapes", "test", "plain", 6, 0, no_progress)
    _, rows = passes_of(_evaluation(setting, folder / "toys", ()))
    # What is right is what the model says, so that every picture is attacked; neighbours differ, so that there are two classes at least.
    # Those that it is surest of, for a near tie is broken by rounding alone.
    sure = sorted(rows, key=lambda row: -row.clean.probabilities[row.clean.winner])[:24]
    right = [(row.path, row.classes[row.clean.winner]) for row in sure]
    right.sort(key=lambda one: (Path(one[0]).name, one[0]))

    def total(pictures: int, steps: int, budgets: int) -> float:
        file = folder / f"{pictures}.csv"
        with file.open("w", newline="", encoding="utf-8") as opened:
            csv.writer(opened).writerows([("path", "label", "split"), *((*one, "test") for one in right[:pictures])])
        # So small that nobody is fooled, and every step is taken.
        eps = tuple(1e-7 * (at + 1) for at in range(budgets))
        found, _ = passes_of(_evaluation(replace(setting, attack_steps=steps), file, eps))
        return found.pictures + found.pictures_back

    def each(steps: int, budgets: int) -> float:
        """A picture more, so that what is done once a run does not count."""
        return (total(24, steps, budgets) - total(16, steps, budgets)) / 8

    clean, one, longer = each(4, 0), each(4, 1), each(8, 1)
    a_step = (longer - one) / 4
    return clean, a_step, one - clean - 4 * a_step


def _evaluation(setting: Setting, data: Path, eps: tuple[float, ...]) -> records.EvaluateRequest:
    request = definitions.evaluate_request(
        Cell(None, "toys"), replace(setting, budgets=eps), (str(data), ""), None, "cpu"
    )
    # The checks look at a few pictures of a run, however many there are.
    return replace(request, checks="off", options=replace(request.options, cache=False))


def noise(folder: Path, classes: int, pictures: int) -> Path:
    """Class folders with so many training pictures each, and one test picture."""
    stream = np.random.default_rng(0)
    for split, number in (("train", pictures), ("test", 1)):
        for at in range(classes):
            one = folder / split / f"class {at}"
            one.mkdir(parents=True)
            for file in range(number):
                pixels = stream.integers(0, 256, (32, 32, 3)).astype(np.uint8)
                Image.fromarray(pixels).save(one / f"{file}.png")
    return folder


# What the tables cost.


def tuning_passes(recipe: Recipe, counts: Counts, text_share: float) -> float:
    """The passes that tuning one set of prompts takes on a published data set, at most: every class has as many pictures as asked for."""
    benchmark = BENCHMARKS[recipe.dataset]
    half = recipe.subsample_classes != "all"
    classes = -(-benchmark.classes // 2) if half else benchmark.classes
    pictures = benchmark.sizes[0] * classes // benchmark.classes
    if recipe.shots is not None:
        pictures = min(pictures, recipe.shots * classes)
    settings = usual(METHODS[recipe.method])
    batch, epochs = int(settings["batch_size"]), int(settings["epochs"])
    steps = max(1, pictures // batch) * epochs
    one = counts.step[recipe.method]
    of_pictures = (one.pictures + one.pictures_back) * steps * min(batch, pictures)
    forward = counts.chunked if classes > prompted.TEXT_CHUNK and one.sentences_back else one.sentences
    return of_pictures + (forward + one.sentences_back) * text_share * classes * steps + epochs * counts.epoch


def measuring_passes(
    cell: Cell, counts: Counts, *, steps: int = 100, budgets: int = 1, stays_right: float = 1.0
) -> float:
    """The passes that measuring takes: all test pictures of a published data set, of which a share needs every step."""
    benchmark = BENCHMARKS[cell.dataset]
    pictures = benchmark.sizes[2] / (1 if cell.subsample_classes == "all" else 2)
    attack = counts.attack_rest + counts.attack_step * steps * stays_right
    return pictures * (counts.clean + budgets * attack)


def tables() -> dict[str, tuple[Cell, ...]]:
    """The cells of each table of docs/reproduce.md, by the definitions of `capt protocol`."""
    of_imagenet = definitions.shift("imagenet", SHIFTS, TABLE_METHODS, (16,), SEEDS)
    return {
        "few-shot, 16 shots, 11 sets": definitions.few_shot(ELEVEN, TABLE_METHODS, (16,), SEEDS).cells,
        "few-shot, 1 and 4 shots, 11 sets": definitions.few_shot(ELEVEN, TABLE_METHODS, (1, 4), SEEDS).cells,
        "few-shot, all pictures, 10 sets": definitions.few_shot(ELEVEN[1:], TABLE_METHODS, (None,), SEEDS).cells,
        "base to new, 11 sets": definitions.base_to_new(ELEVEN, TABLE_METHODS, (16,), SEEDS).cells,
        "cross-dataset, ImageNet to 10 sets": definitions.cross_dataset(ELEVEN, TABLE_METHODS, (16,), SEEDS).cells,
        "shift, ImageNet to 4 sets": of_imagenet.cells,
    }


def hours(passes: float, rate: float) -> str:
    """Write the hours that so many passes take at `rate` steps a second, two passes each."""
    value = passes / 2 / rate / 3600
    if value < 0.01:
        return "<0.01"
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}" if value >= 0.1 else f"{value:.2f}"


def per_set(counts: Counts, rates: Sequence[float]) -> str:
    """Return the table of one cell of each data set: CAPT, 16 shots, one seed, ViT-B/32, one budget."""
    heads = ["data set", "classes", "test pictures"]
    heads += [f"{what}, h at {rate:,g}/s" for what in ("tune", "measure") for rate in rates]
    rows = []
    for benchmark in BENCHMARKS:
        recipe = None if benchmark.test_only else Recipe(benchmark.name, "capt", 16, 1)
        tuned = tuning_passes(recipe, counts, TEXT["ViT-B/32"]) if recipe else None
        measured = measuring_passes(Cell(recipe, benchmark.name), counts)
        rows.append(
            [benchmark.name, f"{benchmark.classes:,}", f"{benchmark.sizes[2]:,}"]
            + ["–" if tuned is None else hours(tuned, rate) for rate in rates]
            + [hours(measured, rate) for rate in rates]
        )
    return _markdown(heads, rows)


def per_table(counts: Counts, rates: Sequence[float]) -> str:
    """Return the table of whole tables: seven methods, three seeds, one budget; measuring at most, and where FAP's share stays right."""
    heads = ["table", "backbone", "cells", "prompts"]
    for rate in rates:
        heads += [f"tune, h at {rate:,g}/s", f"measure, h at {rate:,g}/s"]
    rows = []
    for backbone, share in TEXT.items():
        for name, cells in tables().items():
            recipes = dict.fromkeys(cell.recipe for cell in cells if cell.recipe is not None)
            tuned = sum(tuning_passes(recipe, counts, share) for recipe in recipes)
            most = sum(measuring_passes(cell, counts) for cell in cells)
            some = sum(measuring_passes(cell, counts, stays_right=STAYS_RIGHT) for cell in cells)
            row = [name, backbone, f"{len(cells):,}", f"{len(recipes):,}"]
            for rate in rates:
                row += [hours(tuned, rate), f"{hours(some, rate)} to {hours(most, rate)}"]
            rows.append(row)
    return _markdown(heads, rows)


def per_method(counts: Counts) -> str:
    """Return the table of the passes of a step."""
    heads = ["method", "pictures forward", "pictures back", "sentences forward", "sentences back"]
    return _markdown(heads, [[method, *(f"{value:g}" for value in one)] for method, one in counts.step.items()])


def facts(counts: Counts) -> str:
    """Return the other counts as lines."""
    return "\n".join(
        (
            f"- an epoch beside its steps: {counts.epoch:g} passes of pictures",
            f"- sentences forward with more than {prompted.TEXT_CHUNK} classes: {counts.chunked:g}",
            f"- a test picture without attack: {counts.clean:g}",
            f"- PGD: {counts.attack_step:g} a step, {counts.attack_rest:g} beside its steps",
        )
    )


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rates", type=float, nargs="+", default=[200, 1000], help="PGD steps of one picture a second")
    parser.add_argument("--model", default="demo", help="whose passes are counted; it changes nothing")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counts = count(args.model, Path(folder))
    print("\n\n".join((per_method(counts), facts(counts), per_set(counts, args.rates), per_table(counts, args.rates))))


if __name__ == "__main__":
    main()
