"""`capt photo …`: the bundled photograph model trained again."""

from __future__ import annotations

import argparse
import threading
from dataclasses import asdict, replace

from capt_engine.cli.options import add_verb
from capt_engine.cli.output import print_result
from capt_engine.cli.terminal import ProgressLine
from capt_engine.errors import BadRequest
from capt_engine.files import refuse_foreign_folder
from capt_engine.formatting import percent
from capt_engine.jobs.stoppable import StoppableProgress
from capt_engine.runs.options_table import MODEL, PATH, SWITCH, WHOLE, Option

BUILD = (
    Option(
        "pictures",
        "pictures of ImageNet's classes, each name beginning with its index of four digits",
        kind=PATH,
        metavar="DIR",
    ),
    Option("--out", "where the model goes (default: the user's data folder)", kind=PATH, metavar="DIR"),
    Option(
        "--work", "where checkpoints and crops are kept (default: the user's cache folder)", kind=PATH, metavar="DIR"
    ),
    Option("--crops", "crops of each picture (default: those of the bundled model)", kind=WHOLE),
    Option("--joint-steps", "steps of the joint space (default: those of the bundled model)", kind=WHOLE),
    Option("--text-steps", "steps of the text tower (default: those of the bundled model)", kind=WHOLE),
    Option("--tower-steps", "steps of the image tower (default: those of the bundled model)", kind=WHOLE),
)

ROBUST = (
    BUILD[0],
    Option("--cifar", "CIFAR-10's archive of class folders, for further pictures", kind=PATH, metavar="FILE"),
    Option("--out", "where the tower goes (default: the user's data folder)", kind=PATH, metavar="DIR"),
    Option("--work", "where the checkpoint is kept (default: the user's cache folder)", kind=PATH, metavar="DIR"),
)

FIGURES = (
    Option("photographs", "a list or class folders of photographs with ImageNet's classes", kind=PATH, metavar="DATA"),
    Option("--cifar10", "CIFAR-10's test pictures in class folders", kind=PATH.having(required=True), metavar="DIR"),
    Option("--model", "the model to measure", kind=MODEL.having(default="photo")),
    Option("--write", "also write figures.json and the card's table beside the bundled model", kind=SWITCH),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verbs build, robust and figures."""
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    add_verb(verbs, "build", _build, "distil EfficientNet-Lite0 into a CLIP; goes on where it stopped", *BUILD)
    robust = "tune the bundled model's image tower on attacked pictures; goes on where it stopped"
    add_verb(verbs, "robust", _robust, robust, *ROBUST)
    add_verb(verbs, "figures", _figures, "measure what the model's card says", *FIGURES)


def _build(args: argparse.Namespace) -> None:
    from capt_engine.folders import cache_dir, data_dir
    from capt_engine.photo.build import build
    from capt_engine.photo.plan import Plan

    sizes = ("crops", "joint_steps", "text_steps", "tower_steps")
    chosen = {name: vars(args)[name] for name in sizes if vars(args)[name] is not None}
    if any(value < 1 for value in chosen.values()):
        raise BadRequest("Training needs at least one crop and one step of each stage.", "Check the numbers.")
    plan = replace(Plan(seed=args.seed), **chosen)
    out = args.out or data_dir() / "photo-model"
    refuse_foreign_folder(out, "vocabulary.txt")
    work = args.work or cache_dir() / "photo" / f"seed-{plan.seed}"
    line = ProgressLine(quiet=args.quiet)
    found = build(plan, args.pictures, work, out, StoppableProgress(line.show, threading.Event()))
    line.clear()
    sentence = (
        f"The model is in {out}. On a crop of each of {found.n:,} pictures that training did not see, among 1,000 names: "
        f"{percent(found.whole)} (the trunk by itself {percent(found.trunk)})."
    )
    print_result(args, {"folder": str(out), "held_back": asdict(found), "plan": asdict(plan)}, sentence)


def _robust(args: argparse.Namespace) -> None:
    from capt_engine.folders import cache_dir, data_dir
    from capt_engine.photo import robust

    plan = robust.RobustPlan(seed=args.seed)
    out = args.out or data_dir() / "photo-robust-model"
    refuse_foreign_folder(out, "tower.json")
    work = args.work or cache_dir() / "photo-robust" / f"seed-{plan.seed}"
    line = ProgressLine(quiet=args.quiet)
    robust.build(plan, args.pictures, args.cifar, work, out, StoppableProgress(line.show, threading.Event()))
    line.clear()
    print_result(args, {"folder": str(out), "plan": asdict(plan)}, f"The model is in {out}.")


def _figures(args: argparse.Namespace) -> None:
    from capt_engine.model.clip import load_backbone
    from capt_engine.model.devices import pick_device
    from capt_engine.photo import figures
    from capt_engine.resources import resource

    if args.write and args.model != "photo":
        raise BadRequest("The card beside the bundled model is about photo.", "Leave out --write, or --model.")
    line = ProgressLine(quiet=args.quiet)
    backbone = load_backbone(args.model, pick_device(args.device))
    measured = figures.measure(
        backbone, args.photographs, args.cifar10, StoppableProgress(line.show, threading.Event())
    )
    line.clear()
    if args.write:
        figures.write(measured, resource("photo"))
    print_result(args, asdict(measured), *figures.table(measured).split("\n"))
