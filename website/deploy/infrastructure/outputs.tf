locals {
  branches = local.production ? ["main"] : ["main", "refs/pull/*/merge"]
  variables = merge(
    {
      GCP_PROJECT_ID                 = var.project
      GCP_PROJECT_NUMBER             = data.google_project.arcade.number
      GCP_REGION                     = var.region
      GCP_SERVICE_ACCOUNT            = google_service_account.account["deploy"].email
      GCP_WORKLOAD_IDENTITY_PROVIDER = "${local.pool}/providers/github"
      GCP_BUCKET_NAME                = google_storage_bucket.recordings.name
      GCP_SQL_CONNECTION_NAME        = "${var.project}:${var.region}:${google_sql_database_instance.arcade.name}"
      GCP_SQL_USER                   = local.sql_user
      SQL_MAX_CONNECTIONS            = tostring(local.max_connections)
      FIREBASE_PROJECT_ID            = var.project
    },
    local.production ? {
      GCP_SQL_NAME         = google_sql_database.arcade[0].name
      FIREBASE_API_KEY     = data.google_firebase_web_app_config.page[0].api_key
      MAX_INSTANCES        = tostring(local.size.servers)
      UPLOADER_NUM_WORKERS = "4"
    } : {},
    local.production && var.game_services > 1 ? { GAME_SERVICES = tostring(var.game_services) } : {},
    var.researchers == "" ? {} : { RESEARCHERS = var.researchers },
  )
  environment = "repos/${var.repository}/environments/${var.kind}"
  enable      = local.production ? "DEPLOY_PRODUCTION" : "DEPLOY_PREVIEWS"
}

output "github_variables" {
  description = "Variables of the GitHub environment. None of them is secret."
  value       = { for name, value in local.variables : name => value }
}

output "github_commands" {
  description = "Commands that configure GitHub."
  value = join("\n", concat(
    [
      "gh api --method PUT ${local.environment} --field 'deployment_branch_policy[protected_branches]=false' --field 'deployment_branch_policy[custom_branch_policies]=true'",
    ],
    [
      for branch in local.branches :
      "gh api --method POST ${local.environment}/deployment-branch-policies --field 'name=${branch}'"
    ],
    [
      for name, value in local.variables :
      "gh variable set ${name} --env ${var.kind} --repo ${var.repository} --body '${value}'"
    ],
    local.production ? ["gh api --method POST repos/${var.repository}/rulesets --input website/deploy/infrastructure/ruleset.json"] : [],
    ["gh variable set ${local.enable} --repo ${var.repository} --body true"],
  ))
}

output "manual_steps" {
  description = "What no program can do."
  value = local.production ? join("\n", [
    "1. https://console.firebase.google.com/project/${var.project}/authentication/providers",
    "   Click \"Get started\" and enable Google, Email link and Anonymous (website/deploy/smoke signs in anonymously).",
    "   For Google, copy the web client ID and run: gh variable set FIREBASE_GOOGLE_CLIENT_ID --env production --repo ${var.repository} --body ID",
    "   Add https://${google_firebase_hosting_site.page.site_id}.web.app/sign-in to that client's redirect URIs:",
    "   https://console.cloud.google.com/apis/credentials?project=${var.project}",
    "2. https://github.com/${var.repository}/settings/environments",
    "   Optional: in the environment production, add required reviewers for releases.",
    "3. Confirm the address of the alerts, if Google asks for it by e-mail.",
  ]) : "none: previews sign in with an e-mail address only and contain test data only."
}

output "hosting_site" {
  description = "ID of the Firebase Hosting site."
  value       = google_firebase_hosting_site.page.site_id
}

output "server" {
  description = "Host name of the service. The page's Content-Security-Policy names it."
  value       = local.host
}
