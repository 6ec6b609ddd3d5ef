"""What leaves the process and comes back: arrays of ciphertexts as JSON or HDF5, and nothing as a pickle."""

from __future__ import annotations

import base64
import io
import json
import math
import os
from typing import Any, Union

import numpy as np

from . import _paillier
from ._paillier import Error

Path = Union[str, "os.PathLike[str]"]

#: What files of HDF5 begin with whose structures have checksums. Without them a damaged file may end the process.
SIGNATURES = b"\x89HDF\r\n\x1a\n\x02", b"\x89HDF\r\n\x1a\n\x03"
#: Of ciphertexts in a file that have one checksum.
CHUNK_BYTES = 1 << 20


class Unpicklable:
    """What pickle and copy refuse, with the reason."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(
            f"{type(self).__name__} is not pickled: a pickle runs code where it is loaded and would carry ciphertexts "
            "that show how they were made; use to_json or save")


def to_json(about: dict[str, Any], data: bytes) -> str:
    """One text of what is said about an array and of its ciphertexts.

    Parameters
    ----------
    about : dict
    data : bytes
        The ciphertexts, which have been re-randomised.

    Returns
    -------
    str
    """
    return json.dumps({**about, "ciphertexts": base64.b64encode(data).decode()})


def from_json(text: str) -> tuple[Any, bytes]:
    """The inverse of `to_json`. Nothing of it is checked but its form.

    Parameters
    ----------
    text : str

    Returns
    -------
    about : object
    data : bytes

    Raises
    ------
    Error
        Another form.
    """
    try:
        about = json.loads(text)
        return about, base64.b64decode(about["ciphertexts"], validate=True)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Error("the text is no array of ciphertexts in JSON") from None


def write_hdf5(path: Path, about: dict[str, Any], data: bytes, count: int) -> None:
    """Write a file of HDF5, whole or not at all, with checksums on its structures and its numbers.

    Parameters
    ----------
    path : path
        What is there is replaced.
    about : dict
    data : bytes
        The ciphertexts, which have been re-randomised.
    count : int
        Of ciphertexts.

    Raises
    ------
    Error
        The file cannot be written, or another process is writing it. Then the old one stands as it was.
    """
    import h5py
    rows = np.frombuffer(data, dtype=np.uint8).reshape(count, -1 if count else 0)
    image = io.BytesIO()
    with h5py.File(image, "w", libver="latest") as file:
        file.attrs["about"] = np.bytes_(json.dumps(about))  # texts of no fixed length are kept without a checksum
        if count:
            chunk = (min(count, max(CHUNK_BYTES // rows.shape[1], 1)), rows.shape[1])
            file.create_dataset("ciphertexts", data=rows, chunks=chunk, fletcher32=True)
        else:
            file.create_dataset("ciphertexts", data=rows)
    _paillier.write_file(os.fspath(path), image.getvalue())


def read_hdf5(path: Path) -> tuple[Any, bytes]:
    """The inverse of `write_hdf5`. Nothing of it is checked but its form.

    Parameters
    ----------
    path : path

    Returns
    -------
    about : object
    data : bytes
        No more than the file has.

    Raises
    ------
    Error
        A file that cannot be read, or of another form.
    """
    try:
        return _contents(path)
    except Exception as error:  # h5py says in many classes what is wrong with a file
        wrong = " ".join(str(error).split())
    raise Error(f"{os.fspath(path)} is no array of ciphertexts: {wrong}")


def _contents(path: Path) -> tuple[Any, bytes]:
    import h5py
    with open(path, "rb") as raw:
        if raw.read(9) not in SIGNATURES:
            raise ValueError("it is no file of HDF5 with checksums on its structures")
    with h5py.File(path, "r") as file:
        if file.attrs.get_id("about").dtype.kind != "S":
            raise ValueError("what it says of itself is no text of fixed length")
        about, dataset = json.loads(file.attrs["about"]), file["ciphertexts"]
        if (not isinstance(file.get("ciphertexts", getlink=True), h5py.HardLink) or dataset.external or dataset.is_virtual
                or dataset.dtype != np.uint8 or math.prod(dataset.shape) > os.path.getsize(path)):
            raise ValueError("its ciphertexts are not stored in it as bytes")
        return about, dataset[()].tobytes()
