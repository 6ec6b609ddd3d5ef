"""For pip: what `make python` builds, in a wheel. Settings that stand still are in pyproject.toml."""
import pathlib
import re
import shutil
import subprocess
import sys

from setuptools import Distribution, setup
from setuptools.command.build import build


class Make(build):
    def run(self):
        super().run()
        subprocess.run(["make", "python", f"PYTHON={sys.executable}"], check=True)
        shutil.copytree("build/python/smlp", pathlib.Path(self.build_lib, "smlp"), dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("__pycache__"))


class OfOnePlatform(Distribution):
    def has_ext_modules(self):
        return True


pathlib.Path("build").mkdir(exist_ok=True)
setup(version=re.search(r'version = "(.*)"', pathlib.Path("protocols/version.h").read_text())[1],
      distclass=OfOnePlatform, cmdclass={"build": Make},
      options={"build": {"build_base": "build/wheel"}, "egg_info": {"egg_base": "build"}})
