"""Plug-ins: attacks, metrics, tuning methods and importers of other packages, found by entry point when a table is first looked into.

A plug-in is code of whoever wrote it, and is loaded only because the user has installed its package (docs/security.md).
"""

from __future__ import annotations

import functools
import importlib.metadata
import logging
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint
from traceback import walk_tb
from types import CodeType, FunctionType

from capt_engine.errors import BadPlugin, BadRequest, CaptError

_log = logging.getLogger(__name__)

OFF = "CAPT_NO_PLUGINS"
"""The environment variable that leaves all plug-ins out; `--no-plugins` sets it."""

_loaded_plugins: list[Plugin] = []

# A name is also a column, a key and a word of a command line.
_NAME = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True)
class Plugin:
    """One entry point: where it was found, what it gave, or why it was skipped. name: of the entry, where it was loaded."""

    group: str
    name: str
    module: str
    package: str = ""
    version: str = ""
    entry: object = None
    problem: str = ""

    @property
    def whose(self) -> str:
        """Return the package that brought the plug-in, and its version: "capt-noise 1.2"."""
        return f"{self.package or 'a nameless package'} {self.version}".strip()

    @property
    def plain(self) -> dict[str, str]:
        """Return the fields of this record but the loaded object, as text by name, for the report of `capt doctor`."""
        return {name: str(value) for name, value in vars(self).items() if name != "entry"}


def off() -> bool:
    """Return True where the environment variable CAPT_NO_PLUGINS (set by --no-plugins) turns all plug-ins off."""
    return os.environ.get(OFF, "0") not in ("", "0")


@functools.cache
def found(group: str, fits: Callable[[object], bool], taken: tuple[str, ...]) -> tuple[Plugin, ...]:
    """Load the plug-ins of other packages for one table (of attacks, say); one that is broken is logged and skipped.

    Args:
        group: the entry point group, such as "capt.attacks".
        fits: called with each loaded object; True accepts it for the table. An exception says why it is refused.
        taken: names that are in the table already; a plug-in of such a name is skipped.

    Returns:
        One record per entry point, sorted by module and name. A skipped one has no `entry`, and its `problem` says why.
        Empty where plug-ins are turned off.
    """
    if off():
        return ()
    plugins: list[Plugin] = []
    for point in sorted(importlib.metadata.entry_points(group=group), key=lambda one: (one.value, one.name)):
        names = (*taken, *(one.name for one in plugins if not one.problem))
        plugin = _loaded(Plugin(group, point.name, point.value), point, fits, names)
        if plugin.problem:
            _log.warning("The plug-in %s of %s was skipped: %s", plugin.module, plugin.whose, plugin.problem)
        plugins.append(plugin)
    _loaded_plugins.extend(one for one in plugins if not one.problem)
    return tuple(plugins)


def _loaded(plugin: Plugin, point: EntryPoint, fits: Callable[[object], bool], taken: tuple[str, ...]) -> Plugin:
    try:
        if point.dist is not None:
            plugin = replace(plugin, package=str(point.dist.name), version=str(point.dist.version))
        entry = point.load()
        if not fits(entry):
            raise BadRequest(f"It is nothing that {plugin.group} takes.")
        name = getattr(entry, "name", None)
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise BadRequest(f"Its name is {name!r}, not lower-case letters, digits, - and _.")
        if name in taken:
            raise BadRequest(f"The name {name!r} is taken.")
    except CaptError as error:
        return replace(plugin, problem=str(error))
    except (
        Exception,
        SystemExit,
    ) as error:  # whatever a stranger's module raises, or the reader of its package's papers
        return replace(plugin, problem=f"{type(error).__name__}: {error}")
    return replace(plugin, name=name, entry=entry)


def blamed(error: Exception) -> BadPlugin | None:
    """Return the BadPlugin that names the plug-in whose code `error` came from or passed through; None for none.

    error: an unexpected exception, with its traceback. The result is to be shown in its place; it is not raised.
    """
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    packages = {str(frame.f_globals.get("__name__")).partition(".")[0] for frame in frames} - {__package__}
    near = [one for one in _loaded_plugins if one.module.partition(".")[0] in packages]
    if not near:
        return None
    # Several of one package are told apart by whose function was running.
    running = {frame.f_code for frame in frames}
    names = " or ".join(one.name for one in near if running & _functions(one.entry)) or near[0].name
    return BadPlugin(
        f"The plug-in {names} of {near[0].whose} failed: {type(error).__name__}: {error}.",
        "Ask those who wrote it, or leave it out with --no-plugins.",
    )


def _functions(entry: object) -> set[CodeType]:
    parts = (entry, *getattr(entry, "__dict__", {}).values())
    return {part.__code__ for part in parts if isinstance(part, FunctionType)}
