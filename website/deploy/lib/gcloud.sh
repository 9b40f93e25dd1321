# Sourced. Calls gcloud, always with an explicit project and never interactively.

# Runs a gcloud command that only reads. Callers handle its failure explicitly, `list=$(gcloud_read …) || fail …`, so that
# a failed listing is never mistaken for an empty one, whether or not `set -e` is in effect.
gcloud_read() { gcloud "$@" --project="$GCP_PROJECT_ID" --quiet; }

# Runs a gcloud command that changes something. It is printed, and skipped by --dry-run.
gcloud_write() { run gcloud "$@" --project="$GCP_PROJECT_ID" --quiet; }

gcloud_write_with_retry() { retry gcloud "$@" --project="$GCP_PROJECT_ID" --quiet; }

# Listings, one name per line.
list_services() { gcloud_read run services list --region="$GCP_REGION" --format='value(metadata.name)'; }
list_jobs() { gcloud_read run jobs list --region="$GCP_REGION" --format='value(metadata.name)'; }
list_databases() { gcloud_read sql databases list --instance="$SQL_INSTANCE" --format='value(name)'; }
list_packages() {
  gcloud_read artifacts packages list --repository="$REPOSITORY" --location="$GCP_REGION" --format='value(name.basename())'
}
