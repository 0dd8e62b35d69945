"""`capt protocol NAME`: the tables of the paper's family, cell by cell, from one command that can be stopped and given again."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Sequence
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
from capt_engine.protocols.definitions import AIMS, Setting, Settings, Shots
from capt_engine.runs.command_line import filled, printed
from capt_engine.runs.option_values import budget, listed, shots
from capt_engine.runs.options_table import PATH, SWITCH, TEXT, WHOLE, Kind, Option

if TYPE_CHECKING:
    from capt_engine.protocols.cache import Measured, WorkFolder
    from capt_engine.protocols.data import Pictures, StudyPictures
    from capt_engine.protocols.definitions import Cell, Work
    from capt_engine.protocols.render import Page


# Named here too, so that --help answers at once; a test holds them to the tables.
NAMES = ("few-shot", "base-to-new", "cross-dataset", "shift", "ablation", "results", "search", "check-data")
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
        f"{', '.join(NAMES[:5])}; results: all of them in one page, without --data those of the study in docs/results.md; "
        "search: how the study chose each method's settings; check-data: are the published data sets below ROOT complete?",
        choices=NAMES,
        metavar="NAME",
    ),
    Option(
        "--data",
        "the folder of the data sets, or demo: the toy world (default; for results and search: the study)",
        metavar="ROOT",
        kind=TEXT.having(default=None),
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
    Option(
        "--cells",
        "keep the finished cells in this folder instead (default: in the work folder)",
        kind=PATH,
        metavar="DIR",
    ),
    Option("--from", "compute nothing: the table from the cells in this folder", kind=PATH, metavar="CELLS"),
    Option(
        "--cifar10", "the study's photographs: CIFAR-10 as class folders in train and test", kind=PATH, metavar="DIR"
    ),
    Option("--table", "write the table: .md, .csv, .json or .txt", kind=PATH, metavar="FILE"),
    Option("--only-table", "compute nothing: the table from the cells there are", kind=SWITCH),
    Option("--deep", "with check-data: decode every picture too, which takes long", kind=SWITCH),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `capt protocol` to `parser`, and name `run` as the function that does the command."""
    set_up(parser, run, OPTIONS)


@dataclass(frozen=True)
class _Job:
    """A protocol as it is to be run. command: the options that say it again, without folders of this machine."""

    work: Work
    settings: Settings
    pictures: Pictures | StudyPictures
    command: list[str]


def run(args: argparse.Namespace) -> int:
    """Tune and measure what the tables of the protocol `args.name` still lack, print the tables, return the exit code.

    args: the parsed arguments; with --only-table or --from nothing is computed, with --table the tables go to a file. With
    check-data nothing is tuned or measured: the data sets are looked at, and the code says if they are complete. Else it is
    0, 130 after an interrupt, or that of the failure that ended the computing; the tables are made all the same. Raises
    CaptError for arguments that make no sense.
    """
    if args.name == "check-data":
        return check_data(args, OPTIONS)
    folder = _folder(args)
    progress = ProgressLine(quiet=args.quiet)
    if args.name == "search":
        return _search(args, folder, progress)
    job = _study(args) if args.name == "results" and args.data is None else _asked(args)
    code = _compute(args, job.work.order, job.settings, folder, job.pictures, progress)
    from capt_engine.protocols.summary import page_of

    page = page_of(args.name, job.work, job.settings, folder, _command_line(args, job.command))
    done = sum(folder.has(job.settings.cell_key(cell)) for cell in job.work.order)
    _report(args, page, progress, len(job.work.order), done)
    return code


def _folder(args: argparse.Namespace) -> WorkFolder:
    from capt_engine.protocols.cache import WorkFolder
    from capt_engine.protocols.render import refuse_foreign

    if args.table is not None:
        refuse_foreign(args.table)
    require_work_folder(args)
    given = getattr(args, "from")
    if given is not None:
        args.only_table = True
        return WorkFolder(given, make=False, cells=given)
    return WorkFolder(args.out, make=not args.only_table, cells=args.cells)


def _asked(args: argparse.Namespace) -> _Job:
    """The protocol on the data sets that the command line names."""
    from capt_engine.protocols.data import DEMO, Pictures

    if args.cifar10 is not None:
        raise BadRequest("--cifar10 belongs to the study: results without --data, and search.", "Leave it out.")
    data = args.data or DEMO
    usual = _Wanted(Setting("", ""), (1, 4, 16, None) if args.name in ("few-shot", "results") else (16,))
    # The toy world's pictures mean something to the toy model alone.
    toy = {"model": TOYS[0]} if args.model is None and data == DEMO else {}
    wanted = filled(usual, OPTIONS, vars(args) | toy)
    _check(args, wanted.setting)
    pictures = Pictures(data, wanted.setting.limit, wanted.shots)
    budgets = tuple(sorted({*wanted.setting.budgets} - {0.0}))
    setting = replace(
        wanted.setting, data=pictures.name, revision=pictures.revision, budgets=budgets, precision=args.precision
    )
    # It names no folder of the machine that it was made on.
    where = ["--data", DEMO if data == DEMO else "ROOT"]
    command = [*where, *printed(wanted, usual, OPTIONS)]
    return _Job(_work(args.name, wanted, pictures), Settings(setting), pictures, command)


def _study(args: argparse.Namespace) -> _Job:
    """The study of docs/results.md."""
    from capt_engine.protocols import definitions, study
    from capt_engine.protocols.data import StudyPictures
    from capt_engine.tuning.methods import METHODS as KNOWN

    _refuse_choices(args)
    pictures = StudyPictures(args.cifar10, study.LIMIT, (definitions.USUAL_SHOTS,))
    capt = KNOWN[definitions.OURS]
    work = study.results(definitions.Own(capt.lambda_, capt.coupling))
    return _Job(work, study.settings(study.LIMIT, pictures.sources()), pictures, [])


def _search(args: argparse.Namespace, folder: WorkFolder, progress: ProgressLine) -> int:
    """Round after round, as far as the cells there are and those that can be computed allow."""
    from capt_engine.protocols import search
    from capt_engine.protocols.data import StudyPictures

    _refuse_choices(args)
    pictures = {rung.name: StudyPictures(args.cifar10, rung.limit, (rung.shots,)) for rung in search.RUNGS}
    settings = {rung.name: search.settings(rung, pictures[rung.name].sources()) for rung in search.RUNGS}

    def found(rung: search.Rung, cell: Cell) -> Measured | None:
        return folder.read(settings[rung.name].cell_key(cell))

    made, code = search.rounds(found), 0
    while not args.only_table and code == 0:
        rung = next((rung for rung in search.RUNGS if any(one.rung is rung and not one.done for one in made)), None)
        if rung is None:
            break
        cells = search.cells_to_compute(made, rung)
        code = _compute(args, cells, settings[rung.name], folder, pictures[rung.name], progress)
        if not all(pictures[rung.name].has(cell.dataset) for cell in cells):
            break
        made = search.rounds(found)
    page = search.page(made, settings, found, _command_line(args, []))
    measured = [cell for one in made for scored in one.scored for cell in scored.measured]
    _report(args, page, progress, len(measured), sum(cell is not None for cell in measured))
    return code


def _compute(
    args: argparse.Namespace,
    cells: Sequence[Cell],
    settings: Settings,
    folder: WorkFolder,
    pictures: Pictures | StudyPictures,
    progress: ProgressLine,
) -> int:
    """Compute those of `cells` that are not there; the exit code."""
    from capt_engine.cli.protocol_run import CellRun
    from capt_engine.protocols.data import StudyPictures

    if args.only_table:
        return 0
    if isinstance(pictures, StudyPictures):
        there = [cell for cell in cells if pictures.has(cell.dataset)]
        if len(there) < len(cells):
            progress.say(
                f"{len(cells) - len(there)} cells need CIFAR-10 and are left out: name its folder by --cifar10."
            )
        cells = there
    try:
        CellRun(cells, settings, folder, pictures, device=args.device, batch=args.batch, progress=progress).run()
    except JobEnded as ended:
        return ended.exit_code
    except KeyboardInterrupt:
        progress.say("Cancelled. What was finished is kept: the same command goes on from there.")
        return interrupts.exit_code()
    return 0


def _command_line(args: argparse.Namespace, options: list[str]) -> str:
    study = args.name == "search" or (args.name == "results" and args.data is None)
    where = ["--cifar10", "CIFAR10", "--out", "WORK", "--cells", "CELLS"] if study else ["--out", "WORK"]
    return shlex.join(["capt", "protocol", args.name, *options, *where])


def _refuse_choices(args: argparse.Namespace) -> None:
    """The study is what it is: an option that would change it is refused."""
    given = [
        option.flag
        for option in OPTIONS
        if option.flag not in _OF_STUDY and getattr(args, option.name, None) is not None
    ]
    if given:
        raise BadRequest(
            f"{', '.join(given)} cannot be chosen: the study is fixed.", "Name --data for tables of your own."
        )


_OF_STUDY = ("name", "--batch", "--out", "--cells", "--from", "--cifar10", "--table", "--only-table")


def _check(args: argparse.Namespace, setting: Setting) -> None:
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


def _report(args: argparse.Namespace, page: Page, progress: ProgressLine, planned: int, done: int) -> None:
    from capt_engine.protocols import render

    if args.table is not None:
        render.write(page, args.table)
        progress.say(f"The table is in {args.table}")
    if args.json:
        print_json("summary", {"name": args.name, "cells": planned, "done": done, **asdict(page)})
    elif args.table is None:
        put(*render.as_text(page).rstrip("\n").split("\n"))
