#!/usr/bin/env bash
# local_deployment.sh trains and classifies a small table, leaves each party what is its own, and no process.
. "$(dirname "$0")/../program/support.sh"
root=$PWD
rows 18 iris.csv small.csv
SMLP=$smlp DATA=$dir/small.csv OPTIONS='--network N-2-C --epochs 1 --quiet' "$root/scripts/local_deployment.sh" "$dir/deployment" \
  >"$dir/out.txt" 2>&1 || fail "local_deployment.sh: $(tail -n 5 "$dir/out.txt")"
cd "$dir/deployment" || exit 1
[ "$(wc -l <owner/answers.csv)" -eq 9 ] || fail "answers: $(cat owner/answers.csv)"
[ -z "$(find evaluator -name 'secret.json' -o -name '*profile*' -o -name '*.csv')" ] || fail 'the evaluator has what is not its own'
grep -qE '^evaluator.example: [0-9]+ requests, 0 refused' key_holder/log.txt || fail "the key holder did not stop: $(tail -n 1 key_holder/log.txt)"

finish
