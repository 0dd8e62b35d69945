"""The sheet of shortcuts: a page of the help made from the actions that there are."""

from __future__ import annotations

from collections.abc import Sequence

from capt_gui.translate import tr
from capt_gui.view_models.preferences.shortcuts import Command


def shortcut_sheet(commands: Sequence[Command], page_titles: dict[str, str]) -> str:
    """Return the keys of all commands that have some as a page in Markdown, a table for each page of the window.

    page_titles: by the key of a page its name, in order.
    """
    parts = [f"# {tr('Keyboard shortcuts')}", tr("They can be changed in Edit › Preferences… › Shortcuts.")]
    for page, title in page_titles.items():
        rows = [
            f"| {_cell(one.title)} | {' · '.join(f'`{_cell(keys)}`' for keys in one.keys)} |"
            for one in commands
            if one.page == page and one.keys
        ]
        if rows:
            parts += [f"## {title}", "\n".join([f"| {tr('Action')} | {tr('Keys')} |", "|---|---|", *rows])]
    inside = (
        (tr("Tab, Shift+Tab"), tr("to the next control, and back")),
        (tr("arrow keys"), tr("move in lists, charts, pictures and groups of choices")),
        (tr("Space, Return"), tr("press the button that has the focus")),
        (tr("+ − 0"), tr("look closer, wider, at everything: in pictures and charts")),
        (tr("Delete"), tr("takes a picture off the gallery")),
    )
    rows = [f"| {what} | {keys} |" for keys, what in inside]
    parts += [
        f"## {tr('In what has the focus')}",
        "\n".join([f"| {tr('Action')} | {tr('Keys')} |", "|---|---|", *rows]),
    ]
    return "\n\n".join(parts) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("`", "'")
