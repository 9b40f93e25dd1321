# Sourced by `bootstrap`. Creates the public service with Google's example image. Later deployments can then start a
# revision without traffic, and the deploy account needs no permission to make a service public.

EXAMPLE_IMAGE=us-docker.pkg.dev/cloudrun/container/hello

ensure_service() {
  local services policy
  if [[ $KIND == preview ]]; then return; fi
  services=$(read_if_api_enabled run run services list --region="$GCP_REGION" --format='value(metadata.name)') || fail "cannot list the services."
  if ! has_line arcade "$services"; then
    gcloud_write_with_retry run deploy arcade --region="$GCP_REGION" --image="$EXAMPLE_IMAGE" --service-account="$RUN_ACCOUNT" \
      --no-allow-unauthenticated --max-instances=1
    mark_planned service
  fi
  policy=$(read_if_exists service run services get-iam-policy arcade --region="$GCP_REGION" --format=json) || fail "cannot read the IAM policy of the service."
  bind "$policy" allUsers roles/run.invoker run services add-iam-policy-binding arcade --region="$GCP_REGION"
}
