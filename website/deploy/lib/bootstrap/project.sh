# Sourced by `bootstrap`. The project itself, its billing, its APIs.

APIS=(artifactregistry cloudresourcemanager firebase firebasehosting iam iamcredentials identitytoolkit logging monitoring
  run secretmanager serviceusage sqladmin storage sts)
ENABLED_APIS=''
declare -A SPOKEN_OF=() # what a dry run would have made by now

ensure_project() {
  local projects billing
  projects=$(gcloud projects list --filter="projectId=$GCP_PROJECT_ID" --format='value(projectId)' --quiet) ||
    fail "your projects cannot be listed: run 'gcloud auth login' first."
  if ! has_line "$GCP_PROJECT_ID" "$projects"; then
    [[ -n $BILLING_ACCOUNT ]] || fail "there is no project $GCP_PROJECT_ID that you may see; to create it, add --billing-account."
    run gcloud projects create "$GCP_PROJECT_ID" --quiet
    speak_of project
  fi
  if is_spoken_of project; then
    GCP_PROJECT_NUMBER=0
    run gcloud billing projects link "$GCP_PROJECT_ID" --billing-account="$BILLING_ACCOUNT" --quiet
    return
  fi
  GCP_PROJECT_NUMBER=$(gcloud projects describe "$GCP_PROJECT_ID" --format='value(projectNumber)' --quiet) ||
    fail "the number of $GCP_PROJECT_ID cannot be read."
  billing=$(gcloud billing projects describe "$GCP_PROJECT_ID" --format='value(billingEnabled)' --quiet) ||
    fail "whether $GCP_PROJECT_ID is billed cannot be read."
  if [[ $billing != True ]]; then
    [[ -n $BILLING_ACCOUNT ]] || fail "$GCP_PROJECT_ID has no billing account: add --billing-account."
    run gcloud billing projects link "$GCP_PROJECT_ID" --billing-account="$BILLING_ACCOUNT" --quiet
  fi
}

ensure_apis() {
  local api missing=()
  if ! is_spoken_of project; then
    ENABLED_APIS=$(ask services list --enabled --format='value(config.name)') || fail "the enabled APIs cannot be listed."
  fi
  for api in "${APIS[@]}"; do
    has_line "$api.googleapis.com" "$ENABLED_APIS" || missing+=("$api.googleapis.com")
  done
  ((${#missing[@]} == 0)) || change services enable "${missing[@]}"
}

# look API QUESTION...: asks. In a dry run of a project whose API is still off the question would fail; nothing is there.
look() {
  local api=$1.googleapis.com
  shift
  if [[ -n $DRY_RUN ]] && ! has_line "$api" "$ENABLED_APIS"; then return 0; fi
  ask "$@"
}

# A thing that only a dry run made cannot be asked about: what it holds is known, nothing.
speak_of() { if [[ -n $DRY_RUN ]]; then SPOKEN_OF[$1]=yes; fi; }
is_spoken_of() { [[ -n ${SPOKEN_OF[$1]:-} ]]; }

# look_inside THING QUESTION...: asks what THING holds, unless only a dry run made it.
look_inside() {
  local thing=$1
  shift
  if is_spoken_of "$thing"; then return 0; fi
  ask "$@"
}

# bind POLICY MEMBER ROLE COMMAND...: gives one role to one member unless the policy does already.
# A new account takes some seconds to be known everywhere, so this is tried again.
bind() {
  local policy=$1 member=$2 role=$3 answer
  shift 3
  answer=$(read_json binding "$role" "$member" <<<"${policy:-"{}"}") || exit 1
  [[ $answer == yes ]] || change_patiently "$@" --member="$member" --role="$role" --format=none
}
