# Sourced by `bootstrap`. Service accounts for deployment, server and migration. None of them has a key.

ensure_accounts() {
  local accounts
  accounts=$(read_if_api_enabled iam iam service-accounts list --format='value(email)') || fail "cannot list the service accounts."
  ensure_account arcade-deploy "Skill Arcade: deploys from GitHub" "$accounts"
  ensure_account arcade-run "Skill Arcade: serves" "$accounts"
  ensure_account arcade-migrate "Skill Arcade: migrates the database" "$accounts"
}

ensure_account() {
  if has_line "$(account_email "$1")" "$3"; then return; fi
  gcloud_write iam service-accounts create "$1" --display-name="$2"
  mark_planned "$(account_email "$1")"
}
