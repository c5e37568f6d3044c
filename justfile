# The commands are in .ci/run.

# Every step of the gate
gate:
    .ci/run

# The named steps: `just run fmt clippy`
run +steps:
    .ci/run {{ steps }}

# Formatting
fmt: (run "fmt")

# Lints, all warnings denied
clippy: (run "clippy")

# Each feature alone, none, and all
features: (run "features")

# The documentation, all warnings denied
doc: (run "doc")

# Unit, integration and doc tests
test: (run "test")

# The tests with nginx and haproxy, which it installs where it may
real-servers: (run "real-servers")

# Builds and runs every example
examples: (run "examples")

# Builds the benchmarks
bench: (run "bench")

# What a call costs in instructions and allocations, against the margins
gates: (run "gates")

# Dependencies: duplicates, licences, sources
deny: (run "deny")

# Dependencies: known vulnerabilities
advisories: (run "advisories")

# The oldest Rust, by what the dependencies declare
msrv: (run "msrv")

# The oldest versions of the dependencies that the manifests allow
minimal-versions: (run "minimal-versions")

# The public surface, against .ci/public-api
public-api: (run "public-api")

# What breaks code since the latest release
semver: (run "semver")

# Both packages, as they would be published
package: (run "package")
