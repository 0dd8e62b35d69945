"""What the workers load, and when."""

from __future__ import annotations

import subprocess
import sys

# The compiled modules that a worker's thread loads before torch's libraries, and those that the other workers' code adds to them.
SCRIPT = """
import importlib.machinery, sys
made = importlib.machinery.ExtensionFileLoader.create_module
loaded = []

def watched(self, spec):
    loaded.append(spec.name)
    return made(self, spec)

importlib.machinery.ExtensionFileLoader.create_module = watched
from capt_engine.jobs import worker_threads
from capt_engine.model import imports

class Enough(Exception):
    pass

def reached():
    raise Enough

imports.preload_torch = reached
try:
    worker_threads.science("cpu", lambda event: None)
except Enough:
    pass
before = set(loaded)
loaded.clear()
worker_threads.files(None)
worker_threads.light(lambda event: None)
print("PIL._imaging" in before, "torch" in sys.modules, loaded)
"""


def test_no_worker_loads_a_compiled_module_beside_torch() -> None:
    """When torch's libraries begin to load, the workers for files and downloads have their compiled modules already.

    The system's loader would let them wait for torch, with Python's lock in their hands, and the window for them.
    """
    done = subprocess.run((sys.executable, "-c", SCRIPT), capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "True False []"
