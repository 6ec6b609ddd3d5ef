#!/usr/bin/env bash
# Compiles paillier/ for aarch64 by the distribution's cross compiler, with warnings as errors, and runs tests of it on toy keys
# under qemu: the arithmetic without the kernels for x86-64. scripts/install_dependencies.sh --aarch64 installs both.
# The libraries for aarch64 come from the distribution too, into build-aarch64/sysroot: the system's packages stay as they are.
# The last line is "N passed, M failed".
set -euo pipefail
cd "$(dirname "$0")/.."

build=build-aarch64
sysroot=$PWD/$build/sysroot
compiler=aarch64-linux-gnu-g++
for program in "$compiler" qemu-aarch64; do
  command -v "$program" >/dev/null || { echo "$0: $program is missing: run scripts/install_dependencies.sh --aarch64" >&2; exit 1; }
done

if [ ! -e "$sysroot/whole" ]; then
  mkdir -p "$sysroot/usr/include" "$build"/apt/{state/lists/partial,cache/archives/partial}
  touch "$build/apt/state/status"
  cat >"$build/apt/configuration" <<TEXT
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "";
Dir::State "$PWD/$build/apt/state";
Dir::State::status "$PWD/$build/apt/state/status";
Dir::Cache "$PWD/$build/apt/cache";
TEXT
  export APT_CONFIG=$PWD/$build/apt/configuration
  apt-get update -q >/dev/null
  (cd "$build/apt/cache" && apt-get download -q libgmp-dev libgmp10 libgmpxx4ldbl libssl-dev libssl3 libntl-dev libntl44 libgf2x3 >/dev/null)
  unset APT_CONFIG
  for package in "$build"/apt/cache/*.deb; do dpkg-deb -x "$package" "$sysroot"; done
  for headers in nlohmann doctest; do ln -sfn "/usr/include/$headers" "$sysroot/usr/include/$headers"; done  # the same for all
  touch "$sysroot/whole"
fi

libraries=$sysroot/usr/lib/aarch64-linux-gnu
tests=''
for name in integer fixed_width montgomery kernels lanes simultaneous_powers primes random paillier dgk keys sealed_text; do
  tests+="tests/paillier/${name}_test.cpp "
done
make -s "$build/paillier_tests" BUILD_DIR="$build" CXX="$compiler" AR=aarch64-linux-gnu-ar WERROR=1 CXXFLAGS="-O1 -g0" TESTS="$tests" \
  DEPENDENCY_CFLAGS="-isystem $sysroot/usr/include -isystem $sysroot/usr/include/aarch64-linux-gnu" \
  DEPENDENCY_LIBS="-L$libraries -Wl,-rpath-link,$libraries -lntl -lgmpxx -lgmp -lcrypto"
status=0
OMP_NUM_THREADS=2 qemu-aarch64 -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH="$libraries" "$build/paillier_tests" --no-colors \
  -tce='*[slow]*' "$@" >"$build/log" 2>&1 || status=$?
cat "$build/log"
passed=$(sed -n 's/^\[doctest\] test cases:.*| *\([0-9]*\) passed.*/\1/p' "$build/log")
failed=$(sed -n 's/^\[doctest\] test cases:.*| *\([0-9]*\) failed.*/\1/p' "$build/log")
[ $status -eq 0 ] && [ -n "$passed" ] || [ "${failed:-0}" -gt 0 ] || failed=1
echo "${passed:-0} passed, ${failed:-0} failed"
[ "${failed:-0}" -eq 0 ] && [ "${passed:-0}" -gt 0 ]
