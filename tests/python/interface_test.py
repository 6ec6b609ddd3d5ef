"""What the package says of itself: docstrings in numpy's form, and types that a checker sees."""
import ast
import importlib
import inspect
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import smlp
from smlp import estimators

PACKAGE = pathlib.Path(smlp.__file__).parent


def sections(doc):
    """The text of each section by its name."""
    parts = re.split(r"^(\w+)\n-{3,}\n", doc, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def documented(section):
    """Names before the colon of a section's entries: of `a, b : int`, a and b."""
    entries = re.findall(r"^(\*{0,2}\w[\w, *]*?)(?: :|$)", section, re.M)
    return [name.strip().lstrip("*") for entry in entries for name in entry.split(",")]


def cleaned(doc):
    lines = doc.expandtabs().splitlines()
    margin = min((len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()), default=0)
    return "\n".join([lines[0].strip()] + [line[margin:] for line in lines[1:]])


def parameters(function):
    of = function.args
    return [x.arg for x in [*of.posonlyargs, *of.args, *([of.vararg] if of.vararg else []), *of.kwonlyargs,
                            *([of.kwarg] if of.kwarg else [])] if x.arg not in ("self", "cls")]


class Docstrings(unittest.TestCase):
    def check_function(self, node, doc):
        self.assertTrue(doc, "no docstring")
        found = sections(cleaned(doc))
        if any(isinstance(d, ast.Name) and d.id == "property" for d in node.decorator_list):
            return
        self.assertEqual(documented(found.get("Parameters", "")), parameters(node))
        returns = isinstance(node.returns, ast.AST) and ast.unparse(node.returns) != "None"
        self.assertEqual("Returns" in found, returns, "Returns")
        raised = {x.exc.func.id for x in ast.walk(node)
                  if isinstance(x, ast.Raise) and isinstance(x.exc, ast.Call) and isinstance(x.exc.func, ast.Name)}
        self.assertLessEqual(raised, set(documented(found.get("Raises", ""))), "Raises")
        self.assertLessEqual(set(found), {"Parameters", "Returns", "Raises", "Examples"})

    def check_class(self, node, doc):
        self.assertTrue(doc, "no docstring")
        found = sections(cleaned(doc))
        for method in node.body:
            if isinstance(method, ast.FunctionDef) and method.name == "__init__" and "Made by" not in doc:
                self.assertEqual(documented(found.get("Parameters", "")), parameters(method))
        self.assertLessEqual(set(found), {"Parameters", "Attributes", "Raises", "Examples"})

    def test_each_public_name(self):
        count = 0
        for path in [*PACKAGE.glob("*.py"), PACKAGE / "_paillier.pyi"]:
            tree = ast.parse(path.read_text())
            self.assertTrue(ast.get_docstring(tree), path.name)
            module = importlib.import_module(f"smlp.{path.stem}") if path.suffix == ".py" and path.stem != "__init__" else None

            def walk(nodes, inside, found, what):
                nonlocal count
                for node in nodes:
                    if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) or node.name.startswith("_"):
                        continue
                    name = f"{what}.{node.name}"
                    doc = ast.get_docstring(node) or getattr(getattr(found, node.name, None), "__doc__", None)
                    count += 1
                    with self.subTest(name=name):
                        (self.check_class if isinstance(node, ast.ClassDef) else self.check_function)(node, doc)
                    if isinstance(node, ast.ClassDef):
                        walk(node.body, node, getattr(found, node.name, None), name)

            walk(tree.body, None, module, path.name)
        self.assertGreater(count, 80)


class Types(unittest.TestCase):
    def test_the_estimators_stub(self):
        """It has their parameters, with their defaults, and methods that they have."""
        tree = ast.parse((PACKAGE / "estimators.pyi").read_text())
        for stub in (node for node in tree.body if isinstance(node, ast.ClassDef)):
            real = getattr(estimators, stub.name)
            for method in (node for node in stub.body if isinstance(node, ast.FunctionDef)):
                with self.subTest(name=f"{stub.name}.{method.name}"):
                    owner = real if hasattr(real, method.name) else smlp.SecureMLPClassifier
                    for parameter in list(inspect.signature(getattr(owner, method.name)).parameters.values())[1:]:
                        self.assertIn(parameter.name, parameters(method))
                        if method.name == "__init__":
                            of = method.args
                            defaults = dict(zip([x.arg for x in of.args[1:] + of.kwonlyargs], of.defaults + of.kw_defaults))
                            self.assertEqual(ast.literal_eval(defaults[parameter.name]), parameter.default)

    @unittest.skipUnless(shutil.which("mypy"), "mypy is not there")
    def test_a_checker_sees_them(self):
        """No name is Any, and what does not exist is an error."""
        program = ("import smlp\nfrom smlp import paillier\n"
                   "model = smlp.SecureMLPClassifier((4,), max_iter=3)\nreveal_type(model.fit([[1.0]], [1]))\nreveal_type(model.coefs_)\n"
                   "reveal_type(smlp.SecureMLPRegressor().cost_)\nreveal_type(smlp.keygen('x').public)\n"
                   "public, secret = paillier.generate_keypair()\nreveal_type(public.encrypt([1]) @ [2])\nreveal_type(secret.public)\n"
                   "smlp.SecureMLPClassifier(momentum='much')\nsmlp.SecureMLPRegresor()\npublic.encript([1])\n")
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "program.py")
            path.write_text(program)
            done = subprocess.run(["mypy", "--cache-dir", folder, "--python-executable", sys.executable, "--ignore-missing-imports",
                                   "--follow-imports=silent", path], capture_output=True, text=True)
        said = re.findall(r"program.py:(\d+): (?:note: Revealed type is \"(.*)\"|error: (.*?)  )", done.stdout)
        self.assertEqual([(int(line), kind or error) for line, kind, error in said], [
            (4, "smlp.estimators.SecureMLPClassifier"), (5, "builtins.list[numpy.ndarray[Any, Any]]"),
            (6, "Union[builtins.dict[builtins.str, Any], None]"), (7, "pathlib.Path"), (9, "smlp._arrays.EncryptedArray"),
            (10, "smlp._keys.PublicKey"), (11, 'Argument "momentum" to "SecureMLPClassifier" has incompatible type "str"; expected "float"'),
            (12, 'Module has no attribute "SecureMLPRegresor"; maybe "SecureMLPRegressor"?'),
            (13, '"PublicKey" has no attribute "encript"; maybe "encrypt" or "_encrypt"?')], done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
