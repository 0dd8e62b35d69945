"""A model card for tuned prompts, in the layout that Hugging Face reads: what it is for, how it was made, what was measured."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from capt_engine.formatting import counted, percent
from capt_engine.metrics.interval import share
from capt_engine.model.checkpoints import Document
from capt_engine.model.store.prompt_store import SUFFIX
from capt_engine.records import NO_PROMPTS, EvaluateRequest
from capt_engine.reports.sections.about import tuned_on
from capt_engine.reports.sections.context import ReportContext
from capt_engine.reports.sections.results import difference

_MARKDOWN = str.maketrans({"<": "&lt;", ">": "&gt;"} | {sign: f"\\{sign}" for sign in "\\`*_[]|#"})
_MEASURES = (
    ("zero_shot_clean", "Accuracy before tuning, clean"),
    ("zero_shot_robust", "Accuracy before tuning, attacked"),
    ("clean", "Accuracy, clean"),
    ("robust", "Accuracy, attacked"),
)


def card(name: str, document: Document, sha256: str, measured: Sequence[ReportContext] = (), command: str = "") -> str:
    """Return the model card of tuned prompts as Markdown, with the metadata that Hugging Face reads.

    name: the title. document: the description in the checkpoint, whose figures are quoted. sha256: of the checkpoint
    file. measured: kept evaluations of these prompts, quoted too. command: the command line that makes the same
    prompts; "" leaves it out.
    """
    parts = [
        _front(name, document, measured),
        _about(name, document, sha256),
        _uses(document),
        _made(document, command),
        _watched(document),
        *(_evaluated(number, one) for number, one in enumerate(measured, 1)),
    ]
    return "\n".join(parts)


def _front(name: str, document: Document, measured: Sequence[ReportContext]) -> str:
    """The metadata; values are JSON, which YAML reads."""
    results = [*([_index_of_watched(document)] if _has_figures(document) else []), *map(_index_of, measured)]
    lines = [
        "---",
        *_licence(document.licence),
        "library_name: capt-explorer",
        "pipeline_tag: zero-shot-image-classification",
        f"base_model: {json.dumps(document.backbone.id, ensure_ascii=False)}",
        f"tags: {json.dumps(['clip', 'prompt-tuning', 'adversarial-robustness', document.method])}",
    ]
    if results:  # without a figure there is nothing to index
        lines += ["model-index:", f"- name: {json.dumps(name, ensure_ascii=False)}"]
        lines += [f"  results: {json.dumps(results, ensure_ascii=False)}"]
    return "\n".join([*lines, "---", ""])


def _licence(text: str) -> list[str]:
    """As Hugging Face wants it: a short name in small letters, or "other" with what was written beside it."""
    if re.fullmatch(r"[A-Za-z0-9.-]+", text):
        return [f"license: {json.dumps(text.lower())}"]
    return ['license: "other"', *([f"license_name: {json.dumps(text, ensure_ascii=False)}"] if text else [])]


def _has_figures(document: Document) -> bool:
    return any(_share(document.figures, key) is not None for key, _ in _MEASURES[2:])


def _index_of_watched(document: Document) -> dict[str, Any]:
    metrics = [
        {"type": "accuracy", "name": name, "value": round(share["k"] / share["n"], 4)}
        for key, name in _MEASURES[2:]
        if (share := _share(document.figures, key)) is not None
    ]
    return _entry(str(document.figures.get("data") or "unknown"), "validation", metrics)


def _index_of(context: ReportContext) -> dict[str, Any]:
    """A kept evaluation; only the prompts' own figures, as plain text is another model."""
    shares = []
    for prompts in context.prompts:
        if prompts == NO_PROMPTS:
            continue
        shares.append(("Accuracy, clean", context.counts.clean(prompts)))
        if context.is_attacked:
            shares.append((f"Accuracy, {_attacked(context)}", context.counts.robust(prompts, context.eps)))
    metrics = [{"type": "accuracy", "name": name, "value": round(k / n, 4)} for name, (k, n) in shares if n]
    return _entry(_data(context), _part(context) or "not stated", metrics)


def _entry(data: str, split: str, metrics: list[dict[str, Any]]) -> dict[str, Any]:
    dataset = {"name": data, "type": data, "split": split}
    return {"task": {"type": "zero-shot-image-classification"}, "dataset": dataset, "metrics": metrics}


def _about(name: str, document: Document, sha256: str) -> str:
    sizes = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in vars(document.backbone.sizes).items())
    return "\n".join(
        [
            f"# {_safe(name)}",
            "",
            f"Learned prompts ({_safe(document.method.upper())}) for a CLIP model, made to keep "
            "right answers under small adversarial changes of the picture.",
            "",
            "| | |",
            "|---|---|",
            f"| SHA-256 of the file | `{sha256}` |",
            f"| Model | {_safe(document.backbone.id)} ({sizes}) |",
            f"| SHA-256 of the model's weights | `{document.backbone.sha256}` |",
            f"| Prompts | {_tokens(document)}, {document.shape.coupling} |",
            f"| {'Sentence of its own' if document.settings.get('sentence') == 'own' else 'Template'} | {_safe(document.template)} |",
            f"| Licence | {_safe(document.licence) or 'not stated'} |",
            "",
        ]
    )


def _tokens(document: Document) -> str:
    shape = document.shape
    border = f"a border of pictures of {shape.frame} pixels" if shape.frame else ""
    tokens = f"{shape.n_ctx} tokens in {shape.depth} layers" if shape.n_ctx else ""
    return " and ".join(part for part in (tokens, border) if part)


def _uses(document: Document) -> str:
    others = "other names were not measured here." if document.classes else "which names it was made for is not known."
    return "\n".join(
        [
            "## Uses",
            "",
            "Classifying pictures by names, with the model above and no other; studying how prompts change robustness.",
            "",
            "## Limits",
            "",
            "Figures are an upper bound on robustness under the attack named below: another attack may find more. Not covered are patches, "
            "physical changes, changes of the text, poisoned data, and pictures unlike those tuned on. Do not rely on it where a wrong "
            f"answer does harm. It was tuned on {tuned_on(document.classes)}; {others}",
            "",
        ]
    )


def _made(document: Document, command: str) -> str:
    figures = document.figures
    lines = [
        "## Training data",
        "",
        f"{_safe(str(figures.get('data') or 'Not recorded'))}: {figures.get('n_train', 'an unknown number of')} pictures.",
        f"Fingerprint of the pictures (SHA-256): `{document.data or 'not recorded'}`.",
    ]
    if document.classes:
        lines += ["", f"Classes: {_safe(', '.join(document.classes))}."]
    lines += ["", "## Procedure", "", "| Setting | Value |", "|---|---|"]
    settings: dict[str, Any] = {**document.settings, "seed": document.seed}
    found = (("epochs", "epochs run"), ("kept_epoch", "kept epoch"), ("ended", "ended"), ("parameters", "parameters"))
    settings |= {title: figures[name] for name, title in found if name in figures}
    lines += [
        f"| {_safe(key.rstrip('_').replace('_', ' '))} | {_safe(str(value))} |" for key, value in settings.items()
    ]
    lines += [f"| {_safe(key)} | {_safe(value)} |" for key, value in document.versions.items()]
    # Indented, so that nothing in it is taken for Markdown.
    indented = [f"    {line}" for line in command.splitlines()]
    again = ["", "The same prompts again, from the same pictures:", "", *indented] if command else []
    notes = ["", "## Notes", "", _safe(document.notes)] if document.notes else []
    return "\n".join([*lines, *again, *notes, ""])


def _watched(document: Document) -> str:
    found = [(name, share) for key, name in _MEASURES if (share := _share(document.figures, key)) is not None]
    lines = ["## Evaluation", ""]
    if not found:
        nothing = "No validation pictures were measured while tuning. Measure it: `capt evaluate DATA --prompts NAME`."
        return "\n".join([*lines, nothing, ""])
    lines += [
        f"On {document.figures.get('n_val', 'the')} validation pictures, which also chose what was kept; attacked by "
        f"{_safe(str(document.figures.get('validation_attack', 'the attack of the training')))}. Intervals are Wilson 95 %.",
        "",
        "| Measured | Share | Interval | n |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {percent(share['k'] / share['n'])} | {percent(share['low'])} to {percent(share['high'])} | {int(share['n'])} |"
        for name, share in found
    ]
    return "\n".join([*lines, ""])


def _evaluated(number: int, context: ReportContext) -> str:
    """A kept evaluation: zero-shot CLIP beside the prompts, with n, intervals, and McNemar's test where both were measured."""
    counts = context.counts
    lines = [f"### Measured afterwards ({number})", ""]
    labels = "" if context.is_labelled else " No labels: each model is held to its own clean answer."
    lines += [
        f"{_safe(_data(context))}{f', part {_safe(_part(context))}' if _part(context) else ''}: "
        f"{counted(counts.n, 'picture')}; {_attacked(context)}.{labels} Intervals are Wilson 95 %.",
        "",
        "| Who | Clean (interval) | Attacked (interval) | n |",
        "|---|---|---|---|",
    ]
    for prompts in sorted(context.prompts, key=lambda one: one != NO_PROMPTS):
        who = "zero-shot (plain CLIP)" if prompts == NO_PROMPTS else _safe(_called(prompts))
        attacked = share(*counts.robust(prompts, context.eps)) if context.is_attacked else "–"
        clean = share(*counts.clean(prompts)) if context.is_labelled else "–"
        lines.append(f"| {who} | {clean} | {attacked} | {counts.clean(prompts)[1]} |")
    tests = zip(("Clean", "Attacked"), context.paired(), strict=True)
    a, b = (*context.prompts, "", "")[:2]
    differences = [f"- {name}: {difference(test)}" for name, test in tests if test is not None]
    if differences:
        lines += ["", f"On the same pictures, A = {_safe(_called(a))}, B = {_safe(_called(b))}:", "", *differences]
    return "\n".join([*lines, ""])


def _attacked(context: ReportContext) -> str:
    if not context.is_attacked:
        return "not attacked"
    steps = {one.steps for one in context.counts.fared.values() if one.steps}
    names = ", ".join(context.run.request.labels) + (f" of {'/'.join(sorted(steps))} steps" if steps else "")
    return f"attacked by {names}, {context.budget}"


def _data(context: ReportContext) -> str:
    """The name of the data, without the folder that its owner keeps it in."""
    request = context.run.request
    where = request.data if isinstance(request, EvaluateRequest) else ""
    return PurePath(where.replace("\\", "/")).name or "pictures"


def _part(context: ReportContext) -> str:
    request = context.run.request
    return request.split if isinstance(request, EvaluateRequest) else ""


def _called(prompts: str) -> str:
    return "plain CLIP" if prompts == NO_PROMPTS else "these prompts" if prompts.endswith(SUFFIX) else prompts


def _share(figures: Mapping[str, Any], key: str) -> dict[str, float] | None:
    share = figures.get(key)
    return (
        dict(share) if isinstance(share, Mapping) and share.get("n") and {"k", "low", "high"} <= share.keys() else None
    )


def _safe(text: str) -> str:
    """Text that stays text in Markdown and in a table; what a stranger wrote into a file may be in it."""
    return " ".join(text.translate(_MARKDOWN).split())
