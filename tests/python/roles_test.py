"""Three parties over TLS, by files that the program reads and writes too. Keys of 1024 bits: toys."""
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

import numpy as np
import pandas as pd
import smlp
from smlp import _program, paillier

IRIS = pd.read_csv(pathlib.Path(__file__).resolve().parents[2] / "datasets/iris.csv")


class ThreeParties(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.toy = {"insecure_key": True}

    def test_from_a_frame_to_answers(self):
        f, train, queries = self.folder, IRIS.iloc[::3], IRIS.iloc[1::10].drop(columns=IRIS.columns[-1])
        _program.run("certificates", {"out": f / "tls", "key_holder": "localhost", "evaluator": "evaluator", "owner": "owner"})
        keys = smlp.keygen(f / "keys", bits=1024, **self.toy)
        owner = smlp.keygen(f / "owner", bits=1024, **self.toy)
        table = smlp.encrypt(train, keys.public, f / "train.h5", **self.toy)
        profile = f / "train.h5.profile.json"
        asked = smlp.encrypt(queries, keys.public, f / "queries.h5", profile=profile, **self.toy)
        with smlp.KeyHolder(keys.secret, "localhost:0", tls=f / "tls/key_holder", user_key=owner.public, **self.toy) as holder:
            evaluator = smlp.Evaluator(holder.address, tls=f / "tls/evaluator")
            report = evaluator.fit(table, f / "model.h5", network="N-4-C", epochs=3, **self.toy)
            evaluator.predict(f / "model.h5", asked, f / "answers.h5", user_key=owner.public, **self.toy)
            evaluator.release(f / "model.h5", owner.public, f / "owner.h5", **self.toy)
        self.assertGreater(report["rounds"], 0)
        self.assertTrue(any("matmul/packed" in line for line in holder.log))
        answers = smlp.decrypt(f / "answers.h5", owner.secret, profile=profile, **self.toy)
        self.assertEqual(list(answers.index), list(range(1, len(queries) + 1)))
        self.assertTrue(set(answers["class"]) <= set(IRIS.iloc[:, -1]))
        layers = smlp.export(f / "owner.h5", owner.secret, **self.toy)["layers"]
        self.assertEqual([np.shape(layer["weights"]) for layer in layers], [(4, 4), (4, 3)])
        self.assertEqual(paillier.PublicKey.load(keys.public), paillier.SecretKey.load(keys.secret).public)

    def test_refusals(self):
        with self.assertRaisesRegex(smlp.Error, "--insecure-key"):
            smlp.keygen(self.folder / "keys", bits=1024)
        with self.assertRaisesRegex(smlp.Error, "nothing.json"):
            smlp.encrypt(IRIS, self.folder / "nothing.json", self.folder / "x.h5")
        with self.assertRaisesRegex(smlp.Error, "nothing.json"):
            smlp.KeyHolder(self.folder / "nothing.json").start()
        with self.assertRaisesRegex(smlp.Error, "no-such-option"):
            smlp.keygen(self.folder / "keys", no_such_option=1)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_killed_interpreter_leaves_no_server(self):
        keys = smlp.keygen(self.folder / "keys", bits=1024, **self.toy)
        script = (f"import smlp, sys, time\nholder = smlp.KeyHolder({str(keys.secret)!r}, insecure_key=True).start()\n"
                  "print(holder._child.pid, flush=True)\ntime.sleep(1000)\n")
        parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        self.addCleanup(parent.stdout.close)
        server = pathlib.Path("/proc", parent.stdout.readline().strip())
        self.assertTrue(server.exists())
        parent.kill()
        parent.wait()
        for _ in range(6000):
            if not server.exists() or "Z (zombie)" in (server / "status").read_text():
                return
            time.sleep(0.02)
        self.fail("the server goes on")


if __name__ == "__main__":
    unittest.main()
