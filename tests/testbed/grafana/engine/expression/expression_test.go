package expression

import (
	"math"
	"testing"
	"time"
)

func num(labels Labels, x float64) Value { return Value{Kind: NumberKind, Labels: labels, Num: &x} }

func TestMath(t *testing.T) {
	env := map[string]Values{
		"A": {num(Labels{"x": "1"}, 6), num(Labels{"x": "2"}, 3)}, "B": {num(nil, 2)}, "C": {num(Labels{"x": "1", "y": "2"}, 10)},
		"N": {num(nil, math.NaN())}, "E": NoData(),
	}
	for text, want := range map[string][]float64{
		"1 + 2 * 3": {7}, "2 ** 3 ** 1": {8}, "-2 + 3": {1}, "!0": {1}, "(1 + 2) * 3": {9}, "1 > 0 && 0 > 1 || 1": {1}, "7 % 4": {3},
		"$A > 5": {1, 0}, "$A / $B": {3, 1.5}, "$A + $C": {16}, "${A} * 2": {12, 6}, "is_number($A) || is_nan($A)": {1, 1},
		"is_nan($N)": {1}, "abs(-1.5)": {1.5}, "round(2.5)": {3}, "1e3": {1000}, "is_inf(inf())": {1}, "is_null(null())": {1},
	} {
		parsed, err := parseMath(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		got, err := parsed.eval(env)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%s: %v, %v", text, got, err)
		}
		for i := range want {
			if *got[i].Num != want[i] {
				t.Errorf("%s: %v, want %v", text, *got[i].Num, want[i])
			}
		}
	}
	if parsed, _ := parseMath("$N > 1"); parsed != nil {
		if got, _ := parsed.eval(env); !math.IsNaN(*got[0].Num) {
			t.Error("a comparison with NaN is NaN")
		}
	}
	if parsed, _ := parseMath("$E > 1"); parsed != nil {
		if got, _ := parsed.eval(env); !got.IsNoData() {
			t.Error("no data stays no data")
		}
	}
	for _, text := range []string{"", "1 +", "foo(1)", "$", "(1", "1 2", "abs()"} {
		if _, err := parseMath(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// What a comparison makes of numbers that are none: math yields NaN for NaN, which fires; infinities are numbers.
func TestMathOfNumbersThatAreNone(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		text string
		x    float64
		want float64
	}{
		{"$B > 5", nan, nan}, {"$B != 5", nan, nan}, {"!$B", nan, nan}, {"-$B", nan, nan},
		{"$B > 5", inf, 1}, {"$B < 5", inf, 0}, {"$B < 5", -inf, 1}, {"1 / ($B < 5)", inf, inf},
		{"!is_nan($B) && $B > 5", nan, 0}, {"is_nan($B) || $B != 5", nan, 1},
		{"is_number(1 / ($B > 5))", nan, 0}, {"is_number(1 / ($B > 5))", inf, 1}, {"is_number(1 / ($B > 5))", 5, 0},
		{"!is_number(1 / ($B == 5))", nan, 1}, {"!is_number(1 / ($B == 5))", 5, 0}, {"!is_number(1 / ($B == 5))", inf, 1},
		{"!is_null($B)", nan, 1}, {"!is_null($B)", -inf, 1}, {"!is_null($B)", 0, 1},
	} {
		parsed, err := parseMath(c.text)
		if err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		x := c.x
		got, err := parsed.eval(map[string]Values{"B": {{Kind: NumberKind, Num: &x}}})
		if err != nil || len(got) != 1 || got[0].Num == nil {
			t.Fatalf("%s of %v: %v, %v", c.text, c.x, got, err)
		}
		if *got[0].Num != c.want && !(math.IsNaN(*got[0].Num) && math.IsNaN(c.want)) {
			t.Errorf("%s of %v is %v, want %v", c.text, c.x, *got[0].Num, c.want)
		}
	}
}

// An operand that is named twice is joined with itself by labels: one set within another makes two results of the same labels.
func TestMathJoinsLabelsThatHoldEachOther(t *testing.T) {
	one := 1.0
	values := Values{{Kind: NumberKind, Num: &one}, {Kind: NumberKind, Num: &one, Labels: Labels{"team": "web"}}}
	for text, want := range map[string]int{"!is_nan($B) && $B > 0": 4, "is_number(1 / ($B > 0))": 2} {
		parsed, err := parseMath(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parsed.eval(map[string]Values{"B": values})
		if err != nil || len(got) != want {
			t.Errorf("%s has %d results, want %d (%v)", text, len(got), want, err)
		}
	}
}

func TestReduce(t *testing.T) {
	points := []Point{{0, Ptr(1)}, {1, Ptr(4)}, {2, nil}, {3, Ptr(math.Inf(1))}}
	for name, want := range map[string]float64{"sum": 5, "mean": 2.5, "min": 1, "max": 4, "count": 2, "last": 4} {
		if got := reduce(points, name, "dropNN", 0); *got != want {
			t.Errorf("%s: %v", name, *got)
		}
	}
	if got := reduce(points, "sum", "replaceNN", 7); *got != 19 {
		t.Errorf("replaced: %v", *got)
	}
	if got := reduce(points, "max", "", 0); !math.IsNaN(*got) {
		t.Errorf("strict: %v", *got)
	}
	if got := reduce(nil, "last", "dropNN", 0); got != nil {
		t.Errorf("empty: %v", *got)
	}
}

func TestAModeCountsForNumbersWhereTheReleaseHasItSo(t *testing.T) {
	values := Values{num(Labels{"x": "1"}, math.NaN()), num(Labels{"x": "2"}, 3)}
	if got := reduceAll(values, "last", "dropNN", 0, false); len(got) != 2 || !math.IsNaN(*got[0].Num) {
		t.Errorf("before: %v", got)
	}
	if got := reduceAll(values, "last", "dropNN", 0, true); len(got) != 1 || *got[0].Num != 3 {
		t.Errorf("since: %v", got)
	}
	if got := reduceAll(values[:1], "last", "replaceNN", 7, true); *got[0].Num != 7 {
		t.Errorf("replaced: %v", *got[0].Num)
	}
	if got := reduceAll(values[:1], "last", "dropNN", 0, true); !got.IsNoData() {
		t.Errorf("nothing is left: %v", got)
	}
}

func TestResample(t *testing.T) {
	from := time.UnixMilli(0)
	series := Value{Kind: SeriesKind, Points: []Point{{0, Ptr(1)}, {1500, Ptr(2)}, {1700, Ptr(4)}, {5000, Ptr(9)}}}
	for up, want := range map[string][]float64{"pad": {1, 1, 3, 4, 4, 9}, "backfilling": {1, 2, 3, 9, 9, 9}, "fillna": {1, -1, 3, -1, -1, 9}} {
		got, err := resample(series, time.Second, "mean", up, from, from.Add(5*time.Second))
		if err != nil || len(got.Points) != len(want) {
			t.Fatalf("%s: %v, %v", up, got, err)
		}
		for i, p := range got.Points {
			value := -1.0
			if p.Num != nil {
				value = *p.Num
			}
			if value != want[i] {
				t.Errorf("%s, point %d: %v, want %v", up, i, value, want[i])
			}
		}
	}
	if _, err := resample(series, time.Minute, "mean", "pad", from, from.Add(time.Second)); err == nil {
		t.Error("a range that is shorter than a step is taken")
	}
}
