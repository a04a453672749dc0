// Package contact knows the types of contact points' integrations: what they need, and which of their settings are
// secret.
package contact

import (
	"fmt"
	"strings"

	"alertwright.testbed/grafana/profile"
	"alertwright.testbed/grafana/store"
)

// Text is a setting as text.
func Text(settings map[string]any, name string) string {
	switch value := settings[name].(type) {
	case string:
		return value
	case nil:
		return ""
	default:
		return fmt.Sprint(value)
	}
}

// Truth is a setting as a truth value; "true" counts too.
func Truth(settings map[string]any, name string) bool {
	value := settings[name]
	return value == true || value == "true"
}

// Check says what is wrong with an integration.
func Check(v profile.Version, i *store.Integration) error {
	if i.Type == "" {
		return fmt.Errorf("type should not be an empty string")
	}
	if i.Settings == nil {
		return fmt.Errorf("settings should not be empty")
	}
	k, known := allKinds[i.Type]
	if !known || release(v) < k.since {
		return fmt.Errorf("unknown notifier %q", i.Type)
	}
	fail := func(err error) error {
		return fmt.Errorf("failed to validate integration %q (UID %s) of type %q: %w", i.Name, i.UID, i.Type, err)
	}
	for _, name := range k.required {
		if Text(i.Settings, name) == "" {
			return fail(fmt.Errorf("required field '%s' is not specified", name))
		}
	}
	if k.check != nil {
		if err := k.check(release(v), i.Settings); err != nil {
			return fail(err)
		}
	}
	return nil
}

// Secrets lists the paths of an integration's secret settings.
func Secrets(v profile.Version, kind string) []string {
	var paths []string
	for path, since := range allKinds[kind].secret {
		if release(v) >= since && (!strings.Contains(path, ".") || v.NestedSecrets()) {
			paths = append(paths, path)
		}
	}
	return paths
}

// At finds the object that a path's last name is in.
func At(settings map[string]any, path string) (map[string]any, string) {
	first, rest, nested := strings.Cut(path, ".")
	if !nested {
		return settings, path
	}
	inner, ok := settings[first].(map[string]any)
	if !ok {
		return nil, ""
	}
	return At(inner, rest)
}

// DeepCopy copies decoded JSON, so that a copy can be changed.
func DeepCopy(value any) any {
	switch value := value.(type) {
	case map[string]any:
		next := make(map[string]any, len(value))
		for name, each := range value {
			next[name] = DeepCopy(each)
		}
		return next
	case []any:
		next := make([]any, len(value))
		for i, each := range value {
			next[i] = DeepCopy(each)
		}
		return next
	default:
		return value
	}
}

// Shown are the settings as they are read: without secrets.
func Shown(v profile.Version, i *store.Integration) map[string]any {
	settings := DeepCopy(i.Settings).(map[string]any)
	for _, path := range Secrets(v, i.Type) {
		if object, name := At(settings, path); object != nil {
			if value, ok := object[name]; ok && value != "" {
				object[name] = store.Redacted
			}
		}
	}
	return settings
}

// KeepSecrets puts the stored secrets in where an update repeats what reads show of them.
func KeepSecrets(v profile.Version, settings, stored map[string]any, kind string) {
	for _, path := range Secrets(v, kind) {
		object, name := At(settings, path)
		if object == nil || object[name] != store.Redacted {
			continue
		}
		if old, name := At(stored, path); old != nil {
			object[name] = old[name]
		}
	}
}
