"""Multilayer perceptrons and the Paillier cryptosystem on encrypted data."""

from typing import TYPE_CHECKING, Any

from ._paillier import Error
from .roles import Evaluator, KeyHolder, Keys, decrypt, encrypt, export, keygen

__all__ = ["Error", "Evaluator", "KeyHolder", "Keys", "SecureMLPClassifier", "SecureMLPRegressor", "decrypt", "encrypt",
           "export", "keygen"]


if TYPE_CHECKING:
    from .estimators import SecureMLPClassifier, SecureMLPRegressor
else:
    def __getattr__(name: str) -> Any:
        if name in ("SecureMLPClassifier", "SecureMLPRegressor"):
            from . import estimators  # scikit-learn is imported where an estimator is wanted
            return getattr(estimators, name)
        raise AttributeError(f"module 'smlp' has no attribute '{name}'")
