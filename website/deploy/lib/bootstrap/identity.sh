# Sourced by `bootstrap`. IAM roles, each on the smallest resource that supports it, and Workload Identity Federation.

PREVIEW_ROLE=arcadePreviews
# Permissions of `preview` on Cloud SQL: it creates and deletes databases, but not the instance.
PREVIEW_PERMISSIONS=cloudsql.databases.create,cloudsql.databases.delete,cloudsql.databases.get,cloudsql.databases.list,cloudsql.instances.get

ensure_roles() {
  local deployer=serviceAccount:$DEPLOY_ACCOUNT server=serviceAccount:$RUN_ACCOUNT migrator=serviceAccount:$MIGRATE_ACCOUNT
  ensure_project_roles "$deployer" "$server" "$migrator"
  ensure_resource_roles "$deployer" "$server" "$migrator"
}

ensure_project_roles() {
  local deployer=$1 server=$2 migrator=$3 policy role
  policy=$(read_if_exists project projects get-iam-policy "$GCP_PROJECT_ID" --format=json) || fail "cannot read the IAM policy of the project."
  bind_project "$policy" "$server" roles/cloudsql.client
  bind_project "$policy" "$server" roles/cloudsql.instanceUser
  bind_project "$policy" "$migrator" roles/cloudsql.client
  bind_project "$policy" "$deployer" roles/firebasehosting.admin
  # Before an upload, the Firebase CLI checks on behalf of the project whether the Hosting API is enabled.
  bind_project "$policy" "$deployer" roles/serviceusage.serviceUsageConsumer
  if [[ $KIND == production ]]; then
    bind_project "$policy" "$deployer" roles/run.developer
  else
    # A preview is a public service, and roles/run.developer does not permit making a service public.
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
  roles=$(read_if_api_enabled iam iam roles list --format='value(name.basename())') || fail "cannot list the roles of the project."
  has_line "$PREVIEW_ROLE" "$roles" ||
    gcloud_write iam roles create "$PREVIEW_ROLE" --title="Skill Arcade previews" --permissions="$PREVIEW_PERMISSIONS"
}

ensure_resource_roles() {
  local deployer=$1 server=$2 migrator=$3 policy account images=roles/artifactregistry.writer
  [[ $KIND == production ]] || images=roles/artifactregistry.repoAdmin
  policy=$(read_if_exists images artifacts repositories get-iam-policy "$REPOSITORY" --location="$GCP_REGION" --format=json) ||
    fail "cannot read the IAM policy of the image repository."
  bind "$policy" "$deployer" "$images" artifacts repositories add-iam-policy-binding "$REPOSITORY" --location="$GCP_REGION"

  policy=$(read_if_exists bucket storage buckets get-iam-policy "gs://$GCP_BUCKET_NAME" --format=json) || fail "cannot read the IAM policy of the bucket."
  bind "$policy" "$server" roles/storage.objectUser storage buckets add-iam-policy-binding "gs://$GCP_BUCKET_NAME"
  [[ $KIND == production ]] ||
    bind "$policy" "$deployer" roles/storage.objectUser storage buckets add-iam-policy-binding "gs://$GCP_BUCKET_NAME"

  ensure_secret_access "$AUTH_SECRET_NAME" "$server"
  ensure_secret_access "$METRICS_SECRET_NAME" "$server"
  ensure_secret_access "$OWNER_SECRET_NAME" "$migrator"
  for account in "$RUN_ACCOUNT" "$MIGRATE_ACCOUNT"; do
    policy=$(read_if_exists "$account" iam service-accounts get-iam-policy "$account" --format=json) || fail "cannot read the IAM policy of $account."
    bind "$policy" "$deployer" roles/iam.serviceAccountUser iam service-accounts add-iam-policy-binding "$account"
  done
}

ensure_secret_access() {
  local policy
  policy=$(read_if_exists "$1" secrets get-iam-policy "$1" --format=json) || fail "cannot read the IAM policy of the secret $1."
  bind "$policy" "$2" roles/secretmanager.secretAccessor secrets add-iam-policy-binding "$1"
}

# Workload Identity Federation: Google Cloud trusts GitHub's signed token for this repository and environment only.
ensure_federation() {
  local pools providers condition pool=github provider=github found
  POOL=projects/$GCP_PROJECT_NUMBER/locations/global/workloadIdentityPools/$pool
  PROVIDER=$POOL/providers/$provider
  condition="assertion.repository_id == '$REPOSITORY_ID' && assertion.repository_owner_id == '$OWNER_ID'"
  condition+=" && assertion.environment == '$KIND'"
  [[ $KIND == preview ]] || condition+=" && assertion.ref == 'refs/heads/main'"
  pools=$(read_if_api_enabled iam iam workload-identity-pools list --location=global --format='value(name.basename())') ||
    fail "cannot list the identity pools."
  providers=''
  if has_line "$pool" "$pools"; then
    providers=$(gcloud_read iam workload-identity-pools providers list --workload-identity-pool="$pool" --location=global \
      --format='value(name.basename())') || fail "cannot list the identity providers."
  else
    gcloud_write iam workload-identity-pools create "$pool" --location=global --display-name=GitHub
  fi
  if has_line "$provider" "$providers"; then
    found=$(gcloud_read iam workload-identity-pools providers describe "$provider" --workload-identity-pool="$pool" --location=global \
      --format='value(attributeCondition)') || fail "cannot read the identity provider."
    [[ $found == "$condition" ]] || write_provider update-oidc "$condition"
  else
    write_provider create-oidc "$condition"
  fi
  ensure_federated_access
}

write_provider() {
  gcloud_write_with_retry iam workload-identity-pools providers "$1" github --workload-identity-pool=github --location=global \
    --issuer-uri=https://token.actions.githubusercontent.com --attribute-condition="$2" \
    --attribute-mapping='google.subject=assertion.sub,attribute.repository_id=assertion.repository_id,attribute.environment=assertion.environment,attribute.ref=assertion.ref'
}

ensure_federated_access() {
  local policy
  policy=$(read_if_exists "$DEPLOY_ACCOUNT" iam service-accounts get-iam-policy "$DEPLOY_ACCOUNT" --format=json) || fail "cannot read the IAM policy of $DEPLOY_ACCOUNT."
  bind "$policy" "principalSet://iam.googleapis.com/$POOL/attribute.repository_id/$REPOSITORY_ID" roles/iam.workloadIdentityUser \
    iam service-accounts add-iam-policy-binding "$DEPLOY_ACCOUNT"
}
