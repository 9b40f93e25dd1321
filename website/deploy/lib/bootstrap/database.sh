# Sourced by `bootstrap`. The Postgres instance, its databases and who may sign in to them.

# Connectors only, encrypted, no network allowed in; IAM signs the app and the researchers in, so they have no password.
SQL_SAFETY=(--ssl-mode=ENCRYPTED_ONLY --connector-enforcement=REQUIRED --assign-ip --storage-auto-increase
  --backup-start-time=03:00)

ensure_database() {
  local instances users databases
  instances=$(look sqladmin sql instances list --format='value(name)') || fail "the database instances cannot be listed."
  if ! has_line "$SQL_INSTANCE" "$instances"; then
    say "creating the database instance takes about ten minutes"
    create_instance
    speak_of instance
  else
    wait_instance
  fi
  users=$(look_inside instance sql users list --instance="$SQL_INSTANCE" --format='value(name)') ||
    fail "the database's users cannot be listed."
  databases=$(look_inside instance sql databases list --instance="$SQL_INSTANCE" --format='value(name)') ||
    fail "the databases cannot be listed."
  ensure_owner "$users"
  has_line "$GCP_SQL_USER" "$users" ||
    change sql users create "$GCP_SQL_USER" --instance="$SQL_INSTANCE" --type=cloud_iam_service_account
  [[ -z $RESEARCHERS ]] || has_line "$RESEARCHERS" "$users" ||
    change sql users create "$RESEARCHERS" --instance="$SQL_INSTANCE" --type=cloud_iam_group
  # Previews make a database each.
  [[ $KIND == preview ]] || has_line "$GCP_SQL_NAME" "$databases" ||
    change sql databases create "$GCP_SQL_NAME" --instance="$SQL_INSTANCE"
}

create_instance() {
  local size=(--edition=enterprise --cpu=1 --memory=3840MiB --storage-size=20GB --deletion-protection
    --enable-point-in-time-recovery --retained-backups-count=14 --maintenance-window-day=TUE --maintenance-window-hour=4)
  if [[ $KIND == preview ]]; then size=(--edition=enterprise --tier=db-f1-micro --storage-size=10GB); fi
  change sql instances create "$SQL_INSTANCE" --region="$GCP_REGION" --database-version=POSTGRES_17 "${size[@]}" \
    "${SQL_SAFETY[@]}" --database-flags="cloudsql.iam_authentication=on,max_connections=$(name_connections)" \
    --timeout=3600
}

# Connections that the instance allows. Production: 10 servers of 12 each, twice while one release takes over from
# another, and 10 spare ones; the server itself holds its settings against this and does not start when they are more.
name_connections() { if [[ $KIND == preview ]]; then printf 50; else printf 250; fi; }

# An instance that an earlier run began to create, and did not wait for.
wait_instance() {
  local running operation
  running=$(ask sql operations list --instance="$SQL_INSTANCE" --filter='status!=DONE' --format='value(name)') ||
    fail "what the database instance is doing cannot be listed."
  for operation in $running; do
    say "waiting for the database instance to finish what it is doing"
    ask sql operations wait "$operation" --timeout=3600 >&2 || fail "the database instance did not get ready."
  done
}

# The owner of the tables: only the migration job signs in as it. Its password goes from Secret Manager to Cloud SQL by
# a file of flags, since arguments can be read by everybody on a machine.
ensure_owner() {
  if has_line "$OWNER_USER" "$1"; then return; fi
  if [[ -z $DRY_RUN ]]; then
    {
      printf -- '--password: "'
      ask secrets versions access latest --secret="$OWNER_SECRET_NAME" || fail "the owner's password cannot be read."
      printf '"\n'
    } >"$SCRATCH/owner.yaml"
  fi
  change sql users create "$OWNER_USER" --instance="$SQL_INSTANCE" --flags-file="$SCRATCH/owner.yaml"
  rm -f -- "$SCRATCH/owner.yaml"
}
