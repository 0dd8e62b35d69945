"""The network is touched when a download is asked for, by the one module that does it; nothing else connects or looks up a name."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from capt_engine.demo.class_folders import write_class_folders
from capt_engine.progress import no_progress

Run = Callable[..., "CompletedProcess[str]"]

SPEAKING = {
    "huggingface_hub",
    "httpx",
    "httpx2",
    "requests",
    "urllib3",
    "urllib",
    "http",
    "socket",
    "ssl",
    "ftplib",
    "aiohttp",
}
SPEAKING |= {"smtplib", "xmlrpc", "PySide6.QtNetwork", "PySide6.QtWebEngineCore"}

HEARING = """
import contextlib, io, json, socket, sys
heard = []
NAMES = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg")
sys.addaudithook(lambda name, arguments: heard.append([name, repr(arguments[1:])]) if name in NAMES else None)
from capt_engine.cli.main import main
said, codes = io.StringIO(), []
with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
    for words in json.loads(sys.argv[1]):
        codes.append(main(words))
silent = not heard
with contextlib.suppress(OSError):
    socket.create_connection(("127.0.0.1", 1), timeout=1)
print(json.dumps({"codes": codes, "silent": silent, "heard": heard, "said": said.getvalue()}))
"""


def test_no_command_calls_anybody(warm_python: Run, tmp_path: Path) -> None:
    """A look, a measurement, a report, a tuning run and every list, without --offline; a call made afterwards is heard: the ear works."""
    write_class_folders(tmp_path / "data", "shapes", "train", "plain", 2, 0, no_progress)
    data, run = str(tmp_path / "data"), str(tmp_path / "run")
    tune = [
        "--method",
        "coop",
        "--model",
        "demo",
        "--shots",
        "1",
        "--epochs",
        "1",
        "--out",
        f"{tmp_path}/p.safetensors",
    ]
    commands = (
        ("analyze", data, "--model", "demo", "--attack", "none"),
        ("evaluate", data, "--model", "demo", "--attack", "fgsm", "--limit", "4", "--out", run),
        ("report", run, "--out", str(tmp_path / "report.html")),
        ("tune", data, *tune),
        ("models", "list"),
        ("models", "show", "demo"),
        ("prompts", "list"),
        ("models", "ledger"),
    )
    online = {"HF_HUB_OFFLINE": None, "TRANSFORMERS_OFFLINE": None}
    done = warm_python("-c", HEARING, json.dumps([[*words, "--quiet"] for words in commands]), env=online)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["codes"] == [0] * len(commands), told["said"]
    assert told["silent"], told["heard"]
    assert told["heard"]


def test_one_module_speaks_to_the_network(sources: tuple[Path, ...], root: Path) -> None:
    """No other imports a library that could: whoever reads this program's code for calls has one file to read."""
    found = set()
    for file in sources:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                parts = {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                parts = {(node.module or "").partition(".")[0], *(f"{node.module}.{name.name}" for name in node.names)}
            else:
                continue
            if SPEAKING & parts:
                found.add(file.relative_to(root).as_posix())
    # The window takes a pair of sockets to hear Ctrl-C: they lead nowhere.
    assert found == {"capt_engine/download/process.py", "capt_gui/application.py"}
