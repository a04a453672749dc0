package datasource

import (
	"math"

	"alertwright.testbed/grafana/engine/expression"
)

// Frame is a data frame in JSON (grafana-plugin-sdk-go, data/frame_json.go): what there is of fields, and their values column by column.
type Frame struct {
	Schema struct {
		RefID  string  `json:"refId"`
		Fields []field `json:"fields"`
	} `json:"schema"`
	Data struct {
		Values [][]any `json:"values"`
		// Where values are that JSON has no number for, column by column; left out where there are none.
		Entities []*entities `json:"entities,omitempty"`
	} `json:"data"`
}

type field struct {
	Name     string            `json:"name"`
	Type     string            `json:"type"`
	TypeInfo map[string]any    `json:"typeInfo"`
	Labels   expression.Labels `json:"labels,omitempty"`
}

type entities struct {
	NaN    []int `json:"NaN,omitempty"`
	Inf    []int `json:"Inf,omitempty"`
	NegInf []int `json:"NegInf,omitempty"`
}

// Frames shows values as data frames: a series with its times, a number alone.
func Frames(refID string, values expression.Values) []Frame {
	frames := []Frame{}
	for _, v := range values {
		var f Frame
		f.Schema.RefID = refID
		number := field{Name: "Value", Type: "number", TypeInfo: map[string]any{"frame": "float64", "nullable": true}, Labels: v.Labels}
		switch v.Kind {
		case expression.NoDataKind:
			f.Schema.Fields, f.Data.Values = []field{}, [][]any{}
		case expression.SeriesKind:
			f.Schema.Fields = []field{{Name: "Time", Type: "time", TypeInfo: map[string]any{"frame": "time.Time"}}, number}
			times := []any{}
			var numbers []*float64
			for _, p := range v.Points {
				times, numbers = append(times, p.Time), append(numbers, p.Num)
			}
			column, odd := column(numbers)
			f.Data.Values = [][]any{times, column}
			if odd != nil {
				f.Data.Entities = []*entities{nil, odd}
			}
		default:
			number.Name = refID
			f.Schema.Fields = []field{number}
			column, odd := column([]*float64{v.Num})
			f.Data.Values = [][]any{column}
			if odd != nil {
				f.Data.Entities = []*entities{odd}
			}
		}
		frames = append(frames, f)
	}
	return frames
}

func column(numbers []*float64) ([]any, *entities) {
	all := []any{}
	odd := &entities{}
	for i, x := range numbers {
		switch {
		case x == nil:
			all = append(all, nil)
			continue
		case math.IsNaN(*x):
			odd.NaN = append(odd.NaN, i)
		case math.IsInf(*x, 1):
			odd.Inf = append(odd.Inf, i)
		case math.IsInf(*x, -1):
			odd.NegInf = append(odd.NegInf, i)
		default:
			all = append(all, *x)
			continue
		}
		all = append(all, nil)
	}
	if odd.NaN == nil && odd.Inf == nil && odd.NegInf == nil {
		return all, nil
	}
	return all, odd
}
