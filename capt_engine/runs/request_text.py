"""The request of a manifest, and the names of those that answered it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from capt_engine.errors import BadRequest, UnknownName
from capt_engine.reading import fitted
from capt_engine.records import NO_PROMPTS, OTHER_MODEL, SUITES, AnalyzeRequest, EvaluateRequest, RunRequest
from capt_engine.runs import old_names
from capt_engine.runs.manifest_records import Manifest

_HINT = "Name a run's manifest.json."
_CALLED = "The manifest"


def from_json(manifest: Manifest) -> RunRequest:
    """Return the request that a run's `manifest` holds, which may be of an older version of the program.

    Raises BadRequest where the manifest holds no request, or settings that this version does not know.
    """
    values = old_names.request(manifest.request)
    kind = manifest.kind or ("analyze" if "paths" in values else "evaluate")
    request = fitted(values, AnalyzeRequest if kind == "analyze" else EvaluateRequest, called=_CALLED, hint=_HINT)
    for unknown in _unknown(values, request):
        raise BadRequest(
            f"The manifest asks for {unknown!r}, which this version does not know.", "Use a newer version."
        )
    suites = {one.name for one in SUITES}
    if isinstance(request, EvaluateRequest) and request.suite and request.suite not in suites:
        raise UnknownName("suite", request.suite, suites)
    return request


def _unknown(values: Mapping[str, object], record: Any) -> Iterator[str]:
    """The names of values that are no field of a record, or of a record in it."""
    known = {one.name for one in fields(record)}
    for name, value in values.items():
        if name not in known:
            yield name
        elif isinstance(value, dict):
            yield from _unknown(value, getattr(record, name))


PLAIN = "plain CLIP"
_FOLDERS = re.compile(r".*[/\\]")


def without_folders(prompts: str) -> str:
    """Return the name of prompts in `prompts`, their name or the path of their file: that of the file, where it is a path."""
    return _FOLDERS.sub("", prompts) or prompts


def variant_name(prompts: str) -> str:
    """Return the name of a variant (a model with its prompts) for a sentence, from the text in a column of rows.csv.

    prompts: "none" gives "plain CLIP"; "model:ID", another model that an attack was computed on, gives "the model ID";
    any other text X, the name of prompts or the path of their file, gives "prompts X" without the folders, or
    X alone where it begins with "prompts.".
    """
    if prompts.startswith(OTHER_MODEL):
        return f"the model {prompts.removeprefix(OTHER_MODEL)}"
    name = without_folders(prompts)
    # the wizard's own file is called prompts.safetensors
    return PLAIN if prompts == NO_PROMPTS else name if name.startswith("prompts.") else f"prompts {name}"
