"""Estimators of scikit-learn that train under encryption.

`fit` is ``smlp run`` with all roles in this machine's hand: it encrypts the table under new keys, trains on ciphertexts,
and compares every weight with the twin's, which computes the same integers in the clear.
"""

from __future__ import annotations

import io
import json
import numbers
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from . import _program
from ._paillier import Error

__all__ = ["SecureMLPClassifier", "SecureMLPRegressor"]


def _csv(features: np.ndarray, labels: Any) -> str:
    """Numbers as the shortest text that gives them back."""
    text = io.StringIO()
    text.write(",".join(f"x{j}" for j in range(features.shape[1])) + ",label\n")
    for row, label in zip(features.tolist(), labels):
        text.write(",".join(map(repr, row)) + f",{label}\n")
    return text.getvalue()


class _Progress:
    """A bar of tqdm by the program's lines of epochs; nothing where tqdm is missing."""

    def __init__(self, wanted: bool | None, epochs: int):
        self._bar = None
        if sys.stderr is not None and sys.stderr.isatty() if wanted is None else wanted:
            try:
                from tqdm.auto import tqdm
            except ImportError:
                return
            self._bar = tqdm(total=epochs, unit="epoch")

    def __call__(self, line: str) -> None:
        epoch = re.match(r"epoch (\d+)/\d+: (loss [0-9.]+)", line)
        if self._bar is not None and epoch:
            self._bar.set_postfix_str(epoch[2])
            self._bar.update(int(epoch[1]) - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


_FAMILIES = ("matmul", "truncation", "comparison", "selection", "activation")


def _refuse(name: str, value: Any, allowed: str) -> None:
    raise Error(f"{name} is {value!r}, allowed is {allowed}")


def _whole(name: str, value: Any, least: int) -> int:
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or not least <= value < 2**63:
        _refuse(name, value, f"a whole number from {least}")
    return int(value)


def _number(name: str, value: Any) -> float:
    if not isinstance(value, numbers.Real) or isinstance(value, bool) or not np.isfinite(value):
        _refuse(name, value, "a finite number")
    return float(value)


class _SecureMLP(BaseEstimator):
    _task: str

    def __init__(self, hidden_layer_sizes=(32,), *, learning_rate_init=None, momentum=0.8, max_iter=10, batch_size=32,
                 random_state=None, protocols="homomorphic", key_bits=2048, sigma=56, clear=False, verbose=None):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.learning_rate_init = learning_rate_init
        self.momentum = momentum
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.random_state = random_state
        self.protocols = protocols
        self.key_bits = key_bits
        self.sigma = sigma
        self.clear = clear
        self.verbose = verbose

    def _options(self, outputs: int) -> dict[str, Any]:
        sizes = self.hidden_layer_sizes
        if isinstance(sizes, numbers.Integral):
            sizes = [sizes]
        if isinstance(sizes, str) or not isinstance(sizes, Iterable):
            _refuse("hidden_layer_sizes", sizes, "a whole number, or several")
        sizes = [_whole("hidden_layer_sizes", size, 1) for size in sizes]
        seed = self.random_state
        if isinstance(seed, numbers.Integral):
            seed = _whole("random_state", seed, 0)
        else:
            seed = check_random_state(seed).randint(2**31 - 1)
        if isinstance(self.protocols, str):
            protocols = {"protocols": self.protocols}
        elif isinstance(self.protocols, Mapping) and set(self.protocols) <= set(_FAMILIES):
            protocols = dict(self.protocols)
        else:
            _refuse("protocols", self.protocols, "the name of a preset, or a dict of " + ", ".join(_FAMILIES))
        for name in ("clear", "verbose"):
            value = getattr(self, name)
            if not (isinstance(value, (bool, np.bool_, numbers.Integral)) or name == "verbose" and value is None):
                _refuse(name, value, "True or False")
        rate = self.learning_rate_init
        return {**protocols, "json": True, "task": self._task, "label": "label",
                "network": "-".join(map(str, ["N", *sizes, outputs])),
                "learning_rate": None if rate is None else _number("learning_rate_init", rate),
                "momentum": _number("momentum", self.momentum), "epochs": _whole("max_iter", self.max_iter, 1),
                "batch": _whole("batch_size", self.batch_size, 1), "seed": int(seed),
                "bits": _whole("key_bits", self.key_bits, 1), "insecure_key": self.key_bits == 1024,
                "sigma": _whole("sigma", self.sigma, 0), "clear": bool(self.clear)}

    def _train(self, X: np.ndarray, labels: Any, outputs: int) -> None:
        options = self._options(outputs)
        # All rows train. Encrypted classification is compared with the twin's on as many as a batch has.
        few = slice(0, max(int(self.batch_size), 2))
        progress = _Progress(self.verbose, self.max_iter)
        try:
            text = _program.run("run", options, {"data": _csv(X, labels), "test": _csv(X[few], labels[few])},
                                progress)
        finally:
            progress.close()
        found = json.loads(text)
        if self.clear:
            trial = found["settings"][0]["trials"][0]
            if trial["left_range"] is not None:
                raise Error(trial["left_range"])
            self.weights_equal_twin_ = None
            self.cost_ = None
        else:
            trial = found
            self.weights_equal_twin_ = found["weights_equal_twin"]
            self.cost_ = {name: found[name] for name in ("seconds", "bytes", "rounds", "seconds_by_kind")}
        which = "twin" if self.clear else "encrypted"
        self.loss_curve_ = [epoch["loss"][which] for epoch in trial["history"]]
        layers = trial["trained"]["layers"]
        self.coefs_ = [np.array(layer["weights"]) for layer in layers]
        self.intercepts_ = [np.array(layer["biases"]) for layer in layers]
        self.n_iter_ = len(self.loss_curve_)
        self.n_layers_ = len(layers) + 1
        self.n_outputs_ = outputs
        self.out_activation_ = layers[-1]["kind"]
        self.scaling_ = trial["scaling"]

    def _scores(self, X: Any) -> np.ndarray:
        """What enters the last activation, rows x outputs."""
        check_is_fitted(self)
        X = self._validate_data(X, dtype=np.float64, reset=False)
        values = (X - np.array(self.scaling_["offset"])) * np.array(self.scaling_["factor"])
        for weights, biases in zip(self.coefs_[:-1], self.intercepts_[:-1]):
            values = np.maximum(values @ weights + biases, 0)
        return values @ self.coefs_[-1] + self.intercepts_[-1]


_PARAMETERS = """

    Parameters
    ----------
    hidden_layer_sizes : int or tuple of int
        Neurons of each hidden layer; relu stands behind them.
    learning_rate_init : float, optional
        By default the program's: 0.1, and 0.01 for outputs without a bound.
    momentum : float
        From 0 to below 1.
    max_iter : int
        Epochs.
    batch_size : int
    random_state : int, RandomState or None
        An int is the program's ``--seed``: order, weights and masks, never keys.
    protocols : str or dict
        A preset, ``'homomorphic'`` or ``'paper'``, or a protocol by family: ``{'comparison': 'garbled'}``.
    key_bits : {2048, 3072, 4096}
        Of the keys, which are made for one `fit` and thrown away. 1024 is for tests: it protects nothing.
    sigma : int
        Bits by which masks are wider than what they hide.
    clear : bool
        Nothing is encrypted: the twin alone, which has the same weights. For searches over parameters.
    verbose : bool, optional
        Progress by tqdm, where it is installed. By default where standard error is a terminal.

    Attributes
    ----------
    coefs_ : list of ndarray, (inputs, outputs) of each layer
    intercepts_ : list of ndarray, (outputs,) of each layer
    loss_curve_ : list of float
        Of each epoch, on the table that was trained on.
    n_iter_ : int
    weights_equal_twin_ : True, or None with `clear`
        `fit` raises Error where they differ.
    cost_ : dict, or None with `clear`
        ``seconds``, ``bytes``, ``rounds``, ``seconds_by_kind``, as ``smlp run --json`` has them.
    scaling_ : dict
        What makes a feature of a value: ``offset`` and ``factor``.
"""


class SecureMLPClassifier(ClassifierMixin, _SecureMLP):
    __doc__ = """A multilayer perceptron that is trained on ciphertexts, for classes of any labels.

    `predict` works in the clear with the weights that `fit` decrypted.""" + _PARAMETERS + """
    classes_ : ndarray
        Labels, sorted.
    """
    _task = "classification"

    def fit(self, X: Any, y: Any) -> SecureMLPClassifier:
        """Encrypt and train.

        Parameters
        ----------
        X : array_like, (rows, features)
            Finite numbers; an array or a frame.
        y : array_like, (rows,)
            Two classes or more.

        Returns
        -------
        SecureMLPClassifier
            This one.

        Raises
        ------
        Error
            A parameter that is not allowed, or the program's sentence: a value leaves the range of the numbers, for
            instance.
        ValueError
            What scikit-learn refuses of `X` and `y`.
        """
        X, y = self._validate_data(X, y, dtype=np.float64, ensure_min_samples=2)
        check_classification_targets(y)
        self.classes_, codes = np.unique(column_or_1d(y, warn=True), return_inverse=True)
        if len(self.classes_) < 2:
            raise Error(f"y has the class {self.classes_[0]!r} alone: a classifier needs two or more")
        self._train(X, np.array([f"c{code:04}" for code in codes]), len(self.classes_))
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Softmax of the scores: the network's own outputs are clipped, so several may be 1.

        Parameters
        ----------
        X : array_like, (rows, features)

        Returns
        -------
        ndarray, (rows, classes)

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            What scikit-learn refuses of `X`.
        """
        scores = self._scores(X)
        parts = np.exp(scores - scores.max(axis=1, keepdims=True))
        return parts / parts.sum(axis=1, keepdims=True)

    def predict(self, X: Any) -> np.ndarray:
        """The class of the largest score.

        Parameters
        ----------
        X : array_like, (rows, features)

        Returns
        -------
        ndarray, (rows,)

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            What scikit-learn refuses of `X`.
        """
        best = self._scores(X).argmax(axis=1)
        return self.classes_[best]


class SecureMLPRegressor(RegressorMixin, _SecureMLP):
    __doc__ = """A multilayer perceptron that is trained on ciphertexts, for numbers.

    `predict` works in the clear with the weights that `fit` decrypted.""" + _PARAMETERS
    _task = "regression"

    def fit(self, X: Any, y: Any) -> SecureMLPRegressor:
        """Encrypt and train.

        Parameters
        ----------
        X : array_like, (rows, features)
            Finite numbers; an array or a frame.
        y : array_like, (rows,)
            Finite numbers.

        Returns
        -------
        SecureMLPRegressor
            This one.

        Raises
        ------
        Error
            A parameter that is not allowed, or the program's sentence: a value leaves the range of the numbers, for
            instance.
        ValueError
            What scikit-learn refuses of `X` and `y`.
        """
        X, y = self._validate_data(X, y, dtype=np.float64, y_numeric=True, ensure_min_samples=2)
        self._train(X, np.array([repr(value) for value in np.asarray(y, dtype=np.float64).tolist()]), 1)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Numbers in the units of y.

        Parameters
        ----------
        X : array_like, (rows, features)

        Returns
        -------
        ndarray, (rows,)

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            What scikit-learn refuses of `X`.
        """
        scores = self._scores(X)[:, 0]
        return scores / self.scaling_["label_factor"] + self.scaling_["label_offset"]
