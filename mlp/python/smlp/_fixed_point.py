"""Fixed-point integers: from numbers and back, to bytes and back, several in one plaintext."""

from __future__ import annotations

import fractions
from typing import Any, Sequence

import numpy as np

from ._paillier import Error

#: Bits behind the point for floats where none are asked for.
DEFAULT_FRACTION_BITS = 32


class Packing:
    """Several signed values in one plaintext: sum_i v_i 2^(i slot_bits)."""

    def __init__(self, key_bits: int, slot_bits: int):
        if not 2 <= slot_bits <= key_bits - 2:
            raise Error(f"slot_bits is {slot_bits}, allowed are 2 to {key_bits - 2} under a key of {key_bits} bits")
        self.slot_bits = slot_bits
        self.slots = (key_bits - 2) // slot_bits
        self.most = (1 << (slot_bits - 1)) - 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Packing) and self.slot_bits == other.slot_bits

    def pack(self, values: np.ndarray) -> np.ndarray:
        packed = []
        for first in range(0, len(values), self.slots):
            whole = 0
            for i, value in enumerate(values[first:first + self.slots]):
                whole += int(value) << (i * self.slot_bits)
            packed.append(whole)
        return objects(packed)

    def unpack(self, packed: np.ndarray, count: int) -> np.ndarray:
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
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def narrowed(values: Sequence[int]) -> np.ndarray:
    """int64 where all fit, else Python's integers."""
    if all(-(1 << 63) <= v < 1 << 63 for v in values):
        return np.array(values, dtype=np.int64)
    return objects(values)


def encode(values: Any, fraction_bits: int | None) -> tuple[np.ndarray, int]:
    """Integers round(x 2^exponent), as int64 or objects, and the exponent."""
    array = np.asarray(values)
    if array.dtype == bool:
        array = array.astype(np.int64)
    if array.dtype.kind == "u":
        array = array.astype(object) if array.dtype.itemsize == 8 else array.astype(np.int64)
    whole = array.dtype.kind == "i" or (array.dtype == object and all(
        isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in array.ravel()))
    if fraction_bits is None:
        fraction_bits = 0 if whole else DEFAULT_FRACTION_BITS
    if fraction_bits < 0:
        raise Error(f"fraction_bits is {fraction_bits}, allowed are numbers from 0")
    if whole:
        if fraction_bits == 0:
            return (array.astype(np.int64) if array.dtype.kind == "i" else array), 0
        scaled = [int(v) << fraction_bits for v in array.ravel()]
        return narrowed(scaled).reshape(array.shape), fraction_bits
    try:
        numbers = array.astype(np.float64)
    except (TypeError, ValueError):
        raise Error(f"an array of {array.dtype} holds no numbers") from None
    if not np.isfinite(numbers).all():
        raise Error("an array with NaN or infinity is not encrypted; replace what is missing first")
    with np.errstate(over="ignore"):
        scaled = np.rint(np.ldexp(numbers, fraction_bits))
    if np.isfinite(scaled).all() and (np.abs(scaled) < 2.0**62).all():
        return scaled.astype(np.int64), fraction_bits
    exact = [round(fractions.Fraction(float(number)) * (1 << fraction_bits)) for number in numbers.ravel()]
    return objects(exact).reshape(array.shape), fraction_bits


def minus(values: Any) -> Any:
    array = np.asarray(values)
    if array.dtype.kind == "u" or array.dtype == bool:
        array = array.astype(object) if array.dtype.itemsize == 8 else array.astype(np.int64)
    if array.dtype == np.int64:
        array = array.astype(object)  # -(-2^63) is no int64
    return -array


def largest(values: np.ndarray) -> int:
    if values.size == 0:
        return 0
    return max(abs(int(values.min())), abs(int(values.max())))


def to_bytes(values: np.ndarray) -> tuple[bytes, int]:
    if values.dtype == np.int64:
        return np.ascontiguousarray(values, dtype="<i8").tobytes(), 8
    width = max((int(v).bit_length() // 8 + 1 for v in values), default=1)
    return b"".join(int(v).to_bytes(width, "little", signed=True) for v in values), width


def from_bytes(data: bytes, width: int) -> np.ndarray:
    if width == 8:
        return np.frombuffer(data, dtype="<i8").astype(np.int64)
    return narrowed([int.from_bytes(data[i:i + width], "little", signed=True) for i in range(0, len(data), width)])
