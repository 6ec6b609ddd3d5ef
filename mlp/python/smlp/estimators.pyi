"""The estimators for checkers of types: scikit-learn has none, and what inherits from it would be anything."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from typing_extensions import Self

class _SecureMLP:
    coefs_: list[np.ndarray]
    intercepts_: list[np.ndarray]
    loss_curve_: list[float]
    n_iter_: int
    n_layers_: int
    n_outputs_: int
    n_features_in_: int
    feature_names_in_: np.ndarray
    out_activation_: str
    weights_equal_twin_: bool | None
    cost_: dict[str, Any] | None
    scaling_: dict[str, Any]
    def __init__(self, hidden_layer_sizes: int | Iterable[int] = (32,), *, learning_rate_init: float | None = None,
                 momentum: float = 0.8, max_iter: int = 10, batch_size: int = 32,
                 random_state: int | np.random.RandomState | None = None, protocols: str | Mapping[str, str] = "homomorphic",
                 key_bits: int = 2048, sigma: int = 56, clear: bool = False, verbose: bool | None = None) -> None: ...
    def fit(self, X: Any, y: Any) -> Self: ...
    def predict(self, X: Any) -> np.ndarray: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def get_params(self, deep: bool = True) -> dict[str, Any]: ...
    def set_params(self, **params: Any) -> Self: ...

class SecureMLPClassifier(_SecureMLP):
    classes_: np.ndarray
    def predict_proba(self, X: Any) -> np.ndarray: ...

class SecureMLPRegressor(_SecureMLP): ...
