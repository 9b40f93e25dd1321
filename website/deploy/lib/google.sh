# Sourced. gcloud, always with the project named and never with a question.

# Asks; changes nothing. Its failure is the caller's: `list=$(ask …) || fail …`, so that no failed
# listing can read as "nothing there", whatever `set -e` happens to be.
ask() { gcloud "$@" --project="$GCP_PROJECT_ID" --quiet; }

change() { run gcloud "$@" --project="$GCP_PROJECT_ID" --quiet; }

change_patiently() { run_patiently gcloud "$@" --project="$GCP_PROJECT_ID" --quiet; }

# The listings, one name a line.
list_services() { ask run services list --region="$GCP_REGION" --format='value(metadata.name)'; }
list_jobs() { ask run jobs list --region="$GCP_REGION" --format='value(metadata.name)'; }
list_databases() { ask sql databases list --instance="$SQL_INSTANCE" --format='value(name)'; }
list_packages() {
  ask artifacts packages list --repository="$REPOSITORY" --location="$GCP_REGION" --format='value(name.basename())'
}
