"""The ids of the models that ship with the program: the one place that names them.

Beside its id here a model has a folder in `resources/`, its entry in `resources/models.toml` and its record in `jobs/catalogue.py`.
"""

from __future__ import annotations

from typing import Final

TOYS: Final = ("demo", "demo-robust")
"""The models of the toy world; they know rendered shapes and nothing else."""

DEFAULT_MODEL: Final = "photo"
"""The model of a request that names none."""

BUNDLED: Final = (DEFAULT_MODEL, "photo-robust", *TOYS)
"""Every model that ships."""
