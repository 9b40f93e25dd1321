# Sourced. Output, error handling, and the functions that run every command with an effect.

log_info() { printf '%s\n' "$*" >&2; }

fail() {
  log_info "error: $*"
  exit 1
}

# Prints a command, quoted so that it can be pasted into a shell.
quote_command() {
  local word line=''
  for word in "$@"; do
    if [[ $word =~ ^[A-Za-z0-9_./:=@%+,-]+$ ]]; then line+="$word "; else line+="${word@Q} "; fi
  done
  printf '%s\n' "${line% }"
}

# Prints a command that changes something, and runs it unless --dry-run was given.
# A secret is never an argument: secrets are passed by standard input or in a file with mode 600.
run() {
  printf '+ %s\n' "$(quote_command "$@")" >&2
  [[ -n ${DRY_RUN:-} ]] || "$@"
}

# try_run NAME COMMAND...: runs a step and, if it fails, adds NAME to FAILED_STEPS instead of ending the script.
# Do not call it after `if`, `||` or `&&`, where bash disables `set -e` inside the step.
try_run() {
  local name=$1 status
  shift
  set +e
  (
    set -e
    "$@"
  )
  status=$?
  set -e
  ((status == 0)) || FAILED_STEPS+=("$name")
}

# Runs a command with up to 5 tries and exponential backoff, because changes take some seconds to reach all of Google's
# services.
retry() {
  local pause=${DEPLOY_PAUSE_SECONDS:-2} try
  for try in 1 2 3 4 5; do
    if run "$@"; then return 0; fi
    ((try < 5)) || break
    log_info "  failed, retrying in $pause s (try $try of 5)"
    sleep "$pause"
    pause=$((pause * 2))
  done
  fail "gave up after 5 tries: $(quote_command "$@")"
}

# has_line NAME LIST: succeeds if one line of LIST is exactly NAME. Runs no other program, so that the failure of a
# program cannot be mistaken for "no".
has_line() { [[ $'\n'"$2"$'\n' == *$'\n'"$1"$'\n'* ]]; }

require_programs() {
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null || fail "$program is not installed. Install it and run this command again."
  done
}

require_settings() {
  local name
  for name in "$@"; do
    [[ -n ${!name:-} ]] || fail "the variable $name is not set. website/deploy/bootstrap prints its value."
  done
}
