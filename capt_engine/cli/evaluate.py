"""`capt evaluate DATA`: predict and attack labelled pictures, and count what stays right."""

from __future__ import annotations

import argparse
from pathlib import Path

from capt_engine.cli.asked import add_attack, add_model, add_out, attack, budgets, prompts, threat
from capt_engine.cli.options import add_common, class_list
from capt_engine.cli.picture_run import PictureRun
from capt_engine.errors import BadRequest
from capt_engine.records import EvaluateRequest

HELP = "predict and attack labelled pictures, and count what stays right"


def configure(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument(
        "data",
        metavar="DATA",
        help="class folders, a CSV with path,label, a split_zhou_*.json, or the id of a benchmark under --data-root",
    )
    parser.add_argument(
        "--split", default="", help="train, val or test (default: test, or all where there are no parts)"
    )
    parser.add_argument("--data-root", default="", metavar="DIR", help="the folder that holds the benchmarks")
    add_model(parser)
    parser.add_argument(
        "--attack",
        action="append",
        metavar="NAME",
        help="pgd, or none for clean predictions only; may be given several times: the worst counts (default: pgd)",
    )
    parser.add_argument(
        "--eps",
        metavar="E",
        help="budgets, k/255 or numbers from 0 to 1; several with commas draw the curve (default: 4/255; l2: 1.0)",
    )
    add_attack(parser)
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="at most N pictures, evenly over the classes")
    parser.add_argument(
        "--half", default="all", choices=("all", "base", "new"), help="among the first or second half of the classes"
    )
    parser.add_argument("--shard", default="1/1", metavar="i/N", help="only the i-th of N parts of the pictures")
    add_out(parser)
    parser.add_argument(
        "--resume", type=Path, metavar="RUN_DIR", help="go on where the same command with --out RUN_DIR was stopped"
    )
    parser.add_argument("--rows", action="store_true", help="also print each picture's outcome (--json always does)")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Do the evaluation; raises CaptError for arguments that make no sense."""
    return PictureRun(args, request_from(args), rows=args.rows).run()


def request_from(args: argparse.Namespace) -> EvaluateRequest:
    """The same request that the window would build; raises BadRequest."""
    from capt_engine.folders import chosen_model

    if args.out and args.resume:
        raise BadRequest("--resume names the run's folder already.", "Leave --out away.")
    specs = [attack(args, name) for name in args.attack or ["pgd"]]
    attacks = tuple(spec for spec in specs if spec is not None)
    if attacks and len(attacks) < len(specs):
        raise BadRequest("--attack none stands beside other attacks.", "Name either attacks or none.")
    eps = budgets(args)
    return EvaluateRequest(
        data=args.data,
        split=args.split,
        data_root=args.data_root,
        model=args.model or chosen_model(),
        prompts=prompts(args.prompts),
        compare=args.compare,
        aim=args.aim,
        classes=class_list(args.classes) if args.classes else (),
        template=args.template,
        attacks=attacks,
        threat=threat(args, max(eps)),
        curve=eps if len(eps) > 1 else (),
        limit=args.limit,
        shard=shard(args.shard),
        half=args.half,
        seed=args.seed,
        device=args.device,
        precision=args.precision,
        batch=args.batch,
        keep=str(args.resume or args.out or ""),
        resume=args.resume is not None,
    )


def shard(text: str) -> tuple[int, int]:
    """`i/N` as two whole numbers; raises BadRequest."""
    part, slash, parts = text.partition("/")
    if not (slash and part.isdecimal() and parts.isdecimal()):
        raise BadRequest(f"--shard {text} is not i/N.", "For example 1/4, the first of four parts.")
    return int(part), int(parts)
