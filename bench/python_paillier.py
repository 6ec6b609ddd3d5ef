#!/usr/bin/env python3
"""smlp.paillier beside python-paillier's algorithms on gmpy2, in turns in one process; one Markdown table.

  PYTHONPATH=build/python OMP_WAIT_POLICY=passive bench/python_paillier.py [--numbers 10000] [--bits 2048] [--rounds 5]

python-paillier (phe 1.5) itself is no package of the distribution. Its algorithms are written here with gmpy2 as it has
them: g = n + 1, an obfuscator r^n mod n^2 for each encryption, decryption by the Chinese remainder theorem, products by
powers (of the inverse for negative numbers), one number at a time. What takes long is sampled and scaled up.

Times are processor time, all threads added, which says most on a machine that is shared. smlp.paillier works on all cores,
python-paillier on one: by the clock the ratio is larger on an idle machine, and is told beside it.
"""
import argparse
import os
import secrets
import time

import gmpy2
import numpy as np

from smlp import paillier


class Reference:
    """Paillier as python-paillier computes it."""

    def __init__(self, bits):
        while True:
            self.p, self.q = (gmpy2.next_prime(secrets.randbits(bits // 2) | 3 << (bits // 2 - 2)) for _ in range(2))
            self.n = self.p * self.q
            if self.p != self.q and self.n.bit_length() == bits:
                break
        self.n2 = self.n * self.n
        self.p2, self.q2 = self.p * self.p, self.q * self.q
        self.p_inverse = gmpy2.invert(self.p, self.q)
        self.hp = gmpy2.invert(self._l(gmpy2.powmod(self.n + 1, self.p - 1, self.p2), self.p), self.p)
        self.hq = gmpy2.invert(self._l(gmpy2.powmod(self.n + 1, self.q - 1, self.q2), self.q), self.q)

    @staticmethod
    def _l(x, p):
        return (x - 1) // p

    def encrypt(self, m):
        r = gmpy2.mpz(1 + secrets.randbelow(int(self.n) - 1))
        return (1 + self.n * (m % self.n)) % self.n2 * gmpy2.powmod(r, self.n, self.n2) % self.n2

    def decrypt(self, c):
        mp = self._l(gmpy2.powmod(c, self.p - 1, self.p2), self.p) * self.hp % self.p
        mq = self._l(gmpy2.powmod(c, self.q - 1, self.q2), self.q) * self.hq % self.q
        m = mp + (mq - mp) * self.p_inverse % self.q * self.p
        return m - self.n if m > self.n // 2 else m

    def add(self, a, b):
        return a * b % self.n2

    def multiply(self, c, k):
        return gmpy2.powmod(gmpy2.invert(c, self.n2), -k, self.n2) if k < 0 else gmpy2.powmod(c, k, self.n2)


def seconds_of(action):
    """Of the processors, and of the clock."""
    processor, clock = time.process_time(), time.perf_counter()
    action()
    return np.array([time.process_time() - processor, time.perf_counter() - clock])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--numbers", type=int, default=10000)
    parser.add_argument("--bits", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    count, bits = options.numbers, options.bits
    reference = Reference(bits)
    public, secret = paillier.generate_keypair(bits)
    generator = np.random.default_rng(1)
    values = generator.normal(size=count)
    factors = generator.normal(size=count)
    whole = [int(v) for v in np.rint(values * 2**32)]
    whole_factors = [int(v) for v in np.rint(factors * 2**32)]
    rows, inner, outputs = 100, 100, 100
    left, right = generator.normal(size=(rows, inner)), generator.normal(size=(inner, outputs))
    right_whole = np.rint(right * 2**32).astype(np.int64).tolist()

    ours = {"x": public.encrypt(values), "left": public.encrypt(left)}
    few = 32  # of what takes milliseconds
    theirs = [reference.encrypt(m) for m in whole[:few]]
    assert [int(reference.decrypt(c)) for c in theirs] == whole[:few]
    assert (secret.decrypt(ours["x"]) == np.array(whole) / 2**32).all()

    def product_of_one_row():
        for j in range(outputs):
            total = reference.multiply(theirs[0], right_whole[0][j])
            for i in range(1, few):
                total = reference.add(total, reference.multiply(theirs[i], right_whole[i][j]))

    # name, ours, its elements, theirs, its elements
    work = [
        ("encryption", lambda: public.encrypt(values), count, lambda: [reference.encrypt(m) for m in whole[:few]], few),
        ("encryption by the holder", lambda: secret.encrypt(values), count,
         lambda: [reference.encrypt(m) for m in whole[:few]], few),
        ("sum of two arrays", lambda: ours["x"] + ours["x"], count, lambda: [reference.add(a, b) for a in theirs for b in theirs], few**2),
        ("product with a plain array", lambda: ours["x"] * factors, count,
         lambda: [reference.multiply(c, k) for c, k in zip(theirs, whole_factors)], few),
        ("decryption", lambda: secret.decrypt(ours["x"]), count, lambda: [reference.decrypt(c) for c in theirs], few),
        (f"{rows} x {inner} times {inner} x {outputs}, a term", lambda: ours["left"] @ right, rows * inner * outputs,
         product_of_one_row, few * outputs),
    ]
    print(f"n of {bits} bits, arrays of {count:,} numbers with 32 bits behind the point, {os.cpu_count()} processors; gmpy2 {gmpy2.version()}, "
          f"{gmpy2.mp_version()}. Microseconds of processor time a number: minimum (median) of {options.rounds}.\n")
    print("| operation | smlp.paillier | python-paillier's algorithm | times as fast | by the clock |\n|---|---:|---:|---:|---:|")
    for name, mine, my_count, other, other_count in work:
        samples = ([], [])
        for _ in range(options.rounds):
            samples[0].append(seconds_of(mine) / my_count * 1e6)
            samples[1].append(seconds_of(other) / other_count * 1e6)
        low, middle = ([np.array(f(s, axis=0)) for s in samples] for f in (np.min, np.median))
        ratio, middle_ratio = low[1] / low[0], middle[1] / middle[0]
        print(f"| {name} | {low[0][0]:,.2f} ({middle[0][0]:,.2f}) | {low[1][0]:,.1f} ({middle[1][0]:,.1f}) | "
              f"{ratio[0]:,.1f} ({middle_ratio[0]:,.1f}) | {ratio[1]:,.1f} ({middle_ratio[1]:,.1f}) |", flush=True)


if __name__ == "__main__":
    main()
