variable "kind" {
  description = "production or preview. Each kind has its own project, so that no preview can access production data."
  type        = string
  validation {
    condition     = contains(["production", "preview"], var.kind)
    error_message = "kind must be production or preview."
  }
}

variable "project" {
  description = "ID of the project. `bootstrap` creates it."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "project must be a project ID: 6 to 30 lower-case letters, digits and dashes."
  }
}

variable "region" {
  description = "Region of server, database, bucket and images."
  type        = string
  default     = "europe-west1"
}

variable "repository" {
  description = "GitHub repository, OWNER/NAME. It is only printed; access depends on the two numeric IDs."
  type        = string
}

variable "repository_id" {
  description = "Numeric ID of the GitHub repository, which is never assigned to another one."
  type        = string
  validation {
    condition     = can(regex("^[0-9]+$", var.repository_id))
    error_message = "repository_id must be a number. `gh api repos/OWNER/NAME --jq .id` prints it."
  }
}

variable "owner_id" {
  description = "Numeric ID of the repository's owner."
  type        = string
  validation {
    condition     = can(regex("^[0-9]+$", var.owner_id))
    error_message = "owner_id must be a number. `gh api repos/OWNER/NAME --jq .owner.id` prints it."
  }
}

variable "researchers" {
  description = "Google group whose members may read the database, except e-mail addresses. Empty: none."
  type        = string
  default     = ""
}

variable "size" {
  description = "Size of the database: small, standard or large. docs/deploy.md lists the players for each."
  type        = string
  default     = "standard"
  validation {
    condition     = contains(["small", "standard", "large"], var.size)
    error_message = "size must be small, standard or large."
  }
}

variable "game_services" {
  description = "Services that run games, each with one server at an address of its own. 1: one service with several servers."
  type        = number
  default     = 1
  validation {
    condition     = floor(var.game_services) == var.game_services && var.game_services >= 1 && var.game_services <= 20
    error_message = "game_services must be a number from 1 to 20."
  }
}

variable "high_availability" {
  description = "Keep a second database in another zone. It doubles the price of the database."
  type        = bool
  default     = false
}

variable "hosting_site" {
  description = "ID of the Firebase Hosting site. Empty: the project ID, which may be taken by another project."
  type        = string
  default     = ""
}

variable "alert_email" {
  description = "Address that receives the alerts. Empty: alerts exist and notify nobody."
  type        = string
  default     = ""
}

variable "billing_account" {
  description = "Billing account, for the budget. Empty: no budget."
  type        = string
  default     = ""
}

variable "budget" {
  description = "Budget of a month in the currency of the billing account. E-mails are sent at 50, 90 and 100 %."
  type        = number
  default     = 300
}

variable "log_retention_days" {
  description = "Days for which logs are kept. They contain client addresses."
  type        = number
  default     = 14
}
