"""A model card for tuned prompts, in the layout that Hugging Face reads: what it is for, how it was made, what was measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from capt_engine.model.checkpoints import Document
from capt_engine.reports.words import counted, percent

_MEASURES = (
    ("zero_shot_clean", "Accuracy before tuning, clean"),
    ("zero_shot_robust", "Accuracy before tuning, attacked"),
    ("clean", "Accuracy, clean"),
    ("robust", "Accuracy, attacked"),
)


def card(name: str, document: Document, sha256: str) -> str:
    """The card as Markdown, from the document's own figures."""
    parts = [
        _front(name, document),
        _about(name, document, sha256),
        _uses(document),
        _made(document),
        _measured(document),
    ]
    return "\n".join(parts)


def _front(name: str, document: Document) -> str:
    """The metadata; values are JSON, which YAML reads."""
    figures = document.figures
    metrics = [
        {"type": "accuracy", "name": words, "value": round(share["k"] / share["n"], 4)}
        for key, words in _MEASURES[2:]
        if (share := _share(figures, key)) is not None
    ]
    data = str(figures.get("data") or "unknown")
    result = {
        "task": {"type": "zero-shot-image-classification"},
        "dataset": {"name": data, "type": data, "split": "validation"},
        "metrics": metrics,
    }
    lines = [
        "---",
        f"license: {json.dumps(document.licence or 'other')}",
        "library_name: capt-explorer",
        "pipeline_tag: zero-shot-image-classification",
        f"base_model: {json.dumps(document.backbone.id, ensure_ascii=False)}",
        f"tags: {json.dumps(['clip', 'prompt-tuning', 'adversarial-robustness', document.method])}",
    ]
    if metrics:  # without a figure there is nothing to index
        lines += ["model-index:", f"- name: {json.dumps(name, ensure_ascii=False)}"]
        lines += [f"  results: {json.dumps([result], ensure_ascii=False)}"]
    return "\n".join([*lines, "---", ""])


def _about(name: str, document: Document, sha256: str) -> str:
    sizes = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in vars(document.backbone.sizes).items())
    return "\n".join(
        [
            f"# {_safe(name)}",
            "",
            f"Learned prompts ({_safe(str(document.settings.get('label') or document.method))}) for a CLIP model, made to keep "
            "right answers under small adversarial changes of the picture.",
            "",
            "| | |",
            "|---|---|",
            f"| SHA-256 of the file | `{sha256}` |",
            f"| Model | {_safe(document.backbone.id)} ({sizes}) |",
            f"| SHA-256 of the model's weights | `{document.backbone.sha256}` |",
            f"| Prompts | {document.shape.length} tokens in {document.shape.depth} layers, {document.shape.coupling} |",
            f"| Template | {_safe(document.template)} |",
            f"| Licence | {_safe(document.licence) or 'not stated'} |",
            "",
        ]
    )


def _uses(document: Document) -> str:
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
            f"answer does harm. It was tuned on {counted(len(document.classes), 'class', 'classes')}; other names were not measured here.",
            "",
        ]
    )


def _made(document: Document) -> str:
    figures = document.figures
    lines = ["## Training data", ""]
    lines.append(
        f"{_safe(str(figures.get('data') or 'Not recorded'))}: {figures.get('n_train', 'an unknown number of')} pictures."
    )
    lines.append(f"Fingerprint of the pictures (SHA-256): `{document.data or 'not recorded'}`.")
    if document.classes:
        lines += ["", f"Classes: {_safe(', '.join(document.classes))}."]
    lines += ["", "## Procedure", "", "| Setting | Value |", "|---|---|"]
    settings: dict[str, Any] = {**document.settings, "seed": document.seed}
    settings |= {name: figures[name] for name in ("epochs", "kept_epoch", "ended", "parameters") if name in figures}
    lines += [f"| {_safe(key.replace('_', ' '))} | {_safe(str(value))} |" for key, value in settings.items()]
    lines += [f"| {_safe(key)} | {_safe(value)} |" for key, value in document.versions.items()]
    notes = ["", "## Notes", "", _safe(document.notes)] if document.notes else []
    return "\n".join([*lines, *notes, ""])


def _measured(document: Document) -> str:
    found = [(words, share) for key, words in _MEASURES if (share := _share(document.figures, key)) is not None]
    lines = ["## Evaluation", ""]
    if not found:
        return "\n".join(
            [
                *lines,
                "No validation pictures were measured while tuning. Measure it: `capt evaluate DATA --prompts NAME`.",
                "",
            ]
        )
    lines += [
        f"On {document.figures.get('n_val', 'the')} validation pictures, which also chose what was kept; attacked by "
        f"{_safe(str(document.figures.get('validation_attack', 'the attack of the training')))}. Intervals are Wilson 95 %.",
        "",
        "| Measured | Share | Interval | n |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {words} | {percent(share['k'] / share['n'])} | {percent(share['low'])} to {percent(share['high'])} | {int(share['n'])} |"
        for words, share in found
    ]
    return "\n".join([*lines, ""])


def _share(figures: Mapping[str, Any], key: str) -> dict[str, float] | None:
    share = figures.get(key)
    return (
        dict(share) if isinstance(share, Mapping) and share.get("n") and {"k", "low", "high"} <= share.keys() else None
    )


def _safe(text: str) -> str:
    """Text that stays text in Markdown and in a table; what a stranger wrote into a file may be in it."""
    for sign in "\\`*_[]<>|#":
        text = text.replace(sign, f"\\{sign}" if sign not in "<>" else {"<": "&lt;", ">": "&gt;"}[sign])
    return " ".join(text.split())
