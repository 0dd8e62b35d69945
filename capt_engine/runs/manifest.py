"""The manifest of a run, as plain JSON: enough to do it again and to see what is different."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import torch

from capt_engine.attacks import ATTACKS
from capt_engine.metrics import METRICS
from capt_engine.model.checkpoints import Document
from capt_engine.model.devices import name_of
from capt_engine.model.numerics import accelerator_facts, switches
from capt_engine.records import RunRequest
from capt_engine.runs.command_line import command_of
from capt_engine.runs.versions import processor, versions

FORMAT = 3


def begun(
    request: RunRequest,
    *,
    model_sha256: str,
    prompts: Sequence[tuple[str, str, Document | None]],
    classes: Sequence[str],
    template: str,
    label_source: str,
    device: torch.device,
    source_model: str | None = None,
    lpips: Mapping[str, str] | None = None,
) -> dict[str, object]:
    """Return the manifest, as plain JSON values, of a run of `request` that begins now.

    model_sha256: of the weights. prompts: (id, SHA-256, document) of A and B, with "" and None for plain text. classes,
    template: what the model is asked. label_source: where labels come from, such as "folder", or "model" for its own
    answers. device: the one that computes. source_model: SHA-256 of the other model that attacks are computed on, None
    for none. lpips: the network that LPIPS is measured with, and the SHA-256 of its weights and of the files they came
    from; None where it is not measured.
    """
    return {
        "format": FORMAT,
        "kind": request.kind,
        "request": asdict(request),
        "command": command_of(request),
        "started_in": str(Path.cwd()),
        "versions": versions(),
        "plugins": _plugins(),
        "machine": {
            "os": platform.platform(),
            "processor": processor(),
            "device": device.type,
            "device_name": name_of(device),
            "precision": request.options.precision,
            "threads": torch.get_num_threads(),
            **accelerator_facts(device),
            "deterministic": switches(),
        },
        "seeds": [request.options.seed],
        "model": {"id": request.options.model, "sha256": model_sha256},
        "source_model": None if source_model is None else {"id": request.options.source_model, "sha256": source_model},
        "prompts": [
            {"id": name, "sha256": sha256, "document": None if document is None else asdict(document)}
            for name, sha256, document in prompts
        ],
        "lpips": None if lpips is None else dict(lpips),
        "classes": list(classes),
        "template": template,
        "classes_sha256": digest([*classes, template]),
        "label_source": label_source,
        "started": now(),
        "ended": "",
    }


def _plugins() -> list[dict[str, str]]:
    """Return the plug-ins that add attacks and metrics: no others can change a run's rows."""
    found = (*ATTACKS.plugins(), *METRICS.plugins())
    return [{"name": one.name, "package": one.package, "version": one.version} for one in found if not one.problem]


def ended(
    manifest: Mapping[str, object], pictures: Iterable[str], rows: int, rows_sha256: str, from_store: int = 0
) -> dict[str, object]:
    """Return a copy of a run's `manifest` with the present time as its end, and with counts and hashes of its results.

    pictures: SHA-256 of each picture, of which equal ones count once. rows: how many there are; rows_sha256: the
    SHA-256 of the rows without their times and paths. from_store: how many of them were looked up in the result store, so
    that their times are those of an earlier run.
    """
    once = sorted(set(pictures))
    return {
        **manifest,
        "ended": now(),
        "pictures": {"n": len(once), "sha256": digest(once)},
        "rows": {"n": rows, "sha256": rows_sha256},
        "from_store": from_store,
    }


def digest(lines: Iterable[str]) -> str:
    """Return the SHA-256, in hexadecimal digits, of `lines` as UTF-8, each ended by a line feed."""
    total = hashlib.sha256()
    for line in lines:
        total.update(line.encode("utf-8", "backslashreplace") + b"\n")
    return total.hexdigest()


def as_json(value: object) -> bytes:
    """Return `value`, of plain JSON values, as the bytes of an indented JSON file in ASCII.

    The same value gives the same bytes.
    """
    return (json.dumps(value, indent=2, ensure_ascii=True) + "\n").encode()


def now() -> str:
    """Return the present time in this machine's time zone as ISO 8601 text, to the second."""
    return datetime.now().astimezone().isoformat(timespec="seconds")
