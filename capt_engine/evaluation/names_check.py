"""Class names that are the same tokens to a model: the note on them, and the check that there are none."""

from __future__ import annotations

from collections.abc import Iterable

from capt_engine.checks.table import CHECKS, Finding
from capt_engine.model.classifier import Classifier
from capt_engine.records import Check
from capt_engine.records.vocabulary import alike_names, alike_sentences


def alike_notes(models: Iterable[Classifier]) -> tuple[str, ...]:
    """Return a sentence on the class names that are the same tokens to one of the models; none where there are none."""
    return alike_sentences(_groups(models))


def names_check(models: Iterable[Classifier]) -> Check:
    """Return the check that all class names differ for each of the models; it needs no picture."""
    groups = _groups(models)
    lost = sum(len(group) - 1 for group in groups)
    more = f"The same tokens: {alike_names(groups)}." if groups else ""
    return CHECKS["names-differ"].result(Finding(not lost, lost, f"{lost} can never be the answer", more))


def _groups(models: Iterable[Classifier]) -> tuple[tuple[str, ...], ...]:
    return tuple(dict.fromkeys(group for one in models for group in one.alike_classes))
