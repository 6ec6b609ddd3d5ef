"""Fixed-point integers: from numbers and back, to bytes and back, several in one plaintext."""

from __future__ import annotations

import decimal
import fractions
import numbers
from typing import Any, Sequence

import numpy as np

from ._paillier import Error

#: Bits behind the point for floats where none are asked for.
DEFAULT_FRACTION_BITS = 32
#: Floats are at most 2^31 in size, and integers whose type does not say their size 2^63, where nothing else is said.
DEFAULT_FLOAT_BITS, DEFAULT_BITS = 31, 63
#: Of a slot's bits, those that numbers leave to their sign and to sums where nothing else is said.
PACKED_SPARE_BITS = 9
#: Of any option that counts bits: four times the longest key's.
MOST_BITS = 4 * 4096


class Packing:
    """Several signed values in one plaintext: sum_i v_i 2^(i slot_bits).

    Parameters
    ----------
    key_bits : int
        Size of the modulus.
    slot_bits : int
        Room of a value, with its sign.

    Attributes
    ----------
    slots : int
        Values a plaintext.
    most : int
        Values are at most this in size.

    Raises
    ------
    Error
        A slot that the key has no room for.
    """

    def __init__(self, key_bits: int, slot_bits: int):
        if not 2 <= slot_bits <= key_bits - 2:
            raise Error(f"slot_bits is {slot_bits}, allowed are 2 to {key_bits - 2} under a key of {key_bits} bits")
        self.slot_bits = slot_bits
        self.slots = (key_bits - 2) // slot_bits
        self.most = (1 << (slot_bits - 1)) - 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Packing) and self.slot_bits == other.slot_bits

    def pack(self, values: np.ndarray) -> np.ndarray:
        """Plaintexts of values.

        Parameters
        ----------
        values : ndarray of int, (count,)
            At most `most` in size.

        Returns
        -------
        ndarray of object, (ceil(count / slots),)
        """
        packed = []
        for first in range(0, len(values), self.slots):
            whole = 0
            for i, value in enumerate(values[first:first + self.slots]):
                whole += int(value) << (i * self.slot_bits)
            packed.append(whole)
        return objects(packed)

    def unpack(self, packed: np.ndarray, count: int) -> np.ndarray:
        """The inverse of `pack`.

        Parameters
        ----------
        packed : ndarray of int, (ceil(count / slots),)
        count : int

        Returns
        -------
        ndarray of int, (count,)
        """
        half, whole = 1 << (self.slot_bits - 1), 1 << self.slot_bits
        values = []
        for number in packed:
            rest = int(number)
            for _ in range(min(self.slots, count - len(values))):
                value = (rest + half) % whole - half
                values.append(value)
                rest = (rest - value) >> self.slot_bits
        return narrowed(values)


def objects(values: Sequence[int]) -> np.ndarray:
    """Python's integers in an array.

    Parameters
    ----------
    values : sequence of int

    Returns
    -------
    ndarray of object, (len(values),)
    """
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def narrowed(values: Sequence[int]) -> np.ndarray:
    """Integers in the smaller form that holds them.

    Parameters
    ----------
    values : sequence of int

    Returns
    -------
    ndarray, (len(values),)
        int64 where all fit, else Python's integers.
    """
    if all(-(1 << 63) <= v < 1 << 63 for v in values):
        return np.array(values, dtype=np.int64)
    return objects(values)


def encode(values: Any, fraction_bits: int | None, bits: int | None = None,
           packing: Packing | None = None) -> tuple[np.ndarray, int, int]:
    """Integers round(x 2^exponent), with a bound that comes from what is public, never from a value.

    Parameters
    ----------
    values : array_like of int or float, any shape
    fraction_bits : int, optional
        The exponent. By default 0 for integers and DEFAULT_FRACTION_BITS for others.
    bits : int, optional
        All |x| are at most 2^bits. By default by the type of an array, and by the room of a slot.
    packing : Packing, optional
        Where the integers will be packed.

    Returns
    -------
    encoded : ndarray of int64 or object
        Of the shape of `values`.
    exponent : int
    bound : int
        Of the integers' size.

    Raises
    ------
    Error
        A value that is no finite number or larger than 2^bits; bits that are no count.
    """
    array = _array(values)
    typed = isinstance(getattr(values, "dtype", None), np.dtype) and array.dtype != object
    whole = array.dtype.kind in "biu" or (array.dtype == object and all(
        isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in array.ravel()))
    exponent = _exponent(fraction_bits, whole)
    if bits is None:
        bits = DEFAULT_FLOAT_BITS
        if whole:
            bits = 8 * array.dtype.itemsize - (array.dtype.kind == "i") if typed and array.dtype.kind in "iu" else DEFAULT_BITS
        if packing:
            bits = min(bits, packing.slot_bits - PACKED_SPARE_BITS - exponent)
            if bits < 0:
                raise Error(f"a slot of {packing.slot_bits} bits has no room for {exponent} bits behind the point and {PACKED_SPARE_BITS} "
                            "for sums: take wider slots (slot_bits), or say by bits how large numbers are")
    bits = _count("bits", bits)
    bound = 1 << (bits + exponent)
    encoded = _scaled(array, exponent, whole)
    if largest(encoded) > bound:
        raise Error(f"a number is larger than 2^{bits}, the most for these: say by bits (of PlainArray, for a plain operand) how "
                    "large numbers are, which is public")
    return encoded, exponent, bound


def encode_scalar(value: Any, fraction_bits: int | None) -> tuple[np.ndarray, int, int]:
    """As `encode`, of one number whose size is public.

    Parameters
    ----------
    value : int or float
    fraction_bits : int, optional

    Returns
    -------
    encoded : ndarray of int64 or object, ()
    exponent : int
    bound : int
        The next power of two.

    Raises
    ------
    Error
        No finite number; bits that are no count.
    """
    array = _array(value)
    whole = isinstance(value, (int, np.integer, np.bool_))
    exponent = _exponent(fraction_bits, whole)
    encoded = _scaled(array, exponent, whole)
    return encoded, exponent, 1 << (max(largest(encoded), 1) - 1).bit_length()


def is_scalar(value: Any) -> bool:
    """Whether this is one number, not an array of no dimension.

    Parameters
    ----------
    value : object

    Returns
    -------
    bool
    """
    return isinstance(value, (int, float, np.number, np.bool_))


def _exponent(fraction_bits: Any, whole: bool) -> int:
    return _count("fraction_bits", (0 if whole else DEFAULT_FRACTION_BITS) if fraction_bits is None else fraction_bits)


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 0 <= value <= MOST_BITS:
        raise Error(f"{name} is {value!r}, allowed are whole numbers from 0 to {MOST_BITS}")
    return int(value)


def _array(values: Any) -> np.ndarray:
    if isinstance(values, np.ma.MaskedArray):
        raise Error("a masked array is not encrypted; fill what is missing first")
    try:
        array = np.asarray(values)
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise Error(f"a {type(values).__name__} that is no array of numbers was given") from None
    if array.dtype.kind == "f" and not hasattr(values, "dtype") and (np.abs(array) >= 2.0**63).any():
        exact = np.asarray(values, dtype=object)  # NumPy makes floats of integers below and beyond 2^63
        if all(isinstance(v, (int, np.integer)) for v in exact.ravel()):
            array = exact
    if array.dtype.kind not in "biufO" or (array.dtype == object and not all(
            isinstance(v, (numbers.Real, decimal.Decimal)) for v in array.ravel())):
        raise Error(f"an array of {array.dtype} holds no numbers, or some that are not real")
    return array


def _scaled(array: np.ndarray, fraction_bits: int, whole: bool) -> np.ndarray:
    if whole:
        if array.dtype == object or array.dtype == np.uint64 or fraction_bits > 0:
            return shifted(array, fraction_bits)
        return array.astype(np.int64)
    try:
        floats = array.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        raise Error("a number is larger than the largest float64") from None
    if not np.isfinite(floats).all():
        raise Error("an array with NaN or infinity is not encrypted; replace what is missing first")
    with np.errstate(over="ignore"):
        scaled = np.rint(np.ldexp(floats, fraction_bits))
    if np.isfinite(scaled).all() and (np.abs(scaled) < 2.0**62).all():
        return scaled.astype(np.int64)
    exact = [round(fractions.Fraction(float(number)) * (1 << fraction_bits)) for number in floats.ravel()]
    return objects(exact).reshape(array.shape)


def shifted(values: np.ndarray, count: int) -> np.ndarray:
    """Times 2^count.

    Parameters
    ----------
    values : ndarray of int
    count : int

    Returns
    -------
    ndarray of int64 or object
        Of the same shape.
    """
    return narrowed([int(v) << count for v in values.ravel()]).reshape(values.shape)


def minus(values: np.ndarray) -> np.ndarray:
    """The negative numbers.

    Parameters
    ----------
    values : ndarray of int64 or object

    Returns
    -------
    ndarray of int64 or object
        Of the same shape.
    """
    return -values.astype(object) if values.size and values.min() == -(1 << 63) else -values


def largest(values: np.ndarray) -> int:
    """The largest size of all, 0 where there are none.

    Parameters
    ----------
    values : ndarray of int64 or object

    Returns
    -------
    int
    """
    if values.size == 0:
        return 0
    return max(abs(int(values.min())), abs(int(values.max())))


def to_bytes(values: np.ndarray) -> tuple[bytes, int]:
    """Integers as the module takes them: two's complement, little-endian.

    Parameters
    ----------
    values : ndarray of int64 or object, (count,)

    Returns
    -------
    data : bytes, count width
    width : int
        Of each, as the longest needs.
    """
    if values.dtype == np.int64:
        return np.ascontiguousarray(values, dtype="<i8").tobytes(), 8
    width = max((int(v).bit_length() // 8 + 1 for v in values), default=1)
    return b"".join(int(v).to_bytes(width, "little", signed=True) for v in values), width


def from_bytes(data: bytes, width: int) -> np.ndarray:
    """The inverse of `to_bytes`.

    Parameters
    ----------
    data : bytes, count width
    width : int

    Returns
    -------
    ndarray of int64 or object, (count,)
    """
    if width == 8:
        return np.frombuffer(data, dtype="<i8").astype(np.int64)
    return narrowed([int.from_bytes(data[i:i + width], "little", signed=True) for i in range(0, len(data), width)])
