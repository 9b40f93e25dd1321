"""The flags that each command of the fake gcloud accepts. A test compares them with the real gcloud."""

TABLE = """
auth print-access-token:
projects list:
projects create:
projects describe:
projects get-iam-policy:
projects add-iam-policy-binding: condition location member region role
billing projects describe:
billing projects link: billing-account
services list: enabled
services enable:
iam service-accounts list:
iam service-accounts create: display-name
iam service-accounts get-iam-policy:
iam service-accounts add-iam-policy-binding: condition location member region role
iam roles list:
iam roles create: permissions title
iam workload-identity-pools list: location
iam workload-identity-pools create: display-name location
iam workload-identity-pools providers list: location workload-identity-pool
iam workload-identity-pools providers describe: location workload-identity-pool
iam workload-identity-pools providers create-oidc: attribute-condition attribute-mapping issuer-uri location
    workload-identity-pool
iam workload-identity-pools providers update-oidc: attribute-condition attribute-mapping issuer-uri location
    workload-identity-pool
storage buckets list:
storage buckets create: location public-access-prevention uniform-bucket-level-access
storage buckets describe:
storage buckets update: versioning
storage buckets get-iam-policy:
storage buckets add-iam-policy-binding: condition location member region role
storage objects list:
storage rm: recursive
artifacts repositories list: location
artifacts repositories describe: location
artifacts repositories create: location repository-format
artifacts repositories set-cleanup-policies: location no-dry-run policy
artifacts repositories get-iam-policy: location
artifacts repositories add-iam-policy-binding: condition location member region role
artifacts packages list: location repository
artifacts packages delete: location repository
secrets list:
secrets create: replication-policy
secrets get-iam-policy:
secrets add-iam-policy-binding: condition location member region role
secrets versions list:
secrets versions add: data-file
secrets versions access: secret
sql instances list:
sql instances create: assign-ip backup-start-time connector-enforcement cpu database-flags database-version
    deletion-protection edition enable-point-in-time-recovery maintenance-window-day maintenance-window-hour memory
    region retained-backups-count ssl-mode storage-auto-increase storage-size tier timeout
sql operations list: instance
sql operations wait: timeout
sql users list: instance
sql users create: instance password type
sql databases list: instance
sql databases create: instance
sql databases delete: instance
run services list: region
run services describe: region
run services delete: region
run services get-iam-policy: region
run services add-iam-policy-binding: condition location member region role
run deploy: args command add-volume add-volume-mount allow-unauthenticated concurrency cpu cpu-boost env-vars-file
    execution-environment image ingress labels liveness-probe max-instances memory min min-instances
    no-allow-unauthenticated no-cpu-throttling no-traffic port region service-account session-affinity set-secrets
    startup-probe tag timeout
run jobs list: region
run jobs delete: region
run jobs deploy: args command cpu env-vars-file image labels max-retries memory region service-account set-secrets
    task-timeout tasks
run jobs execute: region wait
"""


def read_table() -> dict[str, set[str]]:
    """Return the flags of each command. A line that starts with spaces continues the previous one."""
    joined = TABLE.replace("\n    ", " ")
    return {name: set(flags.split()) for name, _, flags in (line.partition(":") for line in joined.split("\n") if line)}
