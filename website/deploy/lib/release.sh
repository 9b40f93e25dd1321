# Sourced by `deploy` and `rollback`. Production's steps, and the way back.

# One game costs 3 to 5 % of a core, so 2 CPUs carry 40. Cloud Run sends an instance no more requests at once than
# its concurrency, and a socket is one request for as long as it is open: both limits are the same number.
SIZE=(--cpu=2 --memory=3Gi --concurrency=40 --min-instances=1 "--max-instances=${MAX_INSTANCES:-10}")
GAMES=40
SERVICE=arcade
MIGRATE_JOB=arcade-migrate
CANDIDATE=candidate
PREVIOUS=previous
SHIFTED='' # the revision that had the traffic, once it may have lost it
RELEASED='' # the version that the page's live channel showed, once it may show another

# What is live: read before anything is changed. A failure here ends all, nothing is guessed.
read_live() {
  local service revision channels
  service=$(ask run services describe "$SERVICE" --region="$GCP_REGION" --format=json) ||
    fail "the service $SERVICE cannot be read: run website/deploy/bootstrap first, or see the lines above."
  LIVE_REVISION=$(read_json serving <<<"$service") || fail "which revision serves is not known."
  revision=$(ask run revisions describe "$LIVE_REVISION" --region="$GCP_REGION" --format=json) ||
    fail "the revision $LIVE_REVISION cannot be read."
  LIVE_KEY=$(read_json label arcade-release <<<"$revision") || fail "what $LIVE_REVISION was made from is not known."
  channels=$(list_channels) || fail "the channels of Firebase Hosting cannot be listed."
  LIVE_VERSION=$(read_json version live <<<"$channels") || fail "which version of the page is live is not known."
  API_URL=https://$(name_host "$SERVICE")
  CANDIDATE_URL=https://$CANDIDATE---$(name_host "$SERVICE")
  PAGE_URL=${PAGE_URL:-https://$FIREBASE_PROJECT_ID.web.app}
}

# What has to change. The key says from which sources and settings something was made, and is read back from the
# revision that serves and from the page that is live, so a run that was cancelled or failed is made up for.
plan_release() {
  local page_key live_page
  write_environment "$SCRATCH/service.json" \
    SKILL_ARCADE_ENVIRONMENT=production TRUSTED_PROXIES=1 \
    "TRUSTED_HOSTS=${API_URL#https://},${CANDIDATE_URL#https://}" \
    "CORS_ORIGINS=$PAGE_URL${MORE_ORIGINS:+,$MORE_ORIGINS}" \
    "GCP_SQL_NAME=$GCP_SQL_NAME" "GCP_SQL_USER=$GCP_SQL_USER" GCP_SQL_IAM_AUTH=true \
    "MAX_GAMES=$GAMES" "MAX_INSTANCES=${MAX_INSTANCES:-10}" "UPLOADER_NUM_WORKERS=${UPLOADER_NUM_WORKERS:-4}" \
    DATABASE_POOL_SIZE=4 "DATABASE_MAX_CONNECTIONS=${SQL_MAX_CONNECTIONS:-}" \
    "FIREBASE_PROJECT_ID=$FIREBASE_PROJECT_ID" "FIREBASE_API_KEY=${FIREBASE_API_KEY:-}" \
    "FIREBASE_GOOGLE_CLIENT_ID=${FIREBASE_GOOGLE_CLIENT_ID:-}" \
    "RESEARCHER_EMAILS=${RESEARCHER_EMAILS:-}" "ADMIN_EMAILS=${ADMIN_EMAILS:-}"
  KEY=$(make_key website/backend website/deploy "$SCRATCH/service.json") || exit 1
  page_key=$(make_key website/frontend website/deploy "$SCRATCH/service.json") || exit 1
  # Whatever cannot be read here is deployed: that is never wrong.
  live_page=$(python3 -m release.page "$PAGE_URL") || live_page=''
  CHANGED_BACKEND='' CHANGED_PAGE=''
  [[ -z $FORCE && $KEY == "$LIVE_KEY" ]] || CHANGED_BACKEND=yes
  [[ -z $FORCE && $page_key == "$live_page" ]] || CHANGED_PAGE=yes
  configure_page "$API_URL" "$page_key"
  say "to deploy: back end ${CHANGED_BACKEND:-no}, page ${CHANGED_PAGE:-no}"
}

# make_key FOLDER FOLDER FILE: 40 hexadecimal digits that follow from two folders as committed and one file.
make_key() {
  local tree
  tree=$(git -C "$ROOT" rev-parse "HEAD:$1" "HEAD:$2") || fail "this is not a commit of the project."
  { printf '%s\n' "$tree" && cat -- "$3"; } | sha256sum | cut --characters=1-40
}

release_backend() {
  local service
  [[ -n $CHANGED_BACKEND ]] || return 0
  push_image "$ARCHIVE" server
  migrate_database "$MIGRATE_JOB" "$IMAGE_DIGEST" "$GCP_SQL_NAME" "$SCRATCH"
  deploy_service "$SERVICE" "$IMAGE_DIGEST" "$SCRATCH/service.json" "${SIZE[@]}" \
    --labels="$(name_labels "$SERVICE"),arcade-release=$KEY,commit=$(name_commit)" --no-traffic --tag="$CANDIDATE"
  try_out "$CANDIDATE_URL"
  if [[ -n $DRY_RUN ]]; then
    NEW_REVISION=the-candidate
  else
    service=$(ask run services describe "$SERVICE" --region="$GCP_REGION" --format=json) || fail "$SERVICE cannot be read."
    NEW_REVISION=$(read_json tagged "$CANDIDATE" <<<"$service") || fail "the candidate is not there."
  fi
  SHIFTED=$LIVE_REVISION
  shift_traffic "$NEW_REVISION" --update-tags="$PREVIOUS=$LIVE_REVISION"
  try_out "$API_URL"
}

# shift_traffic REVISION FLAG...: all of it at once. Sockets that are open stay with the revision they began on.
shift_traffic() {
  local revision=$1
  shift
  change run services update-traffic "$SERVICE" --region="$GCP_REGION" --to-revisions="$revision=100" "$@"
}

release_page() {
  [[ -n $CHANGED_PAGE ]] || return 0
  keep_page
  RELEASED=${LIVE_VERSION:-none}
  change_hosting deploy --only=hosting --message="$(name_commit)"
  try_out "$API_URL" --page "$PAGE_URL"
}

# Keep what is live where `rollback` finds it; a channel lasts 30 days at most.
keep_page() {
  [[ -n $LIVE_VERSION ]] || return 0
  change_hosting hosting:clone "$FIREBASE_PROJECT_ID@$LIVE_VERSION" "$FIREBASE_PROJECT_ID:$PREVIOUS"
}

try_out() { run "$DEPLOY/smoke" "$@"; }

# Runs at the end, however it came: by success, by a failure, or by being cancelled.
finish_release() {
  local status=$?
  trap - EXIT
  set +e
  if ((status != 0)); then
    if [[ -n $RELEASED && $RELEASED != none ]]; then
      say "the page fails: putting version $RELEASED back"
      change_hosting hosting:clone "$FIREBASE_PROJECT_ID@$RELEASED" "$FIREBASE_PROJECT_ID:live" ||
        say "error: version $RELEASED of the page is NOT back: do it by hand, docs/operations.md says how."
    fi
    if [[ -n $SHIFTED ]]; then
      say "the release fails: giving the traffic back to $SHIFTED"
      shift_traffic "$SHIFTED" ||
        say "error: $SHIFTED has NOT got the traffic back: do it by hand, docs/operations.md says how."
    fi
  fi
  clean_up
  exit "$status"
}

# ---- rollback

# Gives the traffic to REVISION, or else to the one that the last release put aside.
return_backend() {
  local service serving
  service=$(ask run services describe "$SERVICE" --region="$GCP_REGION" --format=json) || fail "$SERVICE cannot be read."
  if [[ -z $REVISION ]]; then REVISION=$(read_json tagged "$PREVIOUS" <<<"$service") || exit 1; fi
  serving=$(read_json serving <<<"$service") || serving='several revisions'
  [[ $serving != "$REVISION" ]] || fail "$REVISION serves already."
  say "from $serving to $REVISION"
  shift_traffic "$REVISION"
  try_out "https://$(name_host "$SERVICE")"
}

# Shows VERSION of the page, or else the one that the last release put aside.
return_page() {
  local channels
  channels=$(list_channels) || fail "the channels of Firebase Hosting cannot be listed."
  if [[ -z $VERSION ]]; then VERSION=$(read_json version "$PREVIOUS" <<<"$channels") || exit 1; fi
  [[ -n $VERSION ]] || fail "no version of the page was put aside in the last 30 days: name one by --version."
  change_hosting hosting:clone "$FIREBASE_PROJECT_ID@$VERSION" "$FIREBASE_PROJECT_ID:live"
}
