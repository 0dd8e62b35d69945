"""`capt demo …`: pictures of the bundled toy world, and the bundled tiny CLIP trained and measured again."""

from __future__ import annotations

import argparse
import threading
from dataclasses import asdict

from capt_engine.bundled_models import TOYS
from capt_engine.cli.options import Run, add_verb
from capt_engine.cli.output import print_result
from capt_engine.cli.terminal import ProgressLine, put, tell
from capt_engine.errors import BadRequest
from capt_engine.files import refuse_foreign_folder
from capt_engine.formatting import counted
from capt_engine.jobs.stoppable import StoppableProgress
from capt_engine.runs.options_table import PATH, SWITCH, TEXT, WHOLE, Option

# Named here too, so that --help answers at once: the world itself needs numpy. A test holds the two together.
TASKS = ("shapes", "colours", "materials", "shape-material", "unseen")
SPLITS = ("train", "val", "test")
DOMAINS = ("plain", "night", "sketch", "fog", "clay", "tumbled", "film")

DATA = (
    Option("folder", "a new or empty folder", kind=PATH, metavar="DIR"),
    Option("--task", f"what the classes are: {', '.join(TASKS)} (default: shapes)", kind=TEXT.having(default="shapes")),
    Option("--split", f"{', '.join(SPLITS)} (default: test)", kind=TEXT.having(default="test")),
    Option("--domain", f"how it looks: {', '.join(DOMAINS)} (default: plain)", kind=TEXT.having(default="plain")),
    Option("--per-class", "pictures of each class (default: 10)", kind=WHOLE.having(default=10), metavar="N"),
)
TRAIN = (
    Option("--out", "where the model goes (default: the user's data folder)", kind=PATH, metavar="DIR"),
    Option("--steps", "training steps (default: those of the bundled model)", kind=WHOLE),
    Option("--pictures", "training pictures (default: those of the bundled model)", kind=WHOLE),
    Option("--processes", "processes that render pictures (default: 2)", kind=WHOLE.having(default=2)),
)
FIGURES = (
    Option("--model", "an exported model (default: the bundled one)", kind=PATH, metavar="DIR"),
    Option("--n", "test pictures per set (default: 1000)", kind=WHOLE.having(default=1000)),
    Option("--n-attacked", "test pictures per attack (default: 500)", kind=WHOLE.having(default=500)),
    Option("--write", "also write figures.json and the model card beside the model", kind=SWITCH),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands of `capt demo` (data, train, figures and samples), each with its options, to `parser`."""
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    add_verb(verbs, "data", _in_fp32(_data), "write pictures of the toy world as class folders", *DATA)
    again = "train the bundled tiny CLIP again from nothing; goes on where it stopped"
    add_verb(verbs, "train", _in_fp32(_train), again, *TRAIN)
    every = "measure a demo model on every set of the toy world, clean and attacked"
    add_verb(verbs, "figures", _in_fp32(_figures), every, *FIGURES)
    folder = Option("folder", "where they go", kind=PATH, metavar="DIR")
    add_verb(verbs, "samples", _in_fp32(_samples), "draw the sample pictures again", folder)


def _in_fp32(do: Run) -> Run:
    def run(args: argparse.Namespace) -> int | None:
        if args.precision != "fp32":
            raise BadRequest("The toy world is drawn, trained and measured in fp32.", "Leave out --precision.")
        return do(args)

    return run


def _progress(args: argparse.Namespace) -> tuple[ProgressLine, StoppableProgress]:
    line = ProgressLine(quiet=args.quiet)
    return line, StoppableProgress(line.show, threading.Event())


def _data(args: argparse.Namespace) -> None:
    from capt_engine.demo.class_folders import write_class_folders

    line, progress = _progress(args)
    count = write_class_folders(args.folder, args.task, args.split, args.domain, args.per_class, args.seed, progress)
    line.clear()
    sentence = f"{counted(count, 'picture')} of {args.task} ({args.domain}, {args.split}) in {args.folder}"
    what = {"task": args.task, "domain": args.domain, "split": args.split, "seed": args.seed}
    print_result(
        args,
        {"n": count, "folder": str(args.folder), **what},
        sentence,
        f"Photograph models know nothing of them: give --model {TOYS[0]} with them.",
    )


def _train(args: argparse.Namespace) -> None:
    from capt_engine.demo import pretrain, training_set
    from capt_engine.folders import data_dir
    from capt_engine.model.devices import pick_device

    sizes = {name: vars(args)[name] for name in ("steps", "pictures") if vars(args)[name] is not None}
    plan = pretrain.Plan(seed=args.seed, **sizes)
    if plan.steps < 1 or plan.pictures < 1:
        raise BadRequest("Training needs at least one step and one picture.", "Check --steps and --pictures.")
    out = args.out or data_dir() / "demo-model"
    refuse_foreign_folder(out, "vocabulary.txt")
    folder = training_set.default_folder(plan.seed)
    line, progress = _progress(args)
    pictures = training_set.load(plan.pictures, plan.seed, folder, args.processes, progress)
    training = pretrain.Pretraining(
        plan, pictures, pretrain.default_checkpoint(folder, plan), str(pick_device(args.device))
    )
    if training.step:
        line.say(f"going on from step {training.step}")
    training.run(progress)
    line.clear()
    pretrain.export(training.average, plan, out, training.step)
    sentence = f"The model is in {out}; measure it with: capt demo figures --model {out} --write"
    facts = {"folder": str(out), "steps": training.step, "pictures": plan.pictures, "seed": plan.seed}
    print_result(args, facts, sentence)


def _figures(args: argparse.Namespace) -> None:
    from capt_engine.demo import figures
    from capt_engine.model.devices import pick_device
    from capt_engine.resources import resource

    if args.n < 1 or args.n_attacked < 1:
        raise BadRequest("A figure needs at least one picture.", "Check --n and --n-attacked.")
    folder = args.model or resource("demo")
    say = (lambda _: None) if args.json else put
    measured = figures.measure(folder, args.n, args.n_attacked, say, pick_device(args.device))
    if args.write:
        figures.write(folder, measured)
        tell(f"Written: {folder / 'figures.json'} and {folder / 'README.md'}")
    print_result(args, {"figures": [asdict(figure) for figure in measured]})


def _samples(args: argparse.Namespace) -> None:
    from capt_engine.demo.samples import SAMPLES, write_samples

    refuse_foreign_folder(args.folder, f"{next(iter(SAMPLES))}.png")
    count = write_samples(args.folder)
    print_result(args, {"n": count, "folder": str(args.folder)}, f"{count} samples in {args.folder}")
