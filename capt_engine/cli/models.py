"""`capt models …`: the models that can be chosen by name, and bringing in weights that others have published."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from capt_engine import formatting
from capt_engine.cli.import_output import add_pictures, scored
from capt_engine.cli.options import add_common
from capt_engine.cli.output import print_json
from capt_engine.cli.run_job import CANCELLED, follow
from capt_engine.cli.terminal import ProgressLine
from capt_engine.errors import BadRequest
from capt_engine.reading import json_if_sound, read_json
from capt_engine.records import (
    DownloadRequest,
    DownloadResult,
    Event,
    ImportModelRequest,
    ModelImported,
    OfferedModel,
    Result,
    SanityRequest,
    SanityScore,
)

HELP = "models: bundled, install_record, and importing published weights"

BUNDLED = ("demo", "demo-robust")


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the verbs list, show, get, verify, import, remove, ledger and offline."""
    verbs = parser.add_subparsers(dest="models_verb", required=True, metavar="VERB")
    add_common(verbs.add_parser("list", help="all that can be chosen or fetched, and whether they are here"))
    for name, words in (
        ("show", "what is known of one"),
        ("verify", "has any file of it changed since it was installed?"),
        ("remove", "delete an installed one"),
    ):
        verb = verbs.add_parser(name, help=words)
        verb.add_argument("name", metavar="NAME", help="as `capt models list` gives it")
        add_common(verb)
    verb = verbs.add_parser("get", help="download one, resume where it was broken off, verify, install")
    verb.add_argument("name", metavar="ID", help="as `capt models list` gives it, or hf-hub:owner/name")
    verb.add_argument("--yes", action="store_true", help="do not ask first")
    verb.add_argument("--no-score", action="store_true", help="do not try it on a few pictures afterwards")
    add_pictures(verb)
    add_common(verb)
    add_common(verbs.add_parser("ledger", help="everything that was ever downloaded"))
    verb = verbs.add_parser("offline", help="keep the program off the network for good, or let it back")
    verb.add_argument("wanted", choices=("on", "off"), help="on locks the network away")
    add_common(verb)
    verb = verbs.add_parser("import", help="install published weights, whatever form they came in")
    verb.add_argument(
        "path",
        metavar="PATH",
        help="an open_clip or CLIPModel folder, a CLIP's state dict, TeCoA's container, or a bare image tower (FARE)",
    )
    verb.add_argument("--as", dest="name", required=True, metavar="NAME", help="what it is to be called")
    verb.add_argument("--base", default="", metavar="ID", help="of an image tower: the model it was tuned from")
    verb.add_argument(
        "--activation",
        default="",
        choices=("quickgelu", "gelu"),
        help="what it was trained with, where the files do not say (default then: quickgelu)",
    )
    add_pictures(verb)
    add_common(verb)


def run(args: argparse.Namespace) -> int:
    """Do what the arguments ask; raises CaptError."""
    verbs: dict[str, Callable[[argparse.Namespace], int]] = {
        "list": _list,
        "show": _show,
        "verify": _verify,
        "remove": _remove,
        "import": _import,
        "get": _get,
        "ledger": _ledger,
        "offline": _offline,
    }
    return verbs[args.models_verb](args)


def _list(args: argparse.Namespace) -> int:
    from capt_engine.model.store import catalog

    found = catalog.listed()
    imported: list[dict[str, object]] = [{"id": name, "state": "imported"} for name in found.others]
    rows = [*imported, *(asdict(one) for one in found.offered)]
    for row in rows:
        if args.json:
            print_json("model", row)
        else:
            print(_line(row))
    if args.json:
        print_json("summary", {"n": len(rows), "folder": found.folder, "offline": found.offline})
    else:
        print(f"Installed models are kept in {found.folder}.")
    return 0


def _line(row: dict[str, object]) -> str:
    words = [f"{row['id']}: {row['state']}"]
    if "label" in row:
        size = row["bytes"]
        about = f"about {formatting.size(size)}" if isinstance(size, int) else "size not known"
        words += [str(row["label"]), about, f"licence {row['licence']}", f"here: {row['comfort']}"]
    return ", ".join(words)


def _show(args: argparse.Namespace) -> int:
    from capt_engine.model.store import install_record
    from capt_engine.resources import resource

    folder = resource(args.name) if args.name in BUNDLED else _folder_or_offer(args.name)
    if isinstance(folder, OfferedModel):
        facts: dict[str, object] = asdict(folder)
    else:
        facts = {
            "name": args.name,
            "folder": str(folder),
            **(json_if_sound(folder / install_record.INSTALLED, dict[str, Any]) or {}),
        }
        for config in ("open_clip_config.json", "tower.json"):
            if (folder / config).is_file():
                facts[config] = read_json(folder / config, dict[str, Any])
    if args.json:
        print_json("summary", facts)
    else:
        for name, value in facts.items():
            print(f"{name.replace('_', ' ')}: {value if isinstance(value, str) else json.dumps(value)}")
    return 0


def _folder_or_offer(name: str) -> Path | OfferedModel:
    from capt_engine.model.store import catalog
    from capt_engine.model.store.model_store import folder_of

    try:
        return folder_of(name)
    except BadRequest as absent:
        for one in catalog.offered():
            if one.id == name:
                return one
        raise absent from None


def _verify(args: argparse.Namespace) -> int:
    from capt_engine.model.store.model_store import verified

    files = verified(args.name)
    if args.json:
        print_json("summary", {"name": args.name, "unchanged": True, "files": files})
    else:
        print(f"{args.name}: {len(files)} files, all as they were when it was installed.")
    return 0


def _remove(args: argparse.Namespace) -> int:
    from capt_engine.model.store.model_store import remove

    folder = remove(args.name)
    if args.json:
        print_json("summary", {"removed": str(folder)})
    else:
        print(f"{args.name} is removed.")
    return 0


def _import(args: argparse.Namespace) -> int:
    request = ImportModelRequest(args.path, args.name, args.base, args.activation, args.pictures)

    def finish(result: Result) -> int:
        assert isinstance(result, ModelImported)
        if args.json:
            print_json("summary", asdict(result))
            return 0
        print(f"{result.name} is installed in {result.folder} (it was a {result.form}).")
        for line in (*result.said, *(f"Assumed: {line}" for line in result.assumed)):
            print(line)
        print(scored("Zero-shot", result.score))
        return 0

    progress = ProgressLine(quiet=args.quiet)
    return follow(request, device=args.device, progress=progress, news=_nothing, finish=finish)


def _get(args: argparse.Namespace) -> int:
    from capt_engine.download import offline
    from capt_engine.model.store import catalog

    if args.offline:
        raise BadRequest("--offline was given, so nothing is fetched.", "Leave it out to download.")
    offline.require_network()
    offer = catalog.find_offer(args.name)
    size = "size not known" if offer.bytes is None else f"{formatting.size(offer.bytes)}"
    print(f"{offer.label}: {size}, licence {offer.licence}, from {offer.page}", file=sys.stderr)
    if not args.yes and not _agreed():
        return CANCELLED

    got: list[DownloadResult] = []

    def finish(result: Result) -> int:
        assert isinstance(result, DownloadResult)
        got.append(result)
        if args.json:
            print_json("summary", asdict(result))
        else:
            print(f"{result.model} is installed in {result.folder} ({formatting.size(result.bytes)} were fetched).")
            print(f"SHA-256 {result.sha256}, commit {result.commit}")
            for note in result.notes:
                print(note)
        return 0

    code = follow(
        DownloadRequest(args.name),
        device=args.device,
        progress=ProgressLine(quiet=args.quiet),
        news=_nothing,
        finish=finish,
        cancelled="Cancelled. What came is kept: the same command goes on from there.",
    )
    if not got or args.json or args.no_score:
        return code

    def told(result: Result) -> int:
        assert isinstance(result, SanityScore)
        print(scored("Zero-shot", result))
        return 0

    # A model that is installed stays installed, whatever a few pictures say of it.
    follow(
        SanityRequest(Path(got[0].folder).name, args.pictures),
        device=args.device,
        progress=ProgressLine(quiet=args.quiet),
        news=_nothing,
        finish=told,
    )
    return code


def _agreed() -> bool:
    """Ask on a terminal; where nobody can answer, say how to agree."""
    if not sys.stdin.isatty():
        raise BadRequest("Nothing is fetched unasked, and there is nobody to ask here.", "Give --yes to agree.")
    print("Download it? [y/N] ", end="", file=sys.stderr, flush=True)
    return input().strip().lower() in ("y", "yes")


def _ledger(args: argparse.Namespace) -> int:
    from capt_engine.download.offline import ledger

    entries = ledger()
    for entry in entries:
        if args.json:
            print_json("download", asdict(entry))
        else:
            digest = f"sha256 {formatting.short(entry.sha256)}" if entry.sha256 else "no hash"
            print(f"{entry.when}  {entry.model}  {entry.bytes:,} bytes  {entry.ended}  {digest}  {entry.url}")
    if args.json:
        print_json("summary", {"n": len(entries), "bytes": sum(entry.bytes for entry in entries)})
    elif not entries:
        print("Nothing was ever downloaded.")
    return 0


def _offline(args: argparse.Namespace) -> int:
    from capt_engine.download import offline

    offline.set_lock(args.wanted == "on")
    why = offline.reason()
    if args.json:
        print_json("summary", {"offline": bool(why), "reason": why})
    else:
        print(why or "Downloads that you ask for are possible again.")
    return 0


def _nothing(_: Event) -> None:
    """Ignore an event."""
