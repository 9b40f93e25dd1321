# Sourced by `bootstrap`. The bucket of recordings, the repository of images, the secrets.

ensure_bucket() {
  local buckets
  buckets=$(look storage storage buckets list --format='value(name)') || fail "the buckets cannot be listed."
  if has_line "$GCP_BUCKET_NAME" "$buckets"; then return; fi
  change storage buckets create "gs://$GCP_BUCKET_NAME" --location="$GCP_REGION" --default-storage-class=STANDARD \
    --uniform-bucket-level-access --public-access-prevention --soft-delete-duration=30d \
    --lifecycle-file="$DEPLOY/config/lifecycle-$KIND.json"
  speak_of bucket
}

ensure_repository() {
  local repositories policies
  repositories=$(look artifactregistry artifacts repositories list --location="$GCP_REGION" --format='value(name.basename())') ||
    fail "the image repositories cannot be listed."
  if ! has_line "$REPOSITORY" "$repositories"; then
    change artifacts repositories create "$REPOSITORY" --location="$GCP_REGION" --repository-format=docker
    speak_of images
  fi
  policies=$(look_inside images artifacts repositories describe "$REPOSITORY" --location="$GCP_REGION" \
    --format='value(cleanupPolicies)') || fail "the repository $REPOSITORY cannot be read."
  [[ -n $policies ]] ||
    change artifacts repositories set-cleanup-policies "$REPOSITORY" --location="$GCP_REGION" --no-dry-run \
      --policy="$DEPLOY/config/cleanup-$KIND.json"
}

# Values are drawn here, once, and go straight into Secret Manager: never an argument, never a file, never a log.
ensure_secrets() {
  local secrets
  secrets=$(look secretmanager secrets list --format='value(name.basename())') || fail "the secrets cannot be listed."
  ensure_secret "$AUTH_SECRET_NAME" "$secrets"
  ensure_secret "$METRICS_SECRET_NAME" "$secrets"
  ensure_secret "$OWNER_SECRET_NAME" "$secrets"
}

ensure_secret() {
  local name=$1 versions value
  if ! has_line "$name" "$2"; then
    change secrets create "$name" --replication-policy=automatic
    speak_of "$name"
  fi
  versions=$(look_inside "$name" secrets versions list "$name" --filter=state=ENABLED --format='value(name)') ||
    fail "the versions of the secret $name cannot be listed."
  if [[ -n $versions ]]; then return; fi
  value=$(python3 -c 'import secrets; print(secrets.token_urlsafe(48))') || fail "no secret could be drawn."
  change secrets versions add "$name" --data-file=- < <(printf %s "$value")
}
