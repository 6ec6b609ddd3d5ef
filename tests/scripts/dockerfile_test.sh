#!/usr/bin/env bash
# The Dockerfile without an engine: what it copies is there, the build stage has every file that make needs, its packages are in the
# distribution, what it starts is a command of the program, and not as root. What an engine alone could show (that the images build
# as they are) is not tested here; tests/install/deb_test.sh builds and installs the package that both stages are about.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 - "$folder" "${SMLP:-build/smlp}" <<'PYTHON'
import fnmatch, json, os, re, shlex, subprocess, sys
folder, smlp = sys.argv[1:]
text = re.sub(r"\\\n", " ", "\n".join(x for x in open("Dockerfile").read().splitlines() if not x.startswith("#")))
steps = [line.split(None, 1) for line in text.splitlines() if line.strip()]
stages = []
for word, rest in steps:
    if word == "FROM":
        stages.append({"from": rest, "steps": []})
    else:
        stages[-1]["steps"].append((word, rest))
assert len(stages) == 2 and stages[0]["from"] == "debian:bookworm AS build" and stages[1]["from"] == "debian:bookworm-slim", stages
known = {"ADD", "COPY", "RUN", "WORKDIR", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "ENTRYPOINT", "CMD"}
assert all(word in known for stage in stages for word, _ in stage["steps"]), stages

# COPY . .: what .dockerignore leaves has every file of the repository but results.
ignored = [x.strip() for x in open(".dockerignore") if x.strip()]
tracked = subprocess.run(["git", "ls-files"], capture_output=True, text=True).stdout.split("\n")[:-1]
tracked = tracked or [os.path.join(d, f)[2:] for d, _, fs in os.walk(".") for f in fs if not d.startswith(("./build", "./.git"))]
left = [x for x in tracked if not any(fnmatch.fnmatch(part, rule) for rule in ignored for part in (x, x.split("/")[0]))
        and not x.startswith("docs/results/")]
missing = [x for x in tracked if x not in left and not x.startswith("docs/results/")]
assert not missing, missing
assert ("COPY", ". .") in stages[0]["steps"]
for name in left:
    os.makedirs(os.path.join(folder, os.path.dirname(name)), exist_ok=True)
    os.symlink(os.path.abspath(name), os.path.join(folder, name)) if os.path.exists(name) else None

# RUN: packages, and targets of make.
for stage in stages:
    for word, rest in stage["steps"]:
        if word != "RUN":
            continue
        for command in re.split(r"&&", rest):
            words = shlex.split(command)
            if words[:2] == ["apt-get", "install"]:
                for package in (x for x in words[2:] if not x.startswith("-") and not x.startswith("/")):
                    found = subprocess.run(["dpkg-query", "-W", package], capture_output=True).returncode == 0 or \
                        subprocess.run(["apt-cache", "show", package], capture_output=True).returncode == 0
                    assert found, f"no package {package}"
            elif words[0] == "make":
                os.makedirs(f"{folder}/build", exist_ok=True)
                open(f"{folder}/build/dependencies.mk", "w").close()
                done = subprocess.run(["make", "-C", folder, "--dry-run", *words[1:]], capture_output=True, text=True,
                                      env={**os.environ, "MAKEFLAGS": "", "MAKELEVEL": "0"})
                assert done.returncode == 0 and "debian_package.sh" in done.stdout, done.stderr
assert [x for x in stages[0]["steps"] if x[0] == "RUN"][-1][1] == "make deb"
assert ("COPY", "--from=build /smlp/build/*.deb /tmp/") in stages[1]["steps"]
assert ("WORKDIR", "/smlp") in stages[0]["steps"]

# Who it is, and what it starts.
user = [rest for word, rest in stages[1]["steps"] if word == "USER"][-1]
assert user.isdigit() and int(user) > 0 and any(f"--uid {user}" in rest for word, rest in stages[1]["steps"]), user
entry, words = (json.loads(next(rest for word, rest in stages[1]["steps"] if word == name)) for name in ("ENTRYPOINT", "CMD"))
assert entry == ["smlp", "serve"]
options = re.findall(r"^  (--[a-z-]+)", subprocess.run([smlp, "serve", "--help"], capture_output=True, text=True, check=True).stdout, re.M)
assert all(x in options for x in words if x.startswith("--")), words
port = words[words.index("--listen") + 1].split(":")[1]
assert ("EXPOSE", port) in stages[1]["steps"] and ("VOLUME", os.path.dirname(words[words.index("--key") + 1])) in stages[1]["steps"]
PYTHON
