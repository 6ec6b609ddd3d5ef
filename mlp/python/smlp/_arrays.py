"""Arrays of ciphertexts, with the operations of an array of NumPy that need no secret key."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _export
from . import _fixed_point as fixed_point
from . import _paillier
from ._export import Path
from ._paillier import Error

if TYPE_CHECKING:
    from ._keys import PublicKey


def _common_shape(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(a, b)
    except ValueError:
        raise Error(f"arrays of shapes {a} and {b} do not go together") from None


def _most_exponent(key: PublicKey) -> int:
    return 4 * key.bits


class PlainArray:
    """Plain numbers as the other operand of an `EncryptedArray`, where more is to be said of them than their type says.

    Parameters
    ----------
    values : array_like of int or float, any shape
        Finite.
    fraction_bits : int, optional
        They are rounded to multiples of 2^-fraction_bits. By default 0 for integers and 32 for floats.
    bits : int, optional
        They are at most 2^bits in size, which is public. By default what their type holds, as of `PublicKey.encrypt`.
        An operation refuses what is larger.

    Examples
    --------
    >>> from smlp.paillier import PlainArray, generate_keypair
    >>> public, secret = generate_keypair(2048)
    >>> secret.decrypt(public.encrypt([3, 5]) @ PlainArray([0.25, 0.5], fraction_bits=2, bits=0)).item()
    3.25
    """

    __array_ufunc__ = None

    def __init__(self, values: Any, *, fraction_bits: int | None = None, bits: int | None = None):
        self._values = values
        self._fraction_bits = fraction_bits
        self._bits = bits

    def _encoded(self, packing: fixed_point.Packing | None, least: int = 0) -> tuple[np.ndarray, int, int]:
        """Integers, their exponent, which is at least `least`, and their bound, which tells of public facts alone."""
        def encoded(fraction_bits: int | None) -> tuple[np.ndarray, int, int]:
            if self._bits is None and fixed_point.is_scalar(self._values):
                return fixed_point.encode_scalar(self._values, fraction_bits)
            return fixed_point.encode(self._values, fraction_bits, self._bits, packing)

        plain, exponent, bound = encoded(self._fraction_bits)
        if exponent >= least:
            return plain, exponent, bound
        if self._fraction_bits is None:
            return encoded(least)
        return fixed_point.shifted(plain, least - exponent), least, bound << (least - exponent)


def _plain(operand: Any) -> PlainArray:
    return operand if isinstance(operand, PlainArray) else PlainArray(operand)


class EncryptedArray(_export.Unpicklable):
    """Numbers under encryption. Made by `PublicKey.encrypt`, `SecretKey.encrypt`, `load`, `loads` and operations.

    ``a + b`` and ``a - b`` take encrypted and plain operands, ``a * b``, ``a @ b`` and ``b @ a`` plain ones; all broadcast.
    The bound of a plain array is that of its type (`PublicKey.encrypt`); of a single number it is the next power of two,
    which is public. Plain floats are rounded to multiples of 2^-32. `PlainArray` says another bound or rounding. Time depends
    on the plain operands. What the key cannot hold, and shapes that do not go together, raise Error.

    Attributes
    ----------
    shape : tuple of int
    exponent : int
        Bits behind the point.
    public_key : PublicKey
    """

    __array_ufunc__ = None  # an array of NumPy on the left leaves the operation to this class

    def __init__(self, key: PublicKey, ciphertexts: _paillier.Ciphertexts, shape: tuple[int, ...], exponent: int, bound: int,
                 packing: fixed_point.Packing | None = None):
        key._check(bound, packing)
        if exponent > _most_exponent(key):
            raise Error(f"numbers with {exponent} bits behind the point: at most {_most_exponent(key)} are possible under a key of {key.bits} bits")
        self.public_key = key
        self._ciphertexts = ciphertexts
        self.shape = tuple(shape)
        self.exponent = exponent
        self._bound = bound
        self._packing = packing

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def packed(self) -> bool:
        """Whether a ciphertext has several elements."""
        return self._packing is not None

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a single encrypted number has no length")
        return self.shape[0]

    def __repr__(self) -> str:
        return f"<EncryptedArray {self.shape}, {self.exponent} fraction bits, {self.public_key!r}{', packed' * self.packed}>"

    # ---- shape ----

    def _gathered(self, places: np.ndarray) -> EncryptedArray:
        self._refuse_packed("is not cut or rearranged")
        return EncryptedArray(self.public_key, _paillier.take(self._ciphertexts, places.ravel().tolist()), places.shape,
                              self.exponent, self._bound)

    def _places(self) -> np.ndarray:
        return np.arange(self.size).reshape(self.shape)

    def __getitem__(self, index: Any) -> EncryptedArray:
        return self._gathered(np.asarray(self._places()[index]))

    def reshape(self, *shape: Any) -> EncryptedArray:
        """The same numbers in another shape.

        Parameters
        ----------
        *shape : int, or one tuple of int
            One may be -1: what is left.

        Returns
        -------
        EncryptedArray

        Raises
        ------
        ValueError
            A shape of another size, as NumPy says it.
        """
        places = self._places().reshape(*shape)
        return EncryptedArray(self.public_key, self._ciphertexts, places.shape, self.exponent, self._bound, self._packing)

    @property
    def T(self) -> EncryptedArray:  # noqa: N802, as in NumPy
        """The axes in reverse order."""
        return self._gathered(self._places().T)

    # ---- arithmetic ----

    def _refuse_packed(self, what: str) -> None:
        if self._packing:
            raise Error(f"a packed array {what}; encrypt it without packed=True")

    def _aligned(self, exponent: int) -> EncryptedArray:
        """With as many bits behind the point, at least as many as now."""
        return self if exponent == self.exponent else self._times(
            1 << (exponent - self.exponent), exponent, self._bound << (exponent - self.exponent))

    def _times(self, factor: int, exponent: int, bound: int) -> EncryptedArray:
        self.public_key._check(bound, self._packing)
        factors = fixed_point.objects([factor] * len(self._ciphertexts))
        return EncryptedArray(self.public_key,
                              _paillier.scale(self.public_key._keys, self._ciphertexts, *fixed_point.to_bytes(factors)),
                              self.shape, exponent, bound, self._packing)

    def _broadcast(self, shape: tuple[int, ...]) -> EncryptedArray:
        return self if shape == self.shape else self._gathered(np.broadcast_to(self._places(), shape))

    def __add__(self, other: Any) -> EncryptedArray:
        if not isinstance(other, EncryptedArray):
            return self._add_plain(other)
        if other.public_key != self.public_key:
            raise Error("arrays under two keys are not added")
        if other._packing != self._packing:
            raise Error("a packed array is added to one that is packed alike alone")
        exponent = max(self.exponent, other.exponent)
        shape = _common_shape(self.shape, other.shape)
        a, b = (x._aligned(exponent)._broadcast(shape) for x in (self, other))
        self.public_key._check(a._bound + b._bound, self._packing)
        return EncryptedArray(self.public_key, _paillier.add(self.public_key._keys, a._ciphertexts, b._ciphertexts), shape,
                              exponent, a._bound + b._bound, self._packing)

    def _add_plain(self, other: Any, sign: int = 1) -> EncryptedArray:
        plain, exponent, size = _plain(other)._encoded(self._packing, self.exponent)
        if sign < 0:
            plain = fixed_point.minus(plain)
        shape = _common_shape(self.shape, plain.shape)
        a = self._aligned(exponent)._broadcast(shape)
        bound = a._bound + size
        self.public_key._check(bound, self._packing)
        flat = np.broadcast_to(plain, shape).ravel()
        if self._packing:
            flat = self._packing.pack(flat)
        return EncryptedArray(self.public_key, _paillier.add_plain(self.public_key._keys, a._ciphertexts, *fixed_point.to_bytes(flat)),
                              shape, exponent, bound, self._packing)

    __radd__ = __add__

    def __neg__(self) -> EncryptedArray:
        return EncryptedArray(self.public_key, _paillier.negate(self.public_key._keys, self._ciphertexts), self.shape,
                              self.exponent, self._bound, self._packing)

    def __sub__(self, other: Any) -> EncryptedArray:
        return self + -other if isinstance(other, EncryptedArray) else self._add_plain(other, -1)

    def __rsub__(self, other: Any) -> EncryptedArray:
        return -self + other

    def __mul__(self, other: Any) -> EncryptedArray:
        self._refuse_encrypted(other)
        plain, exponent, size = _plain(other)._encoded(self._packing)
        bound = self._bound * size
        if self._packing and plain.size != 1:
            raise Error("a packed array is multiplied by one number; encrypt it without packed=True")
        self.public_key._check(bound, self._packing)
        if self._packing:
            return self._times(int(plain.ravel()[0]), self.exponent + exponent, bound)
        shape = _common_shape(self.shape, plain.shape)
        a = self._broadcast(shape)
        flat = np.broadcast_to(plain, shape).ravel()
        return EncryptedArray(self.public_key, _paillier.scale(self.public_key._keys, a._ciphertexts, *fixed_point.to_bytes(flat)), shape,
                              self.exponent + exponent, bound)

    __rmul__ = __mul__

    @staticmethod
    def _refuse_encrypted(other: Any) -> None:
        if isinstance(other, EncryptedArray):
            raise Error("two encrypted arrays are not multiplied by the Paillier cryptosystem alone")

    def __matmul__(self, other: Any) -> EncryptedArray:
        self._refuse_encrypted(other)
        self._refuse_packed("has no matrix product")
        return self._matrix_product(*_plain(other)._encoded(None))

    def __rmatmul__(self, other: Any) -> EncryptedArray:
        self._refuse_packed("has no matrix product")
        plain, exponent, size = _plain(other)._encoded(None)
        product = (self.T if self.ndim == 2 else self)._matrix_product(plain.T if plain.ndim == 2 else plain, exponent, size)
        return product.T if product.ndim == 2 else product

    def _matrix_product(self, plain: np.ndarray, exponent: int, size: int) -> EncryptedArray:
        """With a plain matrix or vector, of two dimensions at most."""
        if not 1 <= self.ndim <= 2 or not 1 <= plain.ndim <= 2 or self.shape[-1] != plain.shape[0]:
            raise Error(f"an encrypted array {self.shape} and a plain one {plain.shape} have no matrix product")
        rows, inner = math.prod(self.shape[:-1]), self.shape[-1]
        right = plain.reshape(inner, math.prod(plain.shape[1:]))
        bound = self._bound * size * inner
        self.public_key._check(bound, None)
        product = _paillier.matrix_product(self.public_key._keys, self._ciphertexts, *fixed_point.to_bytes(right.ravel()), rows, inner,
                                           right.shape[1])
        return EncryptedArray(self.public_key, product, self.shape[:-1] + plain.shape[1:], self.exponent + exponent, bound)

    def sum(self, axis: int | None = None) -> EncryptedArray:
        """Sum of all elements, or along one axis.

        Parameters
        ----------
        axis : int, optional

        Returns
        -------
        EncryptedArray
            Of the shape without that axis; of no dimension without `axis`.

        Raises
        ------
        Error
            A packed array, or a sum that the key may not hold.
        numpy.AxisError
            No such axis.
        """
        self._refuse_packed("has no sum over its values")
        places = self._places()
        if axis is None:
            rows = places.reshape(1, -1)
            shape: tuple[int, ...] = ()
        else:
            rows = np.moveaxis(places, axis, -1)
            shape = rows.shape[:-1]
        inner = rows.shape[-1]
        count = rows.size // inner if inner else math.prod(shape)
        bound = self._bound * max(inner, 1)
        self.public_key._check(bound, None)
        gathered = _paillier.take(self._ciphertexts, rows.ravel().tolist())
        return EncryptedArray(self.public_key, _paillier.sum_rows(self.public_key._keys, gathered, count, inner), shape,
                              self.exponent, bound)

    # ---- export: always re-randomised ----

    def _about(self) -> dict[str, Any]:
        return {"format": "smlp-ciphertexts", "version": 1, "key": self.public_key.fingerprint, "shape": list(self.shape),
                "exponent": self.exponent, "bound": hex(self._bound),
                "slot_bits": self._packing.slot_bits if self._packing else None}

    def to_json(self) -> str:
        """JSON with the public key's fingerprint, the shape and the ciphertexts, re-randomised. Read by `loads`.

        Returns
        -------
        str
        """
        return _export.to_json(self._about(), _paillier.encode(self.public_key._keys, self._ciphertexts))

    def save(self, path: Path) -> None:
        """Write the array to a file of HDF5, re-randomised, whole or not at all. Read by `load`.

        Parameters
        ----------
        path : path
            What is there is replaced.

        Raises
        ------
        Error
            The file cannot be written, or another process is writing it. Then the old one stands as it was.
        """
        _export.write_hdf5(path, self._about(), _paillier.encode(self.public_key._keys, self._ciphertexts),
                           len(self._ciphertexts))


def _restored(about: Any, data: bytes, key: PublicKey, what: str) -> EncryptedArray:
    if not isinstance(about, dict) or about.get("format") != "smlp-ciphertexts" or about.get("version") != 1:
        raise Error(f"{what} is no array of ciphertexts of version 1")
    try:
        shape = tuple(int(x) for x in about["shape"])
        exponent, bound = int(about["exponent"]), int(about["bound"], 16)
        slot_bits = about["slot_bits"]
        packing = None if slot_bits is None else fixed_point.Packing(key.bits, int(slot_bits))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise Error(f"{what} has no valid field {error}") from None
    if about.get("key") != key.fingerprint:
        raise Error(f"{what} is under the key {str(about.get('key'))[:16]}.., not under {key.fingerprint[:16]}..")
    if any(x < 0 for x in shape) or exponent < 0 or bound < 0:
        raise Error(f"{what} has a negative size")
    if len(shape) > 32 or exponent > _most_exponent(key):
        raise Error(f"{what} has {len(shape)} dimensions and {exponent} bits behind the point, allowed are 32 and {_most_exponent(key)}")
    size = math.prod(shape)
    count = -(-size // packing.slots) if packing else size
    if count * key.bits > 8 * len(data):
        raise Error(f"{what} has {len(data)} bytes, which are not {count} ciphertexts")
    return EncryptedArray(key, _paillier.decode(key._keys, data, count), shape, exponent, bound, packing)


def loads(text: str, key: PublicKey) -> EncryptedArray:
    """Read what `EncryptedArray.to_json` wrote.

    Parameters
    ----------
    text : str
    key : PublicKey
        That the array is under.

    Returns
    -------
    EncryptedArray

    Raises
    ------
    Error
        Another format, an array under another key, or a number that is no ciphertext under this one.
    """
    return _restored(*_export.from_json(text), key, "the text")


def load(path: Path, key: PublicKey) -> EncryptedArray:
    """Read what `EncryptedArray.save` wrote.

    Parameters
    ----------
    path : path
    key : PublicKey
        That the array is under.

    Returns
    -------
    EncryptedArray

    Raises
    ------
    Error
        A file that cannot be read, and what `loads` refuses.
    """
    return _restored(*_export.read_hdf5(path), key, str(path))
