# Sourced by `bootstrap`. What must not be in Terraform's state: the values of secrets, and the password of the owner of
# the tables, which only the migration job signs in with.

# Values are generated once and passed to Secret Manager by standard input. They appear in no argument, file or log.
ensure_secret_values() {
  local name versions value
  for name in "$AUTH_SECRET_NAME" "$METRICS_SECRET_NAME" "$OWNER_SECRET_NAME"; do
    versions=$(gcloud_read secrets versions list "$name" --filter=state=ENABLED --format='value(name)') ||
      fail "cannot list the versions of the secret $name."
    if [[ -n $versions ]]; then continue; fi
    value=$(python3 -c 'import secrets; print(secrets.token_urlsafe(48))') || fail "cannot generate a secret."
    gcloud_write secrets versions add "$name" --data-file=- < <(printf %s "$value")
  done
}

# The password is passed to gcloud in a flags file, because every user of a machine can read the arguments of a process.
ensure_owner() {
  local users
  users=$(gcloud_read sql users list --instance="$SQL_INSTANCE" --format='value(name)') || fail "cannot list the users of the database."
  if has_line "$OWNER_USER" "$users"; then return; fi
  {
    printf -- '--password: "'
    gcloud_read secrets versions access latest --secret="$OWNER_SECRET_NAME" || fail "cannot read the password of the database owner."
    printf '"\n'
  } >"$SCRATCH/owner.yaml"
  gcloud_write sql users create "$OWNER_USER" --instance="$SQL_INSTANCE" --flags-file="$SCRATCH/owner.yaml"
  rm -f -- "$SCRATCH/owner.yaml"
}
