// Package expression has Grafana's expression nodes: math, reduce, threshold, resample and classic conditions.
package expression

import (
	"sort"
	"strings"
)

// The nodes of a rule: queries and expressions, and what comes out of them.

type valueKind int

const (
	NumberKind valueKind = iota
	SeriesKind
	scalarKind
	NoDataKind
)

// Labels of a value.
type Labels map[string]string

// Contains says whether all labels of the other set are in this one.
func (l Labels) Contains(other Labels) bool {
	for name, value := range other {
		if own, ok := l[name]; !ok || own != value {
			return false
		}
	}
	return true
}

// Key identifies a set of labels.
func (l Labels) Key() string {
	all := make([]string, 0, len(l))
	for name := range l {
		all = append(all, name)
	}
	sort.Strings(all)
	var text strings.Builder
	for _, name := range all {
		text.WriteString(name)
		text.WriteByte(0)
		text.WriteString(l[name])
		text.WriteByte(1)
	}
	return text.String()
}

// String is how Grafana prints labels.
func (l Labels) String() string {
	all := make([]string, 0, len(l))
	for name, value := range l {
		all = append(all, name+"="+value)
	}
	sort.Strings(all)
	return strings.Join(all, ", ")
}

// Point is a sample of a series; milliseconds.
type Point struct {
	Time int64
	Num  *float64
}

// Value is a number, a series, or that there is no data.
type Value struct {
	Kind   valueKind
	Labels Labels
	Num    *float64
	Points []Point
}

// Values are what a node yields.
type Values []Value

// NoData is what a query without a result yields.
func NoData() Values { return Values{{Kind: NoDataKind}} }

// IsNoData says whether there is nothing but that.
func (v Values) IsNoData() bool {
	for _, each := range v {
		if each.Kind != NoDataKind {
			return false
		}
	}
	return true
}

func (v Values) apply(f func(*float64) *float64) Values {
	out := make(Values, len(v))
	for i, each := range v {
		out[i] = each.apply(f)
	}
	return out
}

func (v Value) apply(f func(*float64) *float64) Value {
	switch v.Kind {
	case NoDataKind:
		return v
	case SeriesKind:
		out := Value{Kind: SeriesKind, Labels: v.Labels, Points: make([]Point, len(v.Points))}
		for i, p := range v.Points {
			out.Points[i] = Point{p.Time, f(p.Num)}
		}
		return out
	default:
		return Value{Kind: v.Kind, Labels: v.Labels, Num: f(v.Num)}
	}
}

func (v Value) with(labels Labels) Value {
	v.Labels = labels
	return v
}

// Captured is the value of a node for one alert.
type Captured struct {
	Labels Labels
	Num    *float64
}

// Ptr points to a number.
func Ptr(x float64) *float64 { return &x }

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
