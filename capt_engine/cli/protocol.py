"""`capt protocol NAME`: the tables of the paper's family, cell by cell, from one command that can be stopped and given again."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from capt_engine.bundled_models import DEFAULT_MODEL, TOYS
from capt_engine.cli import interrupts
from capt_engine.cli.options import set_up
from capt_engine.cli.output import print_json
from capt_engine.cli.protocol_data import check_data, require_work_folder
from capt_engine.cli.terminal import JobEnded, ProgressLine, put
from capt_engine.errors import BadRequest, UnknownName
from capt_engine.formatting import typed_budget
from capt_engine.protocols.definitions import AIMS, Setting, Shots
from capt_engine.runs.command_line import filled, printed
from capt_engine.runs.option_values import budget, listed, shots
from capt_engine.runs.options_table import PATH, SWITCH, TEXT, WHOLE, Kind, Option

if TYPE_CHECKING:
    from capt_engine.protocols.cache import WorkFolder
    from capt_engine.protocols.data import Pictures
    from capt_engine.protocols.definitions import Work


# Named here too, so that --help answers at once; a test holds them to the tables.
NAMES = ("few-shot", "base-to-new", "cross-dataset", "shift", "ablation", "results", "check-data")
METHODS = ("zero-shot", "coop", "apt", "maple", "fap", "trades", "capt")


@dataclass(frozen=True)
class _Wanted:
    """The choices of a protocol; datasets: () for those that are usual where the pictures are."""

    setting: Setting
    shots: tuple[Shots, ...]
    datasets: tuple[str, ...] = ()
    methods: tuple[str, ...] = METHODS
    seeds: tuple[int, ...] = (1, 2, 3)


def _several(flag: str, read: Callable[[str], object] = str, show: Callable[..., str] = str) -> Kind:
    """Values between commas, each taken once."""

    def values(text: str) -> tuple[object, ...]:
        found = tuple(dict.fromkeys(read(one) for one in listed(text)))
        if not found:
            raise BadRequest(f"{flag} names nothing.", "Put commas between several.")
        return found

    return Kind(read=values, show=lambda values: ",".join(show(one) for one in values))


def _seed(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise BadRequest(f"--seeds {text} is not a whole number.", "For example 1,2,3.") from None


def _count(text: str) -> Shots:
    count = shots(text)
    if count is not None and count < 1:
        raise BadRequest(f"--shots {text}: at least one picture per class is needed.", "For example 1,4,16,all.")
    return count


OPTIONS = (
    Option(
        "name",
        f"{', '.join(NAMES[:-1])} (all of them, in one page), or check-data: are the published data sets below ROOT complete?",
        choices=NAMES,
        metavar="NAME",
    ),
    Option(
        "--data",
        "the folder of the data sets, or demo: the toy world (default)",
        metavar="ROOT",
        kind=TEXT.having(default="demo"),
    ),
    Option(
        "--datasets",
        "subfolders of ROOT, ids of benchmarks, or TASK@DOMAIN of the toy world; the first is tuned on where only one is",
        "datasets",
        _several("--datasets"),
        metavar="A,B",
    ),
    Option("--methods", f"(default: {','.join(METHODS)})", "methods", _several("--methods"), metavar="A,B"),
    Option(
        "--shots",
        "pictures per class, or all (default: 1,4,16,all; else 16)",
        "shots",
        _several("--shots", _count, lambda count: "all" if count is None else str(count)),
        metavar="N,N",
    ),
    Option(
        "--model",
        f"(default: {TOYS[0]} with --data demo; else the last one chosen, else {DEFAULT_MODEL})",
        "setting.model",
        metavar="ID",
    ),
    Option("--seeds", "(default: 1,2,3)", "seeds", _several("--seeds", _seed), metavar="N,N", always=True),
    Option(
        "--eps",
        "budgets (default: 1/255,2/255)",
        "setting.budgets",
        _several("--eps", budget, typed_budget),
        metavar="E,E",
        always=True,
    ),
    Option("--attack-steps", "of PGD (default: 100)", "setting.attack_steps", WHOLE, metavar="N", always=True),
    Option(
        "--limit",
        "test pictures of a data set, 0: all (default: 300)",
        "setting.limit",
        WHOLE,
        metavar="N",
        always=True,
    ),
    Option(
        "--aim",
        "attack each on itself, or all on the zero-shot model (default: each)",
        "setting.aim",
        choices=AIMS,
        always=True,
    ),
    Option(
        "--batch",
        "pictures attacked together; changes no figure (default: chosen)",
        kind=WHOLE.having(default=0),
        metavar="N",
    ),
    Option("--out", "work folder: finished cells, prompts (not for check-data)", kind=PATH, metavar="DIR"),
    Option("--table", "write the table: .md, .csv, .json or .txt", kind=PATH, metavar="FILE"),
    Option("--only-table", "compute nothing: the table from the cells there are", kind=SWITCH),
    Option("--deep", "with check-data: decode every picture too, which takes long", kind=SWITCH),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `capt protocol` to `parser`, and name `run` as the function that does the command."""
    set_up(parser, run, OPTIONS)


def run(args: argparse.Namespace) -> int:
    """Tune and measure what the tables of the protocol `args.name` still lack, print the tables, return the exit code.

    args: the parsed arguments; with --only-table nothing is computed, with --table the tables go to a file. With
    check-data nothing is tuned or measured: the data sets are looked at, and the code says if they are complete. Else it is
    0, 130 after an interrupt, or that of the failure that ended the computing; the tables are made all the same. Raises
    CaptError for arguments that make no sense.
    """
    if args.name == "check-data":
        return check_data(args, OPTIONS)
    require_work_folder(args)
    from capt_engine.cli.protocol_run import CellRun
    from capt_engine.protocols.cache import WorkFolder
    from capt_engine.protocols.data import Pictures

    usual = _Wanted(Setting("", ""), (1, 4, 16, None) if args.name in ("few-shot", "results") else (16,))
    # The toy world's pictures mean something to the toy model alone.
    toy = {"model": TOYS[0]} if args.model is None and args.data == "demo" else {}
    wanted = filled(usual, OPTIONS, vars(args) | toy)
    _check(args, wanted.setting)
    pictures = Pictures(args.data, wanted.setting.limit, wanted.shots)
    budgets = tuple(sorted({*wanted.setting.budgets} - {0.0}))
    setting = replace(
        wanted.setting, data=pictures.name, revision=pictures.revision, budgets=budgets, precision=args.precision
    )
    work = _work(args.name, wanted, pictures)
    folder = WorkFolder(args.out, make=not args.only_table)
    progress = ProgressLine(quiet=args.quiet)
    code = 0
    if not args.only_table:
        try:
            CellRun(
                work.order, setting, folder, pictures, device=args.device, batch=args.batch, progress=progress
            ).run()
        except JobEnded as ended:
            code = ended.exit_code
        except KeyboardInterrupt:
            progress.say("Cancelled. What was finished is kept: the same command goes on from there.")
            code = interrupts.exit_code()
    # It names no folder of the machine that it was made on.
    where = ("--data", "demo" if args.data == "demo" else "ROOT")
    command = ["capt", "protocol", args.name, *where, *printed(wanted, usual, OPTIONS), "--out", "WORK"]
    _report(args, work, setting, folder, progress, shlex.join(command))
    return code


def _check(args: argparse.Namespace, setting: Setting) -> None:
    from capt_engine.protocols.render import refuse_foreign

    if args.table is not None:
        refuse_foreign(args.table)
    if setting.attack_steps < 1 or setting.limit < 0 or args.batch < 0:
        raise BadRequest(
            "There must be at least one attack step, and no negative limit or batch.", "Check the numbers."
        )


def _work(name: str, wanted: _Wanted, pictures: Pictures) -> Work:
    """The tables of a protocol."""
    from capt_engine.protocols import definitions
    from capt_engine.tuning.methods import METHODS as KNOWN
    from capt_engine.tuning.methods import prompt_methods

    known = (definitions.ZERO_SHOT, *(method.name for method in prompt_methods()))
    for method in wanted.methods:
        if method not in known:
            raise UnknownName("method", method, known)
    methods = tuple(dict.fromkeys((definitions.ZERO_SHOT, *wanted.methods)))
    sets = wanted.datasets or pictures.usual(name)
    for dataset in sets:
        pictures.check(dataset)
    capt = KNOWN[definitions.OURS]
    own = definitions.Own(capt.lambda_, capt.coupling)
    match name:
        case "few-shot":
            part = definitions.few_shot(sets, methods, wanted.shots, wanted.seeds)
        case "base-to-new":
            part = definitions.base_to_new(sets, methods, wanted.shots, wanted.seeds)
        case "cross-dataset":
            part = definitions.cross_dataset(sets, methods, wanted.shots, wanted.seeds)
        case "shift":
            looks = sets[1:] or pictures.other_looks(sets[0])
            part = definitions.shift(sets[0], looks, methods, wanted.shots, wanted.seeds)
        case "ablation":
            part = definitions.ablation(sets, wanted.shots, wanted.seeds, own)
        case _:
            return definitions.results(sets, pictures.other_looks(sets[0]), methods, wanted.seeds, own)
    return definitions.Work((part,), part.cells)


def _report(
    args: argparse.Namespace, work: Work, setting: Setting, folder: WorkFolder, progress: ProgressLine, command: str
) -> None:
    from capt_engine.protocols import render
    from capt_engine.protocols.summary import page_of

    page = page_of(args.name, work, setting, folder, command)
    if args.table is not None:
        render.write(page, args.table)
        progress.say(f"The table is in {args.table}")
    if args.json:
        done = sum(folder.has(setting.cell_key(cell)) for cell in work.order)
        print_json("summary", {"name": args.name, "cells": len(work.order), "done": done, **asdict(page)})
    elif args.table is None:
        put(*render.as_text(page).rstrip("\n").split("\n"))
