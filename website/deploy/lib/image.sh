# Sourced. Pushes an image archive to Artifact Registry.

# push_image ARCHIVE PACKAGE: sets IMAGE_DIGEST to host/project/repository/package@sha256:…
# Deployments name the image by digest, so that it cannot be replaced under the same name later.
push_image() {
  local archive=$1 name=$REPOSITORY_HOST/$GCP_PROJECT_ID/$REPOSITORY/$2 digest
  export REGISTRY_AUTH_FILE=$SCRATCH/registry.json
  if [[ -z ${DRY_RUN:-} ]]; then
    gcloud auth print-access-token --quiet >"$SCRATCH/token" || fail "cannot get an access token. Sign in to Google Cloud first."
    skopeo login --username=oauth2accesstoken --password-stdin "$REPOSITORY_HOST" <"$SCRATCH/token" >/dev/null ||
      fail "cannot sign in to $REPOSITORY_HOST: the deploy account may not push images."
    rm "$SCRATCH/token"
  fi
  run skopeo copy --digestfile="$SCRATCH/digest" "oci-archive:$archive" "docker://$name:$(commit_id)"
  if [[ -n ${DRY_RUN:-} ]]; then digest=sha256:of-the-push; else digest=$(<"$SCRATCH/digest"); fi
  IMAGE_DIGEST=$name@$digest
}

commit_id() { git -C "$ROOT" rev-parse --short=12 HEAD; }
