"""docs/python.md: its programs run as they stand, one after the other."""
import contextlib
import io
import os
import pathlib
import re
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Documentation(unittest.TestCase):
    def test_programs(self):
        programs = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/python.md").read_text(), re.S | re.M)
        self.assertTrue(programs)
        before, names, printed = os.getcwd(), {}, io.StringIO()
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(printed):
            os.chdir(folder)
            try:
                for program in programs:
                    exec(compile(program, "docs/python.md", "exec"), names)
            finally:
                os.chdir(before)
        self.assertEqual(printed.getvalue().count("74.375"), 2)


if __name__ == "__main__":
    unittest.main()
