# Sourced by `bootstrap`. Who may do what, and who may be whom. Each role by itself, on the smallest thing that has it.

PREVIEW_ROLE=arcadePreviews
# What `preview` needs of Cloud SQL: databases come and go, the instance stays.
PREVIEW_PERMISSIONS=cloudsql.databases.create,cloudsql.databases.delete,cloudsql.databases.get,cloudsql.databases.list,cloudsql.instances.get

ensure_rights() {
  local deployer=serviceAccount:$DEPLOY_ACCOUNT server=serviceAccount:$RUN_ACCOUNT migrator=serviceAccount:$MIGRATE_ACCOUNT
  ensure_project_rights "$deployer" "$server" "$migrator"
  ensure_thing_rights "$deployer" "$server" "$migrator"
}

ensure_project_rights() {
  local deployer=$1 server=$2 migrator=$3 policy role
  policy=$(look_inside project projects get-iam-policy "$GCP_PROJECT_ID" --format=json) || fail "the project's policy cannot be read."
  bind_project "$policy" "$server" roles/cloudsql.client
  bind_project "$policy" "$server" roles/cloudsql.instanceUser
  bind_project "$policy" "$migrator" roles/cloudsql.client
  bind_project "$policy" "$deployer" roles/firebasehosting.admin
  # The firebase client looks whether Hosting's API is on, in the project's name, before it uploads.
  bind_project "$policy" "$deployer" roles/serviceusage.serviceUsageConsumer
  if [[ $KIND == production ]]; then
    bind_project "$policy" "$deployer" roles/run.developer
  else
    # Previews come and go and are public: making a service public is beyond roles/run.developer.
    ensure_preview_role
    bind_project "$policy" "$deployer" roles/run.admin
    bind_project "$policy" "$deployer" "projects/$GCP_PROJECT_ID/roles/$PREVIEW_ROLE"
  fi
  [[ -z $RESEARCHERS ]] || for role in roles/cloudsql.client roles/cloudsql.instanceUser; do
    bind_project "$policy" "group:$RESEARCHERS" "$role"
  done
}

# bind_project POLICY MEMBER ROLE
bind_project() { bind "$@" projects add-iam-policy-binding "$GCP_PROJECT_ID" --condition=None; }

ensure_preview_role() {
  local roles
  roles=$(look iam iam roles list --format='value(name.basename())') || fail "the project's roles cannot be listed."
  has_line "$PREVIEW_ROLE" "$roles" ||
    change iam roles create "$PREVIEW_ROLE" --title="Skill Arcade previews" --permissions="$PREVIEW_PERMISSIONS"
}

ensure_thing_rights() {
  local deployer=$1 server=$2 migrator=$3 policy account images=roles/artifactregistry.writer
  [[ $KIND == production ]] || images=roles/artifactregistry.repoAdmin
  policy=$(look_inside images artifacts repositories get-iam-policy "$REPOSITORY" --location="$GCP_REGION" --format=json) ||
    fail "the policy of the image repository cannot be read."
  bind "$policy" "$deployer" "$images" artifacts repositories add-iam-policy-binding "$REPOSITORY" --location="$GCP_REGION"

  policy=$(look_inside bucket storage buckets get-iam-policy "gs://$GCP_BUCKET_NAME" --format=json) || fail "the bucket's policy cannot be read."
  bind "$policy" "$server" roles/storage.objectUser storage buckets add-iam-policy-binding "gs://$GCP_BUCKET_NAME"
  [[ $KIND == production ]] ||
    bind "$policy" "$deployer" roles/storage.objectUser storage buckets add-iam-policy-binding "gs://$GCP_BUCKET_NAME"

  ensure_secret_right "$AUTH_SECRET_NAME" "$server"
  ensure_secret_right "$METRICS_SECRET_NAME" "$server"
  ensure_secret_right "$OWNER_SECRET_NAME" "$migrator"
  for account in "$RUN_ACCOUNT" "$MIGRATE_ACCOUNT"; do
    policy=$(look_inside "$account" iam service-accounts get-iam-policy "$account" --format=json) || fail "the policy of $account cannot be read."
    bind "$policy" "$deployer" roles/iam.serviceAccountUser iam service-accounts add-iam-policy-binding "$account"
  done
}

ensure_secret_right() {
  local policy
  policy=$(look_inside "$1" secrets get-iam-policy "$1" --format=json) || fail "the policy of the secret $1 cannot be read."
  bind "$policy" "$2" roles/secretmanager.secretAccessor secrets add-iam-policy-binding "$1"
}

# Google takes GitHub's word for which repository and environment a job runs in, and for nothing else.
ensure_federation() {
  local pools providers condition pool=github provider=github found
  POOL=projects/$GCP_PROJECT_NUMBER/locations/global/workloadIdentityPools/$pool
  PROVIDER=$POOL/providers/$provider
  condition="assertion.repository_id == '$REPOSITORY_ID' && assertion.repository_owner_id == '$OWNER_ID'"
  condition+=" && assertion.environment == '$KIND'"
  [[ $KIND == preview ]] || condition+=" && assertion.ref == 'refs/heads/main'"
  pools=$(look iam iam workload-identity-pools list --location=global --format='value(name.basename())') ||
    fail "the identity pools cannot be listed."
  providers=''
  if has_line "$pool" "$pools"; then
    providers=$(ask iam workload-identity-pools providers list --workload-identity-pool="$pool" --location=global \
      --format='value(name.basename())') || fail "the identity providers cannot be listed."
  else
    change iam workload-identity-pools create "$pool" --location=global --display-name=GitHub
  fi
  if has_line "$provider" "$providers"; then
    found=$(ask iam workload-identity-pools providers describe "$provider" --workload-identity-pool="$pool" --location=global \
      --format='value(attributeCondition)') || fail "the identity provider cannot be read."
    [[ $found == "$condition" ]] || change_provider update-oidc "$condition"
  else
    change_provider create-oidc "$condition"
  fi
  ensure_federated_right
}

change_provider() {
  change_patiently iam workload-identity-pools providers "$1" github --workload-identity-pool=github --location=global \
    --issuer-uri=https://token.actions.githubusercontent.com --attribute-condition="$2" \
    --attribute-mapping='google.subject=assertion.sub,attribute.repository_id=assertion.repository_id,attribute.environment=assertion.environment,attribute.ref=assertion.ref'
}

ensure_federated_right() {
  local policy
  policy=$(look_inside "$DEPLOY_ACCOUNT" iam service-accounts get-iam-policy "$DEPLOY_ACCOUNT" --format=json) || fail "the policy of $DEPLOY_ACCOUNT cannot be read."
  bind "$policy" "principalSet://iam.googleapis.com/$POOL/attribute.repository_id/$REPOSITORY_ID" roles/iam.workloadIdentityUser \
    iam service-accounts add-iam-policy-binding "$DEPLOY_ACCOUNT"
}
