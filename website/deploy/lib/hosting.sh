# Sourced. Firebase Hosting, by the firebase client that tools/package-lock.json pins.

FIREBASE=${FIREBASE:-$DEPLOY/tools/node_modules/.bin/firebase}

# Both run in a folder of their own, with a copy of firebase.json beside the built page, as that client wants it.
# With --json that client says on standard output what went wrong, so a failure shows it.
ask_hosting() {
  local answer
  answer=$(cd -- "$SCRATCH/hosting" && "$FIREBASE" "$@" --project="$FIREBASE_PROJECT_ID" --non-interactive) || {
    say "$answer"
    return 1
  }
  printf '%s\n' "$answer"
}
change_hosting() { (cd -- "$SCRATCH/hosting" && run "$FIREBASE" "$@" --project="$FIREBASE_PROJECT_ID" --non-interactive); }

# prepare_page FOLDER: lay the built page out; FOLDER may be empty when nothing is to be uploaded.
prepare_page() {
  mkdir -p "$SCRATCH/hosting"
  if [[ -z $1 ]]; then
    # Without such a file that client does not even list.
    printf '{"hosting": {"public": "dist"}}\n' >"$SCRATCH/hosting/firebase.json"
    return
  fi
  [[ -f $1/index.html ]] || fail "$1 is no built page: it has no index.html."
  cp "$ROOT/website/frontend/firebase.json" "$SCRATCH/hosting/firebase.json"
  cp -R "$1" "$SCRATCH/hosting/dist"
}

# configure_page API_URL KEY: tells the page where the API is. One build serves every environment.
configure_page() {
  write_json "$SCRATCH/hosting/dist/config.json" "apiUrl=$1" "release=$2"
}

list_channels() { ask_hosting hosting:channel:list --json; }
