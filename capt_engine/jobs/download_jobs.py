"""The light worker: what it does with each request that needs no torch, such as fetching a model."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

from capt_engine import records
from capt_engine.download import offline
from capt_engine.download.client import Fetched, Paused, fetch, parts_folder
from capt_engine.errors import BadCheckpoint, BadRequest
from capt_engine.files import move_new, write_atomic
from capt_engine.folders import models_dir
from capt_engine.jobs import stored_jobs
from capt_engine.jobs.context import OnEvent
from capt_engine.jobs.stoppable import StoppableProgress
from capt_engine.model import vocabulary
from capt_engine.model.store import catalog, install_record
from capt_engine.reading import json_if_sound


def handle(_: records.JobId, request: records.Request, __: OnEvent, progress: StoppableProgress) -> records.Result:
    """Do a request that needs no torch, and return its result: models, words, the network's lock, downloads, the store.

    request: what to do. progress: called as the work goes on; what it raises ends it. The job's number and event
    callback are not used. Raises CaptError where the work fails, TypeError for any other request.
    """
    match request:
        case records.CheckWordsRequest(model, classes, template):
            known = vocabulary.of_model(model)
            return records.WordsChecked(() if known is None else known.unknown(classes, template))
        case records.ListModelsRequest():
            return catalog.listed()
        case records.LedgerRequest():
            return records.Ledger(offline.ledger())
        case records.OfflineRequest(locked):
            offline.set_lock(locked)
            return records.OfflineSet(locked)
        case records.DownloadRequest():
            return download(request, progress)
        case records.StoredAnswersRequest():
            return stored_jobs.handle_stored_answers(request)
        case records.StoredPicturesRequest():
            return stored_jobs.handle_stored_pictures(request)
        case records.StoreRequest():
            return stored_jobs.handle_store(request)
    raise TypeError(f"{type(request).__name__} is not for this worker.")


def download(request: records.DownloadRequest, progress: StoppableProgress) -> records.DownloadResult:
    """Download, verify and install the model that `request` names; return where it is, its size and its hash.

    progress: called as the work goes on; while it says that the job is paused, nothing goes over the network. Raises
    BadRequest where the model is installed already, BadCheckpoint where the files do not fit, Cancelled.
    """
    started_s = time.monotonic()
    offer = catalog.find_offer(request.model)
    folder = models_dir() / catalog.install_name(request.model)
    if catalog.is_model(folder):
        raise BadRequest(f"{request.model} is installed already.", "Remove it first to fetch it again.")
    orders = catalog.orders(request.model)
    while True:
        try:
            fetched = fetch(request.model, orders, progress, progress.is_paused)
            break
        except Paused:
            progress(note="paused")
    _install(request.model, folder, fetched)
    weights = next(digest for name, digest in fetched.files.items() if name.endswith((".safetensors", ".bin")))
    return records.DownloadResult(
        model=request.model,
        folder=str(folder),
        bytes=fetched.fresh,
        reused=fetched.reused,
        sha256=weights,
        commit=fetched.commit,
        seconds=time.monotonic() - started_s,
        notes=(*fetched.notes, f"Licence: {offer.licence}."),
    )


def _install(model: str, folder: Path, fetched: Fetched) -> None:
    """Install a verified download under its name, all at once; raises BadCheckpoint where its parts do not fit."""
    parts, entry = parts_folder(folder.name, folder.parent), catalog.entry_of(model)
    _check_config(parts, entry)
    facts = {"model": model, "repo": entry.repo, "commit": fetched.commit}
    if not all(name.startswith("open_clip") and not name.endswith(".bin") for name in fetched.files):
        # This alone needs torch: names are changed, or a pickle is read by the process that can do nothing else.
        from capt_engine.model.importers import models

        models.install(parts, folder.name, source=facts)
        shutil.rmtree(parts)
    else:
        install_record.remember(parts / install_record.INSTALLED, tuple(parts / name for name in fetched.files), facts)
        move_new(parts, folder)


def _check_config(parts: Path, entry: catalog.Entry) -> None:
    """A configuration that gives the weights another activation than they were trained with would spoil every score, silently."""
    path = parts / catalog.CONFIGS["open_clip"]
    if not path.is_file():
        return
    config = json_if_sound(path, dict[str, Any])
    if config is None or not isinstance(config.get("model_cfg"), dict):
        shutil.rmtree(parts)
        raise BadCheckpoint(f"{path.name} of {entry.repo} is no model's configuration.", "It was removed.")
    stored = bool(config["model_cfg"].get("quick_gelu", False))
    wanted = {"QuickGELU": True, "GELU": False}.get(entry.activation, stored)
    if stored != wanted:
        config["model_cfg"]["quick_gelu"] = wanted
        write_atomic(path, json.dumps(config, indent=1))
