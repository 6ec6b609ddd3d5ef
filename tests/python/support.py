"""What test files of smlp.paillier share."""
import unittest

import numpy as np

from smlp import paillier


class WithKeys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.public, cls.secret = paillier.generate_keypair(2048)

    def same(self, array, expected):
        found = self.secret.decrypt(array)
        expected = np.asarray(expected)
        self.assertEqual(found.shape, expected.shape)
        self.assertTrue((found == expected).all(), f"{found} is not {expected}")
