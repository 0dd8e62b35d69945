"""`capt analyze PATH…`: predict, attack and compare unlabelled pictures."""

from __future__ import annotations

import argparse

from capt_engine.cli.attack_options import add_attack, add_lpips, add_model, add_out, attack, budgets, prompts, threat
from capt_engine.cli.options import add_common, class_list
from capt_engine.cli.picture_run import PictureRun
from capt_engine.errors import BadRequest
from capt_engine.records import AnalyzeRequest, RunOptions

HELP = "predict, attack and compare unlabelled pictures"


def configure(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="pictures and folders (with all folders inside)")
    add_model(parser)
    parser.add_argument(
        "--attack", default="pgd", metavar="NAME", help="an attack, or none for clean predictions only (default: pgd)"
    )
    parser.add_argument(
        "--eps", metavar="E", help="the budget: k/255 or a number from 0 to 1 (default: 4/255; l2: 1.0)"
    )
    add_attack(parser)
    add_lpips(parser)
    add_out(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Do the analysis; raises CaptError for arguments that make no sense."""
    return PictureRun(args, request_from(args)).run()


def request_from(args: argparse.Namespace) -> AnalyzeRequest:
    """The same request that the window would build; raises BadRequest."""
    from capt_engine.folders import chosen_model

    eps = budgets(args)
    if len(eps) > 1:
        raise BadRequest("Several budgets were given; analyze takes one.", "capt evaluate draws the curve.")
    return AnalyzeRequest(
        paths=tuple(args.paths),
        attack=attack(args, args.attack),
        options=RunOptions(
            model=args.model or chosen_model(),
            prompts=prompts(args.prompts),
            compare=args.compare,
            aim=args.aim,
            source_model=args.source_model,
            classes=class_list(args.classes) if args.classes else (),
            template=args.template,
            threat=threat(args, eps[0]),
            seed=args.seed,
            device=args.device,
            precision=args.precision,
            batch_size=args.batch,
            lpips=args.lpips,
            with_pictures=False,
            keep=str(args.out or ""),
        ),
    )
