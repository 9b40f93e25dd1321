# Sourced by `preview`. Every name of a preview follows from its number.

SIZE=(--cpu=1 --memory=2Gi --concurrency=20 --min-instances=0 --max-instances=1)
GAMES=10
DAYS=7

name_preview() {
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
  name_preview "$NUMBER"
  need_programs skopeo
  api_url=https://$(name_host "$SERVICE")
  # The channel comes first: its address has a random part, and the service must know which page may use it.
  page_url=$(open_channel) || exit 1
  push_image "$ARCHIVE" "$PACKAGE"
  create_database
  migrate_database "$MIGRATE_JOB" "$IMAGE_DIGEST" "$DATABASE" "$SCRATCH"
  write_environment "$SCRATCH/service.json" \
    SKILL_ARCADE_ENVIRONMENT=preview AUTH_METHOD=email TRUSTED_PROXIES=1 \
    "TRUSTED_HOSTS=${api_url#https://}" "CORS_ORIGINS=$page_url" \
    "GCP_BUCKET_PREFIX=$PREFIX" \
    "GCP_SQL_NAME=$DATABASE" "GCP_SQL_USER=$GCP_SQL_USER" GCP_SQL_IAM_AUTH=true \
    DATABASE_POOL_SIZE=2 UPLOADER_NUM_WORKERS=2 "MAX_GAMES=$GAMES"
  deploy_service "$SERVICE" "$IMAGE_DIGEST" "$SCRATCH/service.json" "${SIZE[@]}" --allow-unauthenticated \
    --labels="$(name_labels "$SERVICE"),preview=$NUMBER,commit=$(name_commit)"
  # Three games through the front door: it works, and there is a little data to look at, in today's schema.
  run "$DEPLOY/smoke" "$api_url" --games 3
  configure_page "$api_url" "$(name_commit)"
  change_hosting hosting:channel:deploy "$CHANNEL" --expires="${DAYS}d" --no-authorized-domains
  run "$DEPLOY/smoke" "$api_url" --page "$page_url"
  tell_links "$page_url" "$api_url"
}

# Prints the channel's address; makes the channel if it is not there.
open_channel() {
  local channels url
  channels=$(list_channels) || fail "the channels of Firebase Hosting cannot be listed."
  url=$(read_json channel "$CHANNEL" <<<"$channels") || exit 1
  if [[ -z $url ]]; then
    change_hosting hosting:channel:create "$CHANNEL" --expires="${DAYS}d" >&2 || fail "no channel $CHANNEL."
    if [[ -n ${DRY_RUN:-} ]]; then
      url=https://the-channel
    else
      channels=$(list_channels) || fail "the channels of Firebase Hosting cannot be listed."
      url=$(read_json channel "$CHANNEL" <<<"$channels") || exit 1
      [[ -n $url ]] || fail "the channel $CHANNEL was made and is not there."
    fi
  fi
  printf '%s\n' "$url"
}

create_database() {
  local databases
  databases=$(list_databases) || fail "the databases cannot be listed."
  has_line "$DATABASE" "$databases" || change sql databases create "$DATABASE" --instance="$SQL_INSTANCE"
}

# For the workflow's comment, and for a person.
tell_links() {
  say "preview of #$NUMBER: $1 (API: $2)"
  if [[ -n ${GITHUB_OUTPUT:-} ]]; then printf 'page=%s\napi=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"; fi
}

# ---- down

preview_down() {
  remove_preview "$NUMBER"
  ((${#FAILED[@]} == 0)) || fail "of the preview of #$NUMBER this is perhaps left: ${FAILED[*]}. Run this again."
  say "nothing is left of the preview of #$NUMBER"
}

# Every part by itself: one that fails keeps none of the others from being removed. The service goes first, since it
# uses the rest.
remove_preview() {
  name_preview "$1"
  attempt "service $SERVICE" remove_service
  attempt "job $MIGRATE_JOB" remove_job
  attempt "database $DATABASE" remove_database
  attempt "objects $PREFIX" remove_objects
  attempt "channel $CHANNEL" remove_channel
  attempt "images $PACKAGE" remove_images
}

remove_service() {
  local services
  services=$(list_services) || fail "the services cannot be listed."
  ! has_line "$SERVICE" "$services" || change run services delete "$SERVICE" --region="$GCP_REGION"
}

remove_job() {
  local jobs
  jobs=$(list_jobs) || fail "the jobs cannot be listed."
  ! has_line "$MIGRATE_JOB" "$jobs" || change run jobs delete "$MIGRATE_JOB" --region="$GCP_REGION"
}

# The service's last connections take some seconds to go, and a database that is in use can't be dropped.
remove_database() {
  local databases
  databases=$(list_databases) || fail "the databases cannot be listed."
  ! has_line "$DATABASE" "$databases" || change_patiently sql databases delete "$DATABASE" --instance="$SQL_INSTANCE"
}

# With the slash at the end, so that 7 does not take 70 along.
remove_objects() {
  local prefixes
  prefixes=$(list_prefixes) || fail "the objects cannot be listed."
  ! has_line "$PREFIX" "$prefixes" || change storage rm --recursive "gs://$GCP_BUCKET_NAME/$PREFIX/**"
}

remove_channel() {
  local channels
  channels=$(list_channels) || fail "the channels of Firebase Hosting cannot be listed."
  channels=$(read_json channels <<<"$channels") || exit 1
  ! has_line "$CHANNEL" "$channels" || change_hosting hosting:channel:delete "$CHANNEL" --force
}

remove_images() {
  local packages
  packages=$(list_packages) || fail "the images cannot be listed."
  ! has_line "$PACKAGE" "$packages" ||
    change artifacts packages delete "$PACKAGE" --repository="$REPOSITORY" --location="$GCP_REGION"
}

# The folders below previews/, as `previews/pr-7`, one a line.
list_prefixes() {
  local objects
  objects=$(ask storage objects list "gs://$GCP_BUCKET_NAME/previews/**" --format='value(name)') || return 1
  cut --delimiter=/ --fields=1,2 <<<"$objects" | sort --unique
}

# ---- sweep

# A pull request that was closed with conflicts sends no event, and a run can be cancelled: what is left goes by night.
preview_sweep() {
  local open number left=() kept=()
  open=$(python3 -m release.pulls "$GITHUB_REPOSITORY") || fail "the open pull requests cannot be listed: nothing is removed."
  find_previews
  for number in "${FOUND[@]}"; do
    if has_line "$number" "$open"; then kept+=("$number") && continue; fi
    say "the pull request #$number is not open"
    FAILED=()
    remove_preview "$number"
    ((${#FAILED[@]} == 0)) || left+=("#$number: ${FAILED[*]}")
  done
  say "previews of open pull requests: ${kept[*]:-none}"
  ((${#left[@]} == 0)) || fail "perhaps left: ${left[*]}"
}

# Sets FOUND to the numbers of which anything at all is there.
find_previews() {
  local services jobs databases prefixes channels packages
  services=$(list_services) || fail "the services cannot be listed."
  jobs=$(list_jobs) || fail "the jobs cannot be listed."
  databases=$(list_databases) || fail "the databases cannot be listed."
  prefixes=$(list_prefixes) || fail "the objects cannot be listed."
  channels=$(list_channels) || fail "the channels of Firebase Hosting cannot be listed."
  channels=$(read_json channels <<<"$channels") || exit 1
  packages=$(list_packages) || fail "the images cannot be listed."
  mapfile -t FOUND < <(
    printf '%s\n' "$services" "$jobs" "$databases" "$prefixes" "$channels" "$packages" |
      sed --quiet --regexp-extended 's,^(arcade-|arcade-migrate-|previews/)?pr[-_]([1-9][0-9]*)$,\2,p' |
      sort --unique --numeric-sort
  )
}
