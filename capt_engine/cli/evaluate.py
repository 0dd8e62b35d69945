"""`capt evaluate DATA`: predict and attack labelled pictures, and count what stays right."""

from __future__ import annotations

import argparse
from pathlib import Path

from capt_engine.cli.attack_options import (
    add_attack,
    add_lpips,
    add_model,
    add_out,
    attack,
    budgets,
    prompts,
    settings,
    threat,
)
from capt_engine.cli.options import add_common, add_renamed, class_list
from capt_engine.cli.picture_run import PictureRun
from capt_engine.errors import BadRequest
from capt_engine.records import CHECK_LEVELS, SUITES, AttackSpec, EvaluateRequest, RunOptions, until_chance

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
        help="an attack, or none for clean predictions only; may be given several times: the worst counts (default: pgd)",
    )
    parser.add_argument(
        "--suite",
        default="",
        choices=[one.name for one in SUITES],
        help="attacks that belong together, each on the pictures that those before it left standing: "
        + "; ".join(
            f"{one.name} ({', '.join(dict.fromkeys(spec.name for spec in one.linf))})"
            for one in SUITES
            if one.adversarial
        )
        + "; or what happens to pictures without an attacker: "
        + "; ".join(f"{one.name} ({one.summary})" for one in SUITES if not one.adversarial),
    )
    left = parser.add_mutually_exclusive_group()
    add_renamed(
        left,
        "--only-left",
        "--skip-broken",
        action="store_true",
        help="without --suite too: later attacks see only what is still right",
    )
    left.add_argument(
        "--all-pictures", action="store_true", help="with --suite: every attack on every picture, which takes longer"
    )
    parser.add_argument(
        "--eps",
        metavar="E",
        help="budgets, k/255 or numbers from 0 to 1; several with commas draw the curve (default: 4/255; l2: 1.0)",
    )
    parser.add_argument(
        "--curve",
        choices=("auto",),
        help="auto: from 0 over ε on to a budget that leaves nothing; pictures broken once are not attacked again",
    )
    parser.add_argument(
        "--minimal-eps",
        nargs="?",
        type=float,
        const=0.05,
        default=0.0,
        metavar="TOLERANCE",
        help="also find the smallest ε that breaks each picture, by bisection (relative tolerance, default 0.05)",
    )
    parser.add_argument(
        "--matrix",
        default="",
        metavar="P1,P2,none",
        help="instead of --prompts and --compare: attack each of these, and show everyone what was computed on everyone",
    )
    parser.add_argument(
        "--checks",
        default="cheap",
        choices=CHECK_LEVELS,
        help="how much the evaluation doubts itself: full costs several attacks on up to 100 pictures (default: %(default)s)",
    )
    add_attack(parser)
    add_lpips(parser)
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="at most N pictures, evenly over the classes")
    add_renamed(
        parser,
        "--half",
        "--subsample-classes",
        default="all",
        choices=("all", "base", "new"),
        help="among the first or second half of the classes",
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
    names = args.attack or ([] if args.suite else ["pgd"])
    several = bool(args.suite) or len(names) > 1
    specs = [AttackSpec(name) if several and name != "none" else attack(args, name) for name in names]
    attacks = tuple(spec for spec in specs if spec is not None)
    if (attacks or args.suite) and len(attacks) < len(specs):
        raise BadRequest("--attack none stands beside other attacks.", "Name either attacks or none.")
    eps = budgets(args)
    if args.curve and len(eps) > 1:
        raise BadRequest("--curve auto starts from one budget.", "Give --eps one, or leave --curve away.")
    if args.curve and not eps[0]:
        raise BadRequest("--curve auto cannot start from ε = 0.", "Give --eps a budget, as in 4/255.")
    together = matrix(args)
    return EvaluateRequest(
        data=args.data,
        split=args.split,
        data_root=args.data_root,
        attacks=attacks,
        suite=args.suite,
        shared_values=settings(args) if several else (),
        skip_broken=args.skip_broken or bool(args.curve) or (_is_worst_case(args.suite) and not args.all_pictures),
        until_chance=bool(args.curve),
        matrix=together,
        minimal_eps=args.minimal_eps,
        checks=args.checks,
        curve=until_chance(eps[0], args.norm) if args.curve else eps if len(eps) > 1 else (),
        limit=args.limit,
        shard=shard(args.shard),
        subsample_classes=args.subsample_classes,
        options=RunOptions(
            model=args.model or chosen_model(),
            prompts=prompts(together[0] if together else args.prompts),
            compare=args.compare,
            aim=args.aim,
            source_model=args.source_model,
            classes=class_list(args.classes) if args.classes else (),
            template=args.template,
            threat=threat(args, max(eps)),
            seed=args.seed,
            device=args.device,
            precision=args.precision,
            batch_size=args.batch,
            lpips=args.lpips,
            keep=str(args.resume or args.out or ""),
            resume=args.resume is not None,
        ),
    )


def _is_worst_case(name: str) -> bool:
    """Is it a suite of attacks, of which the worst counts?"""
    return any(one.name == name and one.adversarial for one in SUITES)


def matrix(args: argparse.Namespace) -> tuple[str, ...]:
    """The prompts of --matrix; raises BadRequest."""
    names = tuple(name.strip() for name in args.matrix.split(",") if name.strip())
    if names and (args.prompts or args.compare):
        raise BadRequest("--matrix stands beside --prompts or --compare.", "Name all of them in --matrix.")
    if names and (len(names) < 2 or len(set(names)) < len(names)):
        raise BadRequest(f"--matrix {args.matrix} does not name several prompts, each once.", "For example mine,none.")
    return names


def shard(text: str) -> tuple[int, int]:
    """`i/N` as two whole numbers; raises BadRequest."""
    part, slash, parts = text.partition("/")
    if not (slash and part.isdecimal() and parts.isdecimal()):
        raise BadRequest(f"--shard {text} is not i/N.", "For example 1/4, the first of four parts.")
    return int(part), int(parts)
