# Recordings. An object is written once and has about 60 kB, so a colder storage class does not pay: the transition of
# one object costs as much as 18 months of the difference (docs/deploy.md).
resource "google_storage_bucket" "recordings" {
  name                        = "${var.project}-recordings"
  location                    = var.region
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  # A deleted object can be restored for 30 days.
  soft_delete_policy {
    retention_duration_seconds = 30 * 24 * 3600
  }

  # An export that nobody downloads, a shipment of a server that nobody recovered, and parts of an upload that broke off.
  lifecycle_rule {
    condition {
      age            = 2
      matches_prefix = ["exports/", "open-journals/"]
    }
    action {
      type = "Delete"
    }
  }
  lifecycle_rule {
    condition {
      age = 2
    }
    action {
      type = "AbortIncompleteMultipartUpload"
    }
  }

  # Previews contain test data only.
  dynamic "lifecycle_rule" {
    for_each = local.production ? [] : [14]
    content {
      condition {
        age = lifecycle_rule.value
      }
      action {
        type = "Delete"
      }
    }
  }

  lifecycle {
    prevent_destroy = true
  }
  depends_on = [google_project_service.api]
}

resource "google_artifact_registry_repository" "images" {
  repository_id          = local.name
  location               = var.region
  format                 = "DOCKER"
  cleanup_policy_dry_run = false

  # Cloud Run keeps its own copy of an image that serves, so that cleaning up cannot stop it.
  dynamic "cleanup_policies" {
    for_each = local.production ? [20] : []
    content {
      id     = "keep-the-newest"
      action = "KEEP"
      most_recent_versions {
        keep_count = cleanup_policies.value
      }
    }
  }
  cleanup_policies {
    id     = "drop-the-old"
    action = "DELETE"
    condition {
      older_than = local.production ? "7776000s" : "1209600s"
    }
  }
  depends_on = [google_project_service.api]
}
