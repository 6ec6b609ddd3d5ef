"""The program `smlp` as a child: tables by files in memory, its sentence as an exception, and it ends when its parent does."""

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


# Held while a child starts: a child of fork that another thread makes at that moment would keep the ends of its pipes open.
_starting = threading.RLock()
os.register_at_fork(before=_starting.acquire, after_in_parent=_starting.release, after_in_child=_starting.release)


def path() -> str:
    """The program: $SMLP, else the package's own, else the one in PATH.

    Returns
    -------
    str

    Raises
    ------
    Error
        There is none.
    """
    own = pathlib.Path(__file__).with_name("bin") / "smlp"
    found = os.environ.get("SMLP") or (str(own) if own.exists() else shutil.which("smlp"))
    if not found:
        raise Error("the program smlp is not there: build the package by make python, or name the program by SMLP")
    if not os.access(found, os.X_OK) or os.path.isdir(found):
        raise Error(f"the program {found} is not there, or is not executable" + (" (SMLP names it)" if os.environ.get("SMLP") else ""))
    return found


def option_words(options: dict[str, Any]) -> list[str]:
    """``learning_rate=0.1`` as ``--learning-rate 0.1``.

    Parameters
    ----------
    options : dict
        None and False are left out, True is a flag, several values stand with commas between.

    Returns
    -------
    list of str
    """
    words = []
    for name, value in options.items():
        if value is None or value is False:
            continue
        words.append("--" + name.replace("_", "-"))
        if value is not True:
            words.append(",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value))
    return words


def start(words: Sequence[str], **how: Any) -> subprocess.Popen:
    """A child that gets SIGTERM when the thread that started it ends, a killed interpreter included.

    Parameters
    ----------
    words : sequence of str
        The command and its options.
    **how
        As `subprocess.Popen` takes it.

    Returns
    -------
    subprocess.Popen

    Raises
    ------
    Error
        The program is not there, or does not start.
    """
    try:
        with _starting:
            return subprocess.Popen(["setpriv", "--pdeathsig", "TERM", path(), *words], text=True, encoding="utf-8",
                                    errors="replace", **how)
    except FileNotFoundError:
        raise Error("the program setpriv, of the package util-linux, is not there") from None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in an option
        raise Error(f"the program smlp does not start: {error}") from None


def _in_memory(name: str, text: str) -> int:
    """The descriptor of a file without a name that has this text. No other process has to read or write for it to end."""
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise Error(f"the table of --{name} has a character that is no text: {text[error.start]!r}") from None
    descriptor = os.memfd_create(f"smlp-{name}")
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def run(command: str, options: dict[str, Any], tables: dict[str, str] | None = None,
        on_line: Callable[[str], None] | None = None) -> str:
    """Run a command to its end.

    Parameters
    ----------
    command : str
    options : dict
        As `option_words` takes them.
    tables : dict of str to str, optional
        Options whose file is this text, given as a file in memory.
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
    descriptors: dict[str, int] = {}
    try:
        for name, text in (tables or {}).items():
            descriptors[name] = _in_memory(name, text)
        files = {name: f"/proc/self/fd/{descriptor}" for name, descriptor in descriptors.items()}
        child = start([command, *option_words({**options, **files})], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                      stderr=subprocess.PIPE, pass_fds=list(descriptors.values()))
    finally:
        for descriptor in descriptors.values():
            os.close(descriptor)
    said: list[str] = []
    out: list[str] = []
    reader = threading.Thread(target=lambda: out.append(child.stdout.read()))
    try:
        reader.start()
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
