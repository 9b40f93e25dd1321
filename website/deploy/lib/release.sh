# Sourced by `deploy` and `rollback`. The steps of a production release, and of its rollback.

# One game uses 3 to 5 % of a core, so 2 CPUs can run 40 games. Cloud Run sends an instance at most `concurrency` requests
# at the same time, and an open WebSocket is one request, so both limits have the same value.
SIZE_FLAGS=(--cpu=2 --memory=3Gi --concurrency=40 --min-instances=1 "--max-instances=${MAX_INSTANCES:-10}")
MAX_GAMES=40
SERVICE=arcade
MIGRATE_JOB=arcade-migrate
CANDIDATE=candidate
PREVIOUS=previous
REVISION_TO_RESTORE='' # the revision that served before, once the traffic may have been shifted away from it
VERSION_TO_RESTORE='' # the version of the page that was live before, once another may be live

# Reads what is live before anything is changed. If that is not known, the release stops.
read_live() {
  local service revision channels
  service=$(gcloud_read run services describe "$SERVICE" --region="$GCP_REGION" --format=json) ||
    fail "cannot read the service $SERVICE. See the lines above, or run website/deploy/bootstrap first."
  LIVE_REVISION=$(read_json serving <<<"$service") || fail "cannot determine the revision that serves."
  revision=$(gcloud_read run revisions describe "$LIVE_REVISION" --region="$GCP_REGION" --format=json) ||
    fail "cannot read the revision $LIVE_REVISION."
  LIVE_RELEASE_KEY=$(read_json label arcade-release <<<"$revision") || fail "cannot determine the release key of $LIVE_REVISION."
  channels=$(list_channels) || fail "cannot list the channels of Firebase Hosting."
  LIVE_VERSION=$(read_json version live <<<"$channels") || fail "cannot determine the version of the page that is live."
  API_URL=https://$(service_host "$SERVICE")
  CANDIDATE_URL=https://$CANDIDATE---$(service_host "$SERVICE")
  PAGE_URL=${PAGE_URL:-https://$FIREBASE_PROJECT_ID.web.app}
}

# Determines what has to be released. The release key is a digest of sources and settings. It is compared with the key of
# the serving revision and of the live page, so a release that failed or was cancelled is repeated by the next run.
plan_release() {
  local page_key live_page
  write_environment "$SCRATCH/service.json" \
    SKILL_ARCADE_ENVIRONMENT=production TRUSTED_PROXIES=1 \
    "TRUSTED_HOSTS=${API_URL#https://},${CANDIDATE_URL#https://}" \
    "CORS_ORIGINS=$PAGE_URL${MORE_ORIGINS:+,$MORE_ORIGINS}" \
    "GCP_SQL_NAME=$GCP_SQL_NAME" "GCP_SQL_USER=$GCP_SQL_USER" GCP_SQL_IAM_AUTH=true \
    "MAX_GAMES=$MAX_GAMES" "MAX_INSTANCES=${MAX_INSTANCES:-10}" "UPLOADER_NUM_WORKERS=${UPLOADER_NUM_WORKERS:-4}" \
    DATABASE_POOL_SIZE=4 "DATABASE_MAX_CONNECTIONS=${SQL_MAX_CONNECTIONS:-}" \
    "FIREBASE_PROJECT_ID=$FIREBASE_PROJECT_ID" "FIREBASE_API_KEY=${FIREBASE_API_KEY:-}" \
    "FIREBASE_GOOGLE_CLIENT_ID=${FIREBASE_GOOGLE_CLIENT_ID:-}" \
    "RESEARCHER_EMAILS=${RESEARCHER_EMAILS:-}" "ADMIN_EMAILS=${ADMIN_EMAILS:-}"
  RELEASE_KEY=$(compute_release_key website/backend website/deploy "$SCRATCH/service.json") || exit 1
  page_key=$(compute_release_key website/frontend website/deploy "$SCRATCH/service.json") || exit 1
  # If the key of the live page cannot be read, the page is released, which is always safe.
  live_page=$(python3 -m release.page "$PAGE_URL") || live_page=''
  CHANGED_BACKEND='' CHANGED_PAGE=''
  [[ -z $FORCE && $RELEASE_KEY == "$LIVE_RELEASE_KEY" ]] || CHANGED_BACKEND=yes
  [[ -z $FORCE && $page_key == "$live_page" ]] || CHANGED_PAGE=yes
  write_page_config "$API_URL" "$page_key"
  log_info "planned release backend=${CHANGED_BACKEND:-no} page=${CHANGED_PAGE:-no}"
}

# compute_release_key FOLDER FOLDER FILE: prints 40 hexadecimal digits, a digest of two committed folders and a file.
compute_release_key() {
  local tree
  tree=$(git -C "$ROOT" rev-parse "HEAD:$1" "HEAD:$2") || fail "cannot read the commit: the script must run in a git clone of the project."
  { printf '%s\n' "$tree" && cat -- "$3"; } | sha256sum | cut --characters=1-40
}

release_backend() {
  local service
  [[ -n $CHANGED_BACKEND ]] || return 0
  push_image "$ARCHIVE" server
  migrate_database "$MIGRATE_JOB" "$IMAGE_DIGEST" "$GCP_SQL_NAME" "$SCRATCH"
  deploy_service "$SERVICE" "$IMAGE_DIGEST" "$SCRATCH/service.json" "${SIZE_FLAGS[@]}" \
    --labels="$(resource_labels "$SERVICE"),arcade-release=$RELEASE_KEY,commit=$(commit_id)" --no-traffic --tag="$CANDIDATE"
  run_smoke_test "$CANDIDATE_URL"
  if [[ -n $DRY_RUN ]]; then
    NEW_REVISION=the-candidate
  else
    service=$(gcloud_read run services describe "$SERVICE" --region="$GCP_REGION" --format=json) || fail "cannot read the service $SERVICE."
    NEW_REVISION=$(read_json tagged "$CANDIDATE" <<<"$service") || fail "the service has no revision with the tag $CANDIDATE."
  fi
  REVISION_TO_RESTORE=$LIVE_REVISION
  shift_traffic "$NEW_REVISION" --update-tags="$PREVIOUS=$LIVE_REVISION"
  run_smoke_test "$API_URL"
}

# shift_traffic REVISION FLAG...: sends all traffic to a revision. Open WebSockets stay connected to their revision.
shift_traffic() {
  local revision=$1
  shift
  gcloud_write run services update-traffic "$SERVICE" --region="$GCP_REGION" --to-revisions="$revision=100" "$@"
}

release_page() {
  [[ -n $CHANGED_PAGE ]] || return 0
  save_live_version
  VERSION_TO_RESTORE=${LIVE_VERSION:-none}
  firebase_write deploy --only=hosting --message="$(commit_id)"
  run_smoke_test "$API_URL" --page "$PAGE_URL"
}

# Saves the live version of the page in a channel for `rollback`. A channel expires after at most 30 days.
save_live_version() {
  [[ -n $LIVE_VERSION ]] || return 0
  firebase_write hosting:clone "$FIREBASE_PROJECT_ID@$LIVE_VERSION" "$FIREBASE_PROJECT_ID:$PREVIOUS"
}

run_smoke_test() { run "$DEPLOY/smoke" "$@"; }

# Runs on exit, after success, failure or cancellation. Rolls back unless the release succeeded.
on_release_exit() {
  local status=$?
  trap - EXIT
  set +e
  if ((status != 0)); then
    if [[ -n $VERSION_TO_RESTORE && $VERSION_TO_RESTORE != none ]]; then
      log_info "release failed, rolling back page version=$VERSION_TO_RESTORE"
      firebase_write hosting:clone "$FIREBASE_PROJECT_ID@$VERSION_TO_RESTORE" "$FIREBASE_PROJECT_ID:live" ||
        log_info "error: rollback of the page to version $VERSION_TO_RESTORE FAILED. Do it by hand, see docs/operations.md."
    fi
    if [[ -n $REVISION_TO_RESTORE ]]; then
      log_info "release failed, rolling back traffic revision=$REVISION_TO_RESTORE"
      shift_traffic "$REVISION_TO_RESTORE" ||
        log_info "error: rollback of the traffic to $REVISION_TO_RESTORE FAILED. Do it by hand, see docs/operations.md."
    fi
  fi
  remove_scratch
  exit "$status"
}

# ---- rollback

# Sends the traffic to REVISION, or to the one tagged "previous" if REVISION is empty.
roll_back_backend() {
  local service serving
  service=$(gcloud_read run services describe "$SERVICE" --region="$GCP_REGION" --format=json) || fail "cannot read the service $SERVICE."
  if [[ -z $REVISION ]]; then REVISION=$(read_json tagged "$PREVIOUS" <<<"$service") || exit 1; fi
  serving=$(read_json serving <<<"$service") || serving='several revisions'
  [[ $serving != "$REVISION" ]] || fail "the revision $REVISION serves already."
  log_info "rolling back traffic from=$serving to=$REVISION"
  shift_traffic "$REVISION"
  run_smoke_test "https://$(service_host "$SERVICE")"
}

# Shows VERSION of the page, or the one in the channel "previous" if VERSION is empty.
roll_back_page() {
  local channels
  channels=$(list_channels) || fail "cannot list the channels of Firebase Hosting."
  if [[ -z $VERSION ]]; then VERSION=$(read_json version "$PREVIOUS" <<<"$channels") || exit 1; fi
  [[ -n $VERSION ]] || fail "no version of the page was saved in the last 30 days. Name one with --version."
  firebase_write hosting:clone "$FIREBASE_PROJECT_ID@$VERSION" "$FIREBASE_PROJECT_ID:live"
}
