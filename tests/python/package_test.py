"""What is installed works away from the sources: by make and by pip."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
USE = """
import sys, smlp
from smlp import _program, paillier
assert smlp.__file__.startswith(sys.argv[1]) and _program.path().startswith(sys.argv[1])
public, secret = paillier.generate_keypair(2048)
assert secret.decrypt(public.encrypt([2]) * 21).tolist() == [42]
assert smlp.SecureMLPClassifier((2,), max_iter=1, clear=True, random_state=1).fit([[0.], [1.]] * 4, [0, 1] * 4).n_iter_ == 1
"""
FIVE_LINES = """
import smlp
from sklearn.datasets import load_breast_cancer
X, y = (table[::4] for table in load_breast_cancer(return_X_y=True, as_frame=True))
model = smlp.SecureMLPClassifier((4,), max_iter=2, random_state=1).fit(X, y)
accuracy = model.score(X, y)
"""
WHAT_CAME_OF_THEM = """
import json
from smlp import _program
X.assign(label=y.map("c{}".format)).to_csv("table.csv", index=False)
print(json.dumps({"program": _program.path(), "equal": model.weights_equal_twin_, "accuracy": accuracy, "layers":
    [{"weights": w.tolist(), "biases": b.tolist()} for w, b in zip(model.coefs_, model.intercepts_)]}))
"""


class Installed(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def said_by(self, *words, **how):
        done = subprocess.run(words, capture_output=True, text=True, **how)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def use(self, packages, program=USE):
        environment = {name: value for name, value in os.environ.items() if name != "SMLP"}
        return self.said_by(sys.executable, "-c", program, self.folder, cwd=self.folder,
                            env={**environment, "PYTHONPATH": str(packages)})

    def train_in_five_lines(self, packages):
        """Breast cancer under encryption with real keys: the weights and the accuracy of the program's run of this seed."""
        found = json.loads(self.use(packages, FIVE_LINES + WHAT_CAME_OF_THEM))
        run = json.loads(self.said_by(found["program"], "run", "--data", "table.csv", "--test", "table.csv", "--network", "N-4-C",
                                      "--epochs", "2", "--seed", "1", "--json", "--quiet", cwd=self.folder))
        self.assertIs(found["equal"], True)
        self.assertIs(run["weights_equal_twin"], True)
        self.assertEqual(found["layers"], [{name: layer[name] for name in ("weights", "biases")} for layer in run["trained"]["layers"]])
        self.assertEqual(found["accuracy"], run["accuracy"]["encrypted"])
        self.assertGreater(found["accuracy"], 0.95)

    def test_by_make(self):
        self.said_by("make", "python-install", f"PREFIX={self.folder}", f"PYTHON={sys.executable}", cwd=ROOT)
        (package,) = pathlib.Path(self.folder).glob("lib/python3*/site-packages/smlp")
        self.use(package.parent)
        self.train_in_five_lines(package.parent)
        pathlib.Path(package.parent, "other").mkdir()
        self.said_by("make", "uninstall", f"PREFIX={self.folder}", cwd=ROOT)
        self.assertEqual(os.listdir(package.parent), ["other"])

    def test_by_pip(self):
        """In a virtual environment, as docs/python.md says."""
        self.said_by(sys.executable, "-m", "venv", "--system-site-packages", self.folder)
        self.said_by(f"{self.folder}/bin/pip", "install", "-q", "--no-build-isolation", "--no-deps", "--no-index",
                     "--disable-pip-version-check", ".", cwd=ROOT)
        (package,) = pathlib.Path(self.folder).glob("lib/python3*/site-packages/smlp")
        self.use(package.parent)


if __name__ == "__main__":
    unittest.main()
