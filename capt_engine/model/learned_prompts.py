"""Learned prompts as Python has them: the values, the document about them, and their file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from capt_engine.errors import BadRequest
from capt_engine.files import sha256
from capt_engine.model import checkpoints
from capt_engine.model.checkpoints import Document
from capt_engine.model.clip import Backbone
from capt_engine.model.prompts import Prompts
from capt_engine.model.store.prompt_store import SUFFIX, find


@dataclass(frozen=True)
class LearnedPrompts:
    """Prompts of one CLIP, with what is known about them.

    Attributes:
        prompts: the learned values, a torch module.
        document: method, template, classes, settings, figures and versions, as the file keeps them.
        name: the name or path that they were loaded by; empty for prompts that no file holds yet.
        sha256: SHA-256 of that file; empty where there is none.
    """

    prompts: Prompts
    document: Document
    name: str = ""
    sha256: str = ""

    @classmethod
    def load(cls, name: str | os.PathLike[str], clip: Backbone) -> LearnedPrompts:
        """Read prompts that ship with the program, are installed, or lie in a file.

        Args:
            name: a name that `capt prompts list` shows, or the path of a `.safetensors` file.
            clip: the model that they were learned for.

        Returns:
            The prompts, on the device of `clip`.

        Raises:
            BadCheckpoint: there are none of that name, the file is damaged, or it was made for another model.

        Example:
            >>> import capt_engine as capt
            >>> prompts = capt.LearnedPrompts.load("capt-shapes-night", capt.load_clip("demo"))
            >>> prompts.document.method
            'capt'
        """
        path = find(os.fspath(name))
        prompts, document = checkpoints.load(path, clip)
        return cls(prompts, document, os.fspath(name), sha256(path))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the prompts file, whole or not at all; a file that is there is replaced.

        Args:
            path: ends in `.safetensors`.

        Returns:
            The path.

        Raises:
            BadRequest: another ending.
            BadCheckpoint: the prompts could not be read back, as where a value is not finite.
            CannotWrite: the disk refuses.
        """
        place = Path(path)
        if place.suffix != SUFFIX:
            raise BadRequest(f"{os.fspath(path)!r} is no name for a prompts file.", f"It must end in {SUFFIX}.")
        checkpoints.save(place, self.prompts, self.document)
        return place
