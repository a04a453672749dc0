// Collections of rules that `alertwright import` is tried on: data for a test, of which nothing is built.
module collections

go 1.24

require (
	github.com/VictoriaMetrics/VictoriaMetrics v1.151.0
	github.com/slok/sloth v0.16.0
	github.com/thanos-io/thanos v0.41.0
)
