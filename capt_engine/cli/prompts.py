"""`capt prompts …`: the prompt checkpoints that can be chosen by name, what each says of itself, and importing published ones."""

from __future__ import annotations

import argparse
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from capt_engine.cli.options import add_verb
from capt_engine.cli.output import PICTURES, fact_lines, print_json, print_result, scored
from capt_engine.cli.run_job import follow
from capt_engine.cli.terminal import put
from capt_engine.records import ImportPromptsRequest, PromptsImported
from capt_engine.runs.command_line import filled
from capt_engine.runs.options_table import CLASSES, PATH, SWITCH, Option, budget_kind

if TYPE_CHECKING:
    from capt_engine.model.checkpoints import Document


IMPORT = (
    Option("file", "as its authors released it, for instance model.pth.tar-50", "file", metavar="FILE"),
    Option("--model", "the model they were tuned for (default: the last chosen)", "model", metavar="ID"),
    Option("--as", "what they are to be called", "name", metavar="NAME"),
    Option("--template", "the data set's sentence, {} being the class name", "template", metavar="TEXT"),
    Option("--classes", "the classes in the order of training", "classes", CLASSES, metavar="A,B,C|FILE"),
    Option("--class-position", "of CoOp's and APT's class name", "position", choices=("end", "middle", "front")),
    Option("--family", "the method, where the file fits several: maple or fap (prompts of one layer)", "family"),
    Option("--eps", "the budget they were tuned for, to be remembered", "eps", budget_kind("--eps", "K/255")),
    Option("--any-model", "also where the file holds another CLIP than the model", "any_model", SWITCH),
    PICTURES,
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands of `capt prompts` (list, show, verify, remove, import and card) to `parser`."""
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    name = Option("name", "an installed checkpoint, or a file", metavar="NAME|FILE")
    add_verb(verbs, "list", _list, "all that are installed")
    add_verb(verbs, "show", _show, "all that one says of itself", name)
    add_verb(verbs, "verify", _verify, "read one whole, check every value, and whether it is what was installed", name)
    add_verb(verbs, "remove", _remove, "delete one of your own", name)
    add_verb(verbs, "import", _import, "install prompts that others have published", *IMPORT)
    out = Option("--out", "where the card goes", kind=PATH.having(required=True), metavar="CARD.md")
    add_verb(verbs, "card", _card, "write a model card (Markdown, as Hugging Face reads it)", name, out)


def _import(args: argparse.Namespace) -> None:
    request = filled(ImportPromptsRequest("", "", device=args.device), IMPORT, vars(args))
    result = follow(request, args, PromptsImported)
    print_result(
        args,
        asdict(result),
        f"{result.name} is installed: {result.family}, for {result.model}, template {result.template!r}.",
        *result.said,
        *(f"Assumed: {line}" for line in result.assumed),
        *scored("With these prompts", result.score),
        *scored("Without prompts", result.plain),
    )


def _remove(args: argparse.Namespace) -> None:
    from capt_engine.model.store.prompt_store import remove

    print_result(args, {"removed": str(remove(args.name))}, f"{args.name} is removed.")


def _list(args: argparse.Namespace) -> None:
    from capt_engine.model.store.prompt_store import entries, own_folder

    found = entries()
    for entry in found:
        info = entry.info
        if args.json:
            facts = {"id": entry.id, "path": str(entry.path), "bundled": entry.bundled, "problem": entry.problem}
            print_json("prompts", {**facts, **({} if info is None else {"summary": info.summary, "model": info.model})})
        else:
            put(f"{entry.id}: {entry.problem if info is None else info.summary}")
    facts = {"n": len(found), "own_folder": str(own_folder())}
    print_result(args, facts, f"{len(found)} installed. Your own are looked for in {own_folder()}.")


def _show(args: argparse.Namespace) -> None:
    from capt_engine.model.checkpoints import read_document
    from capt_engine.model.store.prompt_store import find

    path = find(args.name)
    _print(args, path, read_document(path), "not looked at (capt prompts verify does)")


def _verify(args: argparse.Namespace) -> None:
    from capt_engine.model.checkpoints import read
    from capt_engine.model.store import prompt_store

    prompt_store.verified(args.name)
    path = prompt_store.find(args.name)
    checkpoint = read(path)
    values = sum(value.numel() for value in checkpoint.state.values())
    _print(args, path, checkpoint.document, f"{values:,} in {len(checkpoint.state)} tensors, all finite")


def _card(args: argparse.Namespace) -> None:
    from capt_engine.files import refuse_foreign_file, sha256, write_atomic
    from capt_engine.model.checkpoints import read_document
    from capt_engine.model.store.prompt_store import find
    from capt_engine.reports.model_card import card

    path = find(args.name)
    refuse_foreign_file(args.out, re.compile(rb"(?m)^library_name: capt-explorer$"))
    write_atomic(args.out, card(path.stem, read_document(path), sha256(path)))
    print_result(args, {"out": str(args.out)}, f"The card is in {args.out}.")


def _print(args: argparse.Namespace, path: Path, document: Document, values: str) -> None:
    from capt_engine.files import sha256

    facts = {"path": str(path), "sha256": sha256(path), "values": values, **asdict(document)}
    print_result(args, facts, *fact_lines(facts))
