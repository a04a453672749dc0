// Package datasource asks Loki and Prometheus over HTTP; TestData it plays itself.
package datasource

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"alertwright.testbed/grafana/engine/expression"
	"alertwright.testbed/grafana/store"
)

// Queries of data sources: Loki and Prometheus over HTTP, TestData by itself.

// QueryClient asks all data sources.
var QueryClient = &http.Client{
	Timeout:   30 * time.Second,
	Transport: &http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64, IdleConnTimeout: 90 * time.Second},
}

// step is the resolution of a range query.
func step(q store.Query, from, to time.Time) time.Duration {
	interval, _ := q.Model["intervalMs"].(float64)
	points, _ := q.Model["maxDataPoints"].(float64)
	if points < 1 {
		points = 43200
	}
	least := float64(to.Sub(from).Milliseconds()) / min(points, 11000)
	return time.Duration(max(interval, least, 1000)) * time.Millisecond
}

// least is the shortest step that a query itself asks for: Prometheus calls it interval, Loki step.
func least(q store.Query, field string) time.Duration {
	text, _ := q.Model[field].(string)
	length, err := model.ParseDuration(text)
	if err != nil {
		return 0
	}
	return time.Duration(length)
}

// interpolate replaces the macros of time.
func interpolate(expr string, step time.Duration, from, to time.Time) string {
	length := to.Sub(from)
	seconds := func(d time.Duration) string { return strconv.FormatInt(int64(max(d, time.Second)/time.Second), 10) }
	auto := seconds(step) + "s"
	return strings.NewReplacer(
		"$__interval_ms", strconv.FormatInt(step.Milliseconds(), 10), "${__interval_ms}", strconv.FormatInt(step.Milliseconds(), 10),
		"$__interval", auto, "${__interval}", auto, "$__auto", auto, "${__auto}", auto, "$__rate_interval", auto, "${__rate_interval}", auto,
		"$__range_ms", strconv.FormatInt(length.Milliseconds(), 10), "${__range_ms}", strconv.FormatInt(length.Milliseconds(), 10),
		"$__range_s", seconds(length), "${__range_s}", seconds(length), "$__range", seconds(length)+"s", "${__range}", seconds(length)+"s",
	).Replace(expr)
}

// QueryLoki asks a Loki. queryType says whether for a moment or for a range, and a range is the default (pkg/tsdb/loki/parse_query.go).
func QueryLoki(ctx context.Context, source *store.DataSource, q store.Query, from, to time.Time) (expression.Values, error) {
	expr, _ := q.Model["expr"].(string)
	kind, _ := q.Model["queryType"].(string)
	if kind == "" {
		kind = q.QueryType
	}
	width := max(step(q, from, to), least(q, "step"))
	params := url.Values{"query": {interpolate(expr, width, from, to)}}
	path := "/loki/api/v1/query_range"
	switch kind {
	case "instant":
		path = "/loki/api/v1/query"
		params.Set("time", strconv.FormatInt(to.UnixNano(), 10))
	case "", "range":
		params.Set("start", strconv.FormatInt(from.UnixNano(), 10))
		params.Set("end", strconv.FormatInt(to.UnixNano(), 10))
		params.Set("step", strconv.FormatFloat(width.Seconds(), 'f', -1, 64)+"s")
	default:
		return nil, fmt.Errorf("invalid query type: %s", kind)
	}
	params.Set("direction", "backward")
	if lines, ok := q.Model["maxLines"].(float64); ok && lines > 0 {
		params.Set("limit", strconv.Itoa(int(lines)))
	}
	return ask(ctx, source, path, params)
}

// QueryPrometheus asks a Prometheus. The booleans instant and range say what for (pkg/tsdb/prometheus/models/query.go).
func QueryPrometheus(ctx context.Context, source *store.DataSource, q store.Query, from, to time.Time) (expression.Values, error) {
	expr, _ := q.Model["expr"].(string)
	instant, isSet := q.Model["instant"].(bool)
	ranged, _ := q.Model["range"].(bool)
	width := max(step(q, from, to), least(q, "interval"))
	params := url.Values{"query": {interpolate(expr, width, from, to)}}
	seconds := func(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', -1, 64) }
	if instant || !ranged && isSet && instant {
		params.Set("time", seconds(to))
		return ask(ctx, source, "/api/v1/query", params)
	}
	// Its steps are whole multiples (pkg/promlib/models/query.go, AlignTimeRange).
	params.Set("start", seconds(from.Truncate(width)))
	params.Set("end", seconds(to.Truncate(width)))
	params.Set("step", strconv.FormatFloat(width.Seconds(), 'f', -1, 64))
	return ask(ctx, source, "/api/v1/query_range", params)
}

type sample struct {
	at  int64
	num float64
}

func (s *sample) UnmarshalJSON(text []byte) error {
	var pair [2]any
	if err := json.Unmarshal(text, &pair); err != nil {
		return err
	}
	seconds, _ := pair[0].(float64)
	number, _ := pair[1].(string)
	value, err := strconv.ParseFloat(number, 64)
	s.at, s.num = int64(seconds*1000), value
	return err
}

type prometheusAnswer struct {
	Status string
	Error  string
	Data   struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	}
}

func ask(ctx context.Context, source *store.DataSource, path string, params url.Values) (expression.Values, error) {
	request, err := http.NewRequestWithContext(ctx, "GET", strings.TrimSuffix(source.URL, "/")+path+"?"+params.Encode(), nil)
	if err != nil {
		return nil, err
	}
	source.Authenticate(request)
	answer, err := QueryClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 64<<20))
	if err != nil {
		return nil, err
	}
	var parsed prometheusAnswer
	failed := json.Unmarshal(body, &parsed)
	if answer.StatusCode/100 != 2 {
		if parsed.Error != "" {
			return nil, fmt.Errorf("%s", strings.TrimSpace(parsed.Error))
		}
		if text := strings.TrimSpace(string(body)); text != "" && len(text) < 2000 {
			return nil, fmt.Errorf("%s", text)
		}
		return nil, fmt.Errorf("status %s", answer.Status)
	}
	if failed != nil {
		return nil, fmt.Errorf("the answer is not understood: %w", failed)
	}
	return parsed.values()
}

func (p *prometheusAnswer) values() (expression.Values, error) {
	var out expression.Values
	switch p.Data.ResultType {
	case "vector":
		var all []struct {
			Metric expression.Labels
			Value  sample
		}
		if err := json.Unmarshal(p.Data.Result, &all); err != nil {
			return nil, err
		}
		for _, each := range all {
			out = append(out, expression.Value{Kind: expression.NumberKind, Labels: each.Metric, Num: expression.Ptr(each.Value.num)})
		}
	case "scalar":
		var one sample
		if err := json.Unmarshal(p.Data.Result, &one); err != nil {
			return nil, err
		}
		out = expression.Values{{Kind: expression.NumberKind, Num: expression.Ptr(one.num)}}
	case "matrix":
		var all []struct {
			Metric expression.Labels
			Values []sample
		}
		if err := json.Unmarshal(p.Data.Result, &all); err != nil {
			return nil, err
		}
		for _, each := range all {
			series := expression.Value{Kind: expression.SeriesKind, Labels: each.Metric}
			for _, s := range each.Values {
				series.Points = append(series.Points, expression.Point{Time: s.at, Num: expression.Ptr(s.num)})
			}
			out = append(out, series)
		}
	default:
		return nil, fmt.Errorf("unsupported result format %q", p.Data.ResultType)
	}
	return out, nil
}

// QueryTestData answers by itself: csv_metric_values, random_walk, no_data_points and server_error_500.
func QueryTestData(q store.Query, from, to time.Time) (expression.Values, error) {
	scenario, _ := q.Model["scenarioId"].(string)
	input, _ := q.Model["stringInput"].(string)
	labels := expression.Labels{}
	if text, ok := q.Model["labels"].(string); ok {
		for _, pair := range strings.Split(strings.Trim(text, "{} "), ",") {
			if name, value, ok := strings.Cut(pair, "="); ok {
				labels[strings.TrimSpace(name)] = strings.Trim(strings.TrimSpace(value), `"`)
			}
		}
	}
	series := expression.Value{Kind: expression.SeriesKind, Labels: labels}
	switch scenario {
	case "csv_metric_values", "":
		fields := strings.Split(strings.TrimSpace(strings.ReplaceAll(input, " ", "")), ",")
		if input == "" {
			return nil, nil
		}
		width := time.Duration(0)
		if len(fields) > 1 {
			width = to.Sub(from) / time.Duration(len(fields)-1)
		}
		for i, field := range fields {
			var num *float64
			if field != "null" {
				value, err := strconv.ParseFloat(field, 64)
				if err != nil {
					return nil, fmt.Errorf("failed to parse %q as a number", field)
				}
				num = &value
			}
			series.Points = append(series.Points, expression.Point{Time: from.Add(time.Duration(i) * width).UnixMilli(), Num: num})
		}
	case "random_walk":
		x := rand.Float64() * 100
		for t := from; t.Before(to); t = t.Add(max(to.Sub(from)/100, time.Second)) {
			x += rand.Float64() - 0.5
			series.Points = append(series.Points, expression.Point{Time: t.UnixMilli(), Num: expression.Ptr(x)})
		}
	case "no_data_points":
		return nil, nil
	case "server_error_500":
		return nil, fmt.Errorf("internal server error")
	default:
		return nil, fmt.Errorf("scenario %q is not played here", scenario)
	}
	return expression.Values{series}, nil
}
