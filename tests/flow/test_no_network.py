"""Starting the program touches no network: every socket call and every name lookup of a whole start would be heard."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

_HEARD = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg")

_START = f"""
import json, os, sys

heard = []

def listen(event, arguments):
    if event in {_HEARD!r}:
        heard.append([event, repr(arguments[1:])])

sys.addaudithook(listen)
sys.argv = ["capt-explorer", "--theme", "light"]
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

ready = []
from capt_gui import application

shown = application.Bridge.open

def opened(self):
    shown(self)
    self.engine_ready.connect(ready.append)
    watch = QTimer(self)
    def leave():
        if ready:
            QApplication.instance().quit()
    watch.timeout.connect(leave)
    watch.start(50)
    self._watch = watch

application.Bridge.open = opened
from capt_gui.__main__ import main
code = main(sys.argv[1:])
started = list(heard)
import socket
try:
    socket.create_connection(("127.0.0.1", 1), timeout=1)
except OSError:
    pass
print(json.dumps({{"code": code, "ready": bool(ready), "started": started, "heard": heard}}))
"""


def test_a_start_touches_no_network(tmp_path: Path) -> None:
    """From the first import to the engine that is ready and the window that closes; a call made afterwards is heard: the ear works."""
    homes = {f"XDG_{kind}_HOME": str(tmp_path / kind.lower()) for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
    online = {
        name: value for name, value in os.environ.items() if name not in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    }
    ended = subprocess.run(
        [sys.executable, "-c", _START],
        env={**online, **homes, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    told = json.loads(ended.stdout.splitlines()[-1])
    assert told["ready"]
    assert not told["started"]
    assert told["heard"]
