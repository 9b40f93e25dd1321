# Only encrypted connections through a connector, from no network directly. Server and researchers authenticate with IAM.
resource "google_sql_database_instance" "arcade" {
  name                = local.name
  region              = var.region
  database_version    = "POSTGRES_17"
  deletion_protection = local.production

  settings {
    edition                     = "ENTERPRISE"
    tier                        = local.production ? "db-custom-${local.size.cpus}-${local.size.memory_mib}" : "db-f1-micro"
    availability_type           = var.high_availability ? "REGIONAL" : "ZONAL"
    connector_enforcement       = "REQUIRED"
    deletion_protection_enabled = local.production
    retain_backups_on_delete    = local.production

    # The disk grows by itself, never shrinks, and its throughput grows with it. The limit bounds the price.
    disk_type             = "PD_SSD"
    disk_size             = local.production ? local.size.disk_gb : 10
    disk_autoresize       = true
    disk_autoresize_limit = local.production ? local.size.disk_limit_gb : 50

    ip_configuration {
      ipv4_enabled = true
      ssl_mode     = "ENCRYPTED_ONLY"
    }

    backup_configuration {
      enabled                        = local.production
      start_time                     = "03:00"
      point_in_time_recovery_enabled = local.production
      transaction_log_retention_days = 7
      backup_retention_settings {
        retained_backups = 14
      }
    }

    maintenance_window {
      day          = 2
      hour         = 4
      update_track = "stable"
    }

    insights_config {
      query_insights_enabled  = local.production
      query_plans_per_minute  = 5
      query_string_length     = 1024
      record_application_tags = false
      record_client_address   = false
    }

    dynamic "database_flags" {
      for_each = {
        "cloudsql.iam_authentication" = "on"
        # The server compares its settings with this number and does not start if it could open more.
        "max_connections" = tostring(local.max_connections)
        # A transaction that does nothing keeps old rows and locks. The server's own last milliseconds.
        "idle_in_transaction_session_timeout" = "60000"
        "log_min_duration_statement"          = "5000"
      }
      content {
        name  = database_flags.key
        value = database_flags.value
      }
    }
  }

  lifecycle {
    # The disk has grown since, and a smaller one would be another database.
    ignore_changes  = [settings[0].disk_size]
    prevent_destroy = true
  }
  depends_on = [google_project_service.api]
}

locals {
  # Previews have 50 connections for six previews that are awake at once.
  max_connections = local.production ? local.size.connections : 50
  sql_user        = trimsuffix(google_service_account.account["run"].email, ".gserviceaccount.com")
}

# Each preview creates its own database.
resource "google_sql_database" "arcade" {
  count    = local.production ? 1 : 0
  name     = local.name
  instance = google_sql_database_instance.arcade.name
}

# The owner of the tables has a password, so `bootstrap` creates it: it must not be in the state (decision 16).
resource "google_sql_user" "server" {
  name     = local.sql_user
  instance = google_sql_database_instance.arcade.name
  type     = "CLOUD_IAM_SERVICE_ACCOUNT"
}

resource "google_sql_user" "researchers" {
  count    = var.researchers == "" ? 0 : 1
  name     = var.researchers
  instance = google_sql_database_instance.arcade.name
  type     = "CLOUD_IAM_GROUP"
}
