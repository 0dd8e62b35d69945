"""The page in a real browser, where one is installed: our script runs, its tables can be sorted, and the console stays empty."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from capt_engine.reports.html import report
from tests.engine.reports.html.test_html_sample import sample

_BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [pytest.mark.skipif(_BROWSER is None, reason="no Chromium is installed"), pytest.mark.heavy]


def test_a_browser_has_nothing_to_complain_of(tmp_path: Path) -> None:
    """Our script runs under the page's own policy, no name runs, and the console stays empty."""
    page = tmp_path / "report.html"
    page.write_bytes(report.write(sample(300)))
    command = [
        str(_BROWSER),
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={tmp_path / 'browser'}",
    ]
    command += ["--enable-logging=stderr", "--v=0", "--dump-dom", page.as_uri()]
    run = subprocess.run(command, capture_output=True, text=True, timeout=200, check=True, encoding="utf-8")
    assert "CONSOLE" not in run.stderr
    assert '<html lang="en" class="js">' in run.stdout
    assert run.stdout.count('aria-sort="none"') == len(re.findall("data-sort=", run.stdout)) == 12
    assert "200 of 300 rows shown" in run.stdout
    assert "<iframe" not in run.stdout
