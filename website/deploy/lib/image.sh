# Sourced. From an image's archive to a digest in Artifact Registry.

# push_image ARCHIVE PACKAGE: sets IMAGE_DIGEST to host/project/repository/package@sha256:…
# What is deployed is named by digest, so nobody can put something else under its name later.
push_image() {
  local archive=$1 name=$REPOSITORY_HOST/$GCP_PROJECT_ID/$REPOSITORY/$2 digest
  export REGISTRY_AUTH_FILE=$SCRATCH/registry.json
  if [[ -z ${DRY_RUN:-} ]]; then
    gcloud auth print-access-token --quiet >"$SCRATCH/token" || fail "no access token: sign in to Google Cloud first."
    skopeo login --username=oauth2accesstoken --password-stdin "$REPOSITORY_HOST" <"$SCRATCH/token" >/dev/null ||
      fail "$REPOSITORY_HOST does not let us in."
    rm "$SCRATCH/token"
  fi
  run skopeo copy --digestfile="$SCRATCH/digest" "oci-archive:$archive" "docker://$name:$(name_commit)"
  if [[ -n ${DRY_RUN:-} ]]; then digest=sha256:of-the-push; else digest=$(<"$SCRATCH/digest"); fi
  IMAGE_DIGEST=$name@$digest
}

name_commit() { git -C "$ROOT" rev-parse --short=12 HEAD; }
