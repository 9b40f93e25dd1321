# Sourced by `bootstrap`. What a person does next.

tell_summary() {
  local environment=$KIND done="The project $GCP_PROJECT_ID is ready for $KIND."
  [[ -z $DRY_RUN ]] ||
    done="This was a dry run: nothing was changed. A real run ends with this, where NUMBER and KEY stand for what is not known yet."
  cat <<END

$done

Put this into GitHub (none of it is secret; there is no key and no GitHub secret at all):

  gh api --method PUT repos/$GITHUB_REPOSITORY/environments/$environment \\
    --field 'deployment_branch_policy[protected_branches]=false' \\
    --field 'deployment_branch_policy[custom_branch_policies]=true'
$(tell_branches)
$(tell_variables)
  gh variable set $(if [[ $KIND == preview ]]; then printf DEPLOY_PREVIEWS; else printf DEPLOY_PRODUCTION; fi) --repo $GITHUB_REPOSITORY --body true

Only a person can do the rest:
$(tell_clicks)
END
}

tell_branches() {
  local branch branches=(main)
  [[ $KIND == production ]] || branches+=('refs/pull/*/merge')
  for branch in "${branches[@]}"; do
    printf "  gh api --method POST repos/%s/environments/%s/deployment-branch-policies --field 'name=%s'\n" \
      "$GITHUB_REPOSITORY" "$KIND" "$branch"
  done
}

tell_variables() {
  local number=$GCP_PROJECT_NUMBER
  [[ $number != 0 ]] || number=NUMBER
  tell_variable GCP_PROJECT_ID "$GCP_PROJECT_ID"
  tell_variable GCP_PROJECT_NUMBER "$number"
  tell_variable GCP_REGION "$GCP_REGION"
  tell_variable GCP_SERVICE_ACCOUNT "$DEPLOY_ACCOUNT"
  tell_variable GCP_WORKLOAD_IDENTITY_PROVIDER "${PROVIDER/#projects\/0\//projects\/NUMBER\/}"
  tell_variable GCP_BUCKET_NAME "$GCP_BUCKET_NAME"
  tell_variable GCP_SQL_CONNECTION_NAME "$GCP_SQL_CONNECTION_NAME"
  tell_variable GCP_SQL_USER "$GCP_SQL_USER"
  tell_variable SQL_MAX_CONNECTIONS "$(name_connections)"
  tell_variable FIREBASE_PROJECT_ID "$FIREBASE_PROJECT_ID"
  if [[ $KIND == production ]]; then
    tell_variable GCP_SQL_NAME "$GCP_SQL_NAME"
    tell_variable FIREBASE_API_KEY "${FIREBASE_API_KEY:-KEY}"
    tell_variable MAX_INSTANCES 10
    tell_variable UPLOADER_NUM_WORKERS 4
  fi
  [[ -z $RESEARCHERS ]] || tell_variable RESEARCHERS "$RESEARCHERS"
}

tell_variable() { printf '  gh variable set %s --env %s --repo %s --body %q\n' "$1" "$KIND" "$GITHUB_REPOSITORY" "$2"; }

tell_clicks() {
  if [[ $KIND == preview ]]; then
    printf '  nothing: previews sign in by e-mail address alone and hold made-up data only.\n'
    return
  fi
  cat <<END
  1. https://console.firebase.google.com/project/$FIREBASE_PROJECT_ID/authentication/providers
     Get started; switch on Google, E-mail link and Anonymous (website/deploy/smoke signs in anonymously).
     For Google, copy the web client id and: gh variable set FIREBASE_GOOGLE_CLIENT_ID --env production --repo $GITHUB_REPOSITORY --body ID
     and add https://$FIREBASE_PROJECT_ID.web.app/sign-in to that client's redirect URIs, or Google turns players away:
     https://console.cloud.google.com/apis/credentials?project=$FIREBASE_PROJECT_ID
  2. https://github.com/$GITHUB_REPOSITORY/settings/environments
     production: add the people who must approve a release, if there are to be such.
  3. https://console.cloud.google.com/billing/budgets: a budget with an alert, so that a surprise is a small one.
END
}
