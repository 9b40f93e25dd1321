# Service accounts, none of which has a key, and each role on the smallest resource that supports it.
resource "google_service_account" "account" {
  for_each = merge(
    {
      deploy  = "Skill Arcade: deploys from GitHub"
      run     = "Skill Arcade: serves"
      migrate = "Skill Arcade: migrates the database"
    },
    local.production ? { drill = "Skill Arcade: clones the database and checks the clone" } : {},
  )
  account_id   = "arcade-${each.key}"
  display_name = each.value
  depends_on   = [google_project_service.api]
}

locals {
  deployer = "serviceAccount:${google_service_account.account["deploy"].email}"
  driller  = local.production ? "serviceAccount:${google_service_account.account["drill"].email}" : ""
  migrator = "serviceAccount:${google_service_account.account["migrate"].email}"

  project_roles = merge(
    {
      "run cloudsql.client"         = { member = local.run_member, role = "roles/cloudsql.client" }
      "run cloudsql.instanceUser"   = { member = local.run_member, role = "roles/cloudsql.instanceUser" }
      "run metricWriter"            = { member = local.run_member, role = "roles/monitoring.metricWriter" }
      "migrate cloudsql.client"     = { member = local.migrator, role = "roles/cloudsql.client" }
      "deploy firebasehosting"      = { member = local.deployer, role = "roles/firebasehosting.admin" }
      "deploy serviceUsageConsumer" = { member = local.deployer, role = "roles/serviceusage.serviceUsageConsumer" }
    },
    # A preview is a public service, and roles/run.developer does not permit making a service public.
    local.production ? {
      # An erasure deletes the player's Firebase account, with its e-mail address.
      "run accounts" = { member = local.run_member, role = "projects/${var.project}/roles/arcadeAccounts" }
      "deploy run"   = { member = local.deployer, role = "roles/run.developer" }
      # A release compares the metrics of two revisions.
      "deploy monitoring" = { member = local.deployer, role = "roles/monitoring.viewer" }
      } : {
      "deploy run"      = { member = local.deployer, role = "roles/run.admin" }
      "deploy previews" = { member = local.deployer, role = "projects/${var.project}/roles/arcadePreviews" }
    },
    var.researchers == "" ? {} : {
      for role in ["cloudsql.client", "cloudsql.instanceUser"] :
      "researchers ${role}" => { member = "group:${var.researchers}", role = "roles/${role}" }
    },
  )
}

resource "google_project_iam_member" "role" {
  for_each   = local.project_roles
  project    = var.project
  member     = each.value.member
  role       = each.value.role
  depends_on = [google_project_iam_custom_role.previews, google_project_iam_custom_role.accounts]
}

# `preview` creates and deletes databases, but not the instance.
resource "google_project_iam_custom_role" "previews" {
  count   = local.production ? 0 : 1
  role_id = "arcadePreviews"
  title   = "Skill Arcade previews"
  permissions = [
    "cloudsql.databases.create", "cloudsql.databases.delete", "cloudsql.databases.get", "cloudsql.databases.list",
    "cloudsql.instances.get",
  ]
}

resource "google_project_iam_custom_role" "accounts" {
  count       = local.production ? 1 : 0
  role_id     = "arcadeAccounts"
  title       = "Skill Arcade: deletes Firebase accounts"
  permissions = ["firebaseauth.users.delete"]
}

# `restore-drill` clones the database. It changes and deletes clones only, never the database in use.
resource "google_project_iam_custom_role" "drill" {
  for_each = local.production ? {
    Clones  = ["cloudsql.instances.clone", "cloudsql.instances.create", "cloudsql.instances.get", "cloudsql.instances.list"]
    Removes = ["cloudsql.instances.delete", "cloudsql.instances.update"]
  } : {}
  role_id     = "arcadeDrill${each.key}"
  title       = "Skill Arcade restore drill: ${lower(each.key)}"
  permissions = each.value
}

resource "google_project_iam_member" "drill_clones" {
  count   = local.production ? 1 : 0
  project = var.project
  member  = local.driller
  role    = "projects/${var.project}/roles/arcadeDrillClones"

  depends_on = [google_project_iam_custom_role.drill]
}

resource "google_project_iam_member" "drill_removes" {
  count   = local.production ? 1 : 0
  project = var.project
  member  = local.driller
  role    = "projects/${var.project}/roles/arcadeDrillRemoves"
  condition {
    title      = "clones of drills only"
    expression = "resource.type == 'sqladmin.googleapis.com/Instance' && resource.name.startsWith('projects/${var.project}/instances/arcade-drill-')"
  }
  depends_on = [google_project_iam_custom_role.drill]
}

resource "google_project_iam_member" "drill_runs" {
  count   = local.production ? 1 : 0
  project = var.project
  member  = local.driller
  role    = "roles/run.developer"
}

resource "google_service_account_iam_member" "drill_acts_as" {
  count              = local.production ? 1 : 0
  service_account_id = google_service_account.account["run"].name
  member             = local.driller
  role               = "roles/iam.serviceAccountUser"
}

resource "google_service_account_iam_member" "drill_federation" {
  count              = local.production ? 1 : 0
  service_account_id = google_service_account.account["drill"].name
  member             = "principalSet://iam.googleapis.com/${local.pool}/attribute.repository_id/${var.repository_id}"
  role               = "roles/iam.workloadIdentityUser"
  depends_on         = [google_iam_workload_identity_pool.github]
}

resource "google_artifact_registry_repository_iam_member" "deploy" {
  repository = google_artifact_registry_repository.images.name
  location   = var.region
  member     = local.deployer
  role       = local.production ? "roles/artifactregistry.writer" : "roles/artifactregistry.repoAdmin"
}

resource "google_storage_bucket_iam_member" "recordings" {
  for_each = local.production ? { run = local.run_member } : { run = local.run_member, deploy = local.deployer }
  bucket   = google_storage_bucket.recordings.name
  member   = each.value
  role     = "roles/storage.objectUser"
}

# Frames and observations are in the bucket, rows in the database.
resource "google_storage_bucket_iam_member" "researchers" {
  count  = var.researchers == "" ? 0 : 1
  bucket = google_storage_bucket.recordings.name
  member = "group:${var.researchers}"
  role   = "roles/storage.objectViewer"
}

resource "google_service_account_iam_member" "deploy_acts_as" {
  for_each           = toset(["run", "migrate"])
  service_account_id = google_service_account.account[each.key].name
  member             = local.deployer
  role               = "roles/iam.serviceAccountUser"
}

# Secrets. Terraform creates them without a value; `bootstrap` generates the values, so that none is in the state.
resource "google_secret_manager_secret" "secret" {
  for_each  = toset(["arcade-auth-secret", "arcade-metrics-token", "arcade-database-owner"])
  secret_id = each.key
  replication {
    auto {}
  }
  lifecycle {
    prevent_destroy = true
  }
  depends_on = [google_project_service.api]
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each = {
    "arcade-auth-secret"    = local.run_member
    "arcade-metrics-token"  = local.run_member
    "arcade-database-owner" = local.migrator
  }
  secret_id = google_secret_manager_secret.secret[each.key].secret_id
  member    = each.value
  role      = "roles/secretmanager.secretAccessor"
}

# Workload Identity Federation: Google Cloud trusts GitHub's signed token for this repository and environment only.
resource "google_iam_workload_identity_pool" "github" {
  workload_identity_pool_id = "github"
  display_name              = "GitHub"
  depends_on                = [google_project_service.api]
}

resource "google_iam_workload_identity_pool_provider" "github" {
  workload_identity_pool_id          = google_iam_workload_identity_pool.github.workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  attribute_condition = join(" && ", concat(
    [
      "assertion.repository_id == '${var.repository_id}'",
      "assertion.repository_owner_id == '${var.owner_id}'",
      "assertion.environment == '${var.kind}'",
    ],
    local.production ? ["assertion.ref == 'refs/heads/main'"] : [],
  ))
  attribute_mapping = {
    "google.subject"          = "assertion.sub"
    "attribute.repository_id" = "assertion.repository_id"
    "attribute.environment"   = "assertion.environment"
    "attribute.ref"           = "assertion.ref"
  }
  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

resource "google_service_account_iam_member" "federation" {
  service_account_id = google_service_account.account["deploy"].name
  member             = "principalSet://iam.googleapis.com/${local.pool}/attribute.repository_id/${var.repository_id}"
  role               = "roles/iam.workloadIdentityUser"
  depends_on         = [google_iam_workload_identity_pool.github]
}

locals {
  pool = "projects/${data.google_project.arcade.number}/locations/global/workloadIdentityPools/github"
}
