# Sourced by `bootstrap`. Firebase on the same project: Hosting for the page, Authentication for the players.

ensure_firebase() {
  local projects=''
  FIREBASE_API_KEY=''
  if ! is_spoken_of project; then
    projects=$(list_firebase projects:list projectId) || fail "the Firebase projects cannot be listed: run '$FIREBASE login' first."
  fi
  if ! has_line "$FIREBASE_PROJECT_ID" "$projects"; then
    change_hosting projects:addfirebase "$FIREBASE_PROJECT_ID"
    speak_of firebase
  fi
  [[ $KIND == preview ]] || ensure_app
}

# The page is one web app of the project; its API key names the project and is no secret.
ensure_app() {
  local apps='' answer
  if ! is_spoken_of firebase; then
    apps=$(list_firebase apps:list appId WEB) || fail "the Firebase apps cannot be listed."
  fi
  if [[ -z $apps ]]; then
    change_hosting apps:create WEB "Skill Arcade"
    if [[ -n $DRY_RUN ]]; then return; fi
    apps=$(list_firebase apps:list appId WEB) || fail "the Firebase apps cannot be listed."
  fi
  answer=$(ask_hosting apps:sdkconfig WEB "${apps%%$'\n'*}" --json) || fail "the settings of the page's app cannot be read."
  FIREBASE_API_KEY=$(read_json api_key <<<"$answer") || exit 1
}

# list_firebase COMMAND FIELD ARGUMENT...: that field of each item, one a line.
list_firebase() {
  local command=$1 field=$2 answer
  shift 2
  answer=$(ask_hosting "$command" "$@" --json) || return 1
  read_json items "$field" <<<"$answer"
}
