"""The Paillier cryptosystem for arrays: fixed-point numbers that are added, and multiplied by numbers in the clear, under
encryption.

>>> public, secret = generate_keypair(2048)
>>> total = (public.encrypt([1.5, 2.25]) * [2, 4]).sum()
>>> float(secret.decrypt(total))
12.0

A number x is held as the integer round(x 2^exponent). Each array knows a public bound of its integers, from types and from
what the caller says, never from values; an operation by which it could pass what the key holds is refused. Additively
homomorphic encryption hides numbers, not shapes, exponents or bounds. Work runs on all cores, without the interpreter's lock.
"""

import os

from . import _paillier
from ._arrays import EncryptedArray, PlainArray, load, loads
from ._keys import PublicKey, SecretKey, generate_keypair
from ._paillier import Error

__all__ = ["EncryptedArray", "Error", "PlainArray", "PublicKey", "SecretKey", "generate_keypair", "load", "loads"]

os.register_at_fork(after_in_child=_paillier.use_one_thread)
