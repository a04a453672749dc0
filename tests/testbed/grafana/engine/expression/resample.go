package expression

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"
)

// compileResample makes a node that gives series points at even distances (pkg/expr/mathexp/resample.go).
func compileResample(n *Node, ref string) (*Node, error) {
	text, _ := n.Query.Model["window"].(string)
	window, err := model.ParseDuration(text)
	if err != nil || window <= 0 {
		return nil, fmt.Errorf("failed to parse resample \"window\" duration field %q", text)
	}
	down, _ := n.Query.Model["downsampler"].(string)
	up, _ := n.Query.Model["upsampler"].(string)
	if !reducers[down] || down == "count" {
		return nil, fmt.Errorf("downsampling %s not implemented", down)
	}
	switch up {
	case "pad", "backfilling", "fillna":
	default:
		return nil, fmt.Errorf("upsampling %s not implemented", up)
	}
	n.Needs = []string{ref}
	n.Apply = func(run *Run) (Values, error) {
		from, to := run.Range(n.Query)
		var out Values
		for _, value := range run.Values[ref] {
			switch value.Kind {
			case NoDataKind:
				out = append(out, value)
			case SeriesKind:
				series, err := resample(value, time.Duration(window), down, up, from, to)
				if err != nil {
					return nil, err
				}
				out = append(out, series)
			default:
				return nil, fmt.Errorf("can only resample type series")
			}
		}
		return out, nil
	}
	return n, nil
}

// resample gives one point at each step: what came since the step before made one, or, where nothing came, what fills the gap.
func resample(series Value, step time.Duration, down, up string, from, to time.Time) (Value, error) {
	if to.Sub(from) < step {
		return series, fmt.Errorf("the series cannot be sampled further; the time range is shorter than the interval")
	}
	out := Value{Kind: SeriesKind, Labels: series.Labels}
	next := 0
	var last *float64
	for at := from; !at.After(to); at = at.Add(step) {
		var bucket []Point
		for next < len(series.Points) && series.Points[next].Time <= at.UnixMilli() {
			bucket = append(bucket, series.Points[next])
			last = series.Points[next].Num
			next++
		}
		point := Point{Time: at.UnixMilli()}
		switch {
		case len(bucket) > 0:
			point.Num = reduce(bucket, down, "dropNN", 0)
		case up == "pad":
			point.Num = last
		case up == "backfilling" && next < len(series.Points):
			point.Num = series.Points[next].Num
		}
		out.Points = append(out.Points, point)
	}
	return out, nil
}
