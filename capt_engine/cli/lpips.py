"""`capt lpips …`: the weights of yours that LPIPS is measured with; none are shipped, and none are fetched."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict

from capt_engine.cli.options import add_common
from capt_engine.cli.output import print_json
from capt_engine.cli.run_job import follow
from capt_engine.cli.terminal import ProgressLine
from capt_engine.records import LPIPS_NETS, Event, ImportLpipsRequest, LpipsImported, Result

HELP = "weights of yours for LPIPS, a distance of pictures that `--lpips` measures"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the verbs import, show and remove."""
    verbs = parser.add_subparsers(dest="lpips_verb", required=True, metavar="VERB")
    verb = verbs.add_parser(
        "import",
        help="install the two files that LPIPS is made of",
        description="Install the two files that LPIPS is made of, in either order. Nothing in them is run.",
    )
    verb.add_argument(
        "backbone",
        metavar="NETWORK.pth",
        help="torchvision's AlexNet or VGG16: alexnet-owt-7be5be79.pth or vgg16-397923af.pth",
    )
    verb.add_argument(
        "linear",
        metavar="LINEAR.pth",
        help="what its channels weigh: alex.pth or vgg.pth, from the folder weights/v0.1 of the package lpips",
    )
    add_common(verb)
    verb = verbs.add_parser("show", help="what is installed, checked against its SHA-256")
    add_common(verb)
    verb = verbs.add_parser("remove", help="delete the installed weights of one network")
    verb.add_argument("net", choices=LPIPS_NETS, help="alex for AlexNet, vgg for VGG16")
    add_common(verb)


def run(args: argparse.Namespace) -> int:
    """Do what the arguments ask; raises CaptError."""
    verbs: dict[str, Callable[[argparse.Namespace], int]] = {"import": _import, "show": _show, "remove": _remove}
    return verbs[args.lpips_verb](args)


def _import(args: argparse.Namespace) -> int:
    def finish(result: Result) -> int:
        assert isinstance(result, LpipsImported)
        if args.json:
            print_json("summary", asdict(result))
            return 0
        print(f"LPIPS on {result.label} is installed in {result.path}.")
        print(f"network: {result.backbone}, SHA-256 {result.backbone_sha256}")
        print(f"channels: {result.linear}, SHA-256 {result.linear_sha256}")
        print(f"`capt analyze` and `capt evaluate` measure it with --lpips {result.net}.")
        return 0

    request = ImportLpipsRequest(args.backbone, args.linear)
    return follow(request, device=args.device, progress=ProgressLine(quiet=args.quiet), news=_nothing, finish=finish)


def _show(args: argparse.Namespace) -> int:
    import torch

    from capt_engine.model.store import lpips_store

    here = lpips_store.names()
    for net in here:
        one = lpips_store.stored(net)
        lpips_store.load(net, torch.device("cpu"))
        if args.json:
            print_json("lpips", {**one.facts, "path": str(one.path), "unchanged": True})
            continue
        print(f"{net}: {one.net.label}, unchanged since it was imported, in {one.path}")
        print(f"    weights: SHA-256 {one.facts['sha256']}")
        print(f"    network: {one.facts['backbone']}, SHA-256 {one.facts['backbone_sha256']}")
        print(f"    channels: {one.facts['linear']}, SHA-256 {one.facts['linear_sha256']}")
    if args.json:
        print_json("summary", {"n": len(here)})
    elif not here:
        print("There are no LPIPS weights here. Bring yours: capt lpips import NETWORK.pth LINEAR.pth")
    return 0


def _remove(args: argparse.Namespace) -> int:
    from capt_engine.model.store.lpips_store import remove

    path = remove(args.net)
    if args.json:
        print_json("summary", {"removed": str(path)})
    else:
        print(f"The LPIPS weights of {args.net} are removed.")
    return 0


def _nothing(_: Event) -> None:
    """Ignore an event."""
