"""smlp.paillier: exact against integers and textbook Paillier; what it refuses; what leaves the process."""
import base64
import json
import os
import pathlib
import pickle
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import unittest.mock

import numpy as np

from smlp import paillier
from smlp.paillier import Error


class WithKeys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.public, cls.secret = paillier.generate_keypair(2048)

    def same(self, array, expected):
        found = self.secret.decrypt(array)
        expected = np.asarray(expected)
        self.assertEqual(found.shape, expected.shape)
        self.assertTrue((found == expected).all(), f"{found} is not {expected}")


class Textbook(WithKeys):
    def test_ciphertexts_are_paillier_s(self):
        """The secret key's file and the exported bytes, by the definition alone."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "secret.json")
            self.secret.save(path)
            self.assertEqual(path.stat().st_mode & 0o777, 0o600)
            fields = json.loads(path.read_text())["paillier"]
            self.assertEqual(paillier.SecretKey.load(path).public, self.public)
        number = lambda name: int.from_bytes(base64.urlsafe_b64decode(fields[name] + "=="), "big")
        p, q = number("p"), number("q")
        n = p * q
        exponent = (p - 1) * (q - 1)
        values = [0, 1, -1, 2**62, -(2**63), 12345]
        about = json.loads(self.public.encrypt(values).to_json())
        data = base64.b64decode(about["ciphertexts"])
        width = len(data) // len(values)
        for i, value in enumerate(values):
            c = int.from_bytes(data[i * width:(i + 1) * width], "little")
            m = (pow(c, exponent, n * n) - 1) // n * pow(exponent, -1, n) % n
            self.assertEqual(m - n if m > n // 2 else m, value)


class Arithmetic(WithKeys):
    def setUp(self):
        self.rng = np.random.default_rng(7)

    def test_integers_of_any_length(self):
        values = [0, 1, -1, 2**63 - 1, -(2**63), 2**63, -(2**1000), 3**600]
        self.same(self.public.encrypt(values, bits=1000), np.array(values, dtype=object))
        self.same(self.secret.encrypt(values, bits=1000), np.array(values, dtype=object))
        self.same(self.public.encrypt(np.array([2**64 - 1], dtype=np.uint64)), np.array([2**64 - 1], dtype=object))

    def test_floats_are_rounded_once(self):
        values = self.rng.normal(size=50) * 10.0 ** self.rng.integers(-12, 12, size=50)
        for bits in (0, 10, 32, 70):
            expected = [round(float(v) * 2**bits) / 2**bits if bits < 40 else float(v) for v in values]
            found = self.secret.decrypt(self.public.encrypt(values, fraction_bits=bits, bits=50))
            np.testing.assert_allclose(found, expected, rtol=0, atol=2.0 ** -(bits + 1) if bits >= 40 else 0)

    def test_sums_differences_and_scalings_are_exact(self):
        a, b = self.rng.integers(-2**62, 2**62, size=(2, 4, 3))
        x, wide = self.public.encrypt(a), a.astype(object)
        self.same(x + self.public.encrypt(b), wide + b)
        self.same(x - self.public.encrypt(b), wide - b)
        self.same(x + b, wide + b)
        self.same(b - x, b - wide)
        self.same(-x, -wide)
        self.same(x * b, wide * b)
        self.same(b * x, wide * b)
        self.same(3 * x, wide * 3)
        self.same(x + b[0], wide + b[0])
        self.same(x * b[:, :1], wide * b[:, :1])

    def test_products_with_matrices(self):
        a, b = self.rng.integers(-1000, 1000, size=(5, 4)), self.rng.integers(-1000, 1000, size=(4, 3))
        self.same(self.public.encrypt(a) @ b, a @ b)
        self.same(a @ self.public.encrypt(b), a @ b)
        self.same(self.public.encrypt(a) @ np.abs(b), a @ np.abs(b))
        self.same(self.public.encrypt(a) @ b[:, 0], a @ b[:, 0])
        self.same(self.public.encrypt(a[0]) @ b, a[0] @ b)
        self.same(a[0] @ self.public.encrypt(b[:, 0]), a[0] @ b[:, 0])
        x, w = self.rng.normal(size=(5, 4)), self.rng.normal(size=(4, 3))
        np.testing.assert_allclose(self.secret.decrypt(self.public.encrypt(x) @ w), x @ w, atol=1e-7)

    def test_exponents_are_aligned(self):
        a, b = self.public.encrypt([1.5, -2.25], fraction_bits=4), self.public.encrypt([0.125, 3], fraction_bits=20)
        self.same(a + b, [1.625, 0.75])
        self.same(a + 1, [2.5, -1.25])
        self.same(a + 0.1, np.array([1.5, -2.25]) + round(0.1 * 2**32) / 2**32)
        self.assertEqual((a * 0.5).exponent, 36)
        self.assertEqual(a.scaled(0.5, fraction_bits=1).exponent, 5)

    def test_sums_along_axes(self):
        a = self.rng.integers(-100, 100, size=(3, 4, 70))
        x = self.public.encrypt(a)
        self.same(x.sum(), a.sum())
        for axis in (0, 1, 2, -1):
            self.same(x.sum(axis), a.sum(axis))
        self.same(self.public.encrypt(np.zeros((2, 0), dtype=int)).sum(1), [0, 0])

    def test_shapes_as_in_numpy(self):
        a = np.arange(24).reshape(4, 6)
        x = self.public.encrypt(a)
        self.assertEqual(len(x), 4)
        self.same(x[1:, ::-2], a[1:, ::-2])
        self.same(x[2, 3], a[2, 3])
        self.same(x[a > 10], a[a > 10])
        self.same(x.T, a.T)
        self.same(x.reshape(2, -1), a.reshape(2, -1))
        with self.assertRaises(IndexError):
            x[4]
        with self.assertRaises(TypeError):
            len(x[0, 0])

    def test_packed_arrays(self):
        a, b = self.rng.integers(-2**40, 2**40, size=(2, 50))
        x, y = (self.public.encrypt(v, packed=True) for v in (a, b))
        self.same(x, a)
        self.same(x + y, a + b)
        self.same(x - y, a - b)
        self.same(x + b, a + b)
        self.same(x * -7, a * -7)
        self.assertLess(len(x.to_json()), len(self.public.encrypt(a).to_json()) / 20)
        for forbidden in (lambda: x[0], lambda: x * b, lambda: x @ b, lambda: x.sum(), lambda: x + self.public.encrypt(b)):
            with self.assertRaisesRegex(Error, "packed"):
                forbidden()


class Refusals(WithKeys):
    def refuses(self, sentence, action):
        with self.assertRaisesRegex(Error, sentence):
            action()

    def test_numbers_that_do_not_fit(self):
        top = self.public.encrypt([2**2000], bits=2000)
        self.refuses("do not fit a key of 2048 bits", lambda: self.public.encrypt([1], bits=2047))
        self.refuses("do not fit", lambda: top * 2**60)
        self.refuses("do not fit", lambda: top @ np.full((1, 1), 2**60))
        self.refuses("do not fit", lambda: top + 2**2047)
        self.refuses("slot of 16 bits", lambda: self.public.encrypt([2**14], bits=15, packed=True, slot_bits=16))
        self.refuses("slot of 16 bits", lambda: self.public.encrypt([2**14], bits=14, packed=True, slot_bits=16) * 2)
        self.refuses("slot of 16 bits", lambda: self.public.encrypt([0.5], packed=True, slot_bits=16))
        self.refuses("slot_bits is 1,", lambda: self.public.encrypt([1], packed=True, slot_bits=1))

    def test_numbers_beyond_their_bound(self):
        x = self.public.encrypt([1])
        for beyond in (lambda: self.public.encrypt([2**63 + 1]), lambda: self.public.encrypt([2.0**31 + 1]),
                       lambda: self.public.encrypt([9], bits=3), lambda: self.public.encrypt(np.array([-2**60]), packed=True),
                       lambda: x + [2**64], lambda: x * np.array([1e10]), lambda: x.scaled([9], bits=3)):
            self.refuses("say by bits", beyond)
        self.same(self.public.encrypt([8, -8], bits=3), [8, -8])
        for bits in (-1, 2.5, "3", 10**6):
            self.refuses("bits is ", lambda bits=bits: self.public.encrypt([1], bits=bits))

    def test_a_bound_that_is_wrong(self):
        for packed in (False, True):
            about = json.loads(self.public.encrypt([100.0, 3], packed=packed).to_json())
            forged = paillier.loads(json.dumps({**about, "bound": "0x3"}), self.public)
            self.refuses("more than the array's bound", lambda forged=forged: self.secret.decrypt(forged))

    def test_what_is_no_number(self):
        for values in ([np.nan], [np.inf]):
            self.refuses("NaN or infinity", lambda values=values: self.public.encrypt(values))
        self.refuses("no numbers", lambda: self.public.encrypt(["a"]))
        self.refuses("fraction_bits is -1", lambda: self.public.encrypt([1], fraction_bits=-1))

    def test_what_is_no_real_number(self):
        deep = []
        for _ in range(100000):
            deep = [deep]
        x = self.public.encrypt([1, 2])
        for values in ([1j], np.array([1 + 0j]), np.ma.array([1, 2], mask=[False, True]), np.array(["2020-01-01"], dtype="M8[D]"),
                       np.array([5], dtype="m8[s]"), ["1.5"], [b"1"], np.array(["1"], dtype=object), [None], [1, [2]], {"a": 1},
                       [10**400, 0.5], deep, np.zeros(2, dtype="i4,i4"), "12", object()):
            for action in (lambda v: self.public.encrypt(v), lambda v: x + v, lambda v: x * v, lambda v: x @ v):
                with self.subTest(values=str(values)[:40] if values is not deep else "deep"), self.assertRaises(Error):
                    action(values)
        for bits in (2.5, "3", 10**9, True):
            self.refuses("fraction_bits is", lambda bits=bits: self.public.encrypt([1], fraction_bits=bits))
        self.refuses("do not go together", lambda: x + [1, 2, 3])
        self.refuses("do not go together", lambda: x * np.ones((3, 3)))
        self.refuses("no array", lambda: paillier.loads("[" * 10**6, self.public))

    def test_bits_behind_the_point_that_no_reader_takes(self):
        x = self.public.encrypt([1])
        self.assertIsInstance(paillier.loads(x.scaled(0.0, fraction_bits=8192).to_json(), self.public), paillier.EncryptedArray)
        self.refuses("at most 8192", lambda: x.scaled(0.0, fraction_bits=8193))

    def test_other_keys_and_two_encrypted_factors(self):
        other, other_secret = paillier.generate_keypair(2048)
        x = self.public.encrypt([1])
        self.refuses("under the key", lambda: other_secret.decrypt(x))
        self.refuses("two keys", lambda: x + other.encrypt([1]))
        self.refuses("not multiplied", lambda: x * x)
        self.refuses("not multiplied", lambda: x @ x)
        self.refuses("under the key", lambda: paillier.loads(x.to_json(), other))
        self.refuses("2048, 3072 and 4096", lambda: paillier.generate_keypair(512))

    def test_a_closed_key(self):
        _, secret = paillier.generate_keypair(2048)
        x = secret.encrypt([3])
        with secret:
            self.assertEqual(secret.decrypt(x)[0], 3)
        self.refuses("was closed", lambda: secret.decrypt(x))

    def test_pickles(self):
        for thing in (self.public, self.secret, self.public.encrypt([1])):
            with self.assertRaisesRegex(TypeError, "use to_json or save"):
                pickle.dumps(thing)


class Export(WithKeys):
    def test_what_is_not_encrypted_tells_nothing_of_values(self):
        """Arrays of one type and shape have one header, through every operation with plain arrays of one type."""
        def headers(values, plain):
            for make in (np.array, lambda v: np.array(v, dtype=np.int8), lambda v: np.array(v) * 0.5, list, lambda v: np.array(v, dtype=object)):
                x, p = self.public.encrypt(make(values)), make(plain)
                packed = self.public.encrypt(make(values), packed=True)
                for array in (x, x + p, p - x, x * p, x @ p, (x * p).sum(), x + [2.0**20 * plain[1], 1.5], packed, packed + p,
                              self.secret.encrypt(make(values)), x.scaled(p, bits=9), self.public.encrypt(values, bits=200)):
                    about = json.loads(array.to_json())
                    yield {**about, "ciphertexts": len(about["ciphertexts"])}

        self.assertEqual(list(headers([0, 0], [0, 1])), list(headers([100, -128], [-128, 99])))

    def test_a_single_plain_number_is_public_as_a_power_of_two(self):
        x = self.public.encrypt([1])
        bounds = [json.loads((x * factor).to_json())["bound"] for factor in (5, 8, -7, 9)]
        self.assertEqual(bounds, [hex(8 << 63)] * 3 + [hex(16 << 63)])

    def test_json_and_hdf5_give_back_what_went_in(self):
        values = np.linspace(-3, 3, 12).reshape(3, 4)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "x.h5")
            for packed in (False, True):
                x = self.public.encrypt(values, packed=packed)
                x.save(path)
                for back in (paillier.loads(x.to_json(), self.public), paillier.load(path, self.public)):
                    self.assertTrue((self.secret.decrypt(back) == self.secret.decrypt(x)).all())
                    self.assertTrue((self.secret.decrypt(back + x) == 2 * self.secret.decrypt(x)).all())
            self.assertEqual(os.listdir(folder), ["x.h5"])

    def test_a_file_that_cannot_be_written(self):
        with tempfile.TemporaryDirectory() as folder:
            path, x = pathlib.Path(folder, "x" * 250), self.public.encrypt([5])
            x.save(path)
            before = path.read_bytes()
            for name in ("os.fsync", "os.replace"):
                with unittest.mock.patch(name, side_effect=KeyboardInterrupt), self.assertRaises(KeyboardInterrupt):
                    x.save(path)
            self.assertEqual((os.listdir(folder), path.read_bytes()), ([path.name], before))

    def test_each_export_is_re_randomised(self):
        x = self.public.encrypt([5])
        exports = {json.loads(x.to_json())["ciphertexts"] for _ in range(3)}
        self.assertEqual(len(exports), 3)

    def test_texts_that_are_wrong(self):
        good = json.loads(self.public.encrypt([1, 2]).to_json())
        for change, sentence in (({"format": "x"}, "no array of ciphertexts"), ({"shape": [3]}, "are not 3 ciphertexts"),
                                 ({"shape": [2**55 + 2]}, "are not"), ({"shape": [2**70]}, "are not"), ({"exponent": 10**9}, "behind the point"),
                                 ({"shape": [-2]}, "negative"), ({"bound": "0x" + "f" * 600}, "do not fit"), ({"bound": None}, "no valid field"),
                                 ({"ciphertexts": "?"}, "no array"), ({"key": "00"}, "under the key"),
                                 ({"ciphertexts": base64.b64encode(bytes(1024)).decode()}, "ciphertexts")):
            with self.subTest(change=change), self.assertRaisesRegex(Error, sentence):
                paillier.loads(json.dumps({**good, **change}), self.public)
        for text in ("", "[]", "{}", "nonsense"):
            with self.assertRaises(Error):
                paillier.loads(text, self.public)

    def test_texts_that_were_damaged(self):
        """Each gives an array or an Error, whatever was changed."""
        rng = random.Random(5)
        good = self.public.encrypt([1.5, 2]).to_json()
        head = good.index('"ciphertexts"')
        refused = 0
        for _ in range(500):
            text = list(good)
            for _ in range(rng.randint(1, 3)):
                place = rng.randrange(head if rng.random() < 0.8 else len(text))
                text[place:place + rng.randint(0, 4)] = rng.choice('0123456789-.eE"[]{},:xN') * rng.randint(0, 3)
            try:
                self.assertIsInstance(paillier.loads("".join(text), self.public), paillier.EncryptedArray)
            except Error:
                refused += 1
        for value in (None, True, -1, 1e300, float("inf"), float("nan"), "", "0x", [], [[]], {}, 2**80, [2**40] * 40, [0, 2**80]):
            for field in ("format", "version", "key", "shape", "exponent", "bound", "slot_bits", "ciphertexts"):
                with self.subTest(field=field, value=value):
                    try:
                        paillier.loads(json.dumps({**json.loads(good), field: value}), self.public)
                    except Error:
                        refused += 1
        self.assertGreater(refused, 400)

    def test_a_file_that_is_none(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"nonsense")
            file.flush()
            with self.assertRaisesRegex(Error, "is no array of ciphertexts"):
                paillier.load(file.name, self.public)
            with self.assertRaises(Error):
                paillier.PublicKey.load(file.name)


class Processes(WithKeys):
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

    def test_products_in_blocks(self):
        for rows, inner, outputs in ((1, 300, 2), (2, 2, 300), (530, 1, 1), (3, 0, 2), (0, 3, 2)):
            a, b = (np.random.default_rng(1).integers(-9, 9, size=size) for size in ((rows, inner), (inner, outputs)))
            self.same(self.secret.encrypt(a) @ b, a @ b)


if __name__ == "__main__":
    unittest.main()
