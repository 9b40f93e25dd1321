# The public service, with Google's example image. Releases own everything about it but its existence, so that a
# revision can start without traffic and the deploy account needs no permission to make a service public.
resource "google_cloud_run_v2_service" "arcade" {
  count               = local.production ? 1 : 0
  name                = local.name
  location            = var.region
  deletion_protection = true
  template {
    service_account = google_service_account.account["run"].email
    containers {
      image = "us-docker.pkg.dev/cloudrun/container/hello"
    }
    scaling {
      max_instance_count = 1
    }
  }
  lifecycle {
    ignore_changes = all
  }
  depends_on = [google_project_service.api]
}

resource "google_cloud_run_v2_service_iam_member" "public" {
  count    = local.production ? 1 : 0
  name     = google_cloud_run_v2_service.arcade[0].name
  location = var.region
  member   = "allUsers"
  role     = "roles/run.invoker"
}

# Further services for games, each with one server at an address of its own (docs/placement.md).
resource "google_cloud_run_v2_service" "game" {
  for_each            = toset([for number in local.further_services : "${local.name}-${number}"])
  name                = each.key
  location            = var.region
  deletion_protection = false
  template {
    service_account = google_service_account.account["run"].email
    containers {
      image = "us-docker.pkg.dev/cloudrun/container/hello"
    }
    scaling {
      max_instance_count = 1
    }
  }
  lifecycle {
    ignore_changes = all
    precondition {
      condition     = var.game_services <= local.size.servers
      error_message = "The database of this size has connections for ${local.size.servers} servers. Lower game_services, or choose a larger size."
    }
  }
  depends_on = [google_project_service.api]
}

resource "google_cloud_run_v2_service_iam_member" "public_game" {
  for_each = google_cloud_run_v2_service.game
  name     = each.value.name
  location = var.region
  member   = "allUsers"
  role     = "roles/run.invoker"
}

# The jobs that make downloads and re-run episodes. As with the service, releases own everything but their existence.
resource "google_cloud_run_v2_job" "worker" {
  for_each            = local.production ? toset(["export", "certify"]) : toset([])
  name                = "${local.name}-${each.key}"
  location            = var.region
  deletion_protection = true
  template {
    template {
      service_account = google_service_account.account["run"].email
      containers {
        image = "us-docker.pkg.dev/cloudrun/container/job"
      }
    }
  }
  lifecycle {
    ignore_changes = all
  }
  depends_on = [google_project_service.api]
}

# The server starts the first, the schedule the second.
resource "google_cloud_run_v2_job_iam_member" "worker" {
  for_each = google_cloud_run_v2_job.worker
  name     = each.value.name
  location = var.region
  member   = local.run_member
  role     = "roles/run.invoker"
}

resource "google_cloud_scheduler_job" "certify" {
  count     = local.production ? 1 : 0
  name      = "${local.name}-certify"
  region    = var.region
  schedule  = "*/15 * * * *"
  time_zone = "Etc/UTC"
  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/projects/${var.project}/locations/${var.region}/jobs/${google_cloud_run_v2_job.worker["certify"].name}:run"
    oauth_token {
      service_account_email = google_service_account.account["run"].email
    }
  }
  depends_on = [google_cloud_run_v2_job_iam_member.worker]
}

# Firebase in the same project: Hosting for the page, Authentication for the players.
resource "google_firebase_project" "arcade" {
  provider   = google-beta
  depends_on = [google_project_service.api]
}

# The page as a web app of the project. Its API key identifies the project and is not secret.
resource "google_firebase_web_app" "page" {
  count        = local.production ? 1 : 0
  provider     = google-beta
  display_name = "Skill Arcade"
  depends_on   = [google_firebase_project.arcade]
}

data "google_firebase_web_app_config" "page" {
  count      = local.production ? 1 : 0
  provider   = google-beta
  web_app_id = google_firebase_web_app.page[0].app_id
}

# A new project has no default site, so this one is created explicitly.
resource "google_firebase_hosting_site" "page" {
  provider   = google-beta
  site_id    = var.hosting_site == "" ? var.project : var.hosting_site
  app_id     = local.production ? google_firebase_web_app.page[0].app_id : null
  depends_on = [google_firebase_project.arcade]
}
