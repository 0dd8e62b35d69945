"""`capt models …`: the models that can be chosen by name, and bringing in weights that others have published."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from capt_engine import formatting, records
from capt_engine.bundled_models import BUNDLED
from capt_engine.cli.options import add_verb
from capt_engine.cli.output import PICTURES, fact_lines, print_json, print_result, scored
from capt_engine.cli.run_job import follow
from capt_engine.cli.terminal import JobEnded, put, tell
from capt_engine.errors import BadRequest, Cancelled
from capt_engine.reading import json_if_sound, read_json
from capt_engine.runs.command_line import filled
from capt_engine.runs.options_table import SWITCH, TEXT, WHOLE, Option

IMPORT = (
    Option(
        "path",
        "an open_clip or CLIPModel folder, a CLIP's state dict, TeCoA's container, or a bare image tower (FARE)",
        "path",
        metavar="PATH",
    ),
    Option("--as", "what it is to be called", "name", metavar="NAME", kind=TEXT.having(required=True)),
    Option("--base", "of an image tower: the model it was tuned from", "base", metavar="ID"),
    Option(
        "--activation",
        "what it was trained with, where the files do not say (default then: quickgelu)",
        "activation",
        choices=("quickgelu", "gelu"),
    ),
    Option(
        "--head-width",
        "of a bare state dict: how wide its attention heads are, where its width is no published model's",
        "head_width",
        WHOLE,
    ),
    PICTURES,
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add to `parser` the subcommands of `capt models`: list, show, verify, remove, get, ledger, offline, import."""
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    name = Option("name", "as `capt models list` gives it", metavar="NAME")
    add_verb(verbs, "list", _list, "all that can be chosen or fetched, and whether they are here")
    add_verb(verbs, "show", _show, "what is known of one", name)
    add_verb(verbs, "verify", _verify, "has any file of it changed since it was installed?", name)
    add_verb(verbs, "remove", _remove, "delete an installed one", name)
    add_verb(
        verbs,
        "get",
        _get,
        "download one, resume where it was broken off, verify, install",
        Option("name", "as `capt models list` gives it, or hf-hub:owner/name", metavar="ID"),
        Option("--yes", "do not ask first", kind=SWITCH),
        Option("--no-score", "do not try it on a few pictures afterwards", kind=SWITCH),
        PICTURES,
    )
    add_verb(verbs, "ledger", _ledger, "everything that was ever downloaded")
    lock = Option("wanted", "on locks the network away", choices=("on", "off"))
    add_verb(verbs, "offline", _offline, "keep the program off the network for good, or let it back", lock)
    add_verb(verbs, "import", _import, "install published weights, whatever form they came in", *IMPORT)


def _list(args: argparse.Namespace) -> None:
    from capt_engine.model.store import catalog

    found = catalog.listed()
    imported: list[dict[str, object]] = [{"id": name, "state": "imported"} for name in found.others]
    rows = [*imported, *(asdict(one) for one in found.offered)]
    for row in rows:
        if args.json:
            print_json("model", row)
        else:
            put(_line(row))
    facts = {"n": len(rows), "folder": found.folder, "offline": found.offline}
    print_result(args, facts, f"Installed models are kept in {found.folder}.")


def _line(row: dict[str, object]) -> str:
    parts = [f"{row['id']}: {row['state']}"]
    if "label" in row:
        size = row["bytes"]
        about = f"about {formatting.size(size)}" if isinstance(size, int) else "size not known"
        parts += [str(row["label"]), about, f"licence {row['licence']}", f"here: {row['comfort']}"]
    return ", ".join(parts)


def _show(args: argparse.Namespace) -> None:
    from capt_engine.model.store import install_record
    from capt_engine.resources import resource

    folder = resource(args.name) if args.name in BUNDLED else _folder_or_offer(args.name)
    if isinstance(folder, records.OfferedModel):
        facts: dict[str, object] = asdict(folder)
    else:
        installed = json_if_sound(folder / install_record.INSTALLED, dict[str, object]) or {}
        facts = {"name": args.name, "folder": str(folder), **installed}
        for config in ("open_clip_config.json", "tower.json"):
            if (folder / config).is_file():
                facts[config] = read_json(folder / config, dict[str, object])
    print_result(args, facts, *fact_lines(facts))


def _folder_or_offer(name: str) -> Path | records.OfferedModel:
    from capt_engine.model.store import catalog
    from capt_engine.model.store.model_store import folder_of

    try:
        return folder_of(name)
    except BadRequest as absent:
        for one in catalog.offered():
            if one.id == name:
                return one
        raise absent from None


def _verify(args: argparse.Namespace) -> None:
    from capt_engine.model.store.model_store import verified

    files = verified(args.name)
    facts = {"name": args.name, "unchanged": True, "files": files}
    print_result(args, facts, f"{args.name}: {len(files)} files, all as they were when it was installed.")


def _remove(args: argparse.Namespace) -> None:
    from capt_engine.model.store.model_store import remove

    print_result(args, {"removed": str(remove(args.name))}, f"{args.name} is removed.")


def _import(args: argparse.Namespace) -> None:
    result = follow(filled(records.ImportModelRequest("", ""), IMPORT, vars(args)), args, records.ModelImported)
    print_result(
        args,
        asdict(result),
        f"{result.name} is installed in {result.folder} (it was a {result.form}).",
        *result.said,
        *(f"Assumed: {line}" for line in result.assumed),
        *scored("Zero-shot", result.score),
    )


def _get(args: argparse.Namespace) -> int:
    from capt_engine.download import offline
    from capt_engine.model.store import catalog

    if args.offline:
        raise BadRequest("--offline was given, so nothing is fetched.", "Leave it out to download.")
    offline.require_network()
    offer = catalog.find_offer(args.name)
    catalog.orders(args.name)  # raises before anybody is asked where there is nothing to fetch
    size = "size not known" if offer.bytes is None else f"{formatting.size(offer.bytes)}"
    tell(f"{offer.label}: {size}, licence {offer.licence}, from {offer.page}")
    if not args.yes and not _agreed():
        return Cancelled.exit_code
    kept = "Cancelled. What came is kept: the same command goes on from there."
    result = follow(records.DownloadRequest(args.name), args, records.DownloadResult, cancelled=kept)
    print_result(
        args,
        asdict(result),
        f"{result.model} is installed in {result.folder} ({formatting.size(result.bytes)} were fetched).",
        f"SHA-256 {result.sha256}, commit {result.commit}",
        *result.notes,
    )
    if not (args.json or args.no_score):
        # A model that is installed is installed, whatever a few pictures say of it.
        with suppress(JobEnded):
            request = records.SanityRequest(Path(result.folder).name, args.pictures or "")
            put(*scored("Zero-shot", follow(request, args, records.SanityScore)))
    return 0


def _agreed() -> bool:
    """Ask on a terminal; where nobody can answer, say how to agree."""
    if not sys.stdin.isatty():
        raise BadRequest("Nothing is fetched unasked, and there is nobody to ask here.", "Give --yes to agree.")
    tell("Download it? [y/N] ", end="")
    return input().strip().lower() in ("y", "yes")


def _ledger(args: argparse.Namespace) -> None:
    from capt_engine.download.offline import ledger

    entries = ledger()
    for entry in entries:
        if args.json:
            print_json("download", asdict(entry))
        else:
            digest = f"sha256 {formatting.short(entry.sha256)}" if entry.sha256 else "no hash"
            put(f"{entry.when}  {entry.model}  {entry.bytes:,} bytes  {entry.ended}  {digest}  {entry.url}")
    facts = {"n": len(entries), "bytes": sum(entry.bytes for entry in entries)}
    print_result(args, facts, *(() if entries else ("Nothing was ever downloaded.",)))


def _offline(args: argparse.Namespace) -> None:
    from capt_engine.download import offline

    offline.set_lock(args.wanted == "on")
    why = offline.reason()
    print_result(args, {"offline": bool(why), "reason": why}, why or "Downloads that you ask for are possible again.")
