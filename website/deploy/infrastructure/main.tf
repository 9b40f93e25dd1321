locals {
  production = var.kind == "production"
  name       = "arcade"
  apis = [
    "artifactregistry", "billingbudgets", "cloudresourcemanager", "cloudscheduler", "firebase", "firebasehosting",
    "iam", "iamcredentials", "identitytoolkit", "logging", "monitoring", "run", "secretmanager", "serviceusage",
    "sqladmin", "storage", "sts",
  ]
  sizes = {
    small    = { cpus = 1, memory_mib = 3840, disk_gb = 50, disk_limit_gb = 200, connections = 100, servers = 3 }
    standard = { cpus = 2, memory_mib = 7680, disk_gb = 100, disk_limit_gb = 1000, connections = 250, servers = 10 }
    large    = { cpus = 8, memory_mib = 30720, disk_gb = 500, disk_limit_gb = 5000, connections = 490, servers = 20 }
  }
  size = local.sizes[var.size]
  # The addresses of the service are known before it exists.
  host             = "${local.name}-${data.google_project.arcade.number}.${var.region}.run.app"
  further_services = local.production && var.game_services > 1 ? range(2, var.game_services + 1) : []
  run_member       = "serviceAccount:${google_service_account.account["run"].email}"
}

data "google_project" "arcade" {
  project_id = var.project
}

resource "google_project_service" "api" {
  for_each           = toset(local.apis)
  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}
