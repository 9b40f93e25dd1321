# Sourced first by every script here: strict bash, the other parts, a folder for temporary files.
# shellcheck disable=SC2034  # they are used by those who source this
set -euo pipefail
shopt -s inherit_errexit
DEPLOY=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
ROOT=$(cd -- "$DEPLOY/../.." && pwd)
export PYTHONPATH=$DEPLOY PYTHONDONTWRITEBYTECODE=1
FAILED=()

source "$DEPLOY/lib/say.sh"
source "$DEPLOY/lib/names.sh"
source "$DEPLOY/lib/google.sh"

# What is written on the way (never a secret that could live elsewhere) is readable by its owner only, and goes at the end.
umask 077
SCRATCH=$(mktemp -d)
clean_up() { rm -rf -- "$SCRATCH"; }
trap clean_up EXIT

read_json() { python3 -m release.state "$@"; }
write_json() { python3 -m release.environment "$@"; }

# print_help FILE: the comment at its top, without the line that names the shell.
print_help() {
  local line
  while IFS= read -r line; do
    [[ $line == '#'* ]] || break
    [[ $line == '#!'* ]] || printf '%s\n' "${line#\#}" | sed 's/^ //'
  done <"$1"
}

# A Cloud label: lower-case letters, digits and dashes, 63 at most.
name_labels() { printf 'app=arcade,part=%s' "${1:0:63}"; }
