# Sourced first by every script: strict mode, the common functions, a scratch folder.
# shellcheck disable=SC2034  # the variables are used by the scripts that source this file
set -euo pipefail
shopt -s inherit_errexit
DEPLOY=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
ROOT=$(cd -- "$DEPLOY/../.." && pwd)
export PYTHONPATH=$DEPLOY PYTHONDONTWRITEBYTECODE=1
FAILED_STEPS=()

source "$DEPLOY/lib/console.sh"
source "$DEPLOY/lib/names.sh"
source "$DEPLOY/lib/gcloud.sh"

# Scratch files are readable by their owner only and are removed on exit. A secret is written here only if it has to be.
umask 077
SCRATCH=$(mktemp -d)
remove_scratch() { rm -rf -- "$SCRATCH"; }
trap remove_scratch EXIT

# print_help FILE: prints the comment at the top of a script.
print_help() {
  local line
  while IFS= read -r line; do
    [[ $line == '#'* ]] || break
    [[ $line == '#!'* ]] || printf '%s\n' "${line#\#}" | sed 's/^ //'
  done <"$1"
}

# Prints the labels of a resource. A label value has at most 63 lower-case letters, digits and dashes.
resource_labels() { printf 'app=arcade,part=%s' "${1:0:63}"; }
