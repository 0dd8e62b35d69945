"""`capt protocol NAME`: the tables of the paper's family, cell by cell, from one command that can be stopped and given again."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from capt_engine.cli.options import add_common
from capt_engine.cli.output import print_json
from capt_engine.cli.terminal import ProgressLine
from capt_engine.errors import BadRequest, Cancelled, UnknownName
from capt_engine.runs.option_values import budget

if TYPE_CHECKING:
    from capt_engine.protocols.cache import WorkFolder
    from capt_engine.protocols.data import Pictures
    from capt_engine.protocols.definitions import Setting, Work

HELP = "the tables of the paper: few-shot, base-to-new, cross-dataset, shift, ablation; resumable"

# Named here too, so that --help answers at once; a test holds them to the tables.
NAMES = ("few-shot", "base-to-new", "cross-dataset", "shift", "ablation", "results")
METHODS = ("zero-shot", "coop", "apt", "maple", "fap", "trades", "capt")
AIMS = ("each", "zero-shot")


def configure(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument("name", choices=NAMES, metavar="NAME", help=f"{', '.join(NAMES)} (all of them, in one page)")
    parser.add_argument(
        "--data", default="demo", metavar="ROOT", help="the folder of the data sets, or demo: the toy world (default)"
    )
    parser.add_argument(
        "--datasets",
        metavar="A,B",
        help="subfolders of ROOT, ids of benchmarks, or TASK@DOMAIN of the toy world; the first is tuned on where only one is",
    )
    parser.add_argument("--methods", metavar="A,B", help=f"(default: {','.join(METHODS)})")
    parser.add_argument("--shots", metavar="N,N", help="pictures per class, or all (default: 1,4,16,all; else 16)")
    parser.add_argument("--seeds", default="1,2,3", metavar="N,N", help="(default: 1,2,3)")
    parser.add_argument("--eps", default="1/255,2/255", metavar="E,E", help="budgets (default: 1/255,2/255)")
    parser.add_argument("--attack-steps", type=int, default=100, metavar="N", help="of PGD (default: 100)")
    parser.add_argument(
        "--limit", type=int, default=300, metavar="N", help="test pictures of a data set, 0: all (default: 300)"
    )
    parser.add_argument("--model", metavar="ID", help="(default: the last one chosen, else demo)")
    parser.add_argument(
        "--aim",
        default="each",
        choices=AIMS,
        help="attack each on itself, or all on the zero-shot model (default: each)",
    )
    parser.add_argument(
        "--batch",
        type=int,
        default=0,
        metavar="N",
        help="pictures attacked together; changes no figure (default: chosen)",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="work folder: finished cells, prompts")
    parser.add_argument("--table", type=Path, metavar="FILE", help="write the table: .md, .csv, .json or .txt")
    parser.add_argument("--only-table", action="store_true", help="compute nothing: the table from the cells there are")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Compute the cells that are not there yet, then tell the table; raises CaptError for arguments that make no sense."""
    from capt_engine.cli.protocol_run import CellRun, Stopped
    from capt_engine.protocols.cache import WorkFolder
    from capt_engine.protocols.data import Pictures

    _check(args)
    pictures = Pictures(args.data, args.limit, _shots(args))
    work, setting = _work(args, pictures), _setting(args, pictures)
    folder = WorkFolder(args.out, make=not args.only_table)
    progress = ProgressLine(quiet=args.quiet)
    code = 0
    if not args.only_table:
        try:
            code = CellRun(
                work.order, setting, folder, pictures, device=args.device, batch=args.batch, progress=progress
            ).run()
        except (Stopped, KeyboardInterrupt):
            progress.say("Cancelled. What was finished is kept: the same command goes on from there.")
            code = Cancelled.exit_code
    _tell(args, work, setting, folder, progress)
    return code


def _check(args: argparse.Namespace) -> None:
    from capt_engine.protocols.render import SUFFIXES

    if args.table is not None and args.table.suffix not in SUFFIXES:
        raise BadRequest(f"{args.table} has no known ending.", f"Choose one of {', '.join(SUFFIXES)}.")
    if args.attack_steps < 1 or args.limit < 0 or args.batch < 0:
        raise BadRequest(
            "There must be at least one attack step, and no negative limit or batch.", "Check the numbers."
        )


def _setting(args: argparse.Namespace, pictures: Pictures) -> Setting:
    from capt_engine.folders import chosen_model
    from capt_engine.protocols.definitions import Setting

    return Setting(
        model=args.model or chosen_model(),
        data=pictures.name,
        revision=pictures.revision,
        budgets=tuple(sorted({budget(text) for text in _listed(args.eps, "--eps")} - {0.0})),
        attack_steps=args.attack_steps,
        limit=args.limit,
        aim=args.aim,
        precision=args.precision,
    )


def _work(args: argparse.Namespace, pictures: Pictures) -> Work:
    """The tables that were asked for."""
    from capt_engine.protocols import definitions
    from capt_engine.tuning.methods import METHODS as KNOWN
    from capt_engine.tuning.methods import prompt_methods

    methods = _listed(args.methods, "--methods") if args.methods else METHODS
    known = (definitions.ZERO_SHOT, *(method.name for method in prompt_methods()))
    for method in methods:
        if method not in known:
            raise UnknownName("method", method, known)
    methods = (definitions.ZERO_SHOT, *(method for method in methods if method != definitions.ZERO_SHOT))
    try:
        seeds = tuple(int(text) for text in _listed(args.seeds, "--seeds"))
    except ValueError:
        raise BadRequest(f"--seeds {args.seeds} are not whole numbers.", "For example 1,2,3.") from None
    shots = _shots(args)
    named = _listed(args.datasets, "--datasets") if args.datasets else pictures.usual(args.name)
    for dataset in named:
        pictures.check(dataset)
    capt = KNOWN[definitions.OURS]
    own = definitions.Own(capt.lambda_, capt.coupling)
    match args.name:
        case "few-shot":
            part = definitions.few_shot(named, methods, shots, seeds)
        case "base-to-new":
            part = definitions.base_to_new(named, methods, shots, seeds)
        case "cross-dataset":
            part = definitions.cross_dataset(named, methods, shots, seeds)
        case "shift":
            part = definitions.shift(named[0], named[1:] or pictures.other_looks(named[0]), methods, shots, seeds)
        case "ablation":
            part = definitions.ablation(named, shots, seeds, own)
        case _:
            return definitions.results(named, pictures.other_looks(named[0]), methods, seeds, own)
    return definitions.Work((part,), part.cells)


def _shots(args: argparse.Namespace) -> tuple[int | None, ...]:
    usual = "1,4,16,all" if args.name in ("few-shot", "results") else "16"
    try:
        shots = tuple(None if text == "all" else int(text) for text in _listed(args.shots or usual, "--shots"))
    except ValueError:
        raise BadRequest(f"--shots {args.shots} are not numbers.", "For example 1,4,16,all.") from None
    if any(count is not None and count < 1 for count in shots):
        raise BadRequest(f"--shots {args.shots}: at least one picture per class is needed.", "For example 1,4,16,all.")
    return shots


def _listed(text: str, option: str) -> tuple[str, ...]:
    values = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not values:
        raise BadRequest(f"{option} names nothing.", "Put commas between several.")
    return values


def _tell(args: argparse.Namespace, work: Work, setting: Setting, folder: WorkFolder, progress: ProgressLine) -> None:
    from capt_engine.protocols import render
    from capt_engine.protocols.summary import page_of

    page = page_of(args.name, work, setting, folder, _command(args))
    if args.table is not None:
        render.write(page, args.table)
        progress.say(f"The table is in {args.table}")
    if args.json:
        done = sum(folder.has(setting.cell_key(cell)) for cell in work.order)
        print_json("summary", {"name": args.name, "cells": len(work.order), "done": done, **render.plain(page)})
    elif args.table is None:
        sys.stdout.write(render.as_text(page))


def _command(args: argparse.Namespace) -> str:
    """Return the command that makes the same cells again; it names no folder of the machine that it was made on."""
    words = ["capt", "protocol", args.name, "--data", "demo" if args.data == "demo" else "ROOT"]
    for option in ("datasets", "methods", "shots", "model"):
        if getattr(args, option):
            words += [f"--{option}", getattr(args, option)]
    words += ["--seeds", args.seeds, "--eps", args.eps, "--attack-steps", str(args.attack_steps)]
    words += ["--limit", str(args.limit), "--aim", args.aim, "--out", "WORK"]
    return shlex.join(words)
