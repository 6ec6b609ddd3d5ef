"""smlp.paillier: exact against integers and textbook Paillier, and what it refuses."""
import base64
import json
import pathlib
import pickle
import tempfile
import unittest

import numpy as np

from smlp import paillier
from smlp.paillier import Error, PlainArray
from support import WithKeys


class Textbook(WithKeys):
    def test_ciphertexts_are_paillier_s(self):
        """The secret key's file and the exported bytes, by the definition alone."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "secret.json")
            self.secret.save(path)
            self.assertEqual(path.stat().st_mode & 0o777, 0o600)
            fields = json.loads(path.read_text())["paillier"]
            self.assertEqual(paillier.SecretKey.load(path).public, self.public)
            sealed = pathlib.Path(folder, "sealed.json")
            self.secret.save(sealed, pass_phrase="correct horse")
            self.assertEqual(paillier.SecretKey.load(sealed, pass_phrase=b"correct horse").public, self.public)
            self.assertRaisesRegex(Error, "sealed by a pass phrase", lambda: paillier.SecretKey.load(sealed))
            self.assertRaisesRegex(Error, "does not open it", lambda: paillier.SecretKey.load(sealed, pass_phrase="horse"))
            for refused, why in (("", "is empty"), ("two\nlines", "more than one line"), (b"a\0b", "more than one line"),
                                 ("line\r", "more than one line"), ("x" * 1025, "more than the allowed 1024 bytes")):
                self.assertRaisesRegex(Error, why, lambda: self.secret.save(sealed, pass_phrase=refused))
            self.assertEqual(paillier.SecretKey.load(sealed, pass_phrase="correct horse").public, self.public)
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
        self.same(self.public.encrypt([1, 2**63 + 1], bits=64), np.array([1, 2**63 + 1], dtype=object))  # floats to NumPy

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

    def test_products_in_blocks(self):
        for rows, inner, outputs in ((1, 300, 2), (2, 2, 300), (530, 1, 1), (3, 0, 2), (0, 3, 2)):
            a, b = (np.random.default_rng(1).integers(-9, 9, size=size) for size in ((rows, inner), (inner, outputs)))
            self.same(self.secret.encrypt(a) @ b, a @ b)

    def test_exponents_are_aligned(self):
        a, b = self.public.encrypt([1.5, -2.25], fraction_bits=4), self.public.encrypt([0.125, 3], fraction_bits=20)
        self.same(a + b, [1.625, 0.75])
        self.same(a + 1, [2.5, -1.25])
        self.same(a + 0.1, np.array([1.5, -2.25]) + round(0.1 * 2**32) / 2**32)
        self.assertEqual((a * 0.5).exponent, 36)
        self.assertEqual((a * PlainArray(0.5, fraction_bits=1)).exponent, 5)

    def test_plain_operands_of_which_more_is_said(self):
        a = self.public.encrypt([[3, 5], [7, 11]])
        weights = PlainArray([0.25, -0.5], fraction_bits=2, bits=0)
        for array, expected in ((a @ weights, [-1.75, -3.75]), (weights @ a, [-2.75, -4.25]), (a * weights, [[0.75, -2.5], [1.75, -5.5]]),
                                (weights * a, [[0.75, -2.5], [1.75, -5.5]]), (a + weights, [[3.25, 4.5], [7.25, 10.5]]),
                                (weights + a, [[3.25, 4.5], [7.25, 10.5]]), (a - weights, [[2.75, 5.5], [6.75, 11.5]]),
                                (weights - a, [[-2.75, -5.5], [-6.75, -11.5]])):
            self.assertEqual(array.exponent, 2)
            self.same(array, expected)
        fine = self.public.encrypt([1.5], fraction_bits=40)
        self.same(fine + PlainArray([0.3], fraction_bits=1), [2.0])  # rounded as it says, not as finely as the other
        long = self.public.encrypt([1]) + PlainArray([-(2**200)], bits=200)
        self.same(long, np.array([1 - 2**200], dtype=object))
        packed = self.public.encrypt([1, 2], packed=True)
        self.same(packed + PlainArray([10, 20], bits=5), [11, 22])
        self.same(packed * PlainArray(7, bits=3), [7, 14])
        bounds = [json.loads(array.to_json())["bound"] for array in (self.public.encrypt([1], bits=4) @ PlainArray([2], bits=3),
                                                                     self.public.encrypt([1], bits=4) * PlainArray(2, bits=3))]
        self.assertEqual(bounds, [hex(1 << 7)] * 2)

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
                       lambda: x + [2**64], lambda: x * np.array([1e10]),
                       lambda: x * PlainArray([9], bits=3), lambda: x @ PlainArray([9], bits=3), lambda: x + PlainArray([9], bits=3),
                       lambda: x * PlainArray(9, bits=3), lambda: [2**63 + 1] @ x):
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
            for action in (lambda v: self.public.encrypt(v), lambda v: x + v, lambda v: x * v, lambda v: x @ v, lambda v: v @ x):
                with self.subTest(values=str(values)[:40] if values is not deep else "deep"), self.assertRaises(Error):
                    action(values)
        for bits in (2.5, "3", 10**9, True):
            self.refuses("fraction_bits is", lambda bits=bits: self.public.encrypt([1], fraction_bits=bits))
        self.refuses("do not go together", lambda: x + [1, 2, 3])
        self.refuses("do not go together", lambda: x * np.ones((3, 3)))
        self.refuses("no array", lambda: paillier.loads("[" * 10**6, self.public))

    def test_bits_behind_the_point_that_no_reader_takes(self):
        x = self.public.encrypt([1])
        self.assertIsInstance(paillier.loads((x * PlainArray(0.0, fraction_bits=8192)).to_json(), self.public), paillier.EncryptedArray)
        self.refuses("at most 8192", lambda: x * PlainArray(0.0, fraction_bits=8193))

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


if __name__ == "__main__":
    unittest.main()
