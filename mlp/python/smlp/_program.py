"""The program `smlp` as a child: tables by pipes, its sentence as an exception, and it ends when its parent does."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import threading
import warnings
from typing import Any, Callable, Sequence

from ._paillier import Error


def path() -> str:
    """The program: $SMLP, else the package's own, else the one in PATH."""
    own = pathlib.Path(__file__).with_name("bin") / "smlp"
    found = os.environ.get("SMLP") or (str(own) if own.exists() else shutil.which("smlp"))
    if not found:
        raise Error("the program smlp is not there: build the package by make python, or name the program by SMLP")
    return found


def option_words(options: dict[str, Any]) -> list[str]:
    """``learning_rate=0.1`` as ``--learning-rate 0.1``; None and False are left out, True is a flag."""
    words = []
    for name, value in options.items():
        if value is None or value is False:
            continue
        words.append("--" + name.replace("_", "-"))
        if value is not True:
            words.append(",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value))
    return words


def start(words: Sequence[str], **how: Any) -> subprocess.Popen:
    """A child that gets SIGTERM when the thread that started it ends, a killed interpreter included."""
    return subprocess.Popen(["setpriv", "--pdeathsig", "TERM", path(), *words], text=True, **how)


class _Table:
    """Text that the program reads from a pipe, once."""

    def __init__(self, text: str):
        self._reading, writing = os.pipe()
        self.name = f"/dev/fd/{self._reading}"
        self._writer = threading.Thread(target=self._write, args=(writing, text), daemon=True)

    @staticmethod
    def _write(descriptor: int, text: str) -> None:
        try:
            with open(descriptor, "w", encoding="utf-8") as pipe:
                pipe.write(text)
        except BrokenPipeError:  # refused before it was read to its end; the program says why
            pass

    def send(self) -> None:
        """To a child that has inherited the other end."""
        os.close(self._reading)
        self._writer.start()

    @property
    def inherited(self) -> int:
        return self._reading


def run(command: str, options: dict[str, Any], tables: dict[str, str] | None = None,
        on_line: Callable[[str], None] | None = None) -> str:
    """Run a command to its end.

    Parameters
    ----------
    command : str
    options : dict
        As `option_words` takes them.
    tables : dict of str to str, optional
        Options whose file is this text, given by a pipe.
    on_line : callable, optional
        Gets each line of progress.

    Returns
    -------
    str
        Standard output.

    Raises
    ------
    Error
        With the program's sentence. Its warnings are warnings.
    """
    pipes = {name: _Table(text) for name, text in (tables or {}).items()}
    words = [command, *option_words({**options, **{name: pipe.name for name, pipe in pipes.items()}})]
    child = start(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                  pass_fds=[pipe.inherited for pipe in pipes.values()])
    said: list[str] = []
    out: list[str] = []
    reader = threading.Thread(target=lambda: out.append(child.stdout.read()))
    try:
        reader.start()
        for pipe in pipes.values():
            pipe.send()
        for line in child.stderr:
            line = line.rstrip("\n")
            warning = re.match(r"smlp: warning: (.*)", line)
            if warning:
                warnings.warn(warning[1], RuntimeWarning, stacklevel=3)
            elif line.startswith("smlp: ") and not line.startswith("smlp: note: "):
                said.append(line[len("smlp: "):])
            elif on_line:
                on_line(line)
        code = child.wait()
    finally:  # Ctrl-C, or an exception of on_line
        if child.poll() is None:
            child.terminate()
            child.wait()
        reader.join()
        child.stdout.close()
        child.stderr.close()
    if code != 0:
        raise Error(said[-1] if said else f"smlp {command} ended by {'signal' if code < 0 else 'code'} {abs(code)}")
    return out[0]
