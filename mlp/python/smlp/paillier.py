"""The Paillier cryptosystem for arrays: fixed-point numbers that are added, and multiplied by numbers in the clear, under
encryption.

>>> public, secret = generate_keypair(2048)
>>> total = (public.encrypt([1.5, 2.25]) * [2, 4]).sum()
>>> float(secret.decrypt(total))
12.0

A number x is held as the integer round(x 2^exponent). Each array knows a public bound of its integers, from types and from
what the caller says, never from values; an operation by which it could pass what the key holds is refused. Additively homomorphic encryption hides numbers, not shapes, exponents or
bounds. Work runs on all cores, without the interpreter's lock.
"""

from __future__ import annotations

import base64
import json
import math
import os
import pathlib
import secrets
from typing import Any, Union

import numpy as np

from . import _fixed_point as fixed_point
from . import _paillier
from ._paillier import Error

__all__ = ["EncryptedArray", "Error", "PublicKey", "SecretKey", "generate_keypair", "load", "loads"]

Path = Union[str, "os.PathLike[str]"]

os.register_at_fork(after_in_child=_paillier.use_one_thread)


def generate_keypair(bits: int = 2048, *, variant: str = "subgroup") -> tuple[PublicKey, SecretKey]:
    """Make a new pair of keys.

    Parameters
    ----------
    bits : {2048, 3072, 4096}
        Size of the modulus. 1024 is for tests: it protects nothing of value.
    variant : {'subgroup', 'standard'}
        Where the randomness comes from: 'subgroup' has short exponents and is several times as fast.

    Returns
    -------
    public : PublicKey
    secret : SecretKey
    """
    secret = SecretKey(_paillier.generate(bits, variant))
    return secret.public, secret


def _common_shape(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(a, b)
    except ValueError:
        raise Error(f"arrays of shapes {a} and {b} do not go together") from None


class _Unpicklable:
    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(
            f"{type(self).__name__} is not pickled: a pickle runs code where it is loaded and would carry ciphertexts "
            "that show how they were made; use to_json or save")


class PublicKey(_Unpicklable):
    """Encrypts. Anybody may have it.

    Attributes
    ----------
    bits : int
        Size of the modulus n.
    fingerprint : str
        SHA-256 of the key, in hexadecimal.
    """

    def __init__(self, keys: _paillier.PublicKeys):
        self._keys = keys
        self._most = (keys.n - 1) // 2

    @property
    def bits(self) -> int:
        return self._keys.bits

    @property
    def fingerprint(self) -> str:
        return self._keys.fingerprint

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __repr__(self) -> str:
        return f"<PublicKey of {self.bits} bits, {self.fingerprint[:16]}..>"

    def encrypt(self, values: Any, *, fraction_bits: int | None = None, bits: int | None = None,
                packed: bool = False, slot_bits: int = 64) -> EncryptedArray:
        """Encrypt numbers.

        Parameters
        ----------
        values : array_like of int or float, any shape
            Finite.
        fraction_bits : int, optional
            Bits behind the point: numbers are rounded to a multiple of 2^-fraction_bits. By default 0 for
            integers and 32 for floats.
        bits : int, optional
            Numbers are at most 2^bits in size. This is public, as a bound that the array carries and exports. By default
            what the array's type holds (63 for int64), 63 for other integers, 31 for floats; in a packed array no more
            than leaves nine bits of a slot to the sign and to sums. It may be as large as the key.
        packed : bool
            Several values a ciphertext, along the flattened array: smaller and faster by as many. Packed arrays are added,
            and multiplied by one whole number, and nothing else.
        slot_bits : int
            Room of a packed value, with its sign: results are below 2^(slot_bits - 1) in size.

        Returns
        -------
        EncryptedArray
            Of the same shape.

        Raises
        ------
        Error
            A value that is no finite number, or larger than 2^bits; bits that the key or the slot does not hold.
        """
        return self._encrypt(values, fraction_bits, bits, packed, slot_bits, lambda data, width: _paillier.encrypt(
            self._keys, data, width))

    def _encrypt(self, values, fraction_bits, bits, packed, slot_bits, encrypt):
        packing = fixed_point.Packing(self.bits, slot_bits) if packed else None
        encoded, exponent, bound = fixed_point.encode(values, fraction_bits, bits, packing)
        self._check(bound, packing)
        flat = packing.pack(encoded.ravel()) if packing else encoded.ravel()
        return EncryptedArray(self, encrypt(*fixed_point.to_bytes(flat)), encoded.shape, exponent, bound, packing)

    def _check(self, bound: int, packing: fixed_point.Packing | None) -> None:
        most = packing.most if packing else self._most
        if bound > most:
            room = f"a slot of {packing.slot_bits} bits" if packing else f"a key of {self.bits} bits"
            raise Error(f"numbers of up to {bound.bit_length()} bits do not fit {room}, which holds {most.bit_length()}: "
                        + ("take wider slots (slot_bits)" if packing else "take fewer fraction_bits or a longer key"))

    def to_json(self) -> str:
        """The key in the format of the program's public.json."""
        return self._keys.to_json()

    @classmethod
    def from_json(cls, text: str) -> PublicKey:
        """Raises Error unless the text is a valid key."""
        return cls(_paillier.PublicKeys.from_json(text))

    def save(self, path: Path) -> None:
        """Write the key as the program's public.json, whole or not at all."""
        self._keys.save(os.fspath(path))

    @classmethod
    def load(cls, path: Path) -> PublicKey:
        """Read the program's public.json. Raises Error unless it holds a valid key."""
        return cls(_paillier.PublicKeys.load(os.fspath(path)))


class SecretKey(_Unpicklable):
    """Decrypts. Wiped from memory when the last reference goes; ``with`` or `close` end it before."""

    def __init__(self, keys: _paillier.SecretKeys):
        self._secret: _paillier.SecretKeys | None = keys
        self.public = PublicKey(keys.public)

    @property
    def _keys(self) -> _paillier.SecretKeys:
        if self._secret is None:
            raise Error("the secret key was closed")
        return self._secret

    def __repr__(self) -> str:
        return f"<SecretKey of {self.public.bits} bits, {self.public.fingerprint[:16]}..>"

    def close(self) -> None:
        """Wipe the key. What needs it from then on raises Error."""
        self._secret = None

    def __enter__(self) -> SecretKey:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def encrypt(self, values: Any, *, fraction_bits: int | None = None, bits: int | None = None,
                packed: bool = False, slot_bits: int = 64) -> EncryptedArray:
        """As `PublicKey.encrypt`, a few times as fast."""
        return self.public._encrypt(values, fraction_bits, bits, packed, slot_bits,
                                    lambda data, width: _paillier.encrypt_as_holder(self._keys, data, width))

    def decrypt(self, array: EncryptedArray) -> np.ndarray:
        """Decrypt an array.

        Parameters
        ----------
        array : EncryptedArray
            Under this key.

        Returns
        -------
        ndarray of the same shape
            Integers where the exponent is 0 (int64, or Python's own in an array of objects where they are longer), else
            float64, correctly rounded.

        Raises
        ------
        Error
            An array under another key, a ciphertext that is none under this one, or a number beyond the array's bound.
        """
        if array.public_key != self.public:
            raise Error(f"an array under the key {array.public_key.fingerprint[:16]}.. was given to the secret key of "
                        f"{self.public.fingerprint[:16]}..")
        whole = fixed_point.from_bytes(*_paillier.decrypt(self._keys, array._ciphertexts))
        if array._packing:
            whole = array._packing.unpack(whole, array.size)
        largest = fixed_point.largest(whole)
        if largest > array._bound:
            raise Error(f"a decrypted number has {largest.bit_length()} bits, more than the array's bound says, which has "
                        f"{array._bound.bit_length()}: it was changed, or its bound was")
        if array.exponent == 0:
            return whole.reshape(array.shape)
        if whole.dtype == np.int64 and largest < 2**53 and array.exponent < 1000:
            return np.ldexp(whole.astype(np.float64), -array.exponent).reshape(array.shape)
        denominator = 1 << array.exponent
        try:
            return np.array([int(v) / denominator for v in whole], dtype=np.float64).reshape(array.shape)
        except OverflowError:
            raise Error("a decrypted number is larger than the largest float64") from None

    def save(self, path: Path) -> None:
        """Write the key as the program's secret.json, with mode 0600, whole or not at all."""
        self._keys.save(os.fspath(path))

    @classmethod
    def load(cls, path: Path) -> SecretKey:
        """Read the program's secret.json. Raises Error where others may read it or it holds no valid key."""
        return cls(_paillier.SecretKeys.load(os.fspath(path)))


def _most_exponent(key: PublicKey) -> int:
    return 4 * key.bits


class EncryptedArray(_Unpicklable):
    """Numbers under encryption, with the operations of an array of NumPy that need no secret key.

    ``a + b`` and ``a - b`` take encrypted and plain operands, ``a * b``, ``a @ b`` and ``b @ a`` plain ones; all
    broadcast. The bound of a plain array is that of its type (`PublicKey.encrypt`); of a single number it is the next power
    of two, which is public. Plain floats are rounded to multiples of 2^-32 (`PublicKey.encrypt` and `scaled` take other roundings).
    Time depends on the plain operands.

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
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def packed(self) -> bool:
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
        """The same numbers in another shape."""
        places = self._places().reshape(*shape)
        return EncryptedArray(self.public_key, self._ciphertexts, places.shape, self.exponent, self._bound, self._packing)

    @property
    def T(self) -> EncryptedArray:  # noqa: N802, as in NumPy
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
        count = len(self._ciphertexts)
        return EncryptedArray(self.public_key,
                              _paillier.scale(self.public_key._keys, self._ciphertexts, *fixed_point.to_bytes(fixed_point.objects([factor] * count))),
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

    def _plain(self, values: Any, fraction_bits: int | None = None, bits: int | None = None) -> tuple[np.ndarray, int, int]:
        """A plain operand, its exponent and its bound, which tells of an array's type alone."""
        if fixed_point.is_scalar(values):
            return fixed_point.encode_scalar(values, fraction_bits)
        return fixed_point.encode(values, fraction_bits, bits, self._packing)

    def _add_plain(self, other: Any, sign: int = 1) -> EncryptedArray:
        plain, exponent, size = self._plain(other)
        if exponent < self.exponent:
            plain, exponent, size = self._plain(other, self.exponent)
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

    def scaled(self, factors: Any, *, fraction_bits: int | None = None, bits: int | None = None) -> EncryptedArray:
        """Multiply by plain numbers of at most 2^bits, as ``a * factors`` does, rounded to multiples of 2^-fraction_bits."""
        if isinstance(factors, EncryptedArray):
            raise Error("two encrypted arrays are not multiplied by the Paillier cryptosystem alone")
        plain, exponent, size = self._plain(factors, fraction_bits, bits)
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

    def __mul__(self, other: Any) -> EncryptedArray:
        return self.scaled(other)

    __rmul__ = __mul__

    def __matmul__(self, other: Any) -> EncryptedArray:
        """Product with a plain matrix or vector, of two dimensions at most."""
        if isinstance(other, EncryptedArray):
            raise Error("two encrypted arrays are not multiplied by the Paillier cryptosystem alone")
        self._refuse_packed("has no matrix product")
        plain, exponent, size = fixed_point.encode(other, None)
        if not 1 <= self.ndim <= 2 or not 1 <= plain.ndim <= 2 or self.shape[-1] != plain.shape[0]:
            raise Error(f"an encrypted array {self.shape} and a plain one {plain.shape} have no matrix product")
        rows, inner = math.prod(self.shape[:-1]), self.shape[-1]
        right = plain.reshape(inner, math.prod(plain.shape[1:]))
        bound = self._bound * size * inner
        self.public_key._check(bound, None)
        product = _paillier.matrix_product(self.public_key._keys, self._ciphertexts, *fixed_point.to_bytes(right.ravel()), rows, inner,
                                           right.shape[1])
        return EncryptedArray(self.public_key, product, self.shape[:-1] + plain.shape[1:], self.exponent + exponent, bound)

    def __rmatmul__(self, other: Any) -> EncryptedArray:
        left = np.asarray(other)
        product = (self.T if self.ndim == 2 else self) @ (left.T if left.ndim == 2 else left)
        return product.T if product.ndim == 2 else product

    def sum(self, axis: int | None = None) -> EncryptedArray:
        """Sum of all elements, or along one axis."""
        self._refuse_packed("has no sum over its values")
        places = self._places()
        if axis is None:
            rows = places.reshape(1, -1)
            shape: tuple[int, ...] = ()
        else:
            rows = np.moveaxis(places, axis, -1)
            shape = rows.shape[:-1]
        inner = rows.shape[-1]
        count = rows.size // inner if inner else int(np.prod(shape, dtype=np.int64))
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
        """JSON with the public key's fingerprint, the shape and the ciphertexts, re-randomised. Read by `loads`."""
        data = _paillier.encode(self.public_key._keys, self._ciphertexts)
        return json.dumps({**self._about(), "ciphertexts": base64.b64encode(data).decode()})

    def save(self, path: Path) -> None:
        """Write the array to an HDF5 file, re-randomised, whole or not at all. Read by `load`."""
        import h5py
        target = pathlib.Path(path)
        data = np.frombuffer(_paillier.encode(self.public_key._keys, self._ciphertexts), dtype=np.uint8)
        beside = target.with_name(f".{secrets.token_hex(8)}.part")
        try:
            with h5py.File(beside, "x") as file:
                file.attrs["about"] = json.dumps(self._about())
                file.create_dataset("ciphertexts", data=data.reshape(max(len(self._ciphertexts), 1), -1)
                                    if len(self._ciphertexts) else data)
                file.flush()
            _synchronise(beside)
            os.replace(beside, target)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        _synchronise(target.parent)


def _synchronise(path: pathlib.Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _restore(about: Any, data: bytes, key: PublicKey, what: str) -> EncryptedArray:
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
    size = 1
    for x in shape:
        size *= x
    count = -(-size // packing.slots) if packing else size
    if count * key.bits > 8 * len(data):
        raise Error(f"{what} has {len(data)} bytes, which are not {count} ciphertexts")
    return EncryptedArray(key, _paillier.decode(key._keys, data, count), shape, exponent, bound, packing)


def loads(text: str, key: PublicKey) -> EncryptedArray:
    """Read what `EncryptedArray.to_json` wrote.

    Raises
    ------
    Error
        Another format, an array under another key, or a number that is no ciphertext under this one.
    """
    try:
        about = json.loads(text)
        data = base64.b64decode(about["ciphertexts"], validate=True)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Error("the text is no array of ciphertexts in JSON") from None
    return _restore(about, data, key, "the text")


def load(path: Path, key: PublicKey) -> EncryptedArray:
    """Read what `EncryptedArray.save` wrote. Raises Error as `loads` does."""
    import h5py
    try:
        with h5py.File(path, "r") as file:
            about = json.loads(file.attrs["about"])
            dataset = file["ciphertexts"]
            if dataset.dtype != np.uint8 or dataset.size > os.path.getsize(path):
                raise ValueError("its ciphertexts are not stored as bytes")
            data = dataset[()].tobytes()
    except (OSError, KeyError, TypeError, ValueError, AttributeError, RecursionError, RuntimeError) as error:
        raise Error(f"{os.fspath(path)} is no array of ciphertexts: {error}") from None
    return _restore(about, data, key, os.fspath(path))
