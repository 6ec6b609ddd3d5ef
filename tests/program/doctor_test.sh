#!/usr/bin/env bash
# What `smlp doctor` says of deployments that work and that do not. Keys of 1024 bits: toys, made with --insecure-key.
. "$(dirname "$0")/network_support.sh"
toy_keys

rows 12 iris.csv train.csv
accepts keygen --bits 1024 --insecure-key --out keys >/dev/null
accepts keygen --bits 1024 --insecure-key --out user >/dev/null
for key in keys user; do
  accepts encrypt --key $key/public.json --data train.csv --batch 8 --out $key.h5 >/dev/null
done
accepts encrypt --key keys/public.json --data train.csv --task regression --label sepal_length --out numbers.h5 >/dev/null
for set in certificates strangers; do
  accepts certificates --out $set --key-holder keys.example --evaluator evaluator.example --owner owner.example >/dev/null
done
serve one 0 --user-key user/public.json
server_port=$port

clock=()
# finds PATTERN WORD...: doctor fails, with a fault that has PATTERN.
finds() {
  local pattern=$1 status=0
  shift
  "${clock[@]}" "$smlp" doctor "$@" >"$said/out" 2>"$said/err" </dev/null || status=$?
  [ $status -eq 1 ] || fail "exit code $status: doctor $*: $(cat "$said/out" "$said/err")"
  grep -qE "^FAULT  .*$pattern" "$said/out" || fail "no fault with '$pattern': doctor $*: $(cat "$said/out")"
  grep -qE '^smlp: [0-9]+ faults? found$' "$said/err" || fail "doctor ends with: $(cat "$said/err")"
}
at=(--key-holder 127.0.0.1:$server_port) tls=(--tls certificates/evaluator)

accepts doctor "${at[@]}" "${tls[@]}" --data keys.h5 --user-key user/public.json >out.txt
for line in 'certificates/evaluator: evaluator.example, talks to keys.example, valid for 36[45] more days' 'keys.example, key [0-9a-f]{16}' 'its clock is 0.* s ' \
  'it answers matmul/packed' 'round trip .* ms, .*B/s there, .*B/s back' 'an epoch of 4-16-3 has 1?[0-9]+ rounds; this link adds about'; do
  grep -qE "^ok     .*$line" out.txt || fail "doctor does not say '$line': $(cat out.txt)"
done
for file in keys.h5 user/public.json; do
  grep -qE "^WARN   $file has a key whose .* 1024 bits, .* add --insecure-key" out.txt || fail "doctor does not warn of $file: $(cat out.txt)"
done
[ "$(grep -vc '^ok ' out.txt)" -eq 2 ] || fail "doctor says: $(cat out.txt)"
accepts doctor "${at[@]}" "${tls[@]}" --data numbers.h5 >out.txt
grep -q 'an epoch of 6-16-1:linear has' out.txt || fail "a regression is: $(cat out.txt)"
finds 'it holds the key .*, user.h5 is under' "${at[@]}" "${tls[@]}" --data user.h5
finds 'it does not answer the protocol activation/max' "${at[@]}" "${tls[@]}" --protocols paper
finds 'it hands nothing over to the key' "${at[@]}" "${tls[@]}" --user-key keys/public.json
finds 'unreachable: Connection refused' --key-holder 127.0.0.1:1 "${tls[@]}"
finds 'names owner.example, whom this key holder does not serve' "${at[@]}" --tls certificates/owner
finds 'its certificate is not to be trusted' "${at[@]}" --tls strangers/evaluator
finds 'nowhere' "${at[@]}" --tls nowhere
cp -r certificates/evaluator changed
sed -i s/keys.example/other.example/ changed/peers.json
finds 'its certificate names keys.example, not other.example' "${at[@]}" --tls changed
cp strangers/evaluator/private_key.pem changed
finds 'private_key.pem is not the key of certificate.pem' "${at[@]}" --tls changed
cp strangers/evaluator/certificate.pem changed
finds 'certificate.pem is not to be trusted' "${at[@]}" --tls changed
# Clocks that differ by more than five minutes, whichever is ahead; by four minutes they do well enough.
for seconds in +400 -400; do
  side=$([ $seconds = +400 ] && echo behind || echo 'ahead of')
  own_clock FAKETIME=$seconds
  finds "its clock is (399|400)\.[0-9] s $side this one's, which lets certificates look expired or not yet valid" "${at[@]}" "${tls[@]}"
done
own_clock FAKETIME=+240
"${clock[@]}" "$smlp" doctor "${at[@]}" "${tls[@]}" >out.txt </dev/null || fail "doctor with a clock of four minutes: $(cat out.txt)"
grep -qE '^ok .*its clock is (239|240)\.[0-9] s behind' out.txt || fail "four minutes are: $(cat out.txt)"
clock=()
# A slow link is measured.
start_relay "$server_port" 0.05
accepts doctor --key-holder 127.0.0.1:"$port" "${tls[@]}" >out.txt
grep -qE 'round trip 1[0-9][0-9]\.[0-9] ms' out.txt || fail "a round trip of 100 ms is: $(cat out.txt)"

finish
