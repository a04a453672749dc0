package datasource

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"sort"
	"strings"
	"time"

	"github.com/klauspost/compress/s2"
	"google.golang.org/protobuf/encoding/protowire"

	"alertwright.testbed/grafana/store"
)

// RemoteWrite is the type of a data source whose address is that of the remote write itself.
const RemoteWrite = "remote-write"

// Sample is one value of a series.
type Sample struct {
	Labels map[string]string
	Value  float64
	At     time.Time
}

// Write writes samples by Prometheus' remote write 1.0 (https://prometheus.io/docs/specs/prw/remote_write_spec/).
func Write(ctx context.Context, source *store.DataSource, samples []Sample) error {
	address := strings.TrimSuffix(source.URL, "/")
	if source.Type != RemoteWrite {
		address += "/api/v1/write"
	}
	body := s2.EncodeSnappy(nil, writeRequest(samples))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-protobuf")
	request.Header.Set("Content-Encoding", "snappy")
	request.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	source.Authenticate(request)
	answer, err := QueryClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 4096))
	if err != nil {
		return err
	}
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("failed to write time series: remote write returned HTTP status %s: %s", answer.Status, strings.TrimSpace(string(text)))
	}
	return nil
}

// writeRequest encodes a prometheus.WriteRequest: timeseries = 1 { labels = 1 { name = 1, value = 2 }, samples = 2 { value = 1, timestamp = 2 } }.
func writeRequest(samples []Sample) []byte {
	var request []byte
	for _, sample := range samples {
		names := make([]string, 0, len(sample.Labels))
		for name := range sample.Labels {
			names = append(names, name)
		}
		sort.Strings(names)
		var series []byte
		for _, name := range names {
			var label []byte
			label = protowire.AppendString(protowire.AppendTag(label, 1, protowire.BytesType), name)
			label = protowire.AppendString(protowire.AppendTag(label, 2, protowire.BytesType), sample.Labels[name])
			series = protowire.AppendBytes(protowire.AppendTag(series, 1, protowire.BytesType), label)
		}
		var point []byte
		point = protowire.AppendFixed64(protowire.AppendTag(point, 1, protowire.Fixed64Type), math.Float64bits(sample.Value))
		point = protowire.AppendVarint(protowire.AppendTag(point, 2, protowire.VarintType), uint64(sample.At.UnixMilli()))
		series = protowire.AppendBytes(protowire.AppendTag(series, 2, protowire.BytesType), point)
		request = protowire.AppendBytes(protowire.AppendTag(request, 1, protowire.BytesType), series)
	}
	return request
}
