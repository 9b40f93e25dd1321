# Metrics, alerts, objectives, dashboard and budget. Each alert has a paragraph of the same name in docs/operations.md.
locals {
  # The metrics that the server writes (skill_arcade/web/metrics.py), with their labels.
  metrics = {
    for name, labels in {
      servers                        = []
      silent_servers                 = []
      lost_episodes_total            = []
      moved_games_total              = []
      moved_incomplete_games_total   = []
      recovered_games_total          = []
      games_taken_over_total         = []
      games                          = []
      game_starts_total              = []
      slow_game_starts_total         = []
      steps_total                    = []
      late_steps_total               = []
      rejected_games_total           = ["reason"]
      tick_lateness_seconds          = []
      oldest_pending_segment_seconds = []
      pending_segments               = []
      pending_bytes                  = []
      damaged_segments               = []
      quarantined_segments           = []
      unstored_segments              = []
      upload_stalled_seconds         = []
      journal_free_bytes             = []
      uploaded_segments_total        = []
      uploaded_transitions_total     = []
      upload_failures_total          = []
      last_upload_seconds            = []
    } : name => { labels = labels, kind = endswith(name, "_total") ? "CUMULATIVE" : "GAUGE" } if local.production
  }

  # A metric of a log line: the text that the server logs.
  log_metrics = {
    for name, filter in {
      start_failed      = "(textPayload=~\"Cannot start the server\" OR jsonPayload.message=~\"Cannot start the server\")"
      episode_differs   = "jsonPayload.message=~\"certification failed\""
      migration_delayed = "jsonPayload.message=~\"migration waits for a lock\""
    } : name => filter if local.production
  }

  own    = { for name in keys(local.metrics) : name => "metric.type=\"custom.googleapis.com/skill_arcade/${name}\" AND resource.type=\"generic_task\"" }
  run    = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${local.name}\""
  sql    = "resource.type=\"cloudsql_database\""
  log    = "resource.type=\"cloud_run_revision\" AND metric.type=\"logging.googleapis.com/user/arcade_"
  google = "metric.type=\"run.googleapis.com"

  # Alerts on one value. `page`: somebody has to act now. Lateness of several servers: the worst one counts.
  alerts = {
    for name, alert in local.production ? {
      "Many requests fail" = {
        page   = true, above = 0.2, seconds = 300, aligner = "ALIGN_RATE", reducer = "REDUCE_SUM",
        filter = "${local.run} AND ${local.google}/request_count\" AND metric.labels.response_code_class=\"5xx\""
      }
      "Memory is nearly full" = {
        page   = true, above = 0.85, seconds = 300, aligner = "ALIGN_PERCENTILE_99", reducer = "REDUCE_MAX",
        filter = "${local.run} AND ${local.google}/container/memory/utilizations\""
      }
      "Uploads are stalled"      = { page = true, above = 300, seconds = 0, filter = local.own["upload_stalled_seconds"] }
      "A recording is set aside" = { page = true, above = 0, seconds = 0, filter = local.own["unstored_segments"] }
      "The journal is nearly full" = {
        page   = true, below = 200 * 1024 * 1024, seconds = 60, reducer = "REDUCE_MIN", aligner = "ALIGN_MIN",
        filter = local.own["journal_free_bytes"]
      }
      "The disk of the database is nearly full" = {
        page = true, above = 0.9, seconds = 300, filter = "${local.sql} AND metric.type=\"cloudsql.googleapis.com/database/disk/utilization\""
      }
      "A server cannot start" = {
        page = true, above = 0, seconds = 0, aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", filter = "${local.log}start_failed\""
      }
      "A server is lost" = {
        page = false, above = 0, seconds = 0, aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", filter = local.own["lost_episodes_total"]
      }
      "Recordings wait long" = { page = false, above = 60, seconds = 300, filter = local.own["oldest_pending_segment_seconds"] }
      "Uploads fail" = {
        page = false, above = 0.1, seconds = 600, aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", filter = local.own["upload_failures_total"]
      }
      "Games are rejected" = {
        page = false, above = 0, seconds = 600, aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", filter = local.own["rejected_games_total"]
      }
      "Servers are busy" = {
        page   = false, above = 0.8, seconds = 900, aligner = "ALIGN_PERCENTILE_95", reducer = "REDUCE_MAX",
        filter = "${local.run} AND ${local.google}/container/cpu/utilizations\""
      }
      "All servers run" = {
        page   = false, above = local.size.servers - 0.5, seconds = 600, aligner = "ALIGN_MAX", reducer = "REDUCE_SUM",
        filter = "${local.run} AND ${local.google}/container/instance_count\""
      }
      "Connections of the database run out" = {
        page   = false, above = 0.8 * local.max_connections, seconds = 300, reducer = "REDUCE_SUM",
        filter = "${local.sql} AND metric.type=\"cloudsql.googleapis.com/database/postgresql/num_backends\""
      }
      "The database is busy" = {
        page = false, above = 0.8, seconds = 1800, filter = "${local.sql} AND metric.type=\"cloudsql.googleapis.com/database/cpu/utilization\""
      }
      "A recording is not reproducible" = {
        page = false, above = 0, seconds = 0, aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", filter = "${local.log}episode_differs\""
      }
      "A migration waits" = {
        page = false, above = 0, seconds = 0, aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", filter = "${local.log}migration_delayed\""
      }
    } : {} : name => merge({ aligner = "ALIGN_MAX", reducer = "REDUCE_MAX", above = null, below = null }, alert)
  }

  objectives = local.production ? {
    "game-starts" = { title = "A game starts within 3 s", goal = 0.99, total = "game_starts_total", bad = "slow_game_starts_total" }
    "steps"       = { title = "Steps are on time", goal = 0.995, total = "steps_total", bad = "late_steps_total" }
  } : {}
  slos = merge(
    { for key, slo in google_monitoring_slo.ratio : key => { name = slo.name, title = slo.display_name } },
    { for slo in google_monitoring_slo.recordings : "recordings" => { name = slo.name, title = slo.display_name } },
  )
  # The budget of 28 days is spent within 2 days at 14.4 times its rate, within 5 days at 6 times.
  burn_rates = {
    fast = { page = true, rate = 14.4, windows = ["3600s", "300s"], title = "the error budget is spent within two days" }
    slow = { page = false, rate = 6, windows = ["21600s", "1800s"], title = "the error budget is spent within five days" }
  }
  burns = merge([
    for key, slo in local.slos : {
      for speed, burn in local.burn_rates : "${key}-${speed}" => merge(burn, { slo = slo.name, objective = slo.title })
    }
  ]...)

  channels = [for channel in google_monitoring_notification_channel.email : channel.id]
  runbook  = "https://github.com/${var.repository}/blob/main/website/docs/operations.md"
}

resource "google_monitoring_notification_channel" "email" {
  count        = local.production && var.alert_email != "" ? 1 : 0
  display_name = "Skill Arcade on call"
  type         = "email"
  labels       = { email_address = var.alert_email }
  depends_on   = [google_project_service.api]
}

# An alert can name only a metric that exists, and the server creates none before it has run.
resource "google_monitoring_metric_descriptor" "server" {
  for_each     = local.metrics
  type         = "custom.googleapis.com/skill_arcade/${each.key}"
  display_name = each.key
  description  = "Written by each server once a minute."
  metric_kind  = each.value.kind
  value_type   = "DOUBLE"
  dynamic "labels" {
    for_each = each.value.labels
    content {
      key        = labels.value
      value_type = "STRING"
    }
  }
  depends_on = [google_project_service.api]
}

resource "google_logging_metric" "log" {
  for_each = local.log_metrics
  name     = "arcade_${each.key}"
  filter   = "resource.type=(\"cloud_run_revision\" OR \"cloud_run_job\") AND ${each.value}"
  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }
  depends_on = [google_project_service.api]
}

resource "google_monitoring_alert_policy" "threshold" {
  for_each              = local.alerts
  display_name          = each.key
  combiner              = "OR"
  severity              = each.value.page ? "CRITICAL" : "WARNING"
  notification_channels = local.channels
  conditions {
    display_name = each.key
    condition_threshold {
      filter          = each.value.filter
      comparison      = each.value.below == null ? "COMPARISON_GT" : "COMPARISON_LT"
      threshold_value = each.value.below == null ? each.value.above : each.value.below
      duration        = "${each.value.seconds}s"
      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = each.value.aligner
        cross_series_reducer = each.value.reducer
      }
      trigger {
        count = 1
      }
    }
  }
  alert_strategy {
    auto_close = "3600s"
  }
  documentation {
    mime_type = "text/markdown"
    content   = "What to do: ${local.runbook}#${replace(lower(each.key), " ", "-")}"
  }
  depends_on = [google_monitoring_metric_descriptor.server, google_logging_metric.log]
}

# A server that answers but cannot start or record a game is down, too.
resource "google_monitoring_uptime_check_config" "ready" {
  count            = local.production ? 1 : 0
  display_name     = "Skill Arcade is ready"
  timeout          = "10s"
  period           = "60s"
  selected_regions = ["EUROPE", "USA_OREGON", "ASIA_PACIFIC"]
  monitored_resource {
    type   = "uptime_url"
    labels = { project_id = var.project, host = local.host }
  }
  http_check {
    path         = "/health/ready"
    port         = 443
    use_ssl      = true
    validate_ssl = true
  }
  depends_on = [google_project_service.api]
}

resource "google_monitoring_alert_policy" "uptime" {
  count                 = local.production ? 1 : 0
  display_name          = "The server is not ready"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.channels
  conditions {
    display_name = "two of three regions fail for 3 minutes"
    condition_threshold {
      filter          = "resource.type=\"uptime_url\" AND metric.type=\"monitoring.googleapis.com/uptime_check/check_passed\" AND metric.labels.check_id=\"${google_monitoring_uptime_check_config.ready[0].uptime_check_id}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 1
      duration        = "180s"
      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_NEXT_OLDER"
        cross_series_reducer = "REDUCE_COUNT_FALSE"
        group_by_fields      = ["resource.label.host"]
      }
      trigger {
        count = 1
      }
    }
  }
  documentation {
    mime_type = "text/markdown"
    content   = "What to do: ${local.runbook}#the-server-is-not-ready"
  }
}

# Service-level objectives over 28 days.
resource "google_monitoring_custom_service" "arcade" {
  count        = local.production ? 1 : 0
  service_id   = local.name
  display_name = "Skill Arcade"
  depends_on   = [google_project_service.api]
}

resource "google_monitoring_slo" "ratio" {
  for_each            = local.objectives
  service             = google_monitoring_custom_service.arcade[0].service_id
  slo_id              = each.key
  display_name        = each.value.title
  goal                = each.value.goal
  rolling_period_days = 28
  request_based_sli {
    good_total_ratio {
      total_service_filter = local.own[each.value.total]
      bad_service_filter   = local.own[each.value.bad]
    }
  }
  depends_on = [google_monitoring_metric_descriptor.server]
}

# All recordings are whole: no minute in which a segment is set aside. Google allows no goal above 0.9999, which is 4
# minutes of 28 days.
resource "google_monitoring_slo" "recordings" {
  count               = local.production ? 1 : 0
  service             = google_monitoring_custom_service.arcade[0].service_id
  slo_id              = "recordings"
  display_name        = "Recordings are whole"
  goal                = 0.9999
  rolling_period_days = 28
  windows_based_sli {
    window_period = "60s"
    metric_mean_in_range {
      time_series = local.own["unstored_segments"]
      range {
        max = 0.5
      }
    }
  }
  depends_on = [google_monitoring_metric_descriptor.server]
}

resource "google_monitoring_alert_policy" "burn" {
  for_each              = local.production ? toset([for pair in setproduct(["game-starts", "steps", "recordings"], ["fast", "slow"]) : join("-", pair)]) : []
  display_name          = "${local.burns[each.key].objective}: ${local.burns[each.key].title}"
  combiner              = "AND"
  severity              = local.burns[each.key].page ? "CRITICAL" : "WARNING"
  notification_channels = local.channels
  dynamic "conditions" {
    for_each = local.burns[each.key].windows
    content {
      display_name = "burn rate over ${conditions.value}"
      condition_threshold {
        filter          = "select_slo_burn_rate(\"${local.burns[each.key].slo}\", \"${conditions.value}\")"
        comparison      = "COMPARISON_GT"
        threshold_value = local.burns[each.key].rate
        duration        = "0s"
        trigger {
          count = 1
        }
      }
    }
  }
  documentation {
    mime_type = "text/markdown"
    content   = "What to do: ${local.runbook}#an-error-budget-burns"
  }
}

resource "google_monitoring_dashboard" "arcade" {
  count          = local.production ? 1 : 0
  dashboard_json = file("${path.module}/dashboard.json")
  depends_on     = [google_monitoring_metric_descriptor.server]
}

resource "google_billing_budget" "month" {
  count           = var.billing_account == "" ? 0 : 1
  billing_account = var.billing_account
  display_name    = "Skill Arcade ${var.kind}"
  budget_filter {
    projects = ["projects/${data.google_project.arcade.number}"]
  }
  amount {
    specified_amount {
      units = tostring(var.budget)
    }
  }
  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1]
    content {
      threshold_percent = threshold_rules.value
    }
  }
  all_updates_rule {
    monitoring_notification_channels = local.channels
  }
  depends_on = [google_project_service.api]
}
