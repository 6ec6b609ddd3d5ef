#!/usr/bin/env bash
# Three parties as three processes on this machine: makes keys and certificates, encrypts (owner), serves (key holder), trains and
# classifies over TLS (evaluator), decrypts (owner), and stops everything.
#   scripts/local_deployment.sh [DIR]      DIR gets the parties' folders; a temporary one, removed at the end, unless given
# SMLP names the program (build/smlp). DATA and OPTIONS choose another CSV table and other options of `smlp train`.
set -euo pipefail
cd "$(dirname "$0")/.."

smlp=$(realpath "${SMLP:-build/smlp}")
data=$(realpath "${DATA:-datasets/breast_cancer.csv}")
read -ra options <<<"${OPTIONS:---network N-16-C --epochs 3 --learning-rate 0.05 --momentum 0.8}"
[ -x "$smlp" ] || { echo "$0: there is no $smlp: run make first" >&2; exit 1; }

server=
if [ $# -gt 0 ]; then
  mkdir -p "$1"
  cd "$1"
else
  folder=$(mktemp -d)
  cd "$folder"
fi
finish() {
  [ -z "$server" ] || { kill -TERM "$server" && wait "$server"; } || true
  [ -z "${folder-}" ] || rm -rf "$folder"
}
trap finish EXIT
say() { printf '\n== %s\n' "$*"; }

say 'certificates: each party has a folder of its own'
"$smlp" certificates --out certificates --key-holder keys.example --evaluator evaluator.example --owner owner.example

say 'owner: a key pair for the answers; key holder: the key pair that everything is computed under'
"$smlp" keygen --out owner
"$smlp" keygen --out key_holder

say 'owner: encrypts the table'
mkdir evaluator
"$smlp" encrypt --key key_holder/public.json --data "$data" --profile owner/profile.json --out evaluator/train.h5

say 'key holder: serves'
"$smlp" serve --key key_holder/secret.json --listen 127.0.0.1:0 --tls certificates/key_holder --user-key owner/public.json \
  >key_holder/log.txt &
server=$!
until grep -q '^answers ' key_holder/log.txt; do
  kill -0 "$server" || { server= ; exit 1; }
  sleep 0.1
done
cat key_holder/log.txt
address=$(sed -n 's/.* listening on \([^ ]*\) for .*/\1/p' key_holder/log.txt)
key_holder=(--key-holder "$address" --tls certificates/evaluator)

say 'evaluator: looks at the deployment, trains, classifies'
"$smlp" doctor "${key_holder[@]}" --data evaluator/train.h5 --user-key owner/public.json
"$smlp" train --data evaluator/train.h5 "${options[@]}" "${key_holder[@]}" --out evaluator/model.h5
"$smlp" predict --model evaluator/model.h5 --data evaluator/train.h5 "${key_holder[@]}" --user-key owner/public.json \
  --out evaluator/answers.h5

say 'owner: reads the answers, which no server can'
"$smlp" decrypt --key owner/secret.json --in evaluator/answers.h5 --profile owner/profile.json --out owner/answers.csv
head -n 4 owner/answers.csv

say 'key holder: stops'
kill -TERM "$server"
wait "$server"
server=
tail -n 1 key_holder/log.txt
