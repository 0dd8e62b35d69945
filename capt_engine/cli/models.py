"""`capt models …`: the models that can be chosen by name, and bringing in weights that others have published."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from capt_engine.cli.follow import follow
from capt_engine.cli.imported import add_pictures, scored
from capt_engine.cli.options import add_common
from capt_engine.cli.terminal import Progress
from capt_engine.cli.told import print_json
from capt_engine.errors import BadCheckpoint, BadRequest
from capt_engine.records import Event, ImportModelRequest, ModelImported, OfferedModel, Result

HELP = "models: bundled, installed, and importing published weights"

BUNDLED = ("demo", "demo-robust")


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the verbs list, show, verify, import and remove."""
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
    }
    return verbs[args.models_verb](args)


def _list(args: argparse.Namespace) -> int:
    from capt_engine.model import offers

    found = offers.listed()
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
        about = f"about {size / 1e6:,.0f} MB" if isinstance(size, int) else "size not known"
        words += [str(row["label"]), about, f"licence {row['licence']}", f"here: {row['comfort']}"]
    return ", ".join(words)


def _folder(name: str) -> Path:
    """Of an installed model; raises BadRequest."""
    from capt_engine.folders import models_dir
    from capt_engine.model import offers

    folder = models_dir() / offers.install_name(name)
    if folder.parent != models_dir() or not offers.is_model(folder):
        raise BadRequest(f"No model called {name!r} is installed.", "`capt models list` shows those that are.")
    return folder


def _show(args: argparse.Namespace) -> int:
    from capt_engine.model import installed
    from capt_engine.resources import resource

    folder = resource(args.name) if args.name in BUNDLED else _folder_or_offer(args.name)
    if isinstance(folder, OfferedModel):
        facts: dict[str, object] = asdict(folder)
    else:
        facts = {"name": args.name, "folder": str(folder), **(installed.remembered(folder / installed.INSTALLED) or {})}
        for config in ("open_clip_config.json", "tower.json"):
            if (folder / config).is_file():
                facts[config] = json.loads((folder / config).read_text(encoding="utf-8"))
    if args.json:
        print_json("summary", facts)
    else:
        for name, value in facts.items():
            print(f"{name.replace('_', ' ')}: {value if isinstance(value, str) else json.dumps(value)}")
    return 0


def _folder_or_offer(name: str) -> Path | OfferedModel:
    from capt_engine.model import offers

    try:
        return _folder(name)
    except BadRequest as absent:
        for one in offers.offered():
            if one.id == name:
                return one
        raise absent from None


def _verify(args: argparse.Namespace) -> int:
    from capt_engine.model import installed

    if args.name in BUNDLED:
        raise BadRequest(f"{args.name!r} ships with the program; no hash of it is kept.", "Name an installed model.")
    folder = _folder(args.name)
    changed = installed.changed(folder / installed.INSTALLED)
    if changed:
        raise BadCheckpoint(
            f"{args.name!r} was changed since it was installed: {', '.join(changed)}.",
            "If that was not you, remove it and install it again.",
        )
    files = (installed.remembered(folder / installed.INSTALLED) or {})["files"]
    if args.json:
        print_json("summary", {"name": args.name, "unchanged": True, "files": files})
    else:
        print(f"{args.name}: {len(files)} files, all as they were when it was installed.")
    return 0


def _remove(args: argparse.Namespace) -> int:
    if args.name in BUNDLED:
        raise BadRequest(f"{args.name!r} ships with the program.", "It cannot be removed.")
    folder = _folder(args.name)
    # Renamed first, so that a half-deleted folder is never taken for a model.
    going = folder.with_name(f".{folder.name}.removed")
    shutil.rmtree(going, ignore_errors=True)
    folder.rename(going)
    shutil.rmtree(going)
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

    progress = Progress(quiet=args.quiet)
    return follow(request, device=args.device, progress=progress, news=_nothing, finish=finish)


def _nothing(_: Event) -> None:
    """What the engine tells on the way is not needed here."""
