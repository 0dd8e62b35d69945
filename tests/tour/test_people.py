"""Somebody new opens the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from guest import Guest


def test_a_dropped_picture_is_answered(guest: Guest, samples: tuple[Path, ...], shot: Callable[..., None]) -> None:
    """One picture falls on the window, and its answers before and after the attack are there."""
    guest.drop(samples[0])
    guest.settle()
    guest.until(lambda: "%" in guest.words())
    shot("first-answer")
    assert guest.action("Run", "Run").isEnabled()
