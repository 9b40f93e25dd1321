# Imports what an installation from before Terraform already has. `bootstrap --adopt` uses it for one run.
# Members of IAM policies and enabled APIs need no import: creating them again changes nothing.
import {
  to = google_storage_bucket.recordings
  id = "${var.project}-recordings"
}
import {
  to = google_artifact_registry_repository.images
  id = "projects/${var.project}/locations/${var.region}/repositories/arcade"
}
import {
  to = google_sql_database_instance.arcade
  id = "projects/${var.project}/instances/arcade"
}
import {
  to = google_sql_user.server
  id = "${var.project}/arcade/arcade-run@${var.project}.iam"
}
import {
  for_each = toset(["deploy", "run", "migrate"])
  to       = google_service_account.account[each.key]
  id       = "projects/${var.project}/serviceAccounts/arcade-${each.key}@${var.project}.iam.gserviceaccount.com"
}
import {
  for_each = toset(["arcade-auth-secret", "arcade-metrics-token", "arcade-database-owner"])
  to       = google_secret_manager_secret.secret[each.key]
  id       = "projects/${var.project}/secrets/${each.key}"
}
import {
  to = google_iam_workload_identity_pool.github
  id = "projects/${var.project}/locations/global/workloadIdentityPools/github"
}
import {
  to = google_iam_workload_identity_pool_provider.github
  id = "projects/${var.project}/locations/global/workloadIdentityPools/github/providers/github"
}
import {
  to = google_firebase_project.arcade
  id = "projects/${var.project}"
}
import {
  to = google_project_iam_custom_role.previews[0]
  id = "projects/${var.project}/roles/arcadePreviews"
}
