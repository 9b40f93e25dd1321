# Sourced. Derives every name from project ID, project number and region, so that all scripts use the same names.
# shellcheck disable=SC2034  # the variables are used by the scripts that source this file

set_names() {
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
  DEPLOY_ACCOUNT=$(account_email arcade-deploy)
  RUN_ACCOUNT=$(account_email arcade-run)
  MIGRATE_ACCOUNT=$(account_email arcade-migrate)
  # The Cloud SQL user of a service account is its address without the last part.
  GCP_SQL_USER=${GCP_SQL_USER:-${RUN_ACCOUNT%.gserviceaccount.com}}
}

account_email() { printf '%s@%s.iam.gserviceaccount.com' "$1" "$GCP_PROJECT_ID"; }

# Prints the host name of a Cloud Run service. It is known before the service exists.
service_host() { printf '%s-%s.%s.run.app' "$1" "$GCP_PROJECT_NUMBER" "$GCP_REGION"; }
