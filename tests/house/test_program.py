"""`capt` as a process: signals end it with their codes from its first line on, and its streams may be closed, full or old."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from capt_engine.cli.terminal import Output, visible
from capt_engine.errors import CannotWrite

Run = Callable[..., "CompletedProcess[str]"]

posix = pytest.mark.skipif(os.name != "posix", reason="signals and descriptors are those of POSIX")

# Sends the signal at the moment when a module is about to be imported.
AT_IMPORT = """
import os, sys
module, number = sys.argv[1], int(sys.argv[2])
sys.argv[1:] = ["doctor"]
class Hook:
    def find_spec(self, name, *_):
        if name == module:
            os.kill(os.getpid(), number)
from capt_engine.__main__ import main
sys.meta_path.insert(0, Hook())
sys.exit(main())
"""


@posix
@pytest.mark.parametrize(
    ("module", "signal", "code"),
    [
        ("capt_engine.cli.interrupts", 2, 130),
        ("argparse", 2, 130),
        ("capt_engine.cli.main", 15, 143),
        ("capt_engine.cli.doctor", 2, 130),
        ("capt_engine.cli.doctor", 15, 143),
    ],
)
def test_a_signal_during_an_import_ends_it(python: Run, module: str, signal: int, code: int) -> None:
    """Whatever is being imported: one line, the signal's code, no traceback."""
    done = python("-I", "-c", AT_IMPORT, module, str(signal), env={"COVERAGE_PROCESS_CONFIG": None})
    assert (done.returncode, done.stderr, done.stdout) == (code, "Cancelled.\n", "")


AT_WORK = """
import os, signal, sys, time
from capt_engine.cli import interrupts
signal.signal(signal.SIGINT, signal.default_int_handler)
interrupts.install()
interrupts.work_begins()
pid = os.fork()
if not pid:
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(9)
    except KeyboardInterrupt as error:
        os._exit(7 if type(error) is KeyboardInterrupt and not interrupts.has_come() else 1)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
try:
    os.kill(os.getpid(), int(sys.argv[1]))
    time.sleep(9)
except interrupts.Terminated:
    print("terminated", interrupts.exit_code(), flush=True)
except KeyboardInterrupt:
    print("interrupted", interrupts.exit_code(), flush=True)
os.kill(os.getpid(), int(sys.argv[2]))
time.sleep(9)
"""


@posix
@pytest.mark.parametrize(
    ("first", "second", "said", "code"), [(2, 2, "interrupted 130\n", 130), (15, 2, "terminated 143\n", 143)]
)
def test_the_second_signal_ends_it_at_once(warm_python: Run, first: int, second: int, said: str, code: int) -> None:
    """The first is raised in the main thread, so that work is put away; a process that was forked knows nothing of it."""
    done = warm_python("-c", AT_WORK, str(first), str(second), env={"COVERAGE_PROCESS_CONFIG": None})
    assert (done.returncode, done.stdout, done.stderr) == (code, said, "")


STREAMS = """
import os, sys
from capt_engine.__main__ import main
for name, number in (("stdout", 1), ("stderr", 2)):
    if sys.argv[1] == name + " closed":
        getattr(sys, name).close()
        setattr(sys, name, None)
        os.close(number)
    elif sys.argv[1].startswith(name):
        kind = sys.argv[1].split()[1]
        there, here = os.pipe() if kind == "unread" else (0, os.open("/dev/full", os.O_WRONLY))
        os.dup2(here, number)
        if there:
            os.close(there)
            os.close(here)
        setattr(sys, name, open(number, "w", encoding="utf-8"))
sys.argv[1:] = sys.argv[2:]
sys.exit(main())
"""


@posix
@pytest.mark.parametrize(
    ("what", "code", "said"),
    [
        ("stdout closed", 0, "Standard output is closed: results are not printed.\n"),
        ("stdout full", 5, "The results cannot be printed: No space left on device."),
        ("stdout unread", 0, ""),
        ("stderr closed", 0, ""),
        ("stderr full", 0, ""),
    ],
)
@pytest.mark.parametrize("verb", ["prompts", "--help"])
def test_streams_may_be_closed_or_full(warm_python: Run, what: str, code: int, said: str, verb: str) -> None:
    """As under cron, a service manager or on a full disk: never a traceback, and no file gets the number of a stream."""
    words = ("prompts", "list") if verb == "prompts" else (verb,)
    done = warm_python("-c", STREAMS, what, *words, env={"COVERAGE_PROCESS_CONFIG": None})
    if verb == "--help" and what == "stdout closed":
        said = ""
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == bool(said)
    if what.startswith("stderr"):
        assert "capt-shapes" in done.stdout or "usage:" in done.stdout


@posix
def test_a_run_that_is_kept_goes_on_when_nobody_reads(warm_python: Run, root: Path, tmp_path: Path) -> None:
    """`capt analyze … --out run | head -1` leaves a whole run, as its exit code says."""
    pictures = sorted((root / "resources" / "samples").glob("*.png"))[:3]
    words = ("analyze", *map(str, pictures), "--model", "demo", "--attack", "none", "--batch", "1")
    done = warm_python("-c", STREAMS, "stdout unread", *words, "--quiet", "--out", str(tmp_path / "run"))
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "run" / "summary.json").is_file()
    assert len((tmp_path / "run" / "rows.csv").read_text(encoding="utf-8").splitlines()) == 4


def test_an_old_encoding_gets_plain_letters() -> None:
    """A file or a pipe on Windows cannot hold an arrow: our own signs are spelled out, a name's are escaped."""
    raw = io.BytesIO()
    output = Output(io.TextIOWrapper(raw, encoding="cp1252"), is_needed=True)
    output.write("cup → lamp, ε = 4/255, 41 ± 2 %, 猫\n")
    output.flush()
    assert raw.getvalue().decode("cp1252").splitlines() == ["cup -> lamp, eps = 4/255, 41 ± 2 %, \\u732b"]


def test_a_stream_that_fails_is_a_sentence_for_results_only(tmp_path: Path) -> None:
    """Remarks that cannot be printed are dropped."""
    for is_needed in (True, False):
        with (tmp_path / "x").open("wb") as file:
            output = Output(io.TextIOWrapper(io.BufferedWriter(_Refusing(file.fileno()))), is_needed=is_needed)
            output.write("x")
            if is_needed:
                with pytest.raises(CannotWrite, match="cannot be printed"):
                    output.flush()
            else:
                output.flush()
            output.detach()


class _Refusing(io.RawIOBase):
    """A disk that takes nothing."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._is_full = True

    def writable(self) -> bool:
        """It is open for writing."""
        return True

    def fileno(self) -> int:
        """The number of a real file, which is led nowhere."""
        return self._number

    def write(self, data: Any) -> int:
        """Refuse once; afterwards it leads nowhere."""
        if self._is_full:
            self._is_full = False
            raise OSError(28, "No space left on device")
        return len(data)


@pytest.mark.parametrize(
    "name",
    [
        "\x1b[31mred",
        "two\nlines",
        "\r\x1b[2Kall is well",
        "a\x07bell",
        "exe\u202egnp.jpg",
        "\u2066x\u2069",
        "c1\x9b31m",
        "\u2028",
    ],
)
def test_no_name_moves_the_cursor(name: str) -> None:
    """Escapes, line breaks and turns of direction are written out."""
    shown = visible(f"{name}.png: cat")
    assert shown.isprintable()
    assert shown != f"{name}.png: cat"


@pytest.mark.parametrize("name", ["naïve café", "猫", "кошка", "قطة", "👩‍👩‍👧", "می‌خواهم", "a\u00a0b", "41 % ± 2"])
def test_honest_names_stay(name: str) -> None:
    """Letters of any script, and the joiners that they need."""
    assert visible(name) == name


LOGS = """
import logging, sys
from capt_engine.cli import terminal
logging.getLogger().handlers.clear()  # of the process that this one was forked from
terminal.take_streams()
terminal.print_logs(is_verbose=sys.argv[1] == "-v")
logging.getLogger("PIL.TiffImagePlugin").error("%s", "bad \\x1b[2J\\ntag")
logging.getLogger("open_clip").warning("a remark \\x1b[31m")
sys.stderr.write("raw \\x1b[31m \\u202e\\n")
"""


def test_what_libraries_log_comes_through_the_same_door(warm_python: Run) -> None:
    """A broken picture's tag does not reach the terminal as it is; Pillow speaks with -v only."""
    silent, verbose = (warm_python("-c", LOGS, word).stderr.splitlines() for word in ("-q", "-v"))
    remarks = ["open_clip: a remark \\x1b[31m", "raw \\x1b[31m \\u202e"]
    assert silent == remarks
    assert verbose == ["PIL.TiffImagePlugin: bad \\x1b[2J\\ntag", *remarks]


def test_the_command_line_has_one_door_to_the_terminal(sources: tuple[Path, ...]) -> None:
    """No other module of it prints by itself."""
    printing = re.compile(r"(?<![\w.])print\(|std(?:out|err)\.write|input\([^)]")
    found = [
        file.name for file in sources if file.parent.name == "cli" and printing.search(file.read_text(encoding="utf-8"))
    ]
    # The output of the probe is a pipe of the doctor's.
    assert found == ["probe.py", "terminal.py"]
    assert printing.search("    print(line)")
    assert not printing.search("fingerprint(x)")
