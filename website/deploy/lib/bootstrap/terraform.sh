# Sourced by `bootstrap`. Runs Terraform, or OpenTofu, in website/deploy/infrastructure.

INFRASTRUCTURE=$DEPLOY/infrastructure

find_terraform() {
  for TERRAFORM in "${TERRAFORM:-terraform}" tofu; do
    if command -v "$TERRAFORM" >/dev/null; then return; fi
  done
  fail "neither terraform nor tofu is installed. Install one (https://opentofu.org/docs/intro/install) and run this command again."
}

# Writes the options to PROJECT.tfvars. Lines of that file that no option sets stay as they are.
write_variables() {
  local option name kept=''
  VARIABLES_FILE=$INFRASTRUCTURE/$GCP_PROJECT_ID.tfvars
  if [[ -f $VARIABLES_FILE ]]; then kept=$(<"$VARIABLES_FILE"); fi
  OPTIONS[--kind]=$KIND OPTIONS[--project]=$GCP_PROJECT_ID
  for option in "${!OPTIONS[@]}"; do
    [[ ${OPTIONS[$option]} =~ ^[A-Za-z0-9@./_:-]*$ ]] || fail "$option has a character that is not allowed: '${OPTIONS[$option]}'."
    name=${option#--}
    name=${name//-/_}
    kept=$(sed "/^$name = /d" <<<"$kept")
    kept+=$'\n'"$name = \"${OPTIONS[$option]}\""
  done
  for name in repository repository_id owner_id; do
    [[ $'\n'$kept == *$'\n'"$name = "* ]] || fail "--${name//_/-} is required. See --help."
  done
  if [[ -n $DRY_RUN ]]; then VARIABLES_FILE=$SCRATCH/dry-run.tfvars; fi
  sed '/^$/d' <<<"$kept" | sort >"$VARIABLES_FILE"
  GCP_REGION=$(read_variable region) BILLING_ACCOUNT=$(read_variable billing_account)
  [[ -n $DRY_RUN ]] || log_info "the options are in ${VARIABLES_FILE#"$ROOT"/}. Commit this file; nothing in it is secret."
}

read_variable() { sed -n "s/^$1 = \"\(.*\)\"$/\1/p" "$VARIABLES_FILE"; }

terraform_read() { "$TERRAFORM" -chdir="$INFRASTRUCTURE" "$@"; }

apply_infrastructure() {
  GOOGLE_OAUTH_ACCESS_TOKEN=$(gcloud auth print-access-token --quiet) || fail "cannot get an access token. Run 'gcloud auth login' first."
  export GOOGLE_OAUTH_ACCESS_TOKEN TF_IN_AUTOMATION=1
  terraform_read init -reconfigure -input=false -backend-config="bucket=$GCP_PROJECT_ID-terraform" >&2 ||
    fail "cannot initialise Terraform."
  if [[ -n $ADOPT ]]; then
    cp "$INFRASTRUCTURE/adopt/$KIND.tf" "$INFRASTRUCTURE/adopt.tf"
    trap 'rm -f -- "$INFRASTRUCTURE/adopt.tf"; remove_scratch' EXIT
  fi
  if [[ -n $DRY_RUN ]]; then
    terraform_read plan -input=false -no-color -var-file="$VARIABLES_FILE" || fail "cannot plan the infrastructure."
  else
    run "$TERRAFORM" -chdir="$INFRASTRUCTURE" apply -input=false -no-color -auto-approve -var-file="$VARIABLES_FILE" >&2 ||
      fail "the infrastructure is not complete. Correct the cause above and run this command again; it continues."
  fi
}

print_outputs() {
  printf '\nThe project %s is ready for %s.\n\n' "$GCP_PROJECT_ID" "$KIND"
  printf 'Run these commands to configure GitHub. None of the values is secret, and no key or GitHub secret is used:\n\n'
  terraform_read output -raw github_commands
  printf '\n\nDo these steps by hand:\n\n'
  terraform_read output -raw manual_steps
  printf '\n'
}
