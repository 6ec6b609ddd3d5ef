"""smlp.paillier and the process that it is in: fork, threads, Ctrl-C, memory."""
import base64
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import numpy as np

from smlp import paillier
from support import WithKeys


def memory_of(process):
    """What it may write, piece by piece."""
    with open(f"/proc/{process}/maps") as maps, open(f"/proc/{process}/mem", "rb", 0) as memory:
        for line in maps:
            range_, rights = line.split()[:2]
            first, last = (int(x, 16) for x in range_.split("-"))
            if rights.startswith("rw") and "[v" not in line and last - first < 2**34:  # more is a sanitizer's own
                memory.seek(first)
                yield memory.read(last - first)


class Processes(WithKeys):
    @unittest.skipIf("asan" in os.environ.get("LD_PRELOAD", ""), "the address sanitizer copies arguments")
    def test_a_key_that_is_gone_is_wiped(self):
        """Of its primes and of its file nothing is left in the memory of the process, in any order of bytes."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "secret.json")
            self.secret.save(path)
            fields = json.loads(path.read_text())
            secrets = {}
            texts = {f"{system} {name}": text for system in ("paillier", "dgk") for name, text in fields[system].items()}
            for name, text in {**texts, "sealing secret": fields["sealing_secret"]}.items():
                number = base64.urlsafe_b64decode(text + "==")
                secrets |= {(name, "text"): text.encode(), (name, "big-endian"): number, (name, "little-endian"): number[::-1]}
            script = ("import gc, sys\nfrom smlp import paillier\nsecret = paillier.SecretKey.load(sys.argv[1])\n"
                      "secret.decrypt(secret.encrypt([1, 2, 3]) @ [1, 2, 3])\nprint('open', flush=True)\nsys.stdin.readline()\n"
                      "del secret\nprint('gone', flush=True)\nsys.stdin.readline()\n")
            with subprocess.Popen([sys.executable, "-c", script, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
                self.addCleanup(process.kill)
                found = {}
                for state in ("open", "gone"):
                    self.assertEqual(process.stdout.readline(), f"{state}\n")
                    found[state] = {name for piece in memory_of(process.pid) for name, secret in secrets.items() if secret in piece}
                    process.stdin.write("\n")
                    process.stdin.flush()
            self.assertTrue(found["open"])
            self.assertEqual(found["gone"], set())

    def test_a_child_of_fork_works(self):
        self.public.encrypt(np.arange(100))  # threads are there
        child = os.fork()
        if child == 0:
            signal.alarm(120)
            os._exit(0 if (self.secret.decrypt(self.public.encrypt([7, 8]) * 2) == [14, 16]).all() else 1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)

    def test_the_lock_is_free_while_it_computes(self):
        ticks, done = [], threading.Event()

        def tick():
            while not done.wait(0.001):
                ticks.append(1)

        thread = threading.Thread(target=tick)
        thread.start()
        self.public.encrypt(np.arange(3000))
        during = len(ticks)
        done.set()
        thread.join()
        self.assertGreater(during, 0)

    def test_ctrl_c_ends_a_long_computation(self):
        for work in ("p.encrypt(np.zeros(10**7, dtype=int))", "x.reshape(20, 100) @ np.full((100, 10000), 2**62)",
                     "x[:100] @ np.full((100, 200000), -2**62)"):
            script = ("import numpy as np, sys\nfrom smlp import paillier\np, s = paillier.generate_keypair(2048)\n"
                      "x = s.encrypt(np.ones(2000, dtype=int))\n"
                      f"try:\n    print('ready', flush=True)\n    {work}\nexcept KeyboardInterrupt:\n    print('ended')\n")
            with self.subTest(work=work), subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
                self.addCleanup(process.kill)
                self.assertEqual(process.stdout.readline(), "ready\n")
                time.sleep(2)
                self.assertIsNone(process.poll())
                process.send_signal(signal.SIGINT)
                self.assertEqual(process.communicate(timeout=120)[0], "ended\n")  # "" where it came to its own end

    def test_ctrl_c_ends_the_making_of_a_key(self):
        """Within the call: the key is not made."""
        script = ("import sys\nfrom smlp import paillier\nseen = []\n"
                  "sys.setprofile(lambda frame, event, what: seen.append(event) if getattr(what, '__name__', '') == 'generate' else None)\n"
                  "print('ready', flush=True)\ntry:\n    while True:\n        paillier.generate_keypair(4096)\n"
                  "except KeyboardInterrupt:\n    sys.setprofile(None)\n    print(seen[-1])\n")
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
            self.addCleanup(process.kill)
            self.assertEqual(process.stdout.readline(), "ready\n")
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.communicate(timeout=120)[0], "c_exception\n")


if __name__ == "__main__":
    unittest.main()
