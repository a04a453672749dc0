package store

import (
	"fmt"
	"net/http"
)

// Authenticate adds what a data source wants of credentials and headers.
func (d *DataSource) Authenticate(r *http.Request) {
	if d.BasicAuth {
		r.SetBasicAuth(d.BasicUser, d.Secure["basicAuthPassword"])
	}
	for i := 1; ; i++ {
		name, ok := d.JSON[fmt.Sprintf("httpHeaderName%d", i)].(string)
		if !ok {
			return
		}
		r.Header.Set(name, d.Secure[fmt.Sprintf("httpHeaderValue%d", i)])
	}
}
