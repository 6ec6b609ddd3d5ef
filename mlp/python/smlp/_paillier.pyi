"""What paillier_module.cpp has: keys and flat arrays of ciphertexts.

Integers are bytes: two's complement, little-endian, `width` bytes each. Work runs on all cores without the interpreter's lock,
and raises KeyboardInterrupt soon after Ctrl-C. Whatever is refused raises Error.
"""

from typing import Sequence

class Error(ValueError):
    """What was refused and what is allowed, in one sentence."""

class Ciphertexts:
    """An array of ciphertexts, (count,). It is not changed."""
    def __len__(self) -> int: ...

class PublicKeys:
    """What the program's public.json has. Made by `load`, `from_json` and `SecretKeys.public`."""
    @staticmethod
    def load(path: str) -> PublicKeys:
        """Read a file.

        Parameters
        ----------
        path : str

        Returns
        -------
        PublicKeys

        Raises
        ------
        Error
            A file that cannot be read, or holds no valid key.
        """
    @staticmethod
    def from_json(text: str) -> PublicKeys:
        """Read a text.

        Parameters
        ----------
        text : str

        Returns
        -------
        PublicKeys

        Raises
        ------
        Error
            No valid key.
        """
    def save(self, path: str) -> None:
        """Write a file, whole or not at all.

        Parameters
        ----------
        path : str

        Raises
        ------
        Error
            The file cannot be written.
        """
    def to_json(self) -> str:
        """The content of a file.

        Returns
        -------
        str
        """
    @property
    def fingerprint(self) -> str:
        """SHA-256 of the keys, in hexadecimal."""
    @property
    def bits(self) -> int:
        """Size of the modulus."""
    @property
    def n(self) -> int:
        """The modulus."""

class SecretKeys:
    """What the program's secret.json has. Made by `load` and `generate`; wiped with its last reference."""
    @staticmethod
    def load(path: str, pass_phrase: str | bytes | None) -> SecretKeys:
        """Read a file.

        Parameters
        ----------
        path : str
        pass_phrase : str, bytes or None
            Of a sealed file.

        Returns
        -------
        SecretKeys

        Raises
        ------
        Error
            A file that cannot be read, or that others may read, or that holds no valid key, or that the pass phrase does not
            open.
        """
    def save(self, path: str, pass_phrase: str | bytes | None) -> None:
        """Write a file of mode 0600, whole or not at all.

        Parameters
        ----------
        path : str
        pass_phrase : str, bytes or None
            Seals it.

        Raises
        ------
        Error
            The file cannot be written.
        """
    @property
    def public(self) -> PublicKeys:
        """The public half."""

def generate(bits: int, variant: str) -> SecretKeys:
    """New keys.

    Parameters
    ----------
    bits : {1024, 2048, 3072, 4096}
    variant : {'subgroup', 'standard'}

    Returns
    -------
    SecretKeys

    Raises
    ------
    Error
        Another size or variant.
    """

def encrypt(keys: PublicKeys, integers: bytes, width: int) -> Ciphertexts:
    """Encrypt integers of at most (n - 1) / 2 in size.

    Parameters
    ----------
    keys : PublicKeys
    integers : bytes, count width
    width : int

    Returns
    -------
    Ciphertexts, (count,)

    Raises
    ------
    Error
        An integer that is too large.
    """

def encrypt_as_holder(keys: SecretKeys, integers: bytes, width: int) -> Ciphertexts:
    """As `encrypt`, a few times as fast.

    Parameters
    ----------
    keys : SecretKeys
    integers : bytes, count width
    width : int

    Returns
    -------
    Ciphertexts, (count,)

    Raises
    ------
    Error
        An integer that is too large.
    """

def decrypt(keys: SecretKeys, ciphertexts: Ciphertexts) -> tuple[bytes, int]:
    """Decrypt.

    Parameters
    ----------
    keys : SecretKeys
    ciphertexts : Ciphertexts, (count,)

    Returns
    -------
    integers : bytes, count width
    width : int
        8, or more where an integer needs it.
    """

def add(keys: PublicKeys, a: Ciphertexts, b: Ciphertexts) -> Ciphertexts:
    """Sums, element by element, modulo n.

    Parameters
    ----------
    keys : PublicKeys
    a, b : Ciphertexts, (count,)

    Returns
    -------
    Ciphertexts, (count,)

    Raises
    ------
    Error
        Arrays of two sizes.
    """

def negate(keys: PublicKeys, ciphertexts: Ciphertexts) -> Ciphertexts:
    """Negative numbers.

    Parameters
    ----------
    keys : PublicKeys
    ciphertexts : Ciphertexts, (count,)

    Returns
    -------
    Ciphertexts, (count,)
    """

def add_plain(keys: PublicKeys, ciphertexts: Ciphertexts, integers: bytes, width: int) -> Ciphertexts:
    """Sums with plain integers, element by element, modulo n.

    Parameters
    ----------
    keys : PublicKeys
    ciphertexts : Ciphertexts, (count,)
    integers : bytes, count width
    width : int

    Returns
    -------
    Ciphertexts, (count,)

    Raises
    ------
    Error
        Arrays of two sizes.
    """

def scale(keys: PublicKeys, ciphertexts: Ciphertexts, integers: bytes, width: int) -> Ciphertexts:
    """Products with plain integers, element by element, modulo n. Time depends on the integers.

    Parameters
    ----------
    keys : PublicKeys
    ciphertexts : Ciphertexts, (count,)
    integers : bytes, count width
    width : int

    Returns
    -------
    Ciphertexts, (count,)

    Raises
    ------
    Error
        Arrays of two sizes.
    """

def matrix_product(keys: PublicKeys, ciphertexts: Ciphertexts, integers: bytes, width: int, rows: int, inner: int,
                   outputs: int) -> Ciphertexts:
    """Product with a plain matrix, modulo n. Time depends on the integers.

    Parameters
    ----------
    keys : PublicKeys
    ciphertexts : Ciphertexts, (rows inner,)
        Row by row.
    integers : bytes, inner outputs width
        Row by row.
    width, rows, inner, outputs : int

    Returns
    -------
    Ciphertexts, (rows outputs,)

    Raises
    ------
    Error
        Arrays of other sizes.
    """

def sum_rows(keys: PublicKeys, ciphertexts: Ciphertexts, rows: int, inner: int) -> Ciphertexts:
    """The sum of each row, modulo n; 0 where rows are empty.

    Parameters
    ----------
    keys : PublicKeys
    ciphertexts : Ciphertexts, (rows inner,)
        Row by row.
    rows, inner : int

    Returns
    -------
    Ciphertexts, (rows,)

    Raises
    ------
    Error
        An array of another size.
    """

def take(ciphertexts: Ciphertexts, places: Sequence[int]) -> Ciphertexts:
    """The ciphertexts at these places.

    Parameters
    ----------
    ciphertexts : Ciphertexts, (count,)
    places : sequence of int
        From 0.

    Returns
    -------
    Ciphertexts, (len(places),)

    Raises
    ------
    IndexError
        No such place.
    """

def encode(keys: PublicKeys, ciphertexts: Ciphertexts) -> bytes:
    """Bytes of the ciphertexts, which are re-randomised.

    Parameters
    ----------
    keys : PublicKeys
    ciphertexts : Ciphertexts, (count,)

    Returns
    -------
    bytes
        As many for each.
    """

def decode(keys: PublicKeys, data: bytes, count: int) -> Ciphertexts:
    """The inverse of `encode`.

    Parameters
    ----------
    keys : PublicKeys
    data : bytes
    count : int

    Returns
    -------
    Ciphertexts, (count,)

    Raises
    ------
    Error
        Bytes of another size, or a number that is no ciphertext.
    """

def write_file(path: str, data: bytes) -> None:
    """Replace a file, whole or not at all. What killed writers of it left is removed.

    Parameters
    ----------
    path : str
    data : bytes

    Raises
    ------
    Error
        The file cannot be written, or another process is writing it. Then the old one stands as it was.
    """

def use_one_thread() -> None:
    """Compute on one thread from now on: a child of fork has none of its parent's, and would wait for them."""
