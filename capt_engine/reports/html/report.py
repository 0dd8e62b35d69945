"""A report as one HTML file that asks nobody for anything: no request leaves it, and only our own style and script may run in it."""

from __future__ import annotations

import base64
import functools
import hashlib
import io
from collections.abc import Iterator

from capt_engine.formatting import moment, size
from capt_engine.reports.document import Attachment, Report, unrepeated
from capt_engine.reports.html import blocks
from capt_engine.reports.html.text import fragments, name, text
from capt_engine.resources import resource

CARRIED = 8 * 1024 * 1024
"""Attachments travel inside the file up to this many bytes together."""

_TYPES = {".json": "application/json", ".csv": "text/csv", ".txt": "text/plain", ".md": "text/markdown"}
# A multiple of three, so that the pieces of base64 can be joined.
_PIECE = 3 * 64 * 1024


def write(report: Report) -> bytes:
    """Return `report` as one complete HTML page in UTF-8; the same report gives the same bytes.

    Attachments of more than 8 MiB together are listed but not carried inside.
    """
    page = io.BytesIO()
    for piece in _pieces(report):
        page.write(piece.encode("utf-8"))
    return page.getvalue()


def _pieces(report: Report) -> Iterator[str]:
    shown = unrepeated(report.sections)
    sections = list(zip(fragments([one.id for one in shown]), shown, strict=True))
    yield from _head(report)
    yield '<body>\n<a class="skip" href="#report">Skip to the report</a>\n<div class="page">\n'
    yield f'<header>\n<h1>{text(report.title)}</h1>\n<p class="subtitle">{text(report.subtitle)}</p>\n'
    yield f'<p class="made">{_made(report.made)}<span class="id">Report {name(report.id)}</span></p>\n</header>\n'
    yield '<nav aria-label="Contents">\n<p>Contents</p>\n<ol role="list">\n'
    for anchor, section in sections:
        yield f'<li><a href="#s-{anchor}">{text(section.title)}</a></li>\n'
    if report.attachments:
        yield '<li><a href="#files">Files</a></li>\n'
    yield '</ol>\n</nav>\n<main id="report">\n'
    numbers = blocks.Numbers()
    for anchor, section in sections:
        yield f'<section aria-labelledby="s-{anchor}">\n<h2 id="s-{anchor}">{text(section.title)}</h2>\n'
        for block in section.blocks:
            yield from blocks.pieces(block, numbers)
        yield "</section>\n"
    if report.attachments:
        yield from _files(report.attachments)
    yield f"</main>\n<footer>\n<p>{text(report.title)} · report {name(report.id)}</p>\n"
    yield "<p>This page is one file. It loads nothing from anywhere and sends nothing.</p>\n</footer>\n</div>\n</body>\n</html>\n"


def _head(report: Report) -> Iterator[str]:
    style, script = _source("report.css"), _source("report.js")
    policy = "; ".join(
        (
            "default-src 'none'",
            "img-src data:",
            f"style-src '{_digest(style)}'",
            f"script-src '{_digest(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" content="light dark">\n'
    yield '<meta name="generator" content="CAPT Explorer">\n'
    yield '<meta name="referrer" content="no-referrer">\n<meta name="format-detection" content="telephone=no">\n'
    # Without an icon of its own, a page that is served makes the browser ask for one.
    yield f'<title>{text(report.title)}</title>\n<link rel="icon" href="data:,">\n'
    yield f"<style>{style}</style>\n<script>{script}</script>\n</head>\n"


def _made(when: str) -> str:
    if not when:
        return ""
    shown = moment(when)
    return (
        f'<time datetime="{text(when)}">{text(shown)}</time> · ' if shown != when else f"<span>{text(when)}</span> · "
    )


def _files(attachments: tuple[Attachment, ...]) -> Iterator[str]:
    together = sum(len(one.content) for one in attachments)
    carried = together <= CARRIED
    yield '<section aria-labelledby="files">\n<h2 id="files">Files</h2>\n'
    if not carried:
        yield f"<p>These files are too large to travel inside this page ({size(together)} together). They are in the run’s folder.</p>\n"
    yield '<ul class="files" role="list">\n'
    for one in attachments:
        if carried:
            suffix = one.name[one.name.rfind(".") :].lower()
            kind = _TYPES.get(suffix, "application/octet-stream")
            yield f'<li><a download="{text(one.name)}" href="data:{kind};base64,'
            for first in range(0, len(one.content), _PIECE):
                yield base64.b64encode(one.content[first : first + _PIECE]).decode("ascii")
            yield f'">{name(one.name)}</a>'
        else:
            yield f"<li><b>{name(one.name)}</b>"
        yield f' <span class="size">{size(len(one.content))}</span> <span class="about">{text(one.description)}</span></li>\n'
    yield "</ul>\n</section>\n"


@functools.cache
def _source(file: str) -> str:
    return resource("report", file).read_text(encoding="utf-8")


def _digest(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode("utf-8")).digest()).decode("ascii")
