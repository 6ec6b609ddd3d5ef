"""Multilayer perceptrons and the Paillier cryptosystem on encrypted data."""

from ._paillier import Error

__all__ = ["Error"]
