"""`capt lpips …`: the weights of yours that LPIPS is measured with; none are shipped, and none are fetched."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from capt_engine.cli.options import add_verb
from capt_engine.cli.output import print_json, print_result
from capt_engine.cli.run_job import follow
from capt_engine.cli.terminal import put
from capt_engine.records import LPIPS_NETS, ImportLpipsRequest, LpipsImported
from capt_engine.runs.options_table import Option


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands of `capt lpips` (import, show and remove), each with its options, to `parser`."""
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    add_verb(
        verbs,
        "import",
        _import,
        "install the two files that LPIPS is made of",
        Option(
            "backbone",
            "torchvision's AlexNet or VGG16: alexnet-owt-7be5be79.pth or vgg16-397923af.pth",
            metavar="NETWORK.pth",
        ),
        Option(
            "linear",
            "what its channels weigh: alex.pth or vgg.pth, from the folder weights/v0.1 of the package lpips",
            metavar="LINEAR.pth",
        ),
        more="Install the two files that LPIPS is made of, in either order. Nothing in them is run.",
    )
    add_verb(verbs, "show", _show, "what is installed, checked against its SHA-256")
    net = Option("net", "alex for AlexNet, vgg for VGG16", choices=LPIPS_NETS)
    add_verb(verbs, "remove", _remove, "delete the installed weights of one network", net)


def _import(args: argparse.Namespace) -> None:
    result = follow(ImportLpipsRequest(args.backbone, args.linear), args, LpipsImported)
    print_result(
        args,
        asdict(result),
        f"LPIPS on {result.label} is installed in {result.path}.",
        f"network: {result.backbone}, SHA-256 {result.backbone_sha256}",
        f"channels: {result.linear}, SHA-256 {result.linear_sha256}",
        f"`capt analyze` and `capt evaluate` measure it with --lpips {result.net}.",
    )


def _show(args: argparse.Namespace) -> None:
    import torch

    from capt_engine.model.store import lpips_store

    here = lpips_store.names()
    for net in here:
        one = lpips_store.stored(net)
        lpips_store.load(net, torch.device("cpu"))
        if args.json:
            print_json("lpips", {**one.facts, "path": str(one.path), "unchanged": True})
            continue
        put(f"{net}: {one.net.label}, unchanged since it was imported, in {one.path}")
        put(f"    weights: SHA-256 {one.facts['sha256']}")
        put(f"    network: {one.facts['backbone']}, SHA-256 {one.facts['backbone_sha256']}")
        put(f"    channels: {one.facts['linear']}, SHA-256 {one.facts['linear_sha256']}")
    nothing = "There are no LPIPS weights here. Bring yours: capt lpips import NETWORK.pth LINEAR.pth"
    print_result(args, {"n": len(here)}, *(() if here else (nothing,)))


def _remove(args: argparse.Namespace) -> None:
    from capt_engine.model.store.lpips_store import remove

    path = remove(args.net)
    print_result(args, {"removed": str(path)}, f"The LPIPS weights of {args.net} are removed.")
