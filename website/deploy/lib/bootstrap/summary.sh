# Sourced by `bootstrap`. Prints the remaining steps.

print_summary() {
  local environment=$KIND done="The project $GCP_PROJECT_ID is ready for $KIND."
  [[ -z $DRY_RUN ]] ||
    done="This was a dry run: nothing was changed. A real run prints the following, with values for NUMBER and KEY."
  cat <<END

$done

Run these commands to configure GitHub. None of the values is secret, and no key or GitHub secret is used:

  gh api --method PUT repos/$GITHUB_REPOSITORY/environments/$environment \\
    --field 'deployment_branch_policy[protected_branches]=false' \\
    --field 'deployment_branch_policy[custom_branch_policies]=true'
$(print_branch_policies)
$(print_variables)
  gh variable set $(if [[ $KIND == preview ]]; then printf DEPLOY_PREVIEWS; else printf DEPLOY_PRODUCTION; fi) --repo $GITHUB_REPOSITORY --body true

Do these steps by hand:
$(print_manual_steps)
END
}

print_branch_policies() {
  local branch branches=(main)
  [[ $KIND == production ]] || branches+=('refs/pull/*/merge')
  for branch in "${branches[@]}"; do
    printf "  gh api --method POST repos/%s/environments/%s/deployment-branch-policies --field 'name=%s'\n" \
      "$GITHUB_REPOSITORY" "$KIND" "$branch"
  done
}

print_variables() {
  local number=$GCP_PROJECT_NUMBER
  [[ $number != 0 ]] || number=NUMBER
  print_variable GCP_PROJECT_ID "$GCP_PROJECT_ID"
  print_variable GCP_PROJECT_NUMBER "$number"
  print_variable GCP_REGION "$GCP_REGION"
  print_variable GCP_SERVICE_ACCOUNT "$DEPLOY_ACCOUNT"
  print_variable GCP_WORKLOAD_IDENTITY_PROVIDER "${PROVIDER/#projects\/0\//projects\/NUMBER\/}"
  print_variable GCP_BUCKET_NAME "$GCP_BUCKET_NAME"
  print_variable GCP_SQL_CONNECTION_NAME "$GCP_SQL_CONNECTION_NAME"
  print_variable GCP_SQL_USER "$GCP_SQL_USER"
  print_variable SQL_MAX_CONNECTIONS "$(max_sql_connections)"
  print_variable FIREBASE_PROJECT_ID "$FIREBASE_PROJECT_ID"
  if [[ $KIND == production ]]; then
    print_variable GCP_SQL_NAME "$GCP_SQL_NAME"
    print_variable FIREBASE_API_KEY "${FIREBASE_API_KEY:-KEY}"
    print_variable MAX_INSTANCES 10
    print_variable UPLOADER_NUM_WORKERS 4
  fi
  [[ -z $RESEARCHERS ]] || print_variable RESEARCHERS "$RESEARCHERS"
}

print_variable() { printf '  gh variable set %s --env %s --repo %s --body %q\n' "$1" "$KIND" "$GITHUB_REPOSITORY" "$2"; }

print_manual_steps() {
  if [[ $KIND == preview ]]; then
    printf '  none: previews sign in with an e-mail address only and contain test data only.\n'
    return
  fi
  cat <<END
  1. https://console.firebase.google.com/project/$FIREBASE_PROJECT_ID/authentication/providers
     Click "Get started" and enable Google, Email link and Anonymous (website/deploy/smoke signs in anonymously).
     For Google, copy the web client ID and run: gh variable set FIREBASE_GOOGLE_CLIENT_ID --env production --repo $GITHUB_REPOSITORY --body ID
     Add https://$FIREBASE_PROJECT_ID.web.app/sign-in to that client's redirect URIs, otherwise Google rejects sign-ins:
     https://console.cloud.google.com/apis/credentials?project=$FIREBASE_PROJECT_ID
  2. https://github.com/$GITHUB_REPOSITORY/settings/environments
     Optional: in the environment production, add required reviewers for releases.
  3. https://console.cloud.google.com/billing/budgets: create a budget with an alert.
END
}
