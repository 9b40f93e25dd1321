# Sourced. What people see, and the one way in which a command that changes something is run.

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "error: $*"
  exit 1
}

# One command as it could be pasted into a shell.
quote_command() {
  local word line=''
  for word in "$@"; do
    if [[ $word =~ ^[A-Za-z0-9_./:=@%+,-]+$ ]]; then line+="$word "; else line+="${word@Q} "; fi
  done
  printf '%s\n' "${line% }"
}

# Runs a command that changes something, and shows it first. With --dry-run it is only shown.
# No secret is ever an argument: those travel by standard input or in a file of mode 600.
run() {
  printf '+ %s\n' "$(quote_command "$@")" >&2
  [[ -n ${DRY_RUN:-} ]] || "$@"
}

# Runs a step whose failure must not keep the next ones from being tried; FAILED remembers its name.
# Call it plainly, never after `if`, `||` or `&&`: there bash would switch `set -e` off inside the step.
attempt() {
  local name=$1 status
  shift
  set +e
  (
    set -e
    "$@"
  )
  status=$?
  set -e
  ((status == 0)) || FAILED+=("$name")
}

# Tries a command again, five times at most: Google's own services need some seconds to hear of each other's changes.
run_patiently() {
  local pause=${DEPLOY_PAUSE_SECONDS:-2} try
  for try in 1 2 3 4 5; do
    if run "$@"; then return 0; fi
    ((try < 5)) || break
    say "  not yet; trying again in $pause s"
    sleep "$pause"
    pause=$((pause * 2))
  done
  fail "given up after 5 tries: $(quote_command "$@")"
}

# Whether one line of a list, given whole, is this name. No program is asked, so there is no failure to mistake for "no".
has_line() { [[ $'\n'"$2"$'\n' == *$'\n'"$1"$'\n'* ]]; }

need_programs() {
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null || fail "$program is missing on this machine: install it, then run this again."
  done
}

need_settings() {
  local name
  for name in "$@"; do
    [[ -n ${!name:-} ]] || fail "$name is not set: website/deploy/bootstrap prints its value."
  done
}
