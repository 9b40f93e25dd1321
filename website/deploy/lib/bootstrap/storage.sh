# Sourced by `bootstrap`. The bucket for recordings, the repository for images, and the secrets.

ensure_bucket() {
  local buckets
  buckets=$(read_if_api_enabled storage storage buckets list --format='value(name)') || fail "cannot list the buckets."
  if has_line "$GCP_BUCKET_NAME" "$buckets"; then return; fi
  gcloud_write storage buckets create "gs://$GCP_BUCKET_NAME" --location="$GCP_REGION" --default-storage-class=STANDARD \
    --uniform-bucket-level-access --public-access-prevention --soft-delete-duration=30d \
    --lifecycle-file="$DEPLOY/config/lifecycle-$KIND.json"
  mark_planned bucket
}

ensure_repository() {
  local repositories policies
  repositories=$(read_if_api_enabled artifactregistry artifacts repositories list --location="$GCP_REGION" --format='value(name.basename())') ||
    fail "cannot list the image repositories."
  if ! has_line "$REPOSITORY" "$repositories"; then
    gcloud_write artifacts repositories create "$REPOSITORY" --location="$GCP_REGION" --repository-format=docker
    mark_planned images
  fi
  policies=$(read_if_exists images artifacts repositories describe "$REPOSITORY" --location="$GCP_REGION" \
    --format='value(cleanupPolicies)') || fail "cannot read the image repository $REPOSITORY."
  [[ -n $policies ]] ||
    gcloud_write artifacts repositories set-cleanup-policies "$REPOSITORY" --location="$GCP_REGION" --no-dry-run \
      --policy="$DEPLOY/config/cleanup-$KIND.json"
}

# Secrets are generated once and passed to Secret Manager by standard input. They appear in no argument, file or log.
ensure_secrets() {
  local secrets
  secrets=$(read_if_api_enabled secretmanager secrets list --format='value(name.basename())') || fail "cannot list the secrets."
  ensure_secret "$AUTH_SECRET_NAME" "$secrets"
  ensure_secret "$METRICS_SECRET_NAME" "$secrets"
  ensure_secret "$OWNER_SECRET_NAME" "$secrets"
}

ensure_secret() {
  local name=$1 versions value
  if ! has_line "$name" "$2"; then
    gcloud_write secrets create "$name" --replication-policy=automatic
    mark_planned "$name"
  fi
  versions=$(read_if_exists "$name" secrets versions list "$name" --filter=state=ENABLED --format='value(name)') ||
    fail "cannot list the versions of the secret $name."
  if [[ -n $versions ]]; then return; fi
  value=$(python3 -c 'import secrets; print(secrets.token_urlsafe(48))') || fail "cannot generate a secret."
  gcloud_write secrets versions add "$name" --data-file=- < <(printf %s "$value")
}
