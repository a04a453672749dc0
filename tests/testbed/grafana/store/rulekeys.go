package store

import "fmt"

// RuleRecord is the key of a rule in the journal.
func RuleRecord(r *Rule) string { return fmt.Sprintf("rule/%d/%s", r.Org, r.UID) }

// GroupRecord is the key of a group in the journal.
func GroupRecord(g *Group) string { return fmt.Sprintf("group/%d/%s/%s", g.Org, g.Folder, g.Name) }
