# Sourced by `bootstrap`. Three accounts: who deploys, who serves, who migrates. None has a key.

ensure_accounts() {
  local accounts
  accounts=$(look iam iam service-accounts list --format='value(email)') || fail "the service accounts cannot be listed."
  ensure_account arcade-deploy "Skill Arcade: deploys from GitHub" "$accounts"
  ensure_account arcade-run "Skill Arcade: serves" "$accounts"
  ensure_account arcade-migrate "Skill Arcade: migrates the database" "$accounts"
}

ensure_account() {
  if has_line "$(name_account "$1")" "$3"; then return; fi
  change iam service-accounts create "$1" --display-name="$2"
  speak_of "$(name_account "$1")"
}
