// The check of the licences of what the testbed is built from.
module alertwright.testbed/licences

go 1.26.0

require github.com/google/licensecheck v0.3.1
