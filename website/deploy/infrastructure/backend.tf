# `bootstrap` creates the bucket and passes its name, PROJECT-terraform, to `init`.
terraform {
  backend "gcs" {}
}
