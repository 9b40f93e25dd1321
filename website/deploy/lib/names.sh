# Sourced. Every name follows from project, number and region, so that bootstrap, deploy and preview agree.
# shellcheck disable=SC2034  # they are used by those who source this

name_things() {
  GCP_REGION=${GCP_REGION:-europe-west1}
  GCP_BUCKET_NAME=${GCP_BUCKET_NAME:-$GCP_PROJECT_ID-recordings}
  GCP_SQL_CONNECTION_NAME=${GCP_SQL_CONNECTION_NAME:-$GCP_PROJECT_ID:$GCP_REGION:arcade}
  GCP_SQL_NAME=${GCP_SQL_NAME:-arcade}
  FIREBASE_PROJECT_ID=${FIREBASE_PROJECT_ID:-$GCP_PROJECT_ID}
  SQL_INSTANCE=${GCP_SQL_CONNECTION_NAME##*:}
  REPOSITORY=arcade
  REPOSITORY_HOST=$GCP_REGION-docker.pkg.dev
  AUTH_SECRET_NAME=arcade-auth-secret
  METRICS_SECRET_NAME=arcade-metrics-token
  OWNER_SECRET_NAME=arcade-database-owner
  OWNER_USER=arcade_owner
  DEPLOY_ACCOUNT=$(name_account arcade-deploy)
  RUN_ACCOUNT=$(name_account arcade-run)
  MIGRATE_ACCOUNT=$(name_account arcade-migrate)
  # Cloud SQL names a service account's user without the end of its address.
  GCP_SQL_USER=${GCP_SQL_USER:-${RUN_ACCOUNT%.gserviceaccount.com}}
}

name_account() { printf '%s@%s.iam.gserviceaccount.com' "$1" "$GCP_PROJECT_ID"; }

# The host that Cloud Run gives a service, known before the service is there.
name_host() { printf '%s-%s.%s.run.app' "$1" "$GCP_PROJECT_NUMBER" "$GCP_REGION"; }
