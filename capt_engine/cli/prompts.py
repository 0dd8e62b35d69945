"""`capt prompts …`: the prompt checkpoints that can be chosen by name, and what each says of itself."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from capt_engine.cli.options import add_common
from capt_engine.cli.told import print_json

if TYPE_CHECKING:
    from capt_engine.model.checkpoints import Document

HELP = "prompt checkpoints: those that ship with the program, and your own"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the verbs list, show, verify and card."""
    verbs = parser.add_subparsers(dest="prompts_verb", required=True, metavar="VERB")
    add_common(verbs.add_parser("list", help="all that are installed"))
    for name, words in (("show", "all that one says of itself"), ("verify", "read one whole and check every value")):
        verb = verbs.add_parser(name, help=words)
        verb.add_argument("name", metavar="NAME|FILE", help="an installed checkpoint, or a file")
        add_common(verb)
    verb = verbs.add_parser("card", help="write a model card (Markdown, as Hugging Face reads it)")
    verb.add_argument("name", metavar="NAME|FILE", help="an installed checkpoint, or a file")
    verb.add_argument("--out", required=True, type=Path, metavar="CARD.md", help="where the card goes")
    add_common(verb)


def run(args: argparse.Namespace) -> int:
    """Do what the arguments ask; raises BadCheckpoint."""
    {"list": _list, "show": _show, "verify": _verify, "card": _card}[args.prompts_verb](args)
    return 0


def _list(args: argparse.Namespace) -> None:
    from capt_engine.model.prompt_shelf import entries, own_folder

    found = entries()
    for entry in found:
        info = entry.info
        if args.json:
            facts = {"id": entry.id, "path": str(entry.path), "bundled": entry.bundled, "problem": entry.problem}
            print_json("prompts", {**facts, **({} if info is None else {"summary": info.summary, "model": info.model})})
        else:
            print(f"{entry.id}: {entry.problem if info is None else info.summary}")
    if args.json:
        print_json("summary", {"n": len(found), "own_folder": str(own_folder())})
    else:
        print(f"{len(found)} installed. Your own are looked for in {own_folder()}.")


def _show(args: argparse.Namespace) -> None:
    from capt_engine.model.checkpoints import read_document
    from capt_engine.model.prompt_shelf import find

    path = find(args.name)
    _tell(args, path, read_document(path), "not looked at (capt prompts verify does)")


def _verify(args: argparse.Namespace) -> None:
    from capt_engine.model.checkpoints import read
    from capt_engine.model.prompt_shelf import find

    path = find(args.name)
    checkpoint = read(path)
    values = sum(value.numel() for value in checkpoint.state.values())
    _tell(args, path, checkpoint.document, f"{values:,} in {len(checkpoint.state)} tensors, all finite")


def _card(args: argparse.Namespace) -> None:
    from capt_engine.model.checkpoints import read_document
    from capt_engine.model.prompt_shelf import find, fingerprint
    from capt_engine.reports.files import write_whole
    from capt_engine.reports.model_card import card

    path = find(args.name)
    write_whole(args.out, card(path.stem, read_document(path), fingerprint(path)).encode())
    if args.json:
        print_json("summary", {"out": str(args.out)})
    else:
        print(f"The card is in {args.out}.")


def _tell(args: argparse.Namespace, path: Path, document: Document, values: str) -> None:
    from dataclasses import asdict

    from capt_engine.model.prompt_shelf import fingerprint

    facts = {"path": str(path), "sha256": fingerprint(path), "values": values, **asdict(document)}
    if args.json:
        print_json("summary", facts)
    else:
        for name, value in facts.items():
            print(f"{name.replace('_', ' ')}: {value if isinstance(value, str) else json.dumps(value)}")
