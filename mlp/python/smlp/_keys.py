"""Keys of the Paillier cryptosystem: they make arrays of ciphertexts, and open them."""

from __future__ import annotations

import os
from typing import Any, Callable

import numpy as np

from . import _fixed_point as fixed_point
from . import _paillier
from ._arrays import EncryptedArray
from ._export import Path, Unpicklable
from ._paillier import Error


def generate_keypair(bits: int = 2048, *, variant: str = "subgroup") -> tuple[PublicKey, SecretKey]:
    """Make a new pair of keys, within seconds. Ctrl-C ends it.

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

    Raises
    ------
    Error
        Another size or variant.
    """
    secret = SecretKey(_paillier.generate(bits, variant))
    return secret.public, secret


class PublicKey(Unpicklable):
    """Encrypts. Anybody may have it. Made by `generate_keypair`, `load` and `from_json`.

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
        """Size of the modulus n."""
        return self._keys.bits

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the key, in hexadecimal."""
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
            and multiplied by one number, and nothing else.
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

    def _encrypt(self, values: Any, fraction_bits: int | None, bits: int | None, packed: bool, slot_bits: int,
                 encrypt: Callable[[bytes, int], _paillier.Ciphertexts]) -> EncryptedArray:
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
        """The key in the format of the program's public.json.

        Returns
        -------
        str
        """
        return self._keys.to_json()

    @classmethod
    def from_json(cls, text: str) -> PublicKey:
        """Read what `to_json` wrote.

        Parameters
        ----------
        text : str

        Returns
        -------
        PublicKey

        Raises
        ------
        Error
            No valid key.
        """
        return cls(_paillier.PublicKeys.from_json(text))

    def save(self, path: Path) -> None:
        """Write the key as the program's public.json, whole or not at all.

        Parameters
        ----------
        path : path

        Raises
        ------
        Error
            The file cannot be written.
        """
        self._keys.save(os.fspath(path))

    @classmethod
    def load(cls, path: Path) -> PublicKey:
        """Read the program's public.json.

        Parameters
        ----------
        path : path

        Returns
        -------
        PublicKey

        Raises
        ------
        Error
            A file that cannot be read, or holds no valid key.
        """
        return cls(_paillier.PublicKeys.load(os.fspath(path)))


class SecretKey(Unpicklable):
    """Decrypts. Made by `generate_keypair` and `load`; wiped when the last reference goes, or by ``with`` or `close`.

    Attributes
    ----------
    public : PublicKey
    """

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
        """As `PublicKey.encrypt`, a few times as fast.

        Parameters
        ----------
        values : array_like of int or float, any shape
        fraction_bits : int, optional
        bits : int, optional
        packed : bool
        slot_bits : int

        Returns
        -------
        EncryptedArray
            Of the same shape.

        Raises
        ------
        Error
            As `PublicKey.encrypt`, and where the key was closed.
        """
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

    def save(self, path: Path, *, pass_phrase: str | bytes | None = None) -> None:
        """Write the key as the program's secret.json, with mode 0600, whole or not at all.

        Parameters
        ----------
        path : path
        pass_phrase : str or bytes, optional
            Seals the file, as ``smlp keygen --pass-phrase`` does. Python does not wipe it.

        Raises
        ------
        Error
            The file cannot be written, the key was closed, or the pass phrase is not one line of 1 to 1,024 bytes, which
            is what the program takes.
        """
        self._keys.save(os.fspath(path), pass_phrase)

    @classmethod
    def load(cls, path: Path, *, pass_phrase: str | bytes | None = None) -> SecretKey:
        """Read the program's secret.json.

        Parameters
        ----------
        path : path
        pass_phrase : str or bytes, optional
            Of a sealed file. Python does not wipe it.

        Returns
        -------
        SecretKey

        Raises
        ------
        Error
            A file that cannot be read, or that others may read, or that holds no valid key; a sealed one without its pass
            phrase.
        """
        return cls(_paillier.SecretKeys.load(os.fspath(path), pass_phrase))
