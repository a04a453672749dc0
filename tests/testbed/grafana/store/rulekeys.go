package store

import "fmt"

func RuleRecord(r *Rule) string { return fmt.Sprintf("rule/%d/%s", r.Org, r.UID) }

func GroupRecord(g *Group) string { return fmt.Sprintf("group/%d/%s/%s", g.Org, g.Folder, g.Name) }
