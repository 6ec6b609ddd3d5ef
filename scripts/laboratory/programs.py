"""What a point is measured with: smlp and the benchmark programs, asked by their options, answering in JSON."""
import csv
import functools
import gzip
import hashlib
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

from .experiment import RELAYED, TRAINED

RELAY = pathlib.Path(__file__).parents[2] / "tests/support/relay.py"
TAKEN = "take"  # rows of the table, evenly spread: an option of ours


class Failed(Exception):
    """A program that ended in an error: its last line."""


class NotPlanned(Exception):
    """A training that smlp plan cannot be asked about."""


def words(options):
    """The command line of these options: true is an option without a value, false none at all."""
    out = []
    for name, value in options.items():
        if value is not False:
            out += ["--" + name] + ([] if value is True else [str(value)])
    return out


def opened(path):
    return gzip.open(path, "rb") if str(path).endswith(".gz") else open(path, "rb")


def take_rows(source, folder, count):
    """A table of `count` rows of `source` (CSV, IDX), evenly spread, in a file of `folder`."""
    out = pathlib.Path(folder) / pathlib.Path(source).name.removesuffix(".gz")
    with opened(source) as file:
        content = file.read()
    if content[:2] == b"\0\0":  # IDX: type, dimensions, sizes, bytes
        dimensions = content[3]
        sizes = struct.unpack(f">{dimensions}I", content[4:4 + 4 * dimensions])
        first, width = 4 + 4 * dimensions, len(content[4 + 4 * dimensions:]) // sizes[0]
        count = min(count, sizes[0])
        rows = [content[first + i * sizes[0] // count * width:][:width] for i in range(count)]
        out.write_bytes(content[:4] + struct.pack(f">{dimensions}I", count, *sizes[1:]) + b"".join(rows))
    else:
        header, *lines = content.splitlines(keepends=True)
        count = min(count, len(lines))
        out.write_bytes(header + b"".join(lines[i * len(lines) // count] for i in range(count)))
    return str(out)


def table_rows(path):
    with opened(path) as file:
        content = file.read()
    if content[:2] == b"\0\0":
        return struct.unpack(">I", content[4:8])[0]
    return len(list(csv.reader(content.decode().splitlines()))) - 1


class Programs:
    """The programs of one build."""

    def __init__(self, smlp, store):
        self.smlp, self.store = pathlib.Path(smlp), store
        self.environment = {**os.environ, "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "passive")}

    def path(self, program):
        """Of what measures such points. Raises Failed where it is not built."""
        path = self.smlp if program in (*TRAINED, "clear", "plan") else self.smlp.parent / "bench" / program
        if not path.is_file():
            raise Failed(f"{path} is not built: make reproduce builds what it needs (SMLP names another program)")
        return path

    @functools.cache
    def digest(self, program):
        return hashlib.sha256(self.path(program).read_bytes()).hexdigest()

    @functools.cache
    def compiler(self, program):
        content = self.path(program).read_bytes()
        found = re.search(rb"clang version [0-9.]+", content) or re.search(rb"GCC: \([^)]*\) [0-9.]+", content)
        return found[0].decode() if found else "unknown"

    def call(self, command):
        """Runs a program; its standard output. Raises Failed with its last line."""
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env=self.environment, check=False)
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or [f"{command[0]} ended with {done.returncode}"]
            raise Failed(lines[-1])
        return done.stdout

    @functools.cache
    def help_options(self, command):
        """Names of the options of a command of smlp."""
        return frozenset(re.findall(r"^  --([a-z-]+)", self.call([self.path("plan"), command, "--help"]), re.MULTILINE))

    @functools.cache
    def options_of(self, program):
        if program == "operations":  # its --help is Google Benchmark's
            return frozenset({"bits", "rounds", "benchmark_filter"})
        if program in ("run", "clear"):
            return self.help_options("run") | {TAKEN}
        if program == "network":
            return (self.help_options("train") | self.help_options("encrypt") | {"bits", TAKEN} | RELAYED) - {"key", "out"}
        if program == "plan":
            return self.help_options("plan")
        return frozenset(re.findall(r"^--([a-z-]+)", self.call([self.path(program), "--help"]), re.MULTILINE)) - {"json"}

    @functools.cache
    def protocols(self):
        return json.loads(self.call([self.path("plan"), "protocols", "--json"]))["protocols"]

    def registered(self, family):
        return [protocol["name"] for protocol in self.protocols() if protocol["family"] == family]

    # ---- what a training will take ----

    def planned_options(self, options):
        """`options` of a training as those of smlp plan, with the rows of its table."""
        rows = table_rows(options["data"])
        rows = min(rows, options.get(TAKEN, rows))
        test = round(rows * float(options.get("test-fraction", 0.2)))
        planned = {name: value for name, value in options.items() if name in self.help_options("plan")}
        if float(options.get("mbit", 0)):
            planned["link"] = f"{options['mbit']}Mbit/{options.get('rtt-ms', 0)}ms"
        return {**planned, "rows": rows - test, "test-rows": test}

    def plan(self, options):
        """What smlp plan says of a training with these options; asked once for the same ones."""
        options = self.planned_options(options)
        return self.store.kept(["plan", self.digest("plan"), options],
                               lambda: json.loads(self.call([self.smlp, "plan", *words(options), "--json"])))

    @staticmethod
    def planned_seconds(plan):
        return plan["first_epoch"]["seconds"] + (plan["epochs"] - 1) * plan["epoch"]["seconds"] + plan["test"]["seconds"] + 2

    # ---- points ----

    def identity(self, program, options, seed):
        """Everything that the result of a point follows from, but the machine."""
        data = options.get("data")
        table = hashlib.sha256(pathlib.Path(data).read_bytes()).hexdigest() if data else None
        kind = program if program in ("network", "clear") else ""
        return [kind, self.digest(program), self.path(program).name, options, seed, table]

    def measure(self, program, options, seed):
        """The result of a point. Raises Failed."""
        with tempfile.TemporaryDirectory() as folder:
            options = dict(options)
            if TAKEN in options:
                count = options.pop(TAKEN)
                for name in ("data", "labels"):
                    if name in options:
                        options[name] = take_rows(options[name], folder, count)
            if program == "run":
                return self.run(options, seed, folder)
            if program == "clear":
                return json.loads(self.call([self.smlp, "run", "--clear", *words(options), "--seed", seed, "--quiet", "--json"]))
            if program == "network":
                return self.network(options, seed, folder)
            if program == "plan":
                return json.loads(self.call([self.smlp, "plan", *words(options), "--json"]))
            result = f"{folder}/result.json"
            command = [f"--benchmark_filter={options.pop('benchmark_filter')}"] if "benchmark_filter" in options else []
            self.call([self.path(program), *command, *words(options), "--json", result])
            return json.loads(pathlib.Path(result).read_text(encoding="utf-8"))

    def run(self, options, seed, folder):
        metrics = f"{folder}/metrics.jsonl"
        out = self.call([self.smlp, "run", *words(options), "--seed", seed, "--metrics", metrics, "--quiet", "--json"])
        result = json.loads(out)
        with open(metrics, encoding="utf-8") as file:
            result["steps"] = [line for line in map(json.loads, file) if "step" in line]
        check_twin(result)
        return result

    def network(self, options, seed, folder):
        """A training whose key holder is behind the relay; without TLS."""
        options = dict(options)
        rtt, mbit = (float(options.pop(name, 0)) for name in ("rtt-ms", "mbit"))
        insecure = ["--insecure-key"] if options.get("insecure-key") else []
        # New keys for each point: they are quickly made, and no key stays on a disk.
        self.call([self.smlp, "keygen", "--bits", options.pop("bits", 2048), "--out", f"{folder}/keys", *insecure])
        table, training = ({name: value for name, value in options.items() if name in self.help_options(command)}
                           for command in ("encrypt", "train"))
        for name in ("network", "epochs"):  # encrypt takes them for --statistical-bound alone
            table.pop(name, None)
        training.pop("data")
        self.call([self.smlp, "encrypt", *words(table), "--key", f"{folder}/keys/public.json", "--out", f"{folder}/t.h5", "--quiet"])
        serve = subprocess.Popen([self.smlp, "serve", "--key", f"{folder}/keys/secret.json", "--listen", "127.0.0.1:0",
                                  "--insecure-transport", "--allow", "homomorphic,hybrid,paper", "--quiet", *insecure],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                 env=self.environment)
        relay = None
        try:
            port = None
            for line in serve.stdout:
                if found := re.search(r"listening on 127\.0\.0\.1:(\d+)", line):
                    port = found[1]
                    break
            if port is None:
                raise Failed("smlp serve ended before it listened")
            relay = subprocess.Popen([sys.executable, RELAY, port, str(rtt / 2000), str(mbit * 1e6)],
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
            port = relay.stdout.readline().strip()
            out = self.call([self.smlp, "train", *words(training), "--data", f"{folder}/t.h5", "--key-holder", f"127.0.0.1:{port}",
                             "--insecure-transport", "--out", f"{folder}/m.h5", "--metrics", f"{folder}/m.jsonl", "--quiet", "--json",
                             "--seed", seed, "--insecure-seed"])
            result = json.loads(out)
            with open(f"{folder}/m.jsonl", encoding="utf-8") as file:
                lines = [json.loads(line) for line in file]
            result["history"] = [line for line in lines if "epoch" in line and "step" not in line]
            result["machine"] = lines[0]["machine"]
            return result
        finally:
            for process in (relay, serve):
                if process is not None:
                    process.terminate()
                    process.wait()
                    process.stdout.close()


def check_twin(result):
    """Encryption changes nothing: every curve of an encrypted run is its twin's, to the last bit. Raises Failed."""
    for name in ("weights_equal_twin", "answers_equal_twin"):
        if result.get(name) is False:
            raise Failed(f"the encrypted run is not its twin: {name} is false")
    for line in [result, *result["history"], *result["steps"]]:
        for what in ("loss", "accuracy"):
            values = line.get(what) or {}
            if "encrypted" in values and values["encrypted"] != values["twin"]:
                place = f"epoch {line['epoch']}" if "epoch" in line else "the end"
                raise Failed(f"the encrypted run is not its twin: {what} {values['encrypted']} and {values['twin']} at {place}")
