"""Requests with some settings changed, whether a setting is one of the request's own or of its options."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, TypeVar

from capt_engine.records import RunOptions, RunRequest

R = TypeVar("R", bound=RunRequest)

_OPTIONS = {field.name for field in fields(RunOptions)}


def changed(request: R, **settings: Any) -> R:
    """The request with other settings."""
    options = {name: value for name, value in settings.items() if name in _OPTIONS}
    own = {name: value for name, value in settings.items() if name not in _OPTIONS}
    return replace(request, **own, options=replace(request.options, **options))
