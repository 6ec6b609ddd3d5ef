"""Finished points, one file each, written whole or not at all: a run that was killed goes on after them."""
import fcntl
import hashlib
import json
import os
import pathlib


class InUse(Exception):
    """Another process measures into the same folder."""


class Store:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def lock(self):
        """Keeps other runs away until this process ends. Raises InUse."""
        self.locked = open(self.folder / ".lock", "w", encoding="utf-8")
        try:
            fcntl.flock(self.locked, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUse(f"another run measures into {self.folder}: wait until it ends, or give both --store and --out") from None
        for left in self.folder.glob(".*.part"):  # of a run that was killed
            if not pathlib.Path(f"/proc/{left.name.split('.')[-2]}").exists():
                left.unlink(missing_ok=True)

    def path(self, identity):
        name = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:32]
        return self.folder / f"{name}.json"

    def find(self, identity):
        """What was kept, or None."""
        try:
            return json.loads(self.path(identity).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def keep(self, identity, result):
        path = self.path(identity)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        with open(part, "w", encoding="utf-8") as file:
            json.dump(result, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)

    def kept(self, identity, make):
        found = self.find(identity)
        if found is None:
            found = make()
            self.keep(identity, found)
        return found
