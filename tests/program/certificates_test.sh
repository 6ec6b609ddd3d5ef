#!/usr/bin/env bash
# Certificates of real authorities: three levels made by openssl, old and new authority side by side, SIGHUP; and what is said of
# keys and certificates that do not serve. `doctor` and `predict` never disagree. Keys of 1024 bits: toys, made with --insecure-key.
. "$(dirname "$0")/network_support.sh"
toy_keys

# issue FILE ISSUER NAME DAYS EXTENSION...: FILE.key and FILE.pem, by the issuer ("" for itself).
issue() {
  local file=$1 issuer=$2 name=$3 days=$4
  shift 4
  printf '%s\n' "$@" >extensions
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$file.key" -subj "/CN=$name" -out request 2>/dev/null
  if [ -n "$issuer" ]; then
    openssl x509 -req -in request -CA "$issuer.pem" -CAkey "$issuer.key" -CAcreateserial -days "$days" -extfile extensions -out "$file.pem" 2>/dev/null
  else
    openssl x509 -req -in request -signkey "$file.key" -days "$days" -extfile extensions -out "$file.pem" 2>/dev/null
  fi
}
# party FOLDER LEAF AUTHORITY PEER CERTIFICATE...: a folder with these certificates, leaf first.
party() {
  local folder=$1 key=$2 authority=$3 peer=$4
  shift 4
  mkdir -p "$folder"
  cat "$@" >"$folder/certificate.pem"
  cp "$authority" "$folder/authority.pem"
  (umask 077 && cp "$key" "$folder/private_key.pem")
  printf '{"format": "smlp-peers", "version": 1, "peers": ["%s"]}\n' "$peer" >"$folder/peers.json"
}
authority='basicConstraints=critical,CA:TRUE' signs='keyUsage=critical,keyCertSign'
leaf() { printf '%s\n' 'basicConstraints=critical,CA:FALSE' 'keyUsage=critical,digitalSignature' "subjectAltName=DNS:$1" "extendedKeyUsage=$2"; }
issue root '' root 400 $authority $signs
issue middle root middle 300 $authority $signs
issue issuing middle issuing 200 $authority $signs
mapfile -t words < <(leaf keys.example serverAuth)
issue keys_leaf issuing keys.example 100 "${words[@]}"
mapfile -t words < <(leaf evaluator.example clientAuth)
issue evaluator_leaf issuing evaluator.example 100 "${words[@]}"
issue scarce issuing evaluator.example 12 "${words[@]}"
mapfile -t words < <(leaf evaluator.example serverAuth)
issue server_alone issuing evaluator.example 100 "${words[@]}"
party certificates/key_holder keys_leaf.key root.pem evaluator.example keys_leaf.pem issuing.pem middle.pem
party three evaluator_leaf.key root.pem keys.example evaluator_leaf.pem issuing.pem middle.pem

rows 12 iris.csv train.csv
accepts keygen --bits 1024 --insecure-key --out keys >/dev/null
accepts keygen --bits 1024 --insecure-key --out user >/dev/null
accepts encrypt --key keys/public.json --data train.csv --batch 8 --seed 11 --out train.h5 >/dev/null
accepts train --data train.h5 --network N-2-C --epochs 1 --secret-key keys/secret.json --quiet --out model.h5 >/dev/null
cp user/public.json user.json
trap '' HUP  # as under nohup: it reloads all the same
serve one 0 --user-key user.json:answers
trap - HUP
one=$server first=$port
at=(--key-holder 127.0.0.1:$first)

# agree VERDICT PATTERN FOLDER [WORD...]: doctor says a line with VERDICT and PATTERN, and predict works unless it is a FAULT,
# in whose words it fails.
agree() {
  local verdict=$1 pattern=$2 folder=$3 status=0
  shift 3
  local to=("$@")
  [ $# -gt 0 ] || to=("${at[@]}")
  "$smlp" doctor "${to[@]}" --tls "$folder" >"$said/out" 2>"$said/err" </dev/null || status=$?
  grep -qE "^$verdict *.*$pattern" "$said/out" || fail "doctor of $folder says: $(cat "$said/out" "$said/err")"
  if [ "$verdict" = FAULT ]; then
    [ $status -eq 1 ] || fail "doctor of $folder exits with $status"
    refuses 1 "$pattern" predict --model model.h5 --data train.h5 "${to[@]}" --tls "$folder" --quiet --out x.h5 --force
  else
    [ $status -eq 0 ] || fail "doctor of $folder exits with $status: $(cat "$said/out")"
    accepts predict --model model.h5 --data train.h5 "${to[@]}" --tls "$folder" --quiet --out x.h5 --force >/dev/null
  fi
}
agree ok 'three: evaluator.example, talks to keys.example, valid for (99|100) more days' three
party scarce.party scarce.key root.pem keys.example scarce.pem issuing.pem middle.pem
agree WARN 'scarce.party: evaluator.example, .* valid until 20.*, 1[12] more days: make new certificates' scarce.party
# The chain may also be in authority.pem; without it, or with a part of it as the root, nothing is trusted.
cat root.pem issuing.pem middle.pem >all.pem
party chain_in_authority evaluator_leaf.key all.pem keys.example evaluator_leaf.pem issuing.pem middle.pem
agree ok 'chain_in_authority: evaluator.example' chain_in_authority
party alone evaluator_leaf.key root.pem keys.example evaluator_leaf.pem
agree FAULT 'certificate.pem is not to be trusted: unable to get local issuer certificate' alone
party part evaluator_leaf.key issuing.pem keys.example evaluator_leaf.pem issuing.pem middle.pem
agree FAULT 'certificate.pem is not to be trusted: unable to get issuer certificate' part
party wrong_order evaluator_leaf.key root.pem keys.example issuing.pem evaluator_leaf.pem middle.pem
agree FAULT 'private_key.pem is not the key of certificate.pem, whose own certificate comes first' wrong_order
party not_client server_alone.key root.pem keys.example server_alone.pem issuing.pem middle.pem
agree FAULT 'certificate.pem is not for clients: .* clientAuth' not_client
party secret evaluator_leaf.key root.pem keys.example evaluator_leaf.pem issuing.pem middle.pem
openssl pkey -in evaluator_leaf.key -aes256 -passout pass:word -out secret/private_key.pem
agree FAULT 'private_key.pem has a pass phrase, which nobody is asked for' secret
agree FAULT 'unknown host nosuch.invalid' three --key-holder nosuch.invalid:1
refuses 1 'certificate.pem is not for servers' serve --key keys/secret.json --listen 127.0.0.1:0 --tls three

# cannot listen: the causes.
serve=(serve --key keys/secret.json --tls certificates/key_holder)
refuses 1 'cannot listen on 127.0.0.1:[0-9]*: the port is in use' "${serve[@]}" --listen 127.0.0.1:$first
refuses 1 'cannot listen on 192.0.2.1:0: 192.0.2.1 is no address of this machine' "${serve[@]}" --listen 192.0.2.1:0
refuses 1 'cannot listen on nosuch.invalid:0: unknown host' "${serve[@]}" --listen nosuch.invalid:0
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null && [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -gt 80 ]; then
  # Another user's files, with the rights of nobody.
  cp "$program" "$said/program"
  cp -r keys certificates "$said" && chmod 755 "$said"
  chown -R nobody "$said/keys" "$said/certificates"
  (cd "$said" && setpriv --reuid nobody --clear-groups ./program "${serve[@]}" --insecure-key --listen 127.0.0.1:80) >"$said/out" 2>"$said/err" </dev/null
  grep -q 'cannot listen on 127.0.0.1:80: this user may not listen on port 80' "$said/err" || fail "port 80: $(cat "$said/err")"
fi

# A user key for answers alone: release learns at the start that it is refused, predict is served, doctor says which.
release=(release --model model.h5 --tls three "${at[@]}" --quiet --out owner.h5)
refuses 1 'refuses the user key: it hands no model over .*, only answers' "${release[@]}" --user-key user/public.json
refuses 1 'refuses the user key: it hands nothing over to the key' "${release[@]}" --user-key keys/public.json
predict=(predict --model model.h5 --data train.h5 --tls three "${at[@]}" --quiet --out answers.h5 --force)
accepts "${predict[@]}" --user-key user/public.json >/dev/null
grep -q ' conversion/switch-key for answers step 0 ' "$logs/one.log" || fail "the purpose is not in the log: $(tail -n 3 "$logs/one.log")"
accepts doctor "${at[@]}" --tls three --user-key user/public.json >out.txt
grep -q 'it hands answers over to the key' out.txt || fail "doctor says: $(cat out.txt)"

# reloaded PATTERN: sends SIGHUP and waits for the line that it makes.
reloaded() {
  local before
  before=$(cat "$logs/one.log" "$logs/one.err" | grep -c reloaded)
  kill -HUP $one
  for _ in $(seq 1000); do
    [ "$(cat "$logs/one.log" "$logs/one.err" | grep -c reloaded)" -gt "$before" ] && break
    sleep 0.01
  done
  cat "$logs/one.log" "$logs/one.err" | grep reloaded | grep -qE "$1" || fail "after SIGHUP: $(tail -n 2 "$logs/one.log" "$logs/one.err")"
}
# Another user key in the file, other certificates, and neither where something is wrong.
cp keys/public.json user.json
reloaded 'reloaded for evaluator.example; 1 user key'
accepts "${predict[@]}" --user-key keys/public.json >/dev/null
refuses 1 'refuses the user key' "${predict[@]}" --user-key user/public.json
cp certificates/key_holder/certificate.pem kept.pem
echo nonsense >certificates/key_holder/certificate.pem
reloaded 'nothing is reloaded: .*certificate.pem is no certificate in PEM'
cp kept.pem certificates/key_holder/certificate.pem
agree ok 'three: evaluator.example' three

# The key holder's certificate is valid as long as its chain is.
issue passing middle passing 20 $authority $signs
mapfile -t words < <(leaf keys.example serverAuth)
issue passing_leaf passing keys.example 100 "${words[@]}"
cp -r certificates/key_holder kept
party certificates/key_holder passing_leaf.key root.pem evaluator.example passing_leaf.pem passing.pem middle.pem
reloaded 'reloaded for evaluator.example'
agree WARN 'its certificate, valid until .*, (19|20) more days: its operator is to make new ones' three
cp kept/* certificates/key_holder
reloaded 'reloaded for evaluator.example'

# From one authority to the next without a stop: both, then the new certificates, then the new one alone.
accepts certificates --out next --key-holder keys.example --evaluator evaluator.example --owner owner.example >/dev/null
cat root.pem next/key_holder/authority.pem >both.pem
for folder in certificates/key_holder three; do cp both.pem $folder/authority.pem; done
reloaded 'reloaded for evaluator.example'
agree ok 'three: evaluator.example' three
cp next/key_holder/{certificate,private_key}.pem certificates/key_holder
reloaded 'reloaded for evaluator.example'
agree ok 'three: evaluator.example' three
agree ok 'next/evaluator: evaluator.example' next/evaluator
cp next/key_holder/authority.pem certificates/key_holder
reloaded 'reloaded for evaluator.example'
agree ok 'next/evaluator: evaluator.example' next/evaluator

# Callers that are turned away are in the log: a foreign authority, a name that is not listed, no certificate.
"$smlp" doctor "${at[@]}" --tls three >"$said/out" 2>&1 </dev/null && fail 'an authority that was taken out is served'
grep -qE '^FAULT .*it refuses this party.s certificate' "$said/out" || fail "doctor of a foreign authority: $(cat "$said/out")"
"$smlp" doctor "${at[@]}" --tls next/owner >/dev/null 2>&1 </dev/null && fail 'a name that is not listed is served'
openssl s_client -connect 127.0.0.1:$first -alpn h2 </dev/null >/dev/null 2>&1
for line in 'turned away, handshake: certificate verify failed' 'turned away, handshake: peer did not return a certificate' \
  'ipv4:127.0.0.1:[0-9]* turned away, hello: .* owner.example, whom this key holder does not serve'; do
  for _ in $(seq 500); do
    grep -qE "^20[0-9T:Z-]* $line" "$logs/one.log" && break
    sleep 0.01
  done
  grep -qE "^20[0-9T:Z-]* $line" "$logs/one.log" || fail "the log has no '$line': $(grep turned "$logs/one.log")"
done
grep -q '^20.* evaluator.example hello: ' "$logs/one.log" || fail 'greetings are not in the log'

# SIGTERM ends it as ever.
end TERM $one
[ $status -eq 0 ] || fail "serve ends with $status after SIGHUP and SIGTERM"
grep -qE '^[0-9]+ calls turned away$' "$logs/one.log" || fail "serve ends with: $(tail -n 2 "$logs/one.log")"

# Who is locked out stays so over a restart, until an operator forgives.
for i in 1 2 3; do echo "2026-11-27T22:50:24Z evaluator.example out-of-range 12ab34c$i"; done >keys/secret.json.lockout
serve two 0
at=(--key-holder 127.0.0.1:$port)
agree FAULT 'evaluator.example is locked out: 3 of its sessions .* \(smlp serve --forgive evaluator.example\)' next/evaluator
end TERM $server
serve three 0 --forgive evaluator.example,second.example --user-key user/public.json:answers,user/public.json:model
at=(--key-holder 127.0.0.1:$port)
grep -qE '^20[0-9T:Z-]* forgiven: evaluator.example, 3 sessions' "$logs/three.log" || fail "forgiving is not in the log: $(cat "$logs/three.log")"
grep -q 'nothing to forgive second.example' "$logs/three.err" || fail "a name with nothing to forgive goes unsaid: $(cat "$logs/three.err")"
grep -q '; 1 user key;' "$logs/three.log" || fail "a key that is given twice counts twice: $(cat "$logs/three.log")"
agree ok 'next/evaluator: evaluator.example' next/evaluator
[ "$(tail -n 1 keys/secret.json.lockout | cut -d' ' -f2-)" = 'evaluator.example forgiven' ] || fail 'forgiving is not in the journal'
"$smlp" train --data train.h5 --network N-2-C --output linear --learning-rate 5 --epochs 5 --seed 11 --insecure-seed --tls next/evaluator \
  "${at[@]}" --quiet --out hot.h5 >/dev/null 2>"$said/err" </dev/null && fail 'a training that diverges ends well'
grep -qE 'a value left its range, .*; the key holder counts such a session, and serves no more after 3 until .*\(smlp serve --forgive NAME\)' \
  "$said/err" || fail "a counted session is refused by: $(cat "$said/err")"
tail -n 1 keys/secret.json.lockout | grep -q ' evaluator.example out-of-range ' || fail 'the session is not in the journal'
end TERM $server
echo nonsense >>keys/secret.json.lockout
refuses 1 "has a line that does not say who is locked out: 'nonsense'" "${serve[@]}" --listen 127.0.0.1:0

finish
