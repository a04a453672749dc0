package platform

import "alertwright.testbed/grafana/server"

// api answers with what the server knows.
type api struct{ *server.Server }

// Register adds the endpoints of this package.
func Register(s *server.Server) {
	a := &api{s}
	a.routeKinds()
}
