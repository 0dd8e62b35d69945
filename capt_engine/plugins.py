"""Plug-ins: attacks, metrics, tuning methods and importers of other packages, found by entry point when a table is first looked into.

A plug-in is code of whoever wrote it, and is loaded only because the user has installed its package (docs/security.md).
"""

from __future__ import annotations

import functools
import importlib.metadata
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, replace

_log = logging.getLogger(__name__)

OFF = "CAPT_NO_PLUGINS"
"""The environment variable that leaves all plug-ins out; `--no-plugins` sets it."""


@dataclass(frozen=True)
class Plugin:
    """One entry point: where it was found, what it gave, or why it was skipped."""

    group: str
    name: str
    module: str
    package: str
    entry: object = None
    problem: str = ""

    @property
    def plain(self) -> dict[str, str]:
        """Return the plug-in as text, by field, for `capt doctor`."""
        return {name: str(value) for name, value in vars(self).items() if name != "entry"}


@functools.cache
def found(group: str, fits: Callable[[object], bool], taken: tuple[str, ...]) -> tuple[Plugin, ...]:
    """Load what other packages offer for a table; a broken one is named in the log and skipped.

    Args:
        group: the entry point group, such as "capt.attacks".
        fits: accepts what can stand in the table.
        taken: names that are in the table already.

    Returns:
        One record per entry point, by package and name; those that were skipped have no entry.
    """
    if os.environ.get(OFF):
        return ()
    plugins: list[Plugin] = []
    names = set(taken)
    for point in sorted(importlib.metadata.entry_points(group=group), key=lambda one: (one.value, one.name)):
        package = f"{point.dist.name} {point.dist.version}" if point.dist is not None else ""
        plugin = Plugin(group, point.name, point.value, package)
        try:
            entry = point.load()
        except Exception as error:  # whatever a stranger's module raises
            plugin = replace(plugin, problem=f"{type(error).__name__}: {error}")
        else:
            called = str(getattr(entry, "name", ""))
            if not called or not fits(entry):
                plugin = replace(plugin, problem=f"It is nothing that {group} takes.")
            elif called in names:
                plugin = replace(plugin, problem=f"The name {called!r} is taken.")
            else:
                plugin = replace(plugin, entry=entry)
                names.add(called)
        if plugin.problem:
            _log.warning("The plug-in %s of %s was skipped: %s", plugin.module, package or "?", plugin.problem)
        plugins.append(plugin)
    return tuple(plugins)
