mock_provider "google" {
  mock_data "google_project" {
    defaults = {
      number = "123456789012"
    }
  }
}
mock_provider "google-beta" {}

variables {
  kind          = "preview"
  project       = "arcade-preview"
  repository    = "someone/arcade"
  repository_id = "42"
  owner_id      = "7"
}

run "preview_has_no_database_service_or_web_app_of_its_own" {
  command = apply
  assert {
    condition     = length(google_sql_database.arcade) + length(google_cloud_run_v2_service.arcade) + length(google_firebase_web_app.page) == 0
    error_message = "`preview` creates database and service of each pull request."
  }
  assert {
    condition     = contains([for rule in google_storage_bucket.recordings.lifecycle_rule : one(rule.condition).age if one(rule.action).type == "Delete"], 14)
    error_message = "Objects of a preview must end with it."
  }
}

run "pull_requests_may_deploy_previews" {
  command = apply
  assert {
    condition     = strcontains(output.github_commands, "name=refs/pull/*/merge") && strcontains(output.github_commands, "DEPLOY_PREVIEWS")
    error_message = "Without this branch policy, GitHub gives a pull request no access to the environment."
  }
}
