"""A damaged install record names what no file can be called: that file is gone, and nothing else happens."""

from __future__ import annotations

import json
from pathlib import Path

from capt_engine.model.store import install_record


def test_a_name_that_no_file_can_have_is_a_file_that_is_gone(tmp_path: Path) -> None:
    """A name of 5,000 letters, and one with a zero byte."""
    names = ("a" * 5000, "b\0c")
    note = tmp_path / "installed.json"
    note.write_text(json.dumps({"files": dict.fromkeys(names, "0" * 64)}), encoding="utf-8")
    assert set(install_record.changed(note)) == set(names)
