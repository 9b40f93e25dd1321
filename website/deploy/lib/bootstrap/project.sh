# Sourced by `bootstrap`. The project, its billing account and its APIs.

APIS=(artifactregistry cloudresourcemanager firebase firebasehosting iam iamcredentials identitytoolkit logging monitoring
  run secretmanager serviceusage sqladmin storage sts)
ENABLED_APIS=''
declare -A PLANNED=() # resources that a dry run would have created

ensure_project() {
  local projects billing
  projects=$(gcloud projects list --filter="projectId=$GCP_PROJECT_ID" --format='value(projectId)' --quiet) ||
    fail "cannot list your projects. Run 'gcloud auth login' first."
  if ! has_line "$GCP_PROJECT_ID" "$projects"; then
    [[ -n $BILLING_ACCOUNT ]] || fail "the project $GCP_PROJECT_ID does not exist or you may not see it. To create it, add --billing-account."
    run gcloud projects create "$GCP_PROJECT_ID" --quiet
    mark_planned project
  fi
  if is_planned project; then
    GCP_PROJECT_NUMBER=0
    run gcloud billing projects link "$GCP_PROJECT_ID" --billing-account="$BILLING_ACCOUNT" --quiet
    return
  fi
  GCP_PROJECT_NUMBER=$(gcloud projects describe "$GCP_PROJECT_ID" --format='value(projectNumber)' --quiet) ||
    fail "cannot read the number of the project $GCP_PROJECT_ID."
  billing=$(gcloud billing projects describe "$GCP_PROJECT_ID" --format='value(billingEnabled)' --quiet) ||
    fail "cannot read the billing account of the project $GCP_PROJECT_ID."
  if [[ $billing != True ]]; then
    [[ -n $BILLING_ACCOUNT ]] || fail "the project $GCP_PROJECT_ID has no billing account. Add --billing-account."
    run gcloud billing projects link "$GCP_PROJECT_ID" --billing-account="$BILLING_ACCOUNT" --quiet
  fi
}

ensure_apis() {
  local api missing=()
  if ! is_planned project; then
    ENABLED_APIS=$(gcloud_read services list --enabled --format='value(config.name)') || fail "cannot list the enabled APIs."
  fi
  for api in "${APIS[@]}"; do
    has_line "$api.googleapis.com" "$ENABLED_APIS" || missing+=("$api.googleapis.com")
  done
  ((${#missing[@]} == 0)) || gcloud_write services enable "${missing[@]}"
}

# read_if_api_enabled API ARGUMENT...: runs a gcloud command that reads. If a dry run has not enabled the API, the command
# would fail, and there is nothing to list, so it prints nothing.
read_if_api_enabled() {
  local api=$1.googleapis.com
  shift
  if [[ -n $DRY_RUN ]] && ! has_line "$api" "$ENABLED_APIS"; then return 0; fi
  gcloud_read "$@"
}

# A dry run marks the resources that it would create, because they cannot be read and are known to be empty.
mark_planned() { if [[ -n $DRY_RUN ]]; then PLANNED[$1]=yes; fi; }
is_planned() { [[ -n ${PLANNED[$1]:-} ]]; }

# read_if_exists RESOURCE ARGUMENT...: runs a gcloud command that reads, unless a dry run would only now create RESOURCE.
read_if_exists() {
  local resource=$1
  shift
  if is_planned "$resource"; then return 0; fi
  gcloud_read "$@"
}

# bind POLICY MEMBER ROLE COMMAND...: grants a role to a member unless POLICY contains the binding already.
# It retries, because a new account takes some seconds to be known to all services.
bind() {
  local policy=$1 member=$2 role=$3 answer
  shift 3
  answer=$(read_json binding "$role" "$member" <<<"${policy:-"{}"}") || exit 1
  [[ $answer == yes ]] || gcloud_write_with_retry "$@" --member="$member" --role="$role" --format=none
}
