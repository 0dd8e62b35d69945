"""`capt analyze PATH…`: predict, attack and compare unlabelled pictures."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from capt_engine.cli.follow import follow
from capt_engine.cli.options import add_common, budget, class_list
from capt_engine.cli.terminal import Progress
from capt_engine.records import (
    AnalyzeRequest,
    AnalyzeResult,
    AttackSpec,
    Event,
    FailedPicture,
    ParamValue,
    PictureRow,
    Result,
    RowsReady,
    ThreatModel,
)

if TYPE_CHECKING:
    from capt_engine.reports.run_folder import RunFolder

HELP = "predict, attack and compare unlabelled pictures"


def configure(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="pictures and folders (with all folders inside)")
    parser.add_argument(
        "--model",
        metavar="ID",
        help="demo, an open_clip folder, or ARCH:SOURCE@FILE.safetensors (default: the last one chosen, else demo)",
    )
    parser.add_argument(
        "--prompts", metavar="NAME", help="a prompt checkpoint, or none (default; this version has none yet)"
    )
    parser.add_argument(
        "--classes", metavar="LIST", help='"a,b,c" or a file with one class per line (default: the model\'s own)'
    )
    parser.add_argument(
        "--template", default="", help='what surrounds a class name (default: the model\'s own, "a photo of a {}.")'
    )
    parser.add_argument(
        "--attack", default="pgd", metavar="NAME", help="pgd, or none for clean predictions only (default: pgd)"
    )
    parser.add_argument("--norm", default="linf", choices=("linf", "l2"), help="what the budget bounds (default: linf)")
    parser.add_argument(
        "--eps", metavar="E", help="the budget: k/255 or a number from 0 to 1 (default: 4/255; l2: 1.0)"
    )
    parser.add_argument("--steps", type=int, metavar="N", help="attack steps (default: the attack's own)")
    parser.add_argument(
        "--step-size", metavar="S", help="k/255 or a number from 0 to 1 (default: chosen from budget and steps)"
    )
    parser.add_argument("--restarts", type=int, metavar="N", help="random restarts (default: 1)")
    parser.add_argument("--target", metavar="CLASS", help="make the model say this class (default: any wrong one)")
    parser.add_argument("--batch", type=int, default=0, metavar="N", help="pictures per forward pass (default: chosen)")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="also keep rows, summary and attacked pictures in this new folder"
    )
    parser.add_argument("--strict", action="store_true", help="exit with 6 when any picture could not be used")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Do the analysis; raises CaptError for arguments that make no sense."""
    request = request_from(args)
    with ExitStack() as stack:
        folder = stack.enter_context(_run_folder(args.out, request)) if args.out else None
        return _Session(args, request, folder).run()


def request_from(args: argparse.Namespace) -> AnalyzeRequest:
    """The same request that the window would build; raises BadRequest."""
    from capt_engine.folders import chosen_model

    values: list[tuple[str, ParamValue]] = []
    if args.steps is not None:
        values.append(("steps", args.steps))
    if args.step_size is not None:
        values.append(("step_size", budget(args.step_size, norm=args.norm, name="--step-size")))
    if args.restarts is not None:
        values.append(("restarts", args.restarts))
    eps = budget(args.eps, norm=args.norm) if args.eps is not None else {"linf": 4 / 255, "l2": 1.0}[args.norm]
    return AnalyzeRequest(
        paths=tuple(args.paths),
        model=args.model or chosen_model(),
        prompts=None if args.prompts in (None, "none") else args.prompts,
        classes=class_list(args.classes) if args.classes else (),
        template=args.template,
        attack=None if args.attack == "none" else AttackSpec(args.attack, tuple(values)),
        threat=ThreatModel(norm=args.norm, eps=eps, target=args.target),
        seed=args.seed,
        device=args.device,
        precision=args.precision,
        batch=args.batch,
        with_pictures=args.out is not None,
    )


def _run_folder(path: Path, request: AnalyzeRequest) -> RunFolder:
    from capt_engine.cli.doctor import versions
    from capt_engine.reports.run_folder import RunFolder

    return RunFolder(path, request, versions())


class _Session:
    """One analysis through the door, from the terminal's side."""

    def __init__(self, args: argparse.Namespace, request: AnalyzeRequest, folder: RunFolder | None) -> None:
        self._args = args
        self._request = request
        self._folder = folder
        self._progress = Progress(quiet=args.quiet)

    def run(self) -> int:
        """Submit, follow the events to the job's end, and return the exit code."""
        return follow(
            self._request, device=self._args.device, progress=self._progress, news=self._on_event, finish=self._finish
        )

    def _on_event(self, event: Event) -> None:
        if isinstance(event, RowsReady):
            self._progress.clear()
            for row in event.rows:
                self._print_row(row)
            sys.stdout.flush()
            if self._folder:
                self._folder.add(event.rows)

    def _print_row(self, row: PictureRow | FailedPicture) -> None:
        from capt_engine.reports.table import cells

        if self._args.json:
            if isinstance(row, FailedPicture):
                _print_json({"event": "failure", "path": row.path, "message": row.message, "hint": row.hint})
            else:
                _print_json({"event": "row", **cells(row)})
        elif isinstance(row, FailedPicture):
            print(f"{_shown(row.path)}: {row.message} {row.hint}".rstrip())
        else:
            print(_line(row))

    def _finish(self, result: Result) -> int:
        from capt_engine.reports.table import summary

        assert isinstance(result, AnalyzeResult)
        run_dir = str(self._args.out) if self._args.out else None
        told = summary(result, self._request.seed, run_dir)
        if self._folder:
            self._folder.finish(told)
        if self._args.json:
            _print_json({"event": "summary", **told})
        else:
            print(_closing(result, run_dir))
        if result.n == 0:
            print("No picture could be used. Name pictures or folders that hold some.", file=sys.stderr)
            return 3
        return 6 if self._args.strict and result.n_failed else 0


def _print_json(value: dict[str, object]) -> None:
    print(json.dumps(value, allow_nan=False))


def _shown(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode("utf-8")


def _line(row: PictureRow) -> str:
    best = row.clean.winner
    text = f"{_shown(row.path)}: {row.classes[best]} {row.clean.probabilities[best]:.0%}"
    if row.attacked is None:
        return text
    after = row.attacked.winner
    verdict = "fooled" if row.success else "held"
    if row.success and not row.survives_png:
        verdict += ", but not after saving as PNG"
    elif row.success and not row.survives_jpeg95:
        verdict += ", but not after saving as JPEG 95"
    return f"{text} → {row.classes[after]} {row.attacked.probabilities[after]:.0%}  ({verdict})"


def _closing(result: AnalyzeResult, run_dir: str | None) -> str:
    lines = [
        f"{result.n} pictures, {result.n_failed} not usable, {result.wall_s:.1f} s on {result.device}, model {result.model}."
    ]
    if result.robust_accuracy is not None and result.robust_interval is not None:
        low, high = result.robust_interval
        threat = result.threat_model
        eps = f"{threat.eps * 255:g}/255" if threat.norm == "linf" else f"{threat.eps:g}"
        lines.append(
            f"{result.robust_accuracy:.0%} keep the model's own answer under {result.attacks[0].name} ({threat.norm}, ε = {eps}, "
            f"{threat.goal}, {threat.knowledge}); 95 % interval {low:.0%} to {high:.0%}."
        )
        lines.append(
            "There are no labels: this is agreement with the model's own clean prediction, an upper bound under this attack."
        )
    if run_dir:
        lines.append(f"Rows, summary and attacked pictures: {run_dir}")
    return "\n".join(lines)
