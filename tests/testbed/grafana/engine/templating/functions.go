package templating

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"text/template"
	"time"

	amtemplate "github.com/prometheus/alertmanager/template"
	"github.com/prometheus/common/model"
)

func toFloat(value any) (float64, error) {
	switch value := value.(type) {
	case float64:
		return value, nil
	case string:
		return strconv.ParseFloat(value, 64)
	case int:
		return float64(value), nil
	case int64:
		return float64(value), nil
	}
	return 0, fmt.Errorf("can't convert %T to float", value)
}

func withFloat(f func(float64) string) func(any) (string, error) {
	return func(value any) (string, error) {
		x, err := toFloat(value)
		if err != nil {
			return "", err
		}
		return f(x), nil
	}
}

func humanize(x float64) string {
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return fmt.Sprintf("%.4g", x)
	}
	prefixes := []string{"", "k", "M", "G", "T", "P", "E", "Z", "Y"}
	if math.Abs(x) < 1 {
		prefixes = []string{"", "m", "u", "n", "p", "f", "a", "z", "y"}
		i := 0
		for ; math.Abs(x) < 1 && i < len(prefixes)-1; i++ {
			x *= 1000
		}
		return fmt.Sprintf("%.4g%s", x, prefixes[i])
	}
	i := 0
	for ; math.Abs(x) >= 1000 && i < len(prefixes)-1; i++ {
		x /= 1000
	}
	return fmt.Sprintf("%.4g%s", x, prefixes[i])
}

func humanize1024(x float64) string {
	if math.Abs(x) <= 1 || math.IsNaN(x) || math.IsInf(x, 0) {
		return fmt.Sprintf("%.4g", x)
	}
	prefixes := []string{"", "ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"}
	i := 0
	for ; math.Abs(x) >= 1024 && i < len(prefixes)-1; i++ {
		x /= 1024
	}
	return fmt.Sprintf("%.4g%s", x, prefixes[i])
}

func humanizeDuration(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return fmt.Sprintf("%.4g", x)
	}
	if x == 0 {
		return "0s"
	}
	if math.Abs(x) >= 1 {
		sign := ""
		if x < 0 {
			sign, x = "-", -x
		}
		duration := int64(x)
		seconds, minutes, hours, days := duration%60, duration/60%60, duration/3600%24, duration/86400
		switch {
		case days != 0:
			return fmt.Sprintf("%s%dd %dh %dm %ds", sign, days, hours, minutes, seconds)
		case hours != 0:
			return fmt.Sprintf("%s%dh %dm %ds", sign, hours, minutes, seconds)
		case minutes != 0:
			return fmt.Sprintf("%s%dm %ds", sign, minutes, seconds)
		}
		return fmt.Sprintf("%s%.4gs", sign, x)
	}
	prefix := ""
	for _, p := range []string{"m", "u", "n", "p", "f", "a", "z", "y"} {
		if math.Abs(x) >= 1 {
			break
		}
		prefix, x = p, x*1000
	}
	return fmt.Sprintf("%.4g%ss", x, prefix)
}

var errNoQuery = errors.New("query is not available here")

var valueFunctions = template.FuncMap{
	"query":              func(string) ([]any, error) { return nil, nil },
	"first":              func([]any) (any, error) { return nil, errNoQuery },
	"label":              func(string, any) (string, error) { return "", errNoQuery },
	"value":              func(any) (float64, error) { return 0, errNoQuery },
	"strvalue":           func(any) (string, error) { return "", errNoQuery },
	"sortByLabel":        func(string, []any) []any { return nil },
	"args":               func(all ...any) map[string]any { return numbered(all) },
	"reReplaceAll":       func(pattern, by, text string) string { return regexp.MustCompile(pattern).ReplaceAllString(text, by) },
	"safeHtml":           func(text string) string { return text },
	"match":              regexp.MatchString,
	"title":              amtemplate.DefaultFuncs["title"],
	"toUpper":            strings.ToUpper,
	"toLower":            strings.ToLower,
	"graphLink":          func(string) string { return "" },
	"tableLink":          func(string) string { return "" },
	"stripPort":          func(text string) string { host, _, _ := strings.Cut(text, ":"); return host },
	"stripDomain":        func(text string) string { host, _, _ := strings.Cut(text, "."); return host },
	"humanize":           withFloat(humanize),
	"humanize1024":       withFloat(humanize1024),
	"humanizeDuration":   withFloat(humanizeDuration),
	"humanizePercentage": withFloat(func(x float64) string { return fmt.Sprintf("%.4g%%", x*100) }),
	"humanizeTimestamp":  withFloat(func(x float64) string { return time.UnixMilli(int64(x * 1000)).UTC().String() }),
	"toTime": func(value any) (*time.Time, error) {
		x, err := toFloat(value)
		t := time.UnixMilli(int64(x * 1000)).UTC()
		return &t, err
	},
	"parseDuration": func(text string) (float64, error) {
		d, err := model.ParseDuration(text)
		return time.Duration(d).Seconds(), err
	},
	"externalURL":    func() string { return "" },
	"pathPrefix":     func() string { return "/" },
	"urlQueryEscape": url.QueryEscape,
}

func numbered(all []any) map[string]any {
	out := map[string]any{}
	for i, each := range all {
		out[fmt.Sprintf("arg%d", i)] = each
	}
	return out
}
