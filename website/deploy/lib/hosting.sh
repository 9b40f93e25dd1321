# Sourced. Calls the Firebase CLI, whose version tools/package-lock.json pins, for Firebase Hosting.

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

# prepare_hosting_folder FOLDER: fills the scratch folder. FOLDER is the built page, or empty if nothing is uploaded.
prepare_hosting_folder() {
  mkdir -p "$SCRATCH/hosting"
  if [[ -z $1 ]]; then
    # The CLI requires this file even for listings.
    printf '{"hosting": {"public": "dist"}}\n' >"$SCRATCH/hosting/firebase.json"
    return
  fi
  [[ -f $1/index.html ]] || fail "$1 is not a built page, because it contains no index.html."
  cp "$ROOT/website/frontend/firebase.json" "$SCRATCH/hosting/firebase.json"
  cp -R "$1" "$SCRATCH/hosting/dist"
}

# write_page_config API_URL RELEASE_KEY: writes the configuration of the page. One build serves every environment.
write_page_config() {
  write_json "$SCRATCH/hosting/dist/config.json" "apiUrl=$1" "release=$2"
}

list_channels() { firebase_read hosting:channel:list --json; }
