"""`capt prompts …`: the prompt checkpoints that can be chosen by name, what each says of itself, and importing published ones."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from capt_engine.cli.import_output import add_pictures, scored
from capt_engine.cli.options import add_common
from capt_engine.cli.output import print_json
from capt_engine.cli.run_job import follow
from capt_engine.cli.terminal import ProgressLine
from capt_engine.errors import BadCheckpoint
from capt_engine.records import Event, ImportPromptsRequest, PromptsImported, Result
from capt_engine.runs.option_values import budget, class_list

if TYPE_CHECKING:
    from capt_engine.model.checkpoints import Document

HELP = "prompt checkpoints: those that ship with the program, and your own"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the verbs list, show, verify, import, remove and card."""
    verbs = parser.add_subparsers(dest="prompts_verb", required=True, metavar="VERB")
    add_common(verbs.add_parser("list", help="all that are installed"))
    for name, words in (
        ("show", "all that one says of itself"),
        ("verify", "read one whole, check every value, and whether it is what was installed"),
        ("remove", "delete one of your own"),
    ):
        verb = verbs.add_parser(name, help=words)
        verb.add_argument("name", metavar="NAME|FILE", help="an installed checkpoint, or a file")
        add_common(verb)
    _configure_import(verbs.add_parser("import", help="install prompts that others have published"))
    verb = verbs.add_parser("card", help="write a model card (Markdown, as Hugging Face reads it)")
    verb.add_argument("name", metavar="NAME|FILE", help="an installed checkpoint, or a file")
    verb.add_argument("--out", required=True, type=Path, metavar="CARD.md", help="where the card goes")
    add_common(verb)


def run(args: argparse.Namespace) -> int:
    """Do what the arguments ask; raises BadCheckpoint."""
    if args.prompts_verb == "import":
        return _import(args)
    {"list": _list, "show": _show, "verify": _verify, "remove": _remove, "card": _card}[args.prompts_verb](args)
    return 0


def _configure_import(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("file", metavar="FILE", help="as its authors released it, for instance model.pth.tar-50")
    verb.add_argument(
        "--model", default="", metavar="ID", help="the model they were tuned for (default: the last chosen)"
    )
    verb.add_argument("--as", dest="name", default="", metavar="NAME", help="what they are to be called")
    verb.add_argument("--template", default="", metavar="TEXT", help="the data set's sentence, {} being the class name")
    verb.add_argument("--classes", default="", metavar="A,B,C|FILE", help="the classes in the order of training")
    verb.add_argument(
        "--class-position", default="", choices=("end", "middle", "front"), help="of CoOp's and APT's class name"
    )
    verb.add_argument("--eps", default="", metavar="K/255", help="the budget they were tuned for, to be remembered")
    verb.add_argument("--any-model", action="store_true", help="also where the file holds another CLIP than the model")
    add_pictures(verb)
    add_common(verb)


def _import(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from capt_engine.folders import chosen_model

    request = ImportPromptsRequest(
        file=args.file,
        model=args.model or chosen_model(),
        name=args.name,
        device=args.device,
        template=args.template,
        classes=class_list(args.classes) if args.classes else (),
        position=args.class_position,
        eps=budget(args.eps) if args.eps else None,
        any_model=args.any_model,
        pictures=args.pictures,
    )

    def finish(result: Result) -> int:
        assert isinstance(result, PromptsImported)
        if args.json:
            print_json("summary", asdict(result))
            return 0
        print(f"{result.name} is installed: {result.family}, for {result.model}, template {result.template!r}.")
        for line in (*result.said, *(f"Assumed: {line}" for line in result.assumed)):
            print(line)
        print(scored("With these prompts", result.score))
        print(scored("Without prompts", result.plain))
        return 0

    return follow(request, device=args.device, progress=ProgressLine(quiet=args.quiet), news=_nothing, finish=finish)


def _nothing(_: Event) -> None:
    """Ignore an event."""


def _remove(args: argparse.Namespace) -> None:
    from capt_engine.model.store.prompt_store import remove

    path = remove(args.name)
    if args.json:
        print_json("summary", {"removed": str(path)})
    else:
        print(f"{args.name} is removed.")


def _list(args: argparse.Namespace) -> None:
    from capt_engine.model.store.prompt_store import entries, own_folder

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
    from capt_engine.model.store.prompt_store import find

    path = find(args.name)
    _tell(args, path, read_document(path), "not looked at (capt prompts verify does)")


def _verify(args: argparse.Namespace) -> None:
    from capt_engine.model.checkpoints import read
    from capt_engine.model.store import install_record
    from capt_engine.model.store.prompt_store import find, note_of

    path = find(args.name)
    note = note_of(path)
    if note.is_file() and install_record.changed(note):
        raise BadCheckpoint(
            f"{path.name!r} was changed since it was installed.", "If that was not you, remove it and import it again."
        )
    checkpoint = read(path)
    values = sum(value.numel() for value in checkpoint.state.values())
    _tell(args, path, checkpoint.document, f"{values:,} in {len(checkpoint.state)} tensors, all finite")


def _card(args: argparse.Namespace) -> None:
    from capt_engine.files import sha256, write_atomic
    from capt_engine.model.checkpoints import read_document
    from capt_engine.model.store.prompt_store import find
    from capt_engine.reports.model_card import card

    path = find(args.name)
    write_atomic(args.out, card(path.stem, read_document(path), sha256(path)))
    if args.json:
        print_json("summary", {"out": str(args.out)})
    else:
        print(f"The card is in {args.out}.")


def _tell(args: argparse.Namespace, path: Path, document: Document, values: str) -> None:
    from dataclasses import asdict

    from capt_engine.files import sha256

    facts = {"path": str(path), "sha256": sha256(path), "values": values, **asdict(document)}
    if args.json:
        print_json("summary", facts)
    else:
        for name, value in facts.items():
            print(f"{name.replace('_', ' ')}: {value if isinstance(value, str) else json.dumps(value)}")
