"""Writes pictures of the toy world as class folders: DIR/<class name>/<index>.png, and the template its class names stand in."""

from __future__ import annotations

import io
import json
from pathlib import Path

from PIL import Image

from capt_engine.data.labelled_set import TEMPLATE_FILE
from capt_engine.data.products import DEMO_MARK
from capt_engine.demo import world
from capt_engine.errors import BadRequest
from capt_engine.files import write_atomic
from capt_engine.progress import Progress
from capt_engine.reading import json_if_sound


def _claim(folder: Path, made: dict[str, object]) -> None:
    """Marks the folder as ours, or raises BadRequest where it holds something else."""
    # Says who made the folder and how, so that the same command may go on where it stopped and another one may not.
    mark = folder / DEMO_MARK
    if mark.is_file():
        if json_if_sound(mark, dict[str, object]) == made:
            return
        raise BadRequest(
            f"{folder} holds demo pictures that were made with other settings.",
            "Choose another folder, or empty this one.",
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadRequest(f"{folder} is not an empty folder.", "Choose a new or an empty folder; nothing was written.")
    write_atomic(mark, json.dumps(made) + "\n")


def write_class_folders(
    folder: Path, task_name: str, split: str, domain: str, per_class: int, seed: int, progress: Progress
) -> int:
    """Draw `per_class` pictures of every class of a task as PNG files in one folder per class; return their number.

    folder: holds the class folders and template.txt, new, empty, or begun by the same call; pictures that are there are
    kept, so that an interrupted call can be repeated. split: "train", "val" or "test". domain: the look, such as
    "night". seed: another one gives other pictures. progress: called after each picture, may raise to stop. Raises
    UnknownName for an unknown task, split or domain, and BadRequest for `per_class` below 1, a domain that does not fit
    the task, or a folder that holds anything else.
    """
    if per_class < 1:
        raise BadRequest("At least one picture per class is needed.", "Give --per-class 1 or more.")
    world.scene(task_name, split, 0, domain, seed)  # refuses unknown names before anything is written
    classes = world.TASKS[task_name].classes
    made: dict[str, object] = {
        "task": task_name,
        "split": split,
        "domain": domain,
        "per_class": per_class,
        "seed": seed,
        "revision": world.REVISION,
    }
    _claim(folder, made)
    write_atomic(folder / TEMPLATE_FILE, world.TASKS[task_name].template + "\n")
    total = per_class * len(classes)
    for index in range(total):
        path = folder / classes[index % len(classes)] / f"{index:05d}.png"
        if not path.exists():
            buffer = io.BytesIO()
            Image.fromarray(world.picture(world.scene(task_name, split, index, domain, seed))).save(buffer, "PNG")
            write_atomic(path, buffer.getvalue(), durable=False)
        progress(index + 1, total, f"{index + 1} of {total}")
    return total
