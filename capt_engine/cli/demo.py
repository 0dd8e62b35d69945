"""`capt demo …`: pictures of the bundled toy world, and the bundled tiny CLIP trained and measured again."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from capt_engine.cli.options import add_common
from capt_engine.cli.terminal import ProgressLine
from capt_engine.errors import BadRequest

HELP = "pictures of the bundled toy world, and the tiny CLIP that knows it"

# Named here too, so that --help answers at once: the world itself needs numpy. A test holds the two together.
TASKS = ("shapes", "colours", "materials", "shape-material", "unseen")
SPLITS = ("train", "val", "test")
DOMAINS = ("plain", "night", "sketch", "fog", "clay", "tumbled", "film")


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the verbs data, train, figures and samples."""
    verbs = parser.add_subparsers(dest="demo_verb", required=True, metavar="VERB")

    data = verbs.add_parser("data", help="write pictures of the toy world as class folders")
    data.add_argument("folder", type=Path, metavar="DIR", help="a new or empty folder")
    data.add_argument("--task", default="shapes", help=f"what the classes are: {', '.join(TASKS)} (default: shapes)")
    data.add_argument("--split", default="test", help=f"{', '.join(SPLITS)} (default: test)")
    data.add_argument("--domain", default="plain", help=f"how it looks: {', '.join(DOMAINS)} (default: plain)")
    data.add_argument("--per-class", type=int, default=10, metavar="N", help="pictures of each class (default: 10)")

    train = verbs.add_parser("train", help="train the bundled tiny CLIP again from nothing; goes on where it stopped")
    train.add_argument("--out", type=Path, metavar="DIR", help="where the model goes (default: the user's data folder)")
    train.add_argument("--steps", type=int, help="training steps (default: those of the bundled model)")
    train.add_argument("--pictures", type=int, help="training pictures (default: those of the bundled model)")
    train.add_argument("--processes", type=int, default=2, help="processes that render pictures (default: 2)")

    figures = verbs.add_parser("figures", help="measure a demo model on every set of the toy world, clean and attacked")
    figures.add_argument("--model", type=Path, metavar="DIR", help="an exported model (default: the bundled one)")
    figures.add_argument("--n", type=int, default=1000, help="test pictures per set (default: 1000)")
    figures.add_argument("--n-attacked", type=int, default=500, help="test pictures per attack (default: 500)")
    figures.add_argument(
        "--write", action="store_true", help="also write figures.json and the model card beside the model"
    )

    samples = verbs.add_parser("samples", help="draw the sample pictures again")
    samples.add_argument("folder", type=Path, metavar="DIR", help="where they go")

    for verb in (data, train, figures, samples):
        add_common(verb)


def run(args: argparse.Namespace) -> int:
    """Does what the arguments ask; raises CaptError where it cannot."""
    if args.precision != "fp32":
        raise BadRequest("The toy world is drawn, trained and measured in fp32.", "Leave out --precision.")
    verbs = {"data": _data, "train": _train, "figures": _figures, "samples": _samples}
    verbs[args.demo_verb](args)
    return 0


def _tell(args: argparse.Namespace, sentence: str, **facts: object) -> None:
    """The result: a sentence, or with --json the facts it is made of."""
    print(json.dumps({"event": "summary", **facts}) if args.json else sentence)


class _Reporter:
    """Progress on stderr with the time that remains, judged by the speed since this run began."""

    def __init__(self, *, quiet: bool) -> None:
        self._terminal = ProgressLine(quiet=quiet)
        self._start: tuple[float, int] | None = None

    def __call__(self, done: int = 0, total: int = 0, note: str = "") -> None:
        done = min(done, total)
        now_s = time.monotonic()
        self._start = self._start or (now_s, done)
        start_s, first = self._start
        remaining_s = (now_s - start_s) / (done - first) * (total - done) if done > first else None
        self._terminal.show(done, total, note or f"{done} of {total}", remaining_s)
        if done == total:
            self._terminal.clear()


def _data(args: argparse.Namespace) -> None:
    from capt_engine.demo.class_folders import write_class_folders

    count = write_class_folders(
        args.folder, args.task, args.split, args.domain, args.per_class, args.seed, _Reporter(quiet=args.quiet)
    )
    sentence = f"{count} pictures of {args.task} ({args.domain}, {args.split}) in {args.folder}"
    what = {"task": args.task, "domain": args.domain, "split": args.split, "seed": args.seed}
    _tell(args, sentence, n=count, folder=str(args.folder), **what)


def _train(args: argparse.Namespace) -> None:
    from dataclasses import replace

    from capt_engine.demo import pretrain, training_set
    from capt_engine.folders import data_dir
    from capt_engine.model.devices import pick_device

    plan = pretrain.Plan(seed=args.seed)
    if args.steps is not None:
        plan = replace(plan, steps=args.steps)
    if args.pictures is not None:
        plan = replace(plan, pictures=args.pictures)
    if plan.steps < 1 or plan.pictures < 1:
        raise BadRequest("Training needs at least one step and one picture.", "Check --steps and --pictures.")
    out = args.out or data_dir() / "demo-model"
    folder = training_set.default_folder(plan.seed)
    pictures = training_set.load(plan.pictures, plan.seed, folder, args.processes, _Reporter(quiet=args.quiet))
    training = pretrain.Pretraining(
        plan, pictures, pretrain.default_checkpoint(folder, plan), str(pick_device(args.device))
    )
    if training.step:
        print(f"going on from step {training.step}", file=sys.stderr)
    training.run(_Reporter(quiet=args.quiet))
    pretrain.export(training.average, plan, out, training.step)
    sentence = f"The model is in {out}; measure it with: capt demo figures --model {out} --write"
    _tell(args, sentence, folder=str(out), steps=training.step, pictures=plan.pictures, seed=plan.seed)


def _figures(args: argparse.Namespace) -> None:
    from dataclasses import asdict

    from capt_engine.demo import figures
    from capt_engine.model.devices import pick_device
    from capt_engine.resources import resource

    if args.n < 1 or args.n_attacked < 1:
        raise BadRequest("A figure needs at least one picture.", "Check --n and --n-attacked.")
    folder = args.model or resource("demo")
    say = (lambda _: None) if args.json else (lambda line: print(line, flush=True))
    measured = figures.measure(folder, args.n, args.n_attacked, say, pick_device(args.device))
    if args.write:
        figures.write(folder, measured)
        print(f"Written: {folder / 'figures.json'} and {folder / 'README.md'}", file=sys.stderr)
    if args.json:
        _tell(args, "", figures=[asdict(figure) for figure in measured])


def _samples(args: argparse.Namespace) -> None:
    from capt_engine.demo.samples import write_samples

    count = write_samples(args.folder)
    _tell(args, f"{count} samples in {args.folder}", n=count, folder=str(args.folder))
