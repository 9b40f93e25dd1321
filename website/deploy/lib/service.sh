# Sourced. What a Cloud Run service and its migration job look like; production and previews differ by a few words.

# Memory, with an end of its own: a journal that can't be delivered fills this and new games are refused,
# where on the container's own disk it would end the instance and every game on it.
JOURNAL_FOLDER=/journal
JOURNAL=(
  "--add-volume=name=journal,type=in-memory,size-limit=1Gi"
  "--add-volume-mount=volume=journal,mount-path=$JOURNAL_FOLDER"
)

# A socket is a request, so it ends with the longest request that there is: an hour. The page then comes back by itself.
# Delivery works between requests too, so the CPU is not taken away between them.
SERVING=(
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

# write_environment FILE NAME=VALUE...: what the server is told that is no secret, with what is the same everywhere.
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
  change run deploy "$name" --region="$GCP_REGION" --image="$image" --service-account="$RUN_ACCOUNT" \
    "${SERVING[@]}" "${JOURNAL[@]}" --env-vars-file="$environment" \
    --set-secrets="AUTH_SECRET=$AUTH_SECRET_NAME:latest,METRICS_TOKEN=$METRICS_SECRET_NAME:latest" "$@"
}

# migrate_database JOB IMAGE DATABASE FOLDER: brings the schema to this version and grants what app and readers may do.
# The schema only ever grows (docs/deploy.md), so the version that is serving goes on working meanwhile.
migrate_database() {
  local job=$1 image=$2 database=$3 folder=$4
  write_environment "$folder/migrate.json" "GCP_SQL_NAME=$database" "GCP_SQL_USER=$OWNER_USER"
  change run jobs deploy "$job" --region="$GCP_REGION" --image="$image" --service-account="$MIGRATE_ACCOUNT" \
    --command=skill-arcade --args="migrate,--app=$GCP_SQL_USER${RESEARCHERS:+,--reader=$RESEARCHERS}" \
    --env-vars-file="$folder/migrate.json" --set-secrets="GCP_SQL_PASSWORD=$OWNER_SECRET_NAME:latest" \
    --cpu=1 --memory=1Gi --tasks=1 --max-retries=1 --task-timeout=10m --labels="$(name_labels "$job")"
  change run jobs execute "$job" --region="$GCP_REGION" --wait
}
