#!/usr/bin/env bash
# The job script of docs/deployment.md under a Slurm of its own on this machine: two ranks, over TLS to two key holders, have the
# weights of one process; a job of which a rank is killed ends, and submitted again goes on to the same weights. Keys of 2048
# bits.
#   scripts/test_slurm.sh BUILD_DIR        (make MPI=1 before)
build=$(realpath "${1:?usage: $0 BUILD_DIR}")
cd "$(dirname "$0")/.." || exit 1
scripts/install_dependencies.sh --slurm || exit 1
SMLP=$build/smlp with_mpi=$build/mpi/smlp
deployment=$(realpath docs/deployment.md)
# What Slurm, or a launcher of MPI, told this shell is not for the one below.
unset "${!SLURM_@}" "${!SBATCH_@}" "${!SRUN_@}" "${!PMIX_@}" "${!PMI_@}" "${!OMPI_@}"
. tests/program/network_support.sh
passed=0
verdict() {
  echo "$passed passed, $failures failed"
  finish
  exit
}
# until_true SECONDS COMMAND...
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.2
  done
}

# The jobs' processes end before Slurm does.
stop() {
  scancel --full --user="$(id -un)"
  until_true 20 no_job
  kill -KILL "${servers[@]}"
  wait
  rm -rf "$dir" "$said"
} 2>/dev/null
trap stop EXIT
no_job() { local jobs; jobs=$(squeue -h) && [ -z "$jobs" ]; }

# One node, this machine, under the user who runs this; ports, folders and the key of its messages are its own.
read -r control_port node_port < <(python3 -c 'import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(s.getsockname()[1] for s in sockets))')
mkdir -p slurm/state slurm/spool slurm/tmp
node=$(hostname -s)
cat >slurm/slurm.conf <<CONFIGURATION
ClusterName=test
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=$control_port
SlurmdPort=$node_port
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$dir/slurm/munge.socket
CredType=cred/munge
StateSaveLocation=$dir/slurm/state
SlurmdSpoolDir=$dir/slurm/spool
SlurmdParameters=config_overrides
TmpFS=$dir/slurm/tmp
SlurmctldPidFile=$dir/slurm/slurmctld.pid
SlurmdPidFile=$dir/slurm/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
NodeName=$node NodeAddr=127.0.0.1 CPUs=2
PartitionName=all Nodes=$node Default=YES State=UP
CONFIGURATION
export SLURM_CONF=$dir/slurm/slurm.conf PATH=$PATH:/usr/sbin:/sbin
dd if=/dev/urandom of=slurm/munge.key bs=1024 count=1 status=none
chmod 600 slurm/munge.key
# daemon NAME COMMAND...: in the background and not in one of its own, so that it ends with this script.
daemon() {
  local name=$1
  shift
  "$@" >"$logs/$name" 2>&1 </dev/null &
  servers+=("$!")
}
daemon munged munged --foreground --force --origin=127.0.0.1 --key-file="$dir/slurm/munge.key" --socket="$dir/slurm/munge.socket" \
  --pid-file="$dir/slurm/munged.pid" --seed-file="$dir/slurm/munged.seed" --log-file="$dir/slurm/munged.log"
until_true 20 test -S slurm/munge.socket || { fail "munged: $(cat "$logs/munged")"; verdict; }
daemon slurmctld slurmctld -D -f "$SLURM_CONF"
daemon slurmd slurmd -D -f "$SLURM_CONF" -N "$node"
is_idle() { sinfo -h -o %T 2>/dev/null | grep -q '^idle'; }
until_true 30 is_idle || { fail "Slurm does not start: $(cat "$logs/slurmctld" "$logs/slurmd")"; verdict; }

rows 3 iris.csv train.csv
accepts keygen --out keys >/dev/null
accepts certificates --out certificates --key-holder keys.example --evaluator evaluator.example --owner owner.example >/dev/null
accepts encrypt --key keys/public.json --data train.csv --batch 25 --seed 5 --out train.h5 >/dev/null
serve first 0
addresses=127.0.0.1:$port
serve second 0
addresses+=,127.0.0.1:$port
accepts train --data train.h5 --network N-4-C --epochs 8 --secret-key keys/secret.json --seed 5 --insecure-seed --quiet --out whole.h5 >/dev/null
accepts export --model whole.h5 --key keys/secret.json --out whole.h5.json >/dev/null

# The script of the page, with the sizes and places of this test. Its program has a name of its own, to be killed by.
ln -s "$with_mpi" smlp_of_this_test
python3 - "$deployment" "$dir/smlp_of_this_test" "$addresses" >job.sh <<'PYTHON' || { fail 'docs/deployment.md has no such job script'; verdict; }
import re, sys
page, program, addresses = open(sys.argv[1]).read(), *sys.argv[2:]
script, = re.findall(r"^```\n(#!/bin/bash\n#SBATCH.*?)^```", page, re.DOTALL | re.MULTILINE)
for there, here in (("--nodes=8 --ntasks-per-node=1 --cpus-per-task=32", "--nodes=1 --ntasks-per-node=2 --cpus-per-task=1"),
                    (" smlp train ", f" {program} train "), ("N-128-C", "N-4-C"), ("--epochs 20", "--epochs 8"),
                    ("k1.example.org:50051,k2.example.org:50051", addresses),
                    ("--metrics model.jsonl", "--metrics model.jsonl --seed 5 --insecure-seed")):
    assert script.count(there) == 1, there
    script = script.replace(there, here)
print(script, end="")
PYTHON
# submit: in $job; what it says is in slurm-$job.out.
submit() { job=$(sbatch --parsable job.sh 2>"$logs/sbatch") || { fail "sbatch: $(cat "$logs/sbatch")"; verdict; }; }
state() { scontrol show job "$job" | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p'; }
# ends_as STATE: so does the job.
ends_as() {
  until_true 200 no_job || { fail "a job does not end: $(cat "slurm-$job.out")"; verdict; }
  if [ "$(state)" = "$1" ]; then
    passed=$((passed + 1))
  else
    fail "a job ends as $(state), not as $1: $(cat "slurm-$job.out")"
  fi
}

submit
ends_as COMPLETED
same_weights model.h5 whole.h5
grep -q '2 ranks share each step' "slurm-$job.out" || fail "srun started other ranks: $(cat "slurm-$job.out")"

rm model.h5 model.jsonl
submit
until_true 100 test -e model.h5 || fail "no epoch comes: $(cat "slurm-$job.out")"
pkill -KILL -n -f "^$dir/smlp_of_this_test train" || fail 'there is no rank to kill'
ends_as FAILED
submit
ends_as COMPLETED
grep -q '^epoch 8/8' "slurm-$job.out" && ! grep -q '^epoch 1/8' "slurm-$job.out" ||
  fail "a job that is submitted again does not go on: $(cat "slurm-$job.out")"
same_weights model.h5 whole.h5
verdict
