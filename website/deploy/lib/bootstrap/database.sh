# Sourced by `bootstrap`. The Cloud SQL instance, its databases and its users.

# Only encrypted connections through a connector, from no network directly. The server and the researchers authenticate
# with IAM, so they have no password.
SQL_SECURITY_FLAGS=(--ssl-mode=ENCRYPTED_ONLY --connector-enforcement=REQUIRED --assign-ip --storage-auto-increase
  --backup-start-time=03:00)

ensure_database() {
  local instances users databases
  instances=$(read_if_api_enabled sqladmin sql instances list --format='value(name)') || fail "cannot list the database instances."
  if ! has_line "$SQL_INSTANCE" "$instances"; then
    log_info "creating the database instance, which takes about ten minutes"
    create_instance
    mark_planned instance
  else
    wait_for_instance
  fi
  users=$(read_if_exists instance sql users list --instance="$SQL_INSTANCE" --format='value(name)') ||
    fail "cannot list the users of the database."
  databases=$(read_if_exists instance sql databases list --instance="$SQL_INSTANCE" --format='value(name)') ||
    fail "cannot list the databases."
  ensure_owner "$users"
  has_line "$GCP_SQL_USER" "$users" ||
    gcloud_write sql users create "$GCP_SQL_USER" --instance="$SQL_INSTANCE" --type=cloud_iam_service_account
  [[ -z $RESEARCHERS ]] || has_line "$RESEARCHERS" "$users" ||
    gcloud_write sql users create "$RESEARCHERS" --instance="$SQL_INSTANCE" --type=cloud_iam_group
  # Each preview creates its own database.
  [[ $KIND == preview ]] || has_line "$GCP_SQL_NAME" "$databases" ||
    gcloud_write sql databases create "$GCP_SQL_NAME" --instance="$SQL_INSTANCE"
}

create_instance() {
  local size=(--edition=enterprise --cpu=1 --memory=3840MiB --storage-size=20GB --deletion-protection
    --enable-point-in-time-recovery --retained-backups-count=14 --maintenance-window-day=TUE --maintenance-window-hour=4)
  if [[ $KIND == preview ]]; then size=(--edition=enterprise --tier=db-f1-micro --storage-size=10GB); fi
  gcloud_write sql instances create "$SQL_INSTANCE" --region="$GCP_REGION" --database-version=POSTGRES_17 "${size[@]}" \
    "${SQL_SECURITY_FLAGS[@]}" --database-flags="cloudsql.iam_authentication=on,max_connections=$(max_sql_connections)" \
    --timeout=3600
}

# Prints the maximum number of connections to the instance. Production: 10 servers with 12 connections each, twice that
# while a release replaces another, and 10 spare. The server compares its settings with this number and does not start if
# it could open more.
max_sql_connections() { if [[ $KIND == preview ]]; then printf 50; else printf 250; fi; }

# Waits for an instance that an interrupted run of this script began to create.
wait_for_instance() {
  local running operation
  running=$(gcloud_read sql operations list --instance="$SQL_INSTANCE" --filter='status!=DONE' --format='value(name)') ||
    fail "cannot list the operations of the database instance."
  for operation in $running; do
    log_info "waiting for the operation $operation of the database instance"
    gcloud_read sql operations wait "$operation" --timeout=3600 >&2 || fail "the database instance is not ready: the operation $operation failed or timed out."
  done
}

# Creates the owner of the tables, which only the migration job signs in as. Its password is passed to gcloud in a flags
# file, because every user of a machine can read the arguments of a process.
ensure_owner() {
  if has_line "$OWNER_USER" "$1"; then return; fi
  if [[ -z $DRY_RUN ]]; then
    {
      printf -- '--password: "'
      gcloud_read secrets versions access latest --secret="$OWNER_SECRET_NAME" || fail "cannot read the password of the database owner."
      printf '"\n'
    } >"$SCRATCH/owner.yaml"
  fi
  gcloud_write sql users create "$OWNER_USER" --instance="$SQL_INSTANCE" --flags-file="$SCRATCH/owner.yaml"
  rm -f -- "$SCRATCH/owner.yaml"
}
