# Sourced by `bootstrap`. A public service that says hello, so that each later deploy can start without traffic and
# whoever deploys needs no right to make services public.

HELLO_IMAGE=us-docker.pkg.dev/cloudrun/container/hello

ensure_service() {
  local services policy
  if [[ $KIND == preview ]]; then return; fi
  services=$(look run run services list --region="$GCP_REGION" --format='value(metadata.name)') || fail "the services cannot be listed."
  if ! has_line arcade "$services"; then
    change_patiently run deploy arcade --region="$GCP_REGION" --image="$HELLO_IMAGE" --service-account="$RUN_ACCOUNT" \
      --no-allow-unauthenticated --max-instances=1
    speak_of service
  fi
  policy=$(look_inside service run services get-iam-policy arcade --region="$GCP_REGION" --format=json) || fail "the service's policy cannot be read."
  bind "$policy" allUsers roles/run.invoker run services add-iam-policy-binding arcade --region="$GCP_REGION"
}
