"""Three parties over TLS, by files that the program reads and writes too. Keys of 1024 bits: toys."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import unittest.mock

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
        keys, owner = (smlp.keygen(f / name, bits=1024, **self.toy) for name in ("keys", "owner"))
        table = smlp.encrypt(train, keys.public, f / "train.h5", **self.toy)
        profile = f / "train.h5.profile.json"
        asked = smlp.encrypt(queries, keys.public, f / "queries.h5", profile=profile, **self.toy)
        with smlp.KeyHolder(keys.secret, "localhost:0", tls=f / "tls/key_holder", user_key=owner, **self.toy) as holder:
            evaluator = smlp.Evaluator(holder.address, tls=f / "tls/evaluator")
            report = evaluator.fit(table, f / "model.h5", network="N-4-C", epochs=3, **self.toy)
            evaluator.predict(f / "model.h5", asked, f / "answers.h5", user_key=owner, **self.toy)
            evaluator.release(f / "model.h5", owner, f / "owner.h5", **self.toy)
        self.assertGreater(report["rounds"], 0)
        self.assertTrue(any("matmul/packed" in line for line in holder.log))
        answers = smlp.decrypt(f / "answers.h5", owner, profile=profile, **self.toy)
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

    def test_the_call_of_two_arguments(self):
        keys = smlp.keygen(self.folder / "keys", bits=1024, **self.toy)
        array = np.arange(40.0).reshape(10, 4)
        array[:, 3] = np.arange(10) % 2
        for table in (IRIS, array, array.tolist()):
            out = smlp.encrypt(table, keys, **self.toy)
            self.addCleanup(shutil.rmtree, out.parent)
            self.assertEqual(sorted(p.name for p in out.parent.iterdir()), ["table.h5", "table.h5.profile.json"])
            self.assertEqual(out.parent.stat().st_mode & 0o777, 0o700)
        before = set(pathlib.Path(tempfile.gettempdir()).glob("smlp-*"))
        for table in ([1, 2], 7, "nothing.csv", pd.DataFrame({"x": ["\ud800"]})):
            with self.assertRaises(smlp.Error):
                smlp.encrypt(table, keys, **self.toy)
        self.assertEqual(set(pathlib.Path(tempfile.gettempdir()).glob("smlp-*")) - before, set())

    def test_whose_results_may_be(self):
        owner, other = smlp.Keys("o/public.json", "o/secret.json"), smlp.Keys("p/public.json", "p/secret.json")
        for given, words in ((owner, "o/public.json"), ("x.json:model", "x.json:model"), ([owner, other], "o/public.json,p/public.json"),
                             ((owner, "x.json"), "o/public.json,x.json"), (None, None)):
            options = _program.option_words(smlp.KeyHolder("k", user_key=given)._options)
            self.assertEqual(options[options.index("--user-key") + 1] if words else None, words)
            self.assertFalse([word for word in options if "o/secret" in word])

    def test_a_key_holder_that_ends_by_itself(self):
        keys = smlp.keygen(self.folder / "keys", bits=1024, **self.toy)
        holder = smlp.KeyHolder(keys, **self.toy)
        self.assertFalse(holder.running)
        with holder:
            self.assertTrue(holder.running)
            self.assertEqual(os.getsid(holder._child.pid), holder._child.pid)  # no Ctrl-C of this terminal reaches it
            os.kill(holder._child.pid, signal.SIGKILL)
            holder._child.wait()
            self.assertFalse(holder.running)
            self.assertTrue(holder.start().running)
        self.assertFalse(holder.running)

        def kill():
            while not holder.running:
                time.sleep(0.05)
            os.kill(holder._child.pid, signal.SIGKILL)

        thread = threading.Thread(target=kill)
        thread.start()
        with self.assertRaisesRegex(smlp.Error, "ended by signal 9"):
            holder.serve()
        thread.join()

    def test_ctrl_c_while_it_starts(self):
        program = self.folder / "slow"
        program.write_text(f"#!/bin/sh\necho $$ > {self.folder}/pid\nexec sleep 1000\n")
        program.chmod(0o755)
        script = ("import smlp\nholder = smlp.KeyHolder('x')\ntry:\n    holder.start()\nexcept KeyboardInterrupt:\n"
                  "    print('ended', holder.running)\n")
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "SMLP": str(program)}) as parent:
            while not (self.folder / "pid").exists() or not (self.folder / "pid").read_text():
                time.sleep(0.05)
            parent.send_signal(signal.SIGINT)
            self.assertEqual(parent.communicate(timeout=60)[0], "ended False\n")
        # Interrupted while the process is made, it is ended by the kernel, after its parent.
        child = pathlib.Path("/proc", (self.folder / "pid").read_text().strip())
        deadline = time.monotonic() + 30
        while child.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertFalse(child.exists())

    def test_programs_that_are_missing(self):
        before = len(os.listdir("/proc/self/fd"))
        for change, sentence in (({"SMLP": "/nowhere/smlp"}, "/nowhere/smlp is not there"), ({"PATH": "/nowhere"}, "setpriv")):
            with unittest.mock.patch.dict(os.environ, change), self.assertRaisesRegex(smlp.Error, sentence):
                smlp.encrypt(IRIS, self.folder / "public.json", self.folder / "x.h5")
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)

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
