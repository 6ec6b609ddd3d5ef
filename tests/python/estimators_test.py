"""The estimators: the program's weights, scikit-learn's habits. Keys of 1024 bits: toys."""
import io
import json
import os
import pathlib
import pickle
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import unittest.mock
import warnings

import numpy as np
import smlp
from smlp import _program, estimators
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import check_estimator

CANCER = load_breast_cancer(as_frame=True)


def processes_with(seed):
    """Of the program, by the seed of the test."""
    found = []
    for line in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = line.read_bytes().split(b"\0")
        except OSError:  # ended meanwhile
            continue
        if str(seed).encode() in words and words[0].endswith(b"smlp"):
            found.append(line.parent.name)
    return found


class Encrypted(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.X, cls.y = CANCER.data.iloc[::6, :8], CANCER.target_names[CANCER.target[::6]]
        cls.model = smlp.SecureMLPClassifier((4,), max_iter=2, random_state=3, key_bits=1024).fit(cls.X, cls.y)

    def test_weights_are_the_twin_s_and_the_program_s(self):
        self.assertIs(self.model.weights_equal_twin_, True)
        clear = smlp.SecureMLPClassifier((4,), max_iter=2, random_state=3, key_bits=1024, clear=True).fit(self.X, self.y)
        self.assertIsNone(clear.cost_)
        with tempfile.TemporaryDirectory() as folder:
            table = pathlib.Path(folder, "table.csv")
            self.X.assign(diagnosis=self.y).to_csv(table, index=False)
            found = json.loads(subprocess.run(
                [_program.path(), "run", "--clear", "--data", table, "--test", table, "--network", "N-4-C", "--epochs", "2",
                 "--seed", "3", "--bits", "1024", "--insecure-key", "--json", "--quiet"],
                capture_output=True, text=True, check=True).stdout)
        layers = found["settings"][0]["trials"][0]["trained"]["layers"]
        for model in (self.model, clear):
            for layer, weights, biases in zip(layers, model.coefs_, model.intercepts_, strict=True):
                np.testing.assert_array_equal(weights, layer["weights"])
                np.testing.assert_array_equal(biases, layer["biases"])
        self.assertEqual(self.model.loss_curve_, clear.loss_curve_)

    def test_what_it_took(self):
        cost = self.model.cost_
        self.assertGreater(cost["rounds"], 0)
        self.assertGreater(cost["bytes"]["to_key_holder"], 0)
        self.assertTrue(cost["seconds_by_kind"])

    def test_labels_as_given(self):
        self.assertEqual(sorted(self.model.classes_), ["benign", "malignant"])
        self.assertTrue(set(self.model.predict(self.X)) <= {"benign", "malignant"})
        self.assertGreater(self.model.score(self.X, self.y), 0.8)
        np.testing.assert_allclose(self.model.predict_proba(self.X).sum(axis=1), 1)
        self.assertEqual(list(self.model.feature_names_in_), list(self.X.columns))
        copy = pickle.loads(pickle.dumps(self.model))
        self.assertTrue((copy.predict(self.X) == self.model.predict(self.X)).all())

    def test_other_protocols_have_the_same_weights(self):
        other = smlp.SecureMLPClassifier((4,), max_iter=2, random_state=3, key_bits=1024,
                                         protocols={"comparison": "garbled"}).fit(self.X, self.y)
        for a, b in zip(other.coefs_, self.model.coefs_, strict=True):
            np.testing.assert_array_equal(a, b)


class InTheClear(unittest.TestCase):
    def test_scikit_learn_s_checks(self):
        for estimator in (smlp.SecureMLPClassifier((16,), clear=True), smlp.SecureMLPRegressor((16,), clear=True)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for instance, check in check_estimator(estimator, generate_only=True):
                    with self.subTest(estimator=type(instance).__name__, check=str(check)):
                        try:
                            check(instance)
                        except unittest.SkipTest:
                            pass

    def test_searches_and_pipelines(self):
        X, y = CANCER.data.iloc[::3], CANCER.target[::3]
        model = smlp.SecureMLPClassifier(clear=True, max_iter=3, random_state=1)
        self.assertGreater(cross_val_score(make_pipeline(MinMaxScaler(), model), X, y, cv=3).mean(), 0.85)
        search = GridSearchCV(model, {"hidden_layer_sizes": [(4,), (8, 4)], "momentum": [0.5]}, cv=2).fit(X, y)
        self.assertEqual(len(search.cv_results_["params"]), 2)

    def test_numbers(self):
        X, y = load_diabetes(return_X_y=True)
        model = smlp.SecureMLPRegressor(clear=True, random_state=1).fit(X, y)
        self.assertGreater(model.score(X, y), 0.35)


class Refusals(unittest.TestCase):
    def test_the_program_s_sentence(self):
        X, y = np.arange(40.0).reshape(20, 2), np.arange(20) % 2
        with self.assertRaisesRegex(smlp.Error, "--momentum is 2"):
            smlp.SecureMLPClassifier(momentum=2, clear=True).fit(X, y)
        with self.assertRaisesRegex(smlp.Error, "nonsense"):
            smlp.SecureMLPClassifier(protocols={"comparison": "nonsense"}).fit(X, y)
        with self.assertRaisesRegex(smlp.Error, "range"), self.assertWarnsRegex(RuntimeWarning, "stays in range"):
            smlp.SecureMLPRegressor(learning_rate_init=50, clear=True, random_state=1).fit(X, y)
        with self.assertRaises(NotFittedError):
            smlp.SecureMLPClassifier().predict(X)

    def test_parameters(self):
        X, y = np.arange(40.0).reshape(20, 2), np.arange(20) % 2
        for name, value in (("hidden_layer_sizes", "4-5"), ("hidden_layer_sizes", (0,)), ("hidden_layer_sizes", (2.5,)),
                            ("hidden_layer_sizes", None), ("max_iter", 0), ("max_iter", "3"), ("max_iter", 1.5), ("batch_size", 0),
                            ("batch_size", None), ("momentum", "0.5"), ("momentum", None), ("momentum", np.nan),
                            ("learning_rate_init", "x"), ("learning_rate_init", np.inf), ("random_state", -1), ("key_bits", "2048"),
                            ("sigma", 5.5), ("clear", "yes"), ("protocols", {"data": "/etc/passwd"}), ("protocols", {"seed": 3}),
                            ("protocols", 3), ("verbose", "x")):
            with self.subTest(name=name, value=value), self.assertRaisesRegex(smlp.Error, f"^{name} is .*, allowed is "):
                smlp.SecureMLPClassifier(**{"clear": True, name: value}).fit(X, y)

    def test_progress_where_there_is_a_terminal(self):
        for wanted, terminal, shown in ((None, False, False), (None, True, True), (True, False, True), (False, True, False)):
            screen = io.StringIO()
            screen.isatty = lambda terminal=terminal: terminal
            tqdm = unittest.mock.MagicMock()
            with unittest.mock.patch("sys.stderr", screen), unittest.mock.patch.dict(sys.modules, {"tqdm": tqdm, "tqdm.auto": tqdm.auto}):
                estimators._Progress(wanted, 3).close()
            self.assertEqual(tqdm.auto.tqdm.called, shown)

    def test_a_killed_interpreter_leaves_no_child(self):
        script = ("import numpy as np, smlp\nrng = np.random.default_rng(1)\nX = rng.normal(size=(4000, 50))\n"
                  "print('ready', flush=True)\nsmlp.SecureMLPClassifier(max_iter=500, random_state=71077345).fit(X, X[:, 0] > 0)\n")
        parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        self.addCleanup(parent.stdout.close)
        self.assertEqual(parent.stdout.readline(), "ready\n")
        while not processes_with(71077345):
            time.sleep(0.05)
        parent.kill()
        parent.wait()
        for _ in range(600):
            if not processes_with(71077345):
                return
            time.sleep(0.05)
        self.fail("the program goes on")

    def test_children_of_fork_do_not_hold_it_up(self):
        """The program reads its table to the end while a child of fork has what this process had open."""
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder, "smlp")
            program.write_text("#!/bin/sh\nsleep 1\nwhile [ $1 != --data ]; do shift; done\ncat $2 > /dev/null\n")
            program.chmod(0o755)
            script = ("import os, threading, time\nfrom smlp import _program\n"
                      "def fork():\n    time.sleep(0.5)\n    if os.fork() == 0:\n        time.sleep(300)\n        os._exit(0)\n"
                      "threading.Thread(target=fork).start()\n_program.run('run', {}, {'data': 'x' * 10**6})\n"
                      "print('ended', flush=True)\nos.killpg(0, 9)\n")
            parent = subprocess.Popen([sys.executable, "-W", "ignore", "-c", script], stdout=subprocess.PIPE, text=True,
                                      env={**os.environ, "SMLP": str(program)}, start_new_session=True)
            try:
                self.assertEqual(parent.communicate(timeout=30)[0], "ended\n")
            finally:
                parent.poll() is None and os.killpg(parent.pid, signal.SIGKILL)

    def test_children_of_fork_that_begin_while_it_starts_do_not_hold_it_up(self):
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder, "smlp")
            program.write_text("#!/bin/sh\necho done\n")
            program.chmod(0o755)
            script = ("import os, subprocess, threading, time\nfrom smlp import _program\nreal = subprocess.Popen._execute_child\n"
                      "def fork():\n    if os.fork() == 0:\n        time.sleep(300)\n        os._exit(0)\n"
                      "def when_there_are_pipes(*words):\n    threading.Thread(target=fork).start()\n    time.sleep(0.5)\n    real(*words)\n"
                      "subprocess.Popen._execute_child = when_there_are_pipes\n"
                      "print(_program.run('run', {}).strip(), flush=True)\nos.killpg(0, 9)\n")
            parent = subprocess.Popen([sys.executable, "-W", "ignore", "-c", script], stdout=subprocess.PIPE, text=True,
                                      env={**os.environ, "SMLP": str(program)}, start_new_session=True)
            try:
                self.assertEqual(parent.communicate(timeout=30)[0], "done\n")
            finally:
                parent.poll() is None and os.killpg(parent.pid, signal.SIGKILL)

    def test_an_exception_of_progress_ends_the_child(self):
        before, tqdm = len(os.listdir("/proc/self/fd")), unittest.mock.MagicMock()
        tqdm.auto.tqdm.return_value.update.side_effect = ZeroDivisionError
        X = np.random.default_rng(1).normal(size=(4000, 50))
        with unittest.mock.patch.dict(sys.modules, {"tqdm": tqdm, "tqdm.auto": tqdm.auto}), self.assertRaises(ZeroDivisionError):
            smlp.SecureMLPClassifier(max_iter=500, random_state=71077347, clear=True, verbose=True).fit(X, X[:, 0] > 0)
        self.assertEqual(processes_with(71077347), [])
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)
        tqdm.auto.tqdm.return_value.close.assert_called()

    def test_ctrl_c(self):
        script = ("import numpy as np, smlp\nrng = np.random.default_rng(1)\nX = rng.normal(size=(4000, 50))\n"
                  "try:\n    smlp.SecureMLPClassifier(max_iter=500, random_state=71077346).fit(X, X[:, 0] > 0)\n"
                  "except KeyboardInterrupt:\n    print('ended')\n")
        parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        self.addCleanup(parent.kill)
        while not processes_with(71077346):
            time.sleep(0.05)
        parent.send_signal(signal.SIGINT)
        self.assertEqual(parent.communicate(timeout=120)[0], "ended\n")
        self.assertEqual(processes_with(71077346), [])


if __name__ == "__main__":
    unittest.main()
