# Sourced by `bootstrap`. What has to exist before Terraform can run: project, billing, its APIs, the bucket of its state.

# The APIs that Terraform calls to enable all others.
FIRST_APIS=(cloudresourcemanager.googleapis.com serviceusage.googleapis.com iam.googleapis.com storage.googleapis.com)

ensure_project() {
  local projects billing
  projects=$(gcloud projects list --filter="projectId=$GCP_PROJECT_ID" --format='value(projectId)' --quiet) ||
    fail "cannot list your projects. Run 'gcloud auth login' first."
  if ! has_line "$GCP_PROJECT_ID" "$projects"; then
    [[ -n $BILLING_ACCOUNT ]] || fail "the project $GCP_PROJECT_ID does not exist or you may not see it. To create it, add --billing-account."
    run gcloud projects create "$GCP_PROJECT_ID" --quiet
    [[ -z $DRY_RUN ]] || fail "the project does not exist yet, so there is nothing more to show. Run this command without --dry-run."
  fi
  billing=$(gcloud billing projects describe "$GCP_PROJECT_ID" --format='value(billingEnabled)' --quiet) ||
    fail "cannot read the billing account of the project $GCP_PROJECT_ID."
  if [[ $billing != True ]]; then
    [[ -n $BILLING_ACCOUNT ]] || fail "the project $GCP_PROJECT_ID has no billing account. Add --billing-account."
    run gcloud billing projects link "$GCP_PROJECT_ID" --billing-account="$BILLING_ACCOUNT" --quiet
  fi
}

ensure_apis() {
  local api enabled missing=()
  enabled=$(gcloud_read services list --enabled --format='value(config.name)') || fail "cannot list the enabled APIs."
  for api in "${FIRST_APIS[@]}"; do
    has_line "$api" "$enabled" || missing+=("$api")
  done
  ((${#missing[@]} == 0)) || gcloud_write services enable "${missing[@]}"
}

# The state names every resource and holds no secret. Old versions of it are kept.
ensure_state_bucket() {
  local bucket=$GCP_PROJECT_ID-terraform buckets versioned=''
  # An API that was enabled a moment ago may still be refused for a minute.
  buckets=$(read_with_retry storage buckets list --format='value(name)') || fail "cannot list the buckets."
  if has_line "$bucket" "$buckets"; then
    versioned=$(gcloud_read storage buckets describe "gs://$bucket" --format='value(versioning_enabled)') || fail "cannot read the bucket $bucket."
  else
    gcloud_write storage buckets create "gs://$bucket" --location="$GCP_REGION" --uniform-bucket-level-access --public-access-prevention
  fi
  [[ $versioned == True ]] || gcloud_write storage buckets update "gs://$bucket" --versioning
}

# Runs a gcloud command that reads, with up to 5 tries.
read_with_retry() {
  local pause=${DEPLOY_PAUSE_SECONDS:-2} try
  for try in 1 2 3 4; do
    if gcloud_read "$@"; then return 0; fi
    log_info "  failed, retrying in $pause s (try $try of 5)"
    sleep "$pause"
    pause=$((pause * 2))
  done
  gcloud_read "$@"
}
