package expression

import (
	"math"
	"sort"
)

var reducers = map[string]bool{"sum": true, "mean": true, "min": true, "max": true, "count": true, "last": true}

// reduceAll makes one number of each series. A number stays as it is; whether the mode counts for it as well, numbers says.
func reduceAll(values Values, reducer, mode string, replacement float64, numbers bool) Values {
	if values.IsNoData() {
		return NoData()
	}
	out := make(Values, 0, len(values))
	for _, v := range values {
		num := v.Num
		switch {
		case v.Kind == SeriesKind:
			num = reduce(v.Points, reducer, mode, replacement)
		case !numbers || isRegular(num):
		case mode == "replaceNN":
			num = &replacement
		case mode == "dropNN":
			continue
		}
		out = append(out, Value{Kind: NumberKind, Labels: v.Labels, Num: num})
	}
	if len(out) == 0 {
		return NoData()
	}
	return out
}

func isRegular(x *float64) bool { return x != nil && !math.IsNaN(*x) && !math.IsInf(*x, 0) }

func reduce(points []Point, reducer, mode string, replacement float64) *float64 {
	var kept []float64
	broken := false
	for _, p := range points {
		switch {
		case isRegular(p.Num):
			kept = append(kept, *p.Num)
		case mode == "replaceNN":
			kept = append(kept, replacement)
		case mode == "dropNN":
		case p.Num == nil || math.IsNaN(*p.Num):
			broken = true
			kept = append(kept, math.NaN())
		default:
			kept = append(kept, *p.Num)
		}
	}
	if len(kept) == 0 {
		switch {
		case reducer == "count" || reducer == "sum":
			return Ptr(0)
		case mode == "dropNN":
			return nil
		case mode == "replaceNN":
			return &replacement
		}
		return Ptr(math.NaN())
	}
	switch reducer {
	case "count":
		return Ptr(float64(len(kept)))
	case "last":
		return Ptr(kept[len(kept)-1])
	}
	if broken {
		return Ptr(math.NaN())
	}
	sum, least, most := 0.0, math.Inf(1), math.Inf(-1)
	for _, x := range kept {
		sum, least, most = sum+x, math.Min(least, x), math.Max(most, x)
	}
	switch reducer {
	case "sum":
		return Ptr(sum)
	case "mean":
		return Ptr(sum / float64(len(kept)))
	case "min":
		return Ptr(least)
	case "max":
		return Ptr(most)
	default:
		sort.Float64s(kept)
		half := len(kept) / 2
		if len(kept)%2 == 1 {
			return Ptr(kept[half])
		}
		return Ptr((kept[half-1] + kept[half]) / 2)
	}
}
