#!/usr/bin/env bash
# Installs the distribution's packages that SMLP needs to be built and that are missing; does nothing when all are there.
#   scripts/install_dependencies.sh [--tests] [--development] [--python] [--aarch64] [--mpi] [--slurm]
#   --tests adds what the tests and benchmarks need, --development that and what the checks of .ci/run do, --python what the
#   package for Python does, --aarch64 what scripts/aarch64.sh does, --mpi what make MPI=1 does, --slurm what
#   scripts/test_slurm.sh does
# Debian and Ubuntu (apt). The lists for dnf and Homebrew are untested.
set -euo pipefail

tests=false development=false python=false aarch64=false mpi=false slurm=false
for option; do
  case $option in
    --tests) tests=true ;;
    --development) tests=true development=true ;;
    --python) python=true ;;
    --aarch64) aarch64=true ;;
    --mpi) mpi=true ;;
    --slurm) slurm=true ;;
    *) echo "usage: $0 [--tests] [--development] [--python] [--aarch64] [--mpi] [--slurm]" >&2; exit 2 ;;
  esac
done

has() { command -v "$1" >/dev/null 2>&1; }

if has apt-get; then
  packages=(pkg-config libgmp-dev libntl-dev libssl-dev libboost-program-options-dev libhdf5-dev zlib1g-dev
            nlohmann-json3-dev libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc prometheus-cpp-dev
            help2man)
  has "${CXX:-g++}" || packages+=(g++)
  $tests && packages+=(doctest-dev libbenchmark-dev faketime nftables iproute2 openssl python3 python3-h5py
                       python3-cryptography python3-matplotlib valgrind zsh cmake man-db dpkg-dev procps)
  $development && packages+=(clang-16 libomp-16-dev libclang-rt-16-dev clang-format-16 gcovr mypy)
  $python && packages+=(python3-dev pybind11-dev python3-numpy python3-sklearn python3-pandas python3-tqdm
                         python3-pip python3-venv python3-setuptools python3-wheel python3-nbconvert python3-ipykernel)
  $aarch64 && packages+=(g++-aarch64-linux-gnu qemu-user)
  $mpi && packages+=(libopenmpi-dev openmpi-bin)
  $slurm && packages+=(slurmctld slurmd slurm-client munge procps hostname python3)
  is_installed() { dpkg -s "$1" 2>/dev/null | grep -q '^Status: .* installed$'; }
  refresh=(apt-get update -q)
  install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends)
elif has dnf; then  # untested
  packages=(gcc-c++ pkgconf-pkg-config gmp-devel ntl-devel openssl-devel boost-devel hdf5-devel zlib-devel
            json-devel grpc-devel grpc-plugins protobuf-devel protobuf-compiler prometheus-cpp-devel help2man)
  $tests && packages+=(doctest-devel google-benchmark-devel libfaketime nftables iproute openssl python3 python3-h5py
                       python3-cryptography python3-matplotlib valgrind zsh cmake man-db dpkg procps-ng)
  $development && packages+=(clang libomp-devel compiler-rt clang-tools-extra gcovr)
  $python && packages+=(python3-devel pybind11-devel python3-numpy python3-scikit-learn python3-pandas python3-tqdm
                         python3-pip python3-setuptools python3-wheel python3-nbconvert python3-ipykernel)
  $mpi && packages+=(openmpi-devel)
  is_installed() { rpm -q "$1" >/dev/null 2>&1; }
  refresh=(true)
  install=(dnf install -y)
elif has brew; then  # untested
  packages=(gcc pkg-config gmp ntl openssl@3 boost hdf5 zlib nlohmann-json grpc protobuf prometheus-cpp help2man)
  $tests && packages+=(doctest google-benchmark libfaketime python3 python-matplotlib)
  $development && packages+=(llvm@16 clang-format@16 gcovr)
  $python && packages+=(pybind11 numpy)
  $mpi && packages+=(open-mpi)
  is_installed() { brew list --versions "$1" >/dev/null 2>&1; }
  refresh=(true)
  install=(brew install)
else
  echo "$0: no apt-get, dnf or brew here: install GMP, NTL, OpenSSL, Boost.Program_options, HDF5, zlib," \
       "nlohmann-json, gRPC with protobuf, prometheus-cpp, help2man and pkg-config yourself; for the tests also doctest," \
       "Google Benchmark, libfaketime and python3 with h5py, cryptography and matplotlib" >&2
  exit 0  # they may well be there; the compiler will tell
fi

missing=()
for package in "${packages[@]}"; do
  is_installed "$package" || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if ! has brew && [ "$(id -u)" -ne 0 ]; then
  if has sudo && sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
  else
    manager=apt-get
    has apt-get || manager=dnf
    echo "SMLP needs packages that are missing, and installing them needs root. Run this, then repeat:" >&2
    echo "  sudo $manager install -y ${missing[*]}" >&2
    exit 1
  fi
fi

echo "installing ${missing[*]}"
# A stale or partly unreachable package list may still do.
"${as_root[@]}" "${refresh[@]}" </dev/null || echo "$0: could not refresh the package lists; going on" >&2
"${as_root[@]}" "${install[@]}" "${missing[@]}" </dev/null
