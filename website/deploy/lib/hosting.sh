# Sourced by `bootstrap`. Calls the Firebase CLI, whose version tools/package-lock.json pins.

FIREBASE=${FIREBASE:-$DEPLOY/tools/node_modules/.bin/firebase}

# Both functions run the CLI in a scratch folder that contains firebase.json and the built page, as the CLI requires.
# With --json the CLI prints errors on standard output, so firebase_read shows that output after a failure.
firebase_read() {
  local answer
  answer=$(cd -- "$SCRATCH/hosting" && "$FIREBASE" "$@" --project="$FIREBASE_PROJECT_ID" --non-interactive) || {
    log_info "$answer"
    return 1
  }
  printf '%s\n' "$answer"
}
firebase_write() { (cd -- "$SCRATCH/hosting" && run "$FIREBASE" "$@" --project="$FIREBASE_PROJECT_ID" --non-interactive); }

# The CLI requires this file even for listings.
prepare_hosting_folder() {
  mkdir -p "$SCRATCH/hosting"
  printf '{"hosting": {"public": "dist"}}\n' >"$SCRATCH/hosting/firebase.json"
}
