#!/usr/bin/env bash
# Secret keys that are sealed by a pass phrase: from a file, a pipe, a terminal and a credential of systemd; and what is said where
# it is wrong. Keys of 1024 bits: toys, made with --insecure-key.
. "$(dirname "$0")/support.sh"
cd "$dir" || exit 1
toy_keys
umask 077

echo 'correct horse' >good.txt
echo 'battery staple' >wrong.txt
rows 25 iris.csv train.csv
new=(keygen --bits 1024 --insecure-key)
accepts "${new[@]}" --pass-phrase good.txt --out keys >said.txt
grep -q 'keys/secret.json (sealed), which stays' said.txt || fail "keygen says: $(cat said.txt)"
[ "$(stat -c %a keys/secret.json)" = 600 ] || fail 'a sealed key is open to others'
accepts inspect keys/secret.json --json >facts.json
holds 'j["kind"] == "sealed secret key" and j["key_bits"] == 1024' facts.json

# Every command that reads a secret key.
accepts encrypt --key keys/public.json --data train.csv --batch 4 --out train.h5 >/dev/null
secret=(--secret-key keys/secret.json)
accepts train --data train.h5 --network N-2-C --epochs 1 --quiet "${secret[@]}" --pass-phrase good.txt --out model.h5 >/dev/null
accepts predict --model model.h5 --data train.h5 --quiet "${secret[@]}" --pass-phrase <(cat good.txt) --out answers.h5 >/dev/null
decrypt=(decrypt --key keys/secret.json --in answers.h5 --profile train.h5.profile.json --force --out answers.csv)
"$smlp" "${decrypt[@]}" --pass-phrase - <good.txt >/dev/null 2>&1 || fail 'decrypt does not take the pass phrase from standard input'
mkdir credentials
cp good.txt credentials/smlp-pass-phrase && chmod 440 credentials/smlp-pass-phrase  # as systemd may give it
CREDENTIALS_DIRECTORY=$PWD/credentials accepts export --model model.h5 --key keys/secret.json --out model.json >/dev/null
"$smlp" serve --key keys/secret.json --pass-phrase good.txt --listen 127.0.0.1:0 --insecure-transport >serve.log 2>&1 </dev/null &
server=$!
for _ in $(seq 1000); do
  grep -q '^answers ' serve.log && break
  kill -0 $server 2>/dev/null || break
  sleep 0.01
done
kill -TERM $server && wait $server || fail "serve with a sealed key ended with $?: $(cat serve.log)"
grep -q 'listening on' serve.log || fail "serve with a sealed key says: $(cat serve.log)"

# What is wrong, in a sentence each.
begin='keys/secret.json is refused: '
refuses 1 "${begin}it is sealed by a pass phrase: give --pass-phrase FILE" "${decrypt[@]}"
refuses 1 "${begin}the pass phrase does not open it" "${decrypt[@]}" --pass-phrase wrong.txt
refuses 1 'cannot read the pass phrase file none.txt: No such file' "${decrypt[@]}" --pass-phrase none.txt
: >empty.txt
refuses 1 'the pass phrase file empty.txt is empty' "${decrypt[@]}" --pass-phrase empty.txt
seq 500 >long.txt
refuses 1 'long.txt has more than the allowed 1024 bytes' "${decrypt[@]}" --pass-phrase long.txt
refuses 1 'train.csv is more than one line of text' "${decrypt[@]}" --pass-phrase train.csv
cp good.txt open.txt && chmod 644 open.txt
refuses 1 'the pass phrase file open.txt is open to group or others' "${decrypt[@]}" --pass-phrase open.txt
refuses 1 'the pass phrase on standard input is empty' "${new[@]}" --pass-phrase - --out keys --force
refuses 2 '--pass-phrase goes with --secret-key' train --data train.h5 --network N-2-C --pass-phrase good.txt --key-holder x:1 --tls y --out x.h5
refuses 2 '--new-pass-phrase goes with --reseal' "${new[@]}" --new-pass-phrase good.txt --out x
refuses 2 'it excludes --reseal' "${new[@]}" --reseal --out keys --unseal
refuses 2 '--reseal needs --new-pass-phrase FILE, or --unseal' keygen --out keys --reseal --pass-phrase good.txt
refuses 2 '--unseal goes with --reseal' "${new[@]}" --unseal --out x
refuses 2 '--unseal and --new-pass-phrase exclude' keygen --out keys --reseal --unseal --new-pass-phrase good.txt
mkdir linked && ln -s ../keys/secret.json linked/secret.json
refuses 1 'linked/secret.json is a symbolic link' keygen --out linked --reseal --pass-phrase good.txt --new-pass-phrase wrong.txt
cp keys/secret.json whole.json
head -c 1000 whole.json >keys/secret.json
refuses 1 "${begin}it is not JSON" "${decrypt[@]}" --pass-phrase good.txt
sed 's/"sealed": "..../"sealed": "AAAA/' whole.json >keys/secret.json
refuses 1 "${begin}field 'checksum' does not match what is sealed" "${decrypt[@]}" --pass-phrase good.txt
cp whole.json keys/secret.json

# Another pass phrase, none, and one again: the same key.
accepts keygen --out keys --reseal --pass-phrase good.txt --new-pass-phrase wrong.txt >/dev/null
refuses 1 "${begin}the pass phrase does not open it" "${decrypt[@]}" --pass-phrase good.txt
accepts keygen --out keys --reseal --pass-phrase wrong.txt --unseal >said.txt
grep -q 'is sealed no more' said.txt || fail "keygen --reseal says: $(cat said.txt)"
accepts "${decrypt[@]}" >/dev/null
refuses 1 'keys/secret.json is not sealed: leave --pass-phrase out' "${decrypt[@]}" --pass-phrase good.txt
chmod 400 keys/secret.json
[ "$(id -u)" -ne 0 ] || chown 12:34 keys/secret.json
owner=$(stat -c '%u:%g %a' keys/secret.json)
accepts keygen --out keys --reseal --new-pass-phrase good.txt >/dev/null
[ "$(stat -c '%u:%g %a' keys/secret.json)" = "$owner" ] ||
  fail "a key of $owner that was sealed again is of $(stat -c '%u:%g %a' keys/secret.json)"
[ "$(id -u)" -ne 0 ] || chown 0:0 keys/secret.json
chmod 600 keys/secret.json

# At a terminal: asked once for what is there and twice for what is new, without echo; Ctrl-C leaves the terminal as it was.
python3 - "$smlp" <<'PYTHON' || fail 'a terminal is not asked as it should be'
import os, pty, resource, select, signal, sys, termios
smlp = sys.argv[1]
def as_at_a_terminal():
    """What a background job ignores, the programs of a terminal do not."""
    for each in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP):
        signal.signal(each, signal.SIG_DFL)
def at_terminal(words, answers):
    """What the terminal shows, the exit code, and whether it shows what is typed afterwards."""
    child, terminal = pty.fork()
    if child == 0:
        as_at_a_terminal()
        os.execv(smlp, [smlp, *words])
    shown, answers = b"", list(answers)
    while True:
        if not select.select([terminal], [], [], 60)[0]:
            raise SystemExit(f"nothing for a minute after {shown}")
        try:
            more = os.read(terminal, 4096)
        except OSError:
            break
        shown += more
        if shown.endswith(b": ") and answers:
            answer = answers.pop(0)
            answer(terminal, child) if callable(answer) else os.write(terminal, answer)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    echo = bool(termios.tcgetattr(terminal)[3] & termios.ECHO)
    os.close(terminal)
    assert b"horse" not in shown and b"staple" not in shown, shown
    assert echo, shown
    return shown.decode(), code
decrypt = ["decrypt", "--key", "keys/secret.json", "--in", "answers.h5", "--force", "--out", "answers.csv"]
shown, code = at_terminal(decrypt, [b"correct horse\n"])
assert code == 0 and "pass phrase of keys/secret.json: " in shown, shown
shown, code = at_terminal(decrypt, [b"battery staple\n"])
assert code == 1 and "does not open it" in shown, shown
shown, code = at_terminal(decrypt, [b"\x03"])
assert code in (-signal.SIGINT, 128 + signal.SIGINT), (code, shown)
reseal = ["keygen", "--out", "keys", "--reseal", "--new-pass-phrase", "-"]
shown, code = at_terminal(reseal, [b"correct horse\n", b"battery staple\n", b"battery staples\n"])
assert code == 1 and "the two pass phrases differ" in shown, shown
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
shown, code = at_terminal(decrypt, [b"\x1c"])  # Ctrl-\, and a signal of somebody else
assert code == -signal.SIGQUIT, (code, shown)
def terminated(terminal, child):
    os.kill(child, signal.SIGTERM)
shown, code = at_terminal(decrypt, [terminated])
assert code in (-signal.SIGTERM, 128 + signal.SIGTERM), (code, shown)
# Ctrl-Z under a shell: the terminal shows what is typed until the program goes on.
child, terminal = pty.fork()
if child == 0:
    program = os.fork()
    if program == 0:
        os.setpgid(0, 0)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.tcsetpgrp(0, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        as_at_a_terminal()
        os.execv(smlp, [smlp, *decrypt])
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    stopped = os.WIFSTOPPED(os.waitpid(program, os.WUNTRACED)[1])
    echo = bool(termios.tcgetattr(0)[3] & termios.ECHO)
    os.tcsetpgrp(0, os.getpid())
    os.write(1, f"stopped {stopped} echo {echo}\n".encode())
    os.tcsetpgrp(0, program)
    os.kill(program, signal.SIGCONT)
    while termios.tcgetattr(0)[3] & termios.ECHO:
        pass
    os.write(1, b"hidden again: ")
    os._exit(os.waitstatus_to_exitcode(os.waitpid(program, 0)[1]) & 255)
shown = b""
for until, typed in ((b"secret.json: ", b"\x1a"), (b"hidden again: ", b"battery staple\n"), (None, b"")):
    while until is None or not shown.endswith(until):
        assert select.select([terminal], [], [], 60)[0], shown
        try:
            shown += os.read(terminal, 4096)
        except OSError:
            break
    if typed:
        os.write(terminal, typed)
assert b"stopped True echo True" in shown and b"staple" not in shown and b"does not open it" in shown, shown
os.waitpid(child, 0)
shown, code = at_terminal(reseal, [b"correct horse\n", b"battery staple\n", b"battery staple\n"])
assert code == 0 and "new pass phrase: " in shown and "the same again: " in shown, shown
PYTHON
accepts "${decrypt[@]}" --pass-phrase wrong.txt >/dev/null

finish
