"""Owner, evaluator and key holder, each in a process of its own, by the program's files.

Keywords are the program's options with ``_`` for ``-`` (``smlp encrypt --help``): ``batch=64`` is ``--batch 64``, True a flag
without a value. An option that is not there is refused in the program's words.
"""

from __future__ import annotations

import collections
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
from typing import Any, NamedTuple, Sequence, Union

from . import _program
from ._paillier import Error

__all__ = ["Evaluator", "KeyHolder", "Keys", "decrypt", "encrypt", "export", "keygen"]

Path = Union[str, "os.PathLike[str]"]


class Keys(NamedTuple):
    """The two files of a key.

    Attributes
    ----------
    public : Path
    secret : Path
    """

    public: pathlib.Path
    secret: pathlib.Path


def keygen(out: Path, **options: Any) -> Keys:
    """Make out/public.json and out/secret.json (mode 0600): ``smlp keygen``.

    Parameters
    ----------
    out : path
        A folder.
    **options
        ``bits=3072``, ..

    Returns
    -------
    Keys

    Raises
    ------
    Error
        The program's sentence.
    """
    _program.run("keygen", {"out": out, **options})
    return Keys(pathlib.Path(out, "public.json"), pathlib.Path(out, "secret.json"))


def _file(key: Path | Keys, which: str) -> Path:
    return getattr(key, which) if isinstance(key, Keys) else key


def _user_keys(keys: Any) -> Any:
    several = isinstance(keys, (list, tuple)) and not isinstance(keys, Keys)
    return [_file(key, "public") for key in keys] if several else _file(keys, "public")


def _csv(table: Any) -> str:
    import numpy as np
    import pandas as pd
    if hasattr(table, "to_csv"):
        frame = table
    else:
        try:
            array = np.asarray(table)
        except (ValueError, TypeError, OverflowError, RecursionError):
            array = np.empty(0)
        if array.ndim != 2:
            raise Error(f"a {type(table).__name__} is no table: a frame, an array of rows and columns or the path of a CSV is")
        frame = pd.DataFrame(array, columns=[f"x{j}" for j in range(array.shape[1])])
    return frame.to_csv(index=False)


def encrypt(table: Any, key: Path | Keys, out: Path | None = None, **options: Any) -> pathlib.Path:
    """Encrypt a table: ``smlp encrypt``.

    Parameters
    ----------
    table : DataFrame, array of rows and columns, or path of a CSV
        A frame or an array goes by memory: nothing of it is written in the clear. Columns of an array are x0, x1, .., the
        last one the label unless `label` says otherwise.
    key : path of the key holder's public.json, or what `keygen` gave
    out : path, optional
        The encrypted table; ``OUT.profile.json`` beside it stays with the owner. By default ``table.h5`` in a new folder
        for temporary files, smlp-..; whoever calls removes it.
    **options
        ``label='diagnosis'``, ``profile=..`` for queries, ..

    Returns
    -------
    Path
        Of the encrypted table.

    Raises
    ------
    Error
        What is no table, and the program's sentence.
    """
    folder = tempfile.mkdtemp(prefix="smlp-") if out is None else None
    out = pathlib.Path(folder, "table.h5") if folder else out
    settings = {"key": _file(key, "public"), "out": out, "quiet": True, **options}
    try:
        if isinstance(table, (str, os.PathLike)):
            _program.run("encrypt", {"data": table, **settings})
        else:
            _program.run("encrypt", settings, {"data": _csv(table)})
    except BaseException:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    return pathlib.Path(out)


def decrypt(answers: Path, key: Path | Keys, *, profile: Path | None = None, **options: Any) -> Any:
    """Open answers: ``smlp decrypt``.

    Parameters
    ----------
    answers : path
    key : path of the owner's secret.json, or what `keygen` gave
    profile : path, optional
        Of the table that was trained on.
    **options
        As ``smlp decrypt`` has them.

    Returns
    -------
    DataFrame
        By rows of the owner's table, from 1: ``class`` and the outputs, or ``value``.

    Raises
    ------
    Error
        The program's sentence.
    """
    import pandas as pd
    text = _program.run("decrypt", {"in": answers, "key": _file(key, "secret"), "profile": profile, "out": "/dev/stdout", **options})
    return pd.read_csv(io.StringIO(text), index_col="row", dtype={"class": str}, keep_default_na=False)


def export(model: Path, key: Path | Keys, **options: Any) -> dict[str, Any]:
    """Open a model: ``smlp export``.

    Parameters
    ----------
    model : path
    key : path of the owner's secret.json, or what `keygen` gave
    **options
        As ``smlp export`` has them.

    Returns
    -------
    dict
        The JSON of docs/formats.md, with the weights of each layer.

    Raises
    ------
    Error
        The program's sentence.
    """
    return json.loads(_program.run("export", {"model": model, "key": _file(key, "secret"), "out": "/dev/stdout", **options}))


class KeyHolder:
    """The key holder's server: ``smlp serve``.

    >>> with KeyHolder("keys/secret.json", tls="certificates/key_holder") as holder:  # doctest: +SKIP
    ...     print(holder.address)

    Parameters
    ----------
    key : path of secret.json, or what `keygen` gave
    listen : str
        HOST:PORT; port 0 takes a free one.
    tls : path of the key holder's certificates, optional
        None is without TLS, which the program allows on loopback addresses alone.
    user_key : path of public.json, or what `keygen` gave, or several of them, optional
        Of those to whom results may be handed over. ``'FILE:answers'`` and ``'FILE:model'`` are for one of both alone.
    **options
        As ``smlp serve`` has them.

    Attributes
    ----------
    address : str, or None before `start`
        HOST:PORT.
    """

    def __init__(self, key: Path | Keys, listen: str = "127.0.0.1:0", tls: Path | None = None, *,
                 user_key: Path | Keys | Sequence[Path | Keys] | None = None, **options: Any):
        self._options = {"key": _file(key, "secret"), "listen": listen, "tls": tls, "insecure_transport": tls is None,
                         "user_key": _user_keys(user_key), **options}
        self._child: subprocess.Popen | None = None
        self._log: collections.deque[str] = collections.deque(maxlen=1000)
        self._reader: threading.Thread | None = None
        self.address: str | None = None

    def start(self) -> KeyHolder:
        """Serve in the background until `stop`, or until the thread that called this ends.

        An interrupt of this process, as of a notebook's cell, does not reach the server.

        Returns
        -------
        KeyHolder
            This one.

        Raises
        ------
        Error
            It serves already, or the server's last word where it does not start.
        """
        if self.running:
            raise Error(f"this key holder serves already, at {self.address}")
        self.stop()  # one that has ended by itself
        child = _program.start(["serve", *_program.option_words(self._options)], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            for line in child.stdout:
                self._log.append(line.rstrip("\n"))
                listening = re.search(r' listening on (\S+) for |"event":"listening",.*"address":"([^"]+)"', line)
                if listening:
                    self.address = listening[1] or listening[2]
                    self._reader = threading.Thread(target=self._read, args=(child,), daemon=True)
                    self._reader.start()
                    self._child = child
                    return self
            child.wait()
            raise Error(self._last_word())
        finally:
            if self._child is not child:
                child.terminate()
                child.wait()
                child.stdout.close()

    @property
    def running(self) -> bool:
        """False before `start` and after `stop`, and where the server has ended by itself."""
        return self._child is not None and self._child.poll() is None

    def _last_word(self) -> str:
        return self._log[-1].removeprefix("smlp: ") if self._log else "the key holder ended without a word"

    def _read(self, child: subprocess.Popen) -> None:
        for line in child.stdout:
            self._log.append(line.rstrip("\n"))

    @property
    def log(self) -> list[str]:
        """The last 1,000 lines that the server said: one for each request that it answered."""
        return list(self._log)

    def stop(self) -> None:
        """Let requests in progress end, and the server with them."""
        if self._child is not None:
            self._child.terminate()
            self._child.wait()
            self._reader.join()
            self._child.stdout.close()
            self._child = None

    def serve(self) -> None:
        """Serve until Ctrl-C.

        Raises
        ------
        Error
            The server does not start, or ends by itself.
        """
        self.start()
        try:
            code = self._child.wait()
            self._reader.join()
            raise Error(f"the key holder ended by {'signal' if code < 0 else 'code'} {abs(code)}, its last words: {self._last_word()}")
        except KeyboardInterrupt:
            pass
        finally:
            self.stop()

    def __enter__(self) -> KeyHolder:
        return self.start()

    def __exit__(self, *_: Any) -> None:
        self.stop()


class Evaluator:
    """Trains and classifies on ciphertexts: ``smlp train``, ``predict`` and ``release``.

    Parameters
    ----------
    address : str
        HOST:PORT of the key holder, several with commas between.
    tls : path of the evaluator's certificates, optional
        None is without TLS, on loopback addresses alone.
    """

    def __init__(self, address: str, tls: Path | None = None):
        self._to = {"key_holder": address, "tls": tls, "insecure_transport": tls is None}

    def fit(self, table: Path, out: Path, *, network: str, **options: Any) -> dict[str, Any]:
        """Train on an encrypted table, and save the model.

        Parameters
        ----------
        table : path
        out : path
            Of the model, which is saved whole after each epoch.
        network : str
            As ``'N-16-C'``.
        **options
            As ``smlp train`` has them.

        Returns
        -------
        dict
            What ``smlp train --json`` says: time, bytes, rounds, and how the result comes about again.

        Raises
        ------
        Error
            The program's sentence.
        """
        return json.loads(_program.run("train", {"data": table, "out": out, "network": network, "json": True, **self._to,
                                                 **options}))

    def predict(self, model: Path, table: Path, out: Path, *, user_key: Path | Keys | None = None,
                **options: Any) -> pathlib.Path:
        """Classify an encrypted table.

        Parameters
        ----------
        model : path
        table : path
        out : path
            Of the answers.
        user_key : path of public.json, or what `keygen` gave, optional
            Whose the answers become; else they are the key holder's.
        **options
            As ``smlp predict`` has them.

        Returns
        -------
        Path
            Of the answers.

        Raises
        ------
        Error
            The program's sentence.
        """
        _program.run("predict", {"model": model, "data": table, "out": out, "user_key": _user_keys(user_key), "quiet": True,
                                 **self._to, **options})
        return pathlib.Path(out)

    def release(self, model: Path, user_key: Path | Keys, out: Path, **options: Any) -> pathlib.Path:
        """Hand a model to its owner, who alone can `export` it.

        Parameters
        ----------
        model : path
        user_key : path of public.json, or what `keygen` gave
        out : path
            Of the owner's model.
        **options
            As ``smlp release`` has them.

        Returns
        -------
        Path
            Of the owner's model.

        Raises
        ------
        Error
            The program's sentence.
        """
        _program.run("release", {"model": model, "user_key": _user_keys(user_key), "out": out, "quiet": True, **self._to,
                                 **options})
        return pathlib.Path(out)
