# Completion of smlp in bash: its commands, the options that --help lists for each, and files.
_smlp() {
  local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} words=''
  if ((COMP_CWORD == 1)); then
    words="$("$program" --help 2>/dev/null | sed -nE 's/^  ([a-z]+)  .*/\1/p') --help --version"
  elif [[ $word == -* ]]; then
    words=$("$program" "${COMP_WORDS[1]}" --help 2>/dev/null | sed -nE 's/^  (--[a-z-]+) .*/\1/p') || words=''
  fi
  COMPREPLY=()
  if [[ -n $words ]]; then mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word"); fi
}
complete -o default -F _smlp smlp
