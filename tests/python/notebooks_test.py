"""docs/notebooks: each runs from its first cell to its last."""
import pathlib
import tempfile
import unittest

import nbformat
from nbconvert.preprocessors import ExecutePreprocessor

NOTEBOOKS = sorted((pathlib.Path(__file__).resolve().parents[2] / "docs/notebooks").glob("*.ipynb"))


class Notebooks(unittest.TestCase):
    def test_each(self):
        self.assertEqual(len(NOTEBOOKS), 3)
        for path in NOTEBOOKS:
            with self.subTest(notebook=path.name), tempfile.TemporaryDirectory() as folder:
                notebook = nbformat.read(path, as_version=4)
                self.assertFalse([cell for cell in notebook.cells if cell.get("outputs")], "saved with its outputs")
                ExecutePreprocessor(timeout=600).preprocess(notebook, {"metadata": {"path": folder}})


if __name__ == "__main__":
    unittest.main()
