"""What leaves the process and comes back: texts and files of encrypted arrays, whole, damaged and forged."""
import base64
import json
import os
import pathlib
import random
import resource
import subprocess
import sys
import tempfile
import time
import unittest

import h5py
import numpy as np

from smlp import paillier
from smlp.paillier import Error
from support import WithKeys


class Export(WithKeys):
    def test_what_is_not_encrypted_tells_nothing_of_values(self):
        """Arrays of one type and shape have one header, through every operation with plain arrays of one type."""
        def headers(values, plain):
            for make in (np.array, lambda v: np.array(v, dtype=np.int8), lambda v: np.array(v) * 0.5, list, lambda v: np.array(v, dtype=object)):
                x, p = self.public.encrypt(make(values)), make(plain)
                packed = self.public.encrypt(make(values), packed=True)
                for array in (x, x + p, p - x, x * p, x @ p, (x * p).sum(), x + [2.0**20 * plain[1], 1.5], packed, packed + p,
                              self.secret.encrypt(make(values)), x * paillier.PlainArray(p, bits=9), self.public.encrypt(values, bits=200)):
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
            path, x = pathlib.Path(folder, "x" * 200), self.public.encrypt([5])
            x.save(path)
            before = path.read_bytes()
            limits = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
            try:
                with self.assertRaisesRegex(Error, "cannot write .*File too large"):
                    x.save(path)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            self.assertEqual((os.listdir(folder), path.read_bytes()), ([path.name], before))
            for other in (pathlib.Path(folder, "nothing/x"), pathlib.Path(folder)):
                with self.assertRaisesRegex(Error, f"{folder}"):
                    x.save(other)
            self.assertEqual(os.listdir(folder), [path.name])

    def test_a_writer_that_is_killed_leaves_no_half_file(self):
        """What it left under another name is removed by the next."""
        with tempfile.TemporaryDirectory() as folder:
            path, key, x = pathlib.Path(folder, "x.h5"), pathlib.Path(folder, "public.json"), self.public.encrypt(np.arange(20))
            self.public.save(key)
            x.save(path)
            script = ("import sys\nfrom smlp import paillier\nx = paillier.load(sys.argv[1], paillier.PublicKey.load(sys.argv[2]))\n"
                      "while True:\n    x.save(sys.argv[1])\n    print('saved', flush=True)\n")
            for seconds in (0, 0.05, 0.1):
                with subprocess.Popen([sys.executable, "-c", script, path, key], stdout=subprocess.PIPE) as writer:
                    writer.stdout.readline()
                    time.sleep(seconds)
                    writer.kill()
                self.same(paillier.load(path, self.public), np.arange(20))
            pathlib.Path(folder, ".x.h5.partial-0123456789abcdef").write_text("half")
            x.save(path)
            self.assertEqual(sorted(os.listdir(folder)), ["public.json", "x.h5"])

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


class DamagedFiles(WithKeys):
    """Each gives an array or an Error of one line, whatever is in them."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name, "x.h5")
        self.public.encrypt([1.5, 2]).save(self.path)

    def refused(self):
        try:
            array = paillier.load(self.path, self.public)
        except Error as error:
            self.assertTrue(str(error).startswith(str(self.path)) or "ciphertexts" in str(error), error)
            self.assertNotIn("\n", str(error))
            return True
        self.assertIsInstance(array, paillier.EncryptedArray)
        return False

    def test_cut_files(self):
        good = self.path.read_bytes()
        for length in [*range(0, 64), *range(64, len(good), 61), len(good) - 1]:
            self.path.write_bytes(good[:length])
            with self.subTest(length=length):
                self.assertTrue(self.refused())

    def test_flipped_bits(self):
        rng, good = random.Random(7), self.path.read_bytes()
        refused = 0
        for _ in range(400):
            data = bytearray(good)
            for _ in range(rng.randint(1, 3)):
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            self.path.write_bytes(data)
            refused += self.refused()
        self.assertGreater(refused, 300)

    def test_files_without_checksums(self):
        """Damaged ones can end a process in the library that reads them."""
        with h5py.File(self.path) as file:
            about, numbers = file.attrs["about"], file["ciphertexts"][()]
        with h5py.File(self.path, "w") as file:
            file.attrs["about"], file["ciphertexts"] = about, numbers
        self.assertTrue(self.refused())

    def change(self, act):
        with h5py.File(self.path, "a", libver="latest") as file:
            about, numbers = json.loads(file.attrs["about"]), file["ciphertexts"][()]
            act(file, about, numbers)

    def test_files_that_are_wrong(self):
        outside = self.path.with_name("outside")
        outside.write_bytes(bytes(1024))
        with h5py.File(self.path.with_name("other.h5"), "w") as other:
            other["ciphertexts"] = np.zeros(1024, dtype=np.uint8)

        def put(**how):
            def act(file, about, numbers):
                del file["ciphertexts"]
                file.create_dataset("ciphertexts", **how)
            return act

        def link(file, about, numbers):
            del file["ciphertexts"]
            file["ciphertexts"] = h5py.ExternalLink("other.h5", "ciphertexts")

        def virtual(file, about, numbers):
            del file["ciphertexts"]
            layout = h5py.VirtualLayout(shape=(1024,), dtype=np.uint8)
            layout[:] = h5py.VirtualSource(self.path.with_name("other.h5"), "ciphertexts", shape=(1024,))
            file.create_virtual_dataset("ciphertexts", layout)

        def no_dataset(file, about, numbers):
            del file["ciphertexts"]
            file.create_group("ciphertexts")

        def say(value):
            def act(file, about, numbers):
                file.attrs["about"] = np.bytes_(value) if isinstance(value, bytes) else value
            return act

        good = self.path.read_bytes()
        for name, act in (("half as many", put(data=np.zeros(512, dtype=np.uint8))), ("floats", put(data=np.zeros(1024))),
                          ("zeros", put(data=np.zeros(1024, dtype=np.uint8))), ("ones", put(data=np.full(1024, 255, dtype=np.uint8))),
                          ("empty", put(data=h5py.Empty("u1"))), ("too many", put(shape=(2**32, 2**32), chunks=(1, 1024), dtype="u1")),
                          ("many", put(shape=(2**40,), chunks=(1024,), dtype="u1", compression="gzip")),
                          ("text", put(data="text")), ("kept outside", put(shape=(1024,), dtype="u1", external=[(str(outside), 0, 1024)])),
                          ("linked", link), ("virtual", virtual), ("no dataset", no_dataset), ("no text", say(5)), ("two texts", say([b"{}", b"[]"])),
                          ("text of any length", say("{}")), ("no JSON", say(b"x")), ("no object", say(b"[]")),
                          ("deep", say(b"[" * 60000))):
            self.path.write_bytes(good)
            self.change(act)
            with self.subTest(what=name):
                self.assertTrue(self.refused())
        self.path.unlink()
        for make in (lambda: None, lambda: self.path.write_bytes(b"nonsense"), lambda: (self.path.unlink(), self.path.mkdir())):
            make()
            self.assertTrue(self.refused())
        with self.assertRaises(Error):
            paillier.PublicKey.load(self.path)

    def test_numbers_of_another_key(self):
        """Said to be under this one: refused when they are read, or by their size when they are opened."""
        other, _ = paillier.generate_keypair(2048)
        other.encrypt([1.5, 2]).save(self.path)
        self.assertTrue(self.refused())
        self.change(lambda file, about, numbers: file.attrs.modify("about", np.bytes_(json.dumps({**about, "key": self.public.fingerprint}))))
        with self.assertRaises(Error):
            self.secret.decrypt(paillier.load(self.path, self.public))


if __name__ == "__main__":
    unittest.main()
