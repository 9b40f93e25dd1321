# `terraform test` applies the configuration with mocked providers and checks what it would be.
mock_provider "google" {
  mock_data "google_project" {
    defaults = {
      number = "123456789012"
    }
  }
}
mock_provider "google-beta" {
  mock_data "google_firebase_web_app_config" {
    defaults = {
      api_key = "AIza-web"
    }
  }
}

variables {
  kind          = "production"
  project       = "arcade-prod"
  repository    = "someone/arcade"
  repository_id = "42"
  owner_id      = "7"
}

run "condition_allows_only_this_repository_on_main" {
  command = apply
  assert {
    condition     = google_iam_workload_identity_pool_provider.github.attribute_condition == "assertion.repository_id == '42' && assertion.repository_owner_id == '7' && assertion.environment == 'production' && assertion.ref == 'refs/heads/main'"
    error_message = "A job of another repository, environment or branch could deploy."
  }
}

run "database_cannot_be_lost_and_is_not_open" {
  command = apply
  assert {
    condition = alltrue([
      google_sql_database_instance.arcade.deletion_protection,
      google_sql_database_instance.arcade.settings[0].retain_backups_on_delete,
      google_sql_database_instance.arcade.settings[0].backup_configuration[0].point_in_time_recovery_enabled,
      google_sql_database_instance.arcade.settings[0].connector_enforcement == "REQUIRED",
      length(google_sql_database_instance.arcade.settings[0].ip_configuration[0].authorized_networks) == 0,
    ])
    error_message = "The database needs backups that survive it, and connections through a connector only."
  }
}

run "recordings_are_private_and_restorable" {
  command = apply
  assert {
    condition     = google_storage_bucket.recordings.public_access_prevention == "enforced" && google_storage_bucket.recordings.soft_delete_policy[0].retention_duration_seconds == 2592000
    error_message = "Recordings must not be public, and a deleted one can be restored for 30 days."
  }
  assert {
    condition     = alltrue([for rule in google_storage_bucket.recordings.lifecycle_rule : one(rule.action).type != "SetStorageClass"])
    error_message = "A transition of a 60 kB object costs more than it saves."
  }
}

run "connections_of_all_servers_fit" {
  command = apply
  assert {
    # Each server opens 12, twice as many run while a release replaces another, and 10 are spare.
    condition     = alltrue([for size in values(local.sizes) : 2 * 12 * size.servers + 10 <= size.connections])
    error_message = "The servers of a size could open more connections than its database allows."
  }
}

run "github_has_every_variable" {
  command = apply
  assert {
    condition = output.github_variables == {
      GCP_PROJECT_ID                 = "arcade-prod"
      GCP_PROJECT_NUMBER             = "123456789012"
      GCP_REGION                     = "europe-west1"
      GCP_SERVICE_ACCOUNT            = google_service_account.account["deploy"].email
      GCP_WORKLOAD_IDENTITY_PROVIDER = "projects/123456789012/locations/global/workloadIdentityPools/github/providers/github"
      GCP_BUCKET_NAME                = "arcade-prod-recordings"
      GCP_SQL_CONNECTION_NAME        = "arcade-prod:europe-west1:arcade"
      GCP_SQL_USER                   = google_sql_user.server.name
      GCP_SQL_NAME                   = "arcade"
      SQL_MAX_CONNECTIONS            = "250"
      MAX_INSTANCES                  = "10"
      UPLOADER_NUM_WORKERS           = "4"
      FIREBASE_PROJECT_ID            = "arcade-prod"
      FIREBASE_API_KEY               = "AIza-web"
    }
    error_message = "The printed variables are not those that the workflows read."
  }
}

run "further_services_are_public" {
  command = apply
  variables {
    game_services = 3
  }
  assert {
    condition     = join(" ", keys(google_cloud_run_v2_service.game)) == "arcade-2 arcade-3"
    error_message = "The services are not those that a release deploys to (release/game_services.py)."
  }
  assert {
    condition     = join(", ", [for one in google_cloud_run_v2_service_iam_member.public_game : "${one.name} ${one.member} ${one.role}"]) == "arcade-2 allUsers roles/run.invoker, arcade-3 allUsers roles/run.invoker"
    error_message = "Players cannot reach a further service."
  }
  assert {
    condition     = output.github_variables["GAME_SERVICES"] == "3"
    error_message = "Releases do not know the further services."
  }
}

run "more_services_than_connections_are_rejected" {
  command = plan
  variables {
    game_services = 4
    size          = "small"
  }
  expect_failures = [google_cloud_run_v2_service.game]
}

run "wrong_number_of_services_is_rejected" {
  command = plan
  variables {
    game_services = 1.5
  }
  expect_failures = [var.game_services]
}

run "wrong_kind_is_rejected" {
  command = plan
  variables {
    kind = "staging"
  }
  expect_failures = [var.kind]
}
