# Sourced by `preview`. Derives the names of a preview from the number of the pull request.

SIZE_FLAGS=(--cpu=1 --memory=2Gi --concurrency=20 --min-instances=0 --max-instances=1)
MAX_GAMES=10
CHANNEL_LIFETIME_DAYS=7

set_preview_names() {
  SERVICE=arcade-pr-$1
  MIGRATE_JOB=arcade-migrate-pr-$1
  DATABASE=pr_$1
  CHANNEL=pr-$1
  PACKAGE=pr-$1
  PREFIX=previews/pr-$1
}

# ---- up

preview_up() {
  local page_url api_url
  set_preview_names "$NUMBER"
  require_programs skopeo
  api_url=https://$(service_host "$SERVICE")
  # The channel is created first, because its address contains a random part and the service allows only that origin.
  page_url=$(ensure_channel) || exit 1
  push_image "$ARCHIVE" "$PACKAGE"
  create_database
  migrate_database "$MIGRATE_JOB" "$IMAGE_DIGEST" "$DATABASE" "$SCRATCH"
  write_environment "$SCRATCH/service.json" \
    SKILL_ARCADE_ENVIRONMENT=preview AUTH_METHOD=email TRUSTED_PROXIES=1 \
    "TRUSTED_HOSTS=${api_url#https://}" "CORS_ORIGINS=$page_url" \
    "GCP_BUCKET_PREFIX=$PREFIX" \
    "GCP_SQL_NAME=$DATABASE" "GCP_SQL_USER=$GCP_SQL_USER" GCP_SQL_IAM_AUTH=true \
    DATABASE_POOL_SIZE=2 UPLOADER_NUM_WORKERS=2 "MAX_GAMES=$MAX_GAMES"
  deploy_service "$SERVICE" "$IMAGE_DIGEST" "$SCRATCH/service.json" "${SIZE_FLAGS[@]}" --allow-unauthenticated \
    --labels="$(resource_labels "$SERVICE"),preview=$NUMBER,commit=$(commit_id)"
  # The smoke test plays three games, which also creates test data in the current schema.
  run "$DEPLOY/smoke" "$api_url" --games 3
  write_page_config "$api_url" "$(commit_id)"
  firebase_write hosting:channel:deploy "$CHANNEL" --expires="${CHANNEL_LIFETIME_DAYS}d" --no-authorized-domains
  run "$DEPLOY/smoke" "$api_url" --page "$page_url"
  print_links "$page_url" "$api_url"
}

# Prints the address of the channel, and creates the channel if it does not exist.
ensure_channel() {
  local channels url
  channels=$(list_channels) || fail "cannot list the channels of Firebase Hosting."
  url=$(read_json channel "$CHANNEL" <<<"$channels") || exit 1
  if [[ -z $url ]]; then
    firebase_write hosting:channel:create "$CHANNEL" --expires="${CHANNEL_LIFETIME_DAYS}d" >&2 || fail "cannot create the channel $CHANNEL."
    if [[ -n ${DRY_RUN:-} ]]; then
      url=https://the-channel
    else
      channels=$(list_channels) || fail "cannot list the channels of Firebase Hosting."
      url=$(read_json channel "$CHANNEL" <<<"$channels") || exit 1
      [[ -n $url ]] || fail "the channel $CHANNEL was created but is not listed."
    fi
  fi
  printf '%s\n' "$url"
}

create_database() {
  local databases
  databases=$(list_databases) || fail "cannot list the databases."
  has_line "$DATABASE" "$databases" || gcloud_write sql databases create "$DATABASE" --instance="$SQL_INSTANCE"
}

# Prints the addresses, also as outputs of the GitHub job.
print_links() {
  log_info "deployed preview pull_request=$NUMBER page=$1 api=$2"
  if [[ -n ${GITHUB_OUTPUT:-} ]]; then printf 'page=%s\napi=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"; fi
}

# ---- down

preview_down() {
  remove_preview "$NUMBER"
  ((${#FAILED_STEPS[@]} == 0)) || fail "cannot remove all of the preview of #$NUMBER: ${FAILED_STEPS[*]}. Run this command again."
  log_info "removed preview pull_request=$NUMBER"
}

# Removes each part separately, so that a failure does not stop the removal of the others. The service is removed first,
# because it uses the other parts.
remove_preview() {
  set_preview_names "$1"
  try_run "service $SERVICE" remove_service
  try_run "job $MIGRATE_JOB" remove_job
  try_run "database $DATABASE" remove_database
  try_run "objects $PREFIX" remove_objects
  try_run "channel $CHANNEL" remove_channel
  try_run "images $PACKAGE" remove_images
}

remove_service() {
  local services
  services=$(list_services) || fail "cannot list the services."
  ! has_line "$SERVICE" "$services" || gcloud_write run services delete "$SERVICE" --region="$GCP_REGION"
}

remove_job() {
  local jobs
  jobs=$(list_jobs) || fail "cannot list the jobs."
  ! has_line "$MIGRATE_JOB" "$jobs" || gcloud_write run jobs delete "$MIGRATE_JOB" --region="$GCP_REGION"
}

# It retries, because a database cannot be dropped until the service's last connections are closed, some seconds later.
remove_database() {
  local databases
  databases=$(list_databases) || fail "cannot list the databases."
  ! has_line "$DATABASE" "$databases" || gcloud_write_with_retry sql databases delete "$DATABASE" --instance="$SQL_INSTANCE"
}

# The slash at the end keeps the removal of preview 7 from also removing preview 70.
remove_objects() {
  local prefixes
  prefixes=$(list_prefixes) || fail "cannot list the objects."
  ! has_line "$PREFIX" "$prefixes" || gcloud_write storage rm --recursive "gs://$GCP_BUCKET_NAME/$PREFIX/**"
}

remove_channel() {
  local channels
  channels=$(list_channels) || fail "cannot list the channels of Firebase Hosting."
  channels=$(read_json channels <<<"$channels") || exit 1
  ! has_line "$CHANNEL" "$channels" || firebase_write hosting:channel:delete "$CHANNEL" --force
}

remove_images() {
  local packages
  packages=$(list_packages) || fail "cannot list the images."
  ! has_line "$PACKAGE" "$packages" ||
    gcloud_write artifacts packages delete "$PACKAGE" --repository="$REPOSITORY" --location="$GCP_REGION"
}

# Lists the folders below previews/, such as `previews/pr-7`, one per line.
list_prefixes() {
  local objects
  objects=$(gcloud_read storage objects list "gs://$GCP_BUCKET_NAME/previews/**" --format='value(name)') || return 1
  cut --delimiter=/ --fields=1,2 <<<"$objects" | sort --unique
}

# ---- sweep

# Removes previews that were not removed on close: GitHub sends no event for a pull request with conflicts, and a run can
# be cancelled.
preview_sweep() {
  local open number incomplete=() kept=()
  open=$(python3 -m release.pull_requests "$GITHUB_REPOSITORY") || fail "cannot list the open pull requests, so nothing is removed."
  find_previews
  for number in "${FOUND[@]}"; do
    if has_line "$number" "$open"; then kept+=("$number") && continue; fi
    log_info "removing preview pull_request=$number reason=not-open"
    FAILED_STEPS=()
    remove_preview "$number"
    ((${#FAILED_STEPS[@]} == 0)) || incomplete+=("#$number: ${FAILED_STEPS[*]}")
  done
  log_info "kept previews pull_requests=${kept[*]:-none}"
  ((${#incomplete[@]} == 0)) || fail "cannot remove all of ${incomplete[*]}. The next run tries again."
}

# Sets FOUND to the numbers of all pull requests of which any part of a preview exists.
find_previews() {
  local services jobs databases prefixes channels packages
  services=$(list_services) || fail "cannot list the services."
  jobs=$(list_jobs) || fail "cannot list the jobs."
  databases=$(list_databases) || fail "cannot list the databases."
  prefixes=$(list_prefixes) || fail "cannot list the objects."
  channels=$(list_channels) || fail "cannot list the channels of Firebase Hosting."
  channels=$(read_json channels <<<"$channels") || exit 1
  packages=$(list_packages) || fail "cannot list the images."
  mapfile -t FOUND < <(
    printf '%s\n' "$services" "$jobs" "$databases" "$prefixes" "$channels" "$packages" |
      sed --quiet --regexp-extended 's,^(arcade-|arcade-migrate-|previews/)?pr[-_]([1-9][0-9]*)$,\2,p' |
      sort --unique --numeric-sort
  )
}
