// Package setup holds what the command line says: the release, the clocks, and Grafana's own settings.
package setup

import (
	"strings"
	"time"

	"alertwright.testbed/grafana/profile"
)

// Config is what the command line says.
type Config struct {
	Version    profile.Version
	Data       string
	URL        string
	Interval   time.Duration
	Poll       time.Duration
	RaceWindow time.Duration
	PagerDuty  string
	LogLevel   string
	// Grafana's own settings, by section.key in lower case.
	Settings map[string]string
}

// Setting is one of Grafana's own settings, or what stands in for it.
func (c *Config) Setting(name, otherwise string) string {
	if value, ok := c.Settings[strings.ToLower(name)]; ok {
		return value
	}
	return otherwise
}

// SettingIsTrue says whether a setting is on; without one it is off.
func (c *Config) SettingIsTrue(name string) bool {
	value := strings.ToLower(c.Setting(name, ""))
	return value == "true" || value == "1" || value == "yes" || value == "on"
}

// Toggle says whether a feature toggle is on.
func (c *Config) Toggle(name string) bool {
	for _, on := range strings.FieldsFunc(c.Setting("feature_toggles.enable", ""), func(r rune) bool { return r == ',' || r == ' ' }) {
		if on == name {
			return true
		}
	}
	return c.SettingIsTrue("feature_toggles." + name)
}

// MinInterval is the least interval that a rule is evaluated at, [unified_alerting] min_interval; rules may be stored with less.
func (c *Config) MinInterval() time.Duration {
	if least, err := time.ParseDuration(c.Setting("unified_alerting.min_interval", "")); err == nil && least > c.Interval {
		return least
	}
	return c.Interval
}

// NamedTrees says whether there may be several routing trees.
func (c *Config) NamedTrees() bool { return c.Version.NamedTrees(c.Toggle("alertingMultiplePolicies")) }

// NestedFolders says whether folders may be in folders.
func (c *Config) NestedFolders() bool { return c.Version.NestedFolders() || c.Toggle("nestedFolders") }

// ChecksRuleVersions says whether a rule that /apis writes must be the stored version, if it names one. Grafana's source checks none,
// the documentation of 13.3 says that nothing is overwritten; so both are played.
func (c *Config) ChecksRuleVersions() bool { return c.SettingIsTrue("double.check_rule_versions") }

// Watches says whether the kinds of /apis can be watched. No Grafana was seen with it on kinds of alerting; it is for how a client
// behaves where there is one.
func (c *Config) Watches() bool { return c.SettingIsTrue("double.watch") }

// StatusInterval is how often the status of the rules of /apis is written.
func (c *Config) StatusInterval() time.Duration {
	if d, err := time.ParseDuration(c.Setting("double.status_interval", "")); err == nil {
		return d
	}
	return 10 * time.Second
}

// RootURL is the address that links in notifications begin with.
func (c *Config) RootURL() string {
	return strings.TrimSuffix(c.Setting("server.root_url", c.URL+"/"), "/") + "/"
}

// ParseSettings reads cfg:section.key=value.
func ParseSettings(args []string) map[string]string {
	settings := map[string]string{}
	for _, arg := range args {
		name, value, ok := strings.Cut(strings.TrimPrefix(arg, "cfg:"), "=")
		if !ok {
			continue
		}
		name = strings.TrimPrefix(name, "default.")
		settings[strings.ToLower(name)] = value
	}
	return settings
}
