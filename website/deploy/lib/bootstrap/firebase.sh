# Sourced by `bootstrap`. Firebase in the same project: Hosting for the page, Authentication for the players.

ensure_firebase() {
  local projects=''
  FIREBASE_API_KEY=''
  if ! is_planned project; then
    projects=$(list_firebase projects:list projectId) || fail "cannot list the Firebase projects. Run '$FIREBASE login' first."
  fi
  if ! has_line "$FIREBASE_PROJECT_ID" "$projects"; then
    firebase_write projects:addfirebase "$FIREBASE_PROJECT_ID"
    mark_planned firebase
  fi
  [[ $KIND == preview ]] || ensure_app
}

# Registers the page as a web app of the project. Its API key identifies the project and is not secret.
ensure_app() {
  local apps='' answer
  if ! is_planned firebase; then
    apps=$(list_firebase apps:list appId WEB) || fail "cannot list the Firebase apps."
  fi
  if [[ -z $apps ]]; then
    firebase_write apps:create WEB "Skill Arcade"
    if [[ -n $DRY_RUN ]]; then return; fi
    apps=$(list_firebase apps:list appId WEB) || fail "cannot list the Firebase apps."
  fi
  answer=$(firebase_read apps:sdkconfig WEB "${apps%%$'\n'*}" --json) || fail "cannot read the settings of the Firebase app."
  FIREBASE_API_KEY=$(read_json api_key <<<"$answer") || exit 1
}

# list_firebase COMMAND FIELD ARGUMENT...: prints a field of each item that a Firebase command lists, one per line.
list_firebase() {
  local command=$1 field=$2 answer
  shift 2
  answer=$(firebase_read "$command" "$@" --json) || return 1
  read_json items "$field" <<<"$answer"
}
