# Sourced. Deploys a Cloud Run service and its migration job. Production and previews differ in a few flags.

# The journal is on an in-memory volume with its own size limit. If uploads stall, the journal fills this volume and new
# games are rejected. On the container's own disk it would exhaust the instance's memory and end every game.
JOURNAL_FOLDER=/journal
JOURNAL_FLAGS=(
  "--add-volume=name=journal,type=in-memory,size-limit=1Gi"
  "--add-volume-mount=volume=journal,mount-path=$JOURNAL_FOLDER"
)

# A WebSocket is a request, so it ends after the longest request timeout that Cloud Run allows, one hour. The page then
# reconnects. Uploads also run between requests, so the CPU must not be throttled then.
SERVICE_FLAGS=(
  --port=8080
  --timeout=3600
  --session-affinity
  --no-cpu-throttling
  --cpu-boost
  --execution-environment=gen2
  --ingress=all
  "--startup-probe=httpGet.path=/readyz,periodSeconds=2,timeoutSeconds=2,failureThreshold=100"
  "--liveness-probe=httpGet.path=/healthz,periodSeconds=10,timeoutSeconds=5,failureThreshold=3"
)

# write_environment FILE NAME=VALUE...: writes the settings that are not secret, with those that all deployments share.
write_environment() {
  local file=$1
  shift
  write_json "$file" \
    "GCP_PROJECT_NAME=$GCP_PROJECT_ID" \
    "GCP_BUCKET_NAME=$GCP_BUCKET_NAME" \
    "GCP_SQL_CONNECTION_NAME=$GCP_SQL_CONNECTION_NAME" \
    "LOG_FORMAT=json" \
    "SKILL_ARCADE_HOME=$JOURNAL_FOLDER" \
    "$@"
}

# deploy_service NAME IMAGE ENVIRONMENT_FILE FLAG...
deploy_service() {
  local name=$1 image=$2 environment=$3
  shift 3
  gcloud_write run deploy "$name" --region="$GCP_REGION" --image="$image" --service-account="$RUN_ACCOUNT" \
    "${SERVICE_FLAGS[@]}" "${JOURNAL_FLAGS[@]}" --env-vars-file="$environment" \
    --set-secrets="AUTH_SECRET=$AUTH_SECRET_NAME:latest,METRICS_TOKEN=$METRICS_SECRET_NAME:latest" "$@"
}

# migrate_database JOB IMAGE DATABASE FOLDER: migrates the schema and grants the rights of the server and the researchers.
# Migrations only add to the schema (docs/deploy.md), so the serving version keeps working.
migrate_database() {
  local job=$1 image=$2 database=$3 folder=$4
  write_environment "$folder/migrate.json" "GCP_SQL_NAME=$database" "GCP_SQL_USER=$OWNER_USER"
  gcloud_write run jobs deploy "$job" --region="$GCP_REGION" --image="$image" --service-account="$MIGRATE_ACCOUNT" \
    --command=skill-arcade --args="migrate,--app=$GCP_SQL_USER${RESEARCHERS:+,--reader=$RESEARCHERS}" \
    --env-vars-file="$folder/migrate.json" --set-secrets="GCP_SQL_PASSWORD=$OWNER_SECRET_NAME:latest" \
    --cpu=1 --memory=1Gi --tasks=1 --max-retries=1 --task-timeout=10m --labels="$(resource_labels "$job")"
  gcloud_write run jobs execute "$job" --region="$GCP_REGION" --wait
}
