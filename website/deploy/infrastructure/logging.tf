# Cloud Run logs each request with its whole address, where old pages and exports have their tickets.
resource "google_logging_project_exclusion" "tickets" {
  name        = "arcade-tickets"
  description = "Requests whose address contains a ticket or token, which could be used by a reader of the log"
  filter      = <<-EOT
    log_id("run.googleapis.com/requests") AND httpRequest.requestUrl=~"[?&](ticket|token)="
  EOT
  depends_on  = [google_project_service.api]
}

resource "google_logging_project_exclusion" "health" {
  name        = "arcade-health"
  description = "Successful health checks, which come every few seconds"
  filter      = <<-EOT
    log_id("run.googleapis.com/requests") AND httpRequest.status=200 AND httpRequest.requestUrl=~"/(health/(live|ready)|healthz|readyz)$"
  EOT
  depends_on  = [google_project_service.api]
}

resource "google_logging_project_bucket_config" "default" {
  project        = var.project
  location       = "global"
  bucket_id      = "_Default"
  retention_days = var.log_retention_days
  depends_on     = [google_project_service.api]
}
