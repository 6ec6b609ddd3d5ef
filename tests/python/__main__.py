"""Runs all tests of the package, or one file's; the last line is "N passed, M failed".   tests/python [FILE_test.py]"""
import pathlib
import sys
import unittest

suite = unittest.defaultTestLoader.discover(str(pathlib.Path(__file__).parent), pattern=(sys.argv + ["*_test.py"])[1])
result = unittest.TextTestRunner(stream=sys.stdout).run(suite)
failed = len(result.failures) + len(result.errors)
print(f"{result.testsRun - failed} passed, {failed} failed")
sys.exit(failed > 0 or result.testsRun == 0)
