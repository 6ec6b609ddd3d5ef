"""What is installed works away from the sources: by make and by pip."""
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


class Installed(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def said_by(self, *words, **how):
        done = subprocess.run(words, capture_output=True, text=True, **how)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def use(self, packages):
        environment = {name: value for name, value in os.environ.items() if name != "SMLP"}
        self.said_by(sys.executable, "-c", USE, self.folder, cwd=self.folder, env={**environment, "PYTHONPATH": str(packages)})

    def test_by_make(self):
        self.said_by("make", "python-install", f"PREFIX={self.folder}", f"PYTHON={sys.executable}", cwd=ROOT)
        (package,) = pathlib.Path(self.folder).glob("lib/python3*/site-packages/smlp")
        self.use(package.parent)

    def test_by_pip(self):
        """In a virtual environment, as docs/python.md says."""
        self.said_by(sys.executable, "-m", "venv", "--system-site-packages", self.folder)
        self.said_by(f"{self.folder}/bin/pip", "install", "-q", "--no-build-isolation", "--no-deps", "--no-index",
                     "--disable-pip-version-check", ".", cwd=ROOT)
        (package,) = pathlib.Path(self.folder).glob("lib/python3*/site-packages/smlp")
        self.use(package.parent)


if __name__ == "__main__":
    unittest.main()
