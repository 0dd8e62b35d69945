"""Python's own way to import, in the place of the one that PySide puts there."""

from __future__ import annotations

import builtins


def unread_sources() -> None:
    """Import Qt, and have the modules that are imported from now on loaded without a look at their sources.

    PySide puts a function of its own in the place of Python's `__import__`: it reads the source text of each module that
    is imported later, to know whether it may ask for PySide's other names (`from __feature__ import snake_case`), which
    nothing here does, and leaves that text in `linecache`. With torch these are 1,300 files: a fifth of a second in which
    the window waits, and 50 MB. Nothing is changed where PySide does not do so, or where somebody else has put a
    function there since.
    """
    import PySide6.QtCore  # noqa: F401 - it is this that changes `__import__`

    usual, own = getattr(builtins, "__orig_import__", None), getattr(builtins, "__feature_import__", None)
    if usual is not None and own is not None and builtins.__import__ is own:
        builtins.__import__ = usual
