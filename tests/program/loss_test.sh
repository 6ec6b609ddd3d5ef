#!/usr/bin/env bash
# A link that loses every hundredth packet, at random: a training ends with the weights of an undisturbed one. The loss is nftables'
# in a network namespace of the test's own, never the machine's. Keys of 1024 bits: toys, made with --insecure-key.
if [ -z "${IN_LOSSY_NAMESPACE-}" ]; then
  if ! unshare --map-root-user --net true 2>/dev/null; then
    echo "$(basename "$0"): this system lets nobody make a network namespace: not tested"
    exit 0
  fi
  IN_LOSSY_NAMESPACE=1 exec unshare --map-root-user --net bash "$0"
fi
. "$(dirname "$0")/network_support.sh"
toy_keys

ip link set lo up || fail 'ip is missing: scripts/install_dependencies.sh --tests installs it'
nft -f - <<'RULES' || fail 'nft is missing, or the kernel has no nftables: scripts/install_dependencies.sh --tests installs it'
table inet loss {
  counter lost { }
  chain input {
    type filter hook input priority 0;
    numgen random mod 100 == 0 counter name "lost" drop
  }
}
RULES
rows 12 iris.csv train.csv
accepts certificates --out certificates --key-holder keys.example --evaluator evaluator.example --owner owner.example >/dev/null
accepts keygen --bits 1024 --insecure-key --out keys >/dev/null
accepts encrypt --key keys/public.json --data train.csv --batch 8 --seed 11 --out train.h5 >/dev/null
train=(train --data train.h5 --network N-3-C --seed 11 --epochs 2 --insecure-seed --quiet)
accepts "${train[@]}" --secret-key keys/secret.json --out inside.h5 >/dev/null
accepts export --model inside.h5 --key keys/secret.json --out inside.h5.json >/dev/null
serve one 0 --allow homomorphic,hybrid
lost=0
for run in $(seq 50); do  # a training has one or two hundred packets: some lose none
  rm -f lossy.h5
  preset=$([ $((run % 2)) -eq 1 ] && echo homomorphic || echo hybrid)
  accepts "${train[@]}" --protocols "$preset" --key-holder 127.0.0.1:"$port" --tls certificates/evaluator --out lossy.h5 >/dev/null
  same_weights lossy.h5 inside.h5
  lost=$(nft list counter inet loss lost | sed -n 's/.*packets \([0-9]*\) .*/\1/p')
  [ "${lost:-0}" -lt 3 ] || [ "$run" -lt 2 ] || break
done
[ "${lost:-0}" -ge 3 ] || fail "50 trainings lost ${lost:-no} packets"

finish
