package accounts

import "alertwright.testbed/grafana/server"

// api answers with what the server knows.
type api struct {
	*server.Server
	roles map[string]role
}

// Register adds the endpoints of this package.
func Register(s *server.Server) {
	a := &api{s, map[string]role{}}
	a.routeAdmin()
	a.routeRights()
}
