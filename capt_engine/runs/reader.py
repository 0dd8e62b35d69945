"""The only reader of run folders, which may be anybody's: a file of a run lies in its folder, and a row holds what its columns say.

Nothing that a run's files name leads out of the folder, neither by a path nor by a link; what does not fit is refused in a sentence.
"""

from __future__ import annotations

import csv
import math
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from capt_engine.data.images import read_photo
from capt_engine.errors import BadImage, BadRequest
from capt_engine.metrics import METRICS
from capt_engine.records import Picture
from capt_engine.records.columns import COLUMNS
from capt_engine.runs import old_names
from capt_engine.runs.manifest_records import Manifest, Summary

ROWS, MANIFEST, SUMMARY = "rows.csv", "manifest.json", "summary.json"
EXAMPLES, ATTACKED = "examples", "attacked"

MOST_PIXELS = 1 << 20
"""The largest kept picture that is decoded: they have the size of a model's input, of which none is beyond 1024 × 1024."""

_LONGEST = 1 << 20
_HINT = "It may be damaged, or from another program; use a whole copy of the run."
_EXAMPLE = re.compile(r"[0-9a-f]{16}_(seen|adversarial)\.png")

# Columns that every version has written; the others may be missing.
_NEEDED = (*COLUMNS[: COLUMNS.index("aimed_at") + 1], "margin_shift")
_SHARES = ("clean_conf", "adv_conf")
_TRUTHS = ("success", "survives_png", "survives_jpeg95", "survives_jpeg75", "survives_resize", "out_of_distribution")
_NUMBERS = ("eps", "steps", "restarts", "clean_margin", "adv_margin", "time_s", "ood_score")
_FILLED = ("path", "prompt_id", "clean_conf", "time_s")


def file_of(folder: Path, name: str) -> Path | None:
    """Return the path of the file `name` of the run in `folder`, None where there is none.

    name: a file's name, or a folder's and a file's with "/" between. Raises BadRequest where it leads out of the folder
    or is no plain file: a run from elsewhere may hold links and pipes.
    """
    path = folder / name
    if not os.path.lexists(path):
        return None
    try:
        inside = path.resolve(strict=True).is_relative_to(folder.resolve(strict=True))
        is_plain = path.is_file()
    except (OSError, RuntimeError, ValueError):  # a link to nowhere, or to itself
        inside, is_plain = False, False
    if not inside:
        raise BadRequest(
            f"{str(path)!r} is a link out of the run's folder, which is not followed.", "Put the file itself there."
        )
    if not is_plain:
        raise BadRequest(f"{str(path)!r} is no plain file.", _HINT)
    return path


def is_run(folder: Path) -> bool:
    """Return True if `folder` has the manifest and the rows of a run; raises BadRequest as `file_of`."""
    return file_of(folder, MANIFEST) is not None and file_of(folder, ROWS) is not None


def runs_in(folder: Path) -> tuple[Path, ...]:
    """Return `folder` itself where it holds a run, else the run folders directly inside it, by name; itself again where there are none.

    Raises BadRequest as `file_of`.
    """
    if is_run(folder) or not folder.is_dir():
        return (folder,)
    return tuple(one for one in sorted(folder.iterdir()) if one.is_dir() and is_run(one)) or (folder,)


def manifest_of(folder: Path) -> Manifest:
    """Read the manifest of the run in `folder`; raises BadRequest where there is none that can be read."""
    file_of(folder, MANIFEST)
    return Manifest.read(folder / MANIFEST)


def summary_of(folder: Path) -> Summary | None:
    """Read the summary of the run in `folder`, None where it has not ended; raises BadRequest for one that is damaged."""
    path = file_of(folder, SUMMARY)
    return None if path is None else Summary.read(path)


def is_example(name: str) -> bool:
    """Return True if `name` is one that this program gives the file of a kept picture."""
    return _EXAMPLE.fullmatch(name) is not None


def example_name(name: str) -> str:
    """Return `name`, the file of a kept picture, as it is; raises BadRequest where it is none that this program gives."""
    if not is_example(name):
        raise BadRequest(f"The run names {name[:80]!r} as a kept picture, which is no name of one.", _HINT)
    return name


def example(folder: Path, name: str) -> Path | None:
    """Return the path of the kept picture `name` of the run in `folder`, None where it is gone; raises BadRequest."""
    return file_of(folder, f"{EXAMPLES}/{example_name(name)}")


def example_picture(folder: Path, name: str) -> Picture | None:
    """Decode the kept picture `name` of the run in `folder`.

    Returns None where it is gone, damaged, or larger than MOST_PIXELS. Raises BadRequest where the name leads elsewhere.
    """
    path = example(folder, name)
    if path is None:
        return None
    try:
        photo = read_photo(path, max_pixels=MOST_PIXELS)
    except BadImage:
        return None
    return Picture(photo.width, photo.height, photo.rgb.tobytes())


def attacked(folder: Path) -> list[Path]:
    """Return the paths of the attacked pictures of the run in `folder`, by name; raises BadRequest for one that is a link out."""
    found = sorted((folder / ATTACKED).glob("*.png"))
    return [path for one in found if (path := file_of(folder, f"{ATTACKED}/{one.name}")) is not None]


def lines(file_or_folder: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a run as column → text, under today's column names; a row that was cut off is left out.

    file_or_folder: the path of a run folder, or of its rows.csv. Raises BadRequest where the file cannot be read, or a
    row holds something else than its columns say.
    """
    path = (
        file_of(file_or_folder, ROWS) or file_or_folder / ROWS
        if file_or_folder.is_dir()
        else file_of(file_or_folder.parent, file_or_folder.name) or file_or_folder
    )
    try:
        with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
            # As many as the file's own header says: an older version knew fewer columns.
            rows = csv.DictReader(_bounded(file, path))
            checks = _checks(rows.fieldnames or (), path)
            for number, line in enumerate(rows, 1):
                if None in line or None in line.values():
                    continue
                for name, holds in checks:
                    if not holds(line[name]):
                        raise BadRequest(
                            f"Row {number:,} of {str(path)!r} cannot be used: its {name} is {line[name][:40]!r}.", _HINT
                        )
                yield old_names.threat(line)
    except FileNotFoundError as error:
        raise BadRequest(f"There is no file {str(path)!r}.", _HINT) from error
    except OSError as error:
        raise BadRequest(f"{str(path)!r} cannot be read: {error.strerror or error}.", _HINT) from error
    except csv.Error as error:
        raise BadRequest(f"{str(path)!r} is no table of rows: {error}.", _HINT) from error


def _bounded(file: TextIO, path: Path) -> Iterator[str]:
    """Yield the lines of a file; none is so long that it fills the memory."""
    while line := file.readline(_LONGEST):
        if len(line) == _LONGEST:
            raise BadRequest(f"{str(path)!r} has a line of more than {_LONGEST:,} characters.", _HINT)
        yield line


def _checks(columns: object, path: Path) -> list[tuple[str, Callable[[str], bool]]]:
    """Return (column, test of its text) for every column that a report counts with."""
    there = list(columns) if isinstance(columns, list | tuple) else []
    missing = [name for name in _NEEDED if name not in there]
    if missing:
        raise BadRequest(f"{str(path)!r} lacks the column {missing[0]!r}.", _HINT)
    known: dict[str, Callable[[str], bool]] = dict.fromkeys((*METRICS.names(), *_NUMBERS), _is_number)
    known |= dict.fromkeys(_SHARES, _is_share) | dict.fromkeys(_TRUTHS, _is_truth) | {"minimal_eps": _is_budget}
    return [
        *((name, holds) for name, holds in known.items() if name in there),
        *((name, bool) for name in _FILLED),
        *((name, _is_text) for name in there),
    ]


def _is_number(text: str) -> bool:
    """True for "" and for a finite number."""
    try:
        return not text or math.isfinite(float(text))
    except ValueError:
        return False


def _is_share(text: str) -> bool:
    # Rounded sums of single precision may go a little beyond 1.
    return _is_number(text) and (not text or -0.001 <= float(text) <= 1.001)


def _is_budget(text: str) -> bool:
    return text == "inf" or (_is_number(text) and (not text or float(text) >= 0))


def _is_truth(text: str) -> bool:
    return text in ("", "true", "false")


def _is_text(text: str) -> bool:
    """True for text that a file can hold; bytes that are no text were read as lone surrogates."""
    return text.isascii() or not any("\ud800" <= one <= "\udfff" for one in text)
