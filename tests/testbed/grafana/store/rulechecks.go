package store

import (
	"fmt"

	"alertwright.testbed/grafana/profile"
	"alertwright.testbed/grafana/refusal"
)

// MayDelete says whether a rule may be deleted by somebody of this provenance.
func MayDelete(v profile.Version, r *Rule, provenance string) *refusal.Refused {
	if r.Provenance == "" || r.Provenance == provenance {
		return nil
	}
	message := fmt.Sprintf("cannot delete with provided provenance '%s', needs '%s'", provenance, r.Provenance)
	if v.RuleMismatchIs409() {
		return refusal.New(409, "alerting.provenanceMismatch", "%s", message)
	}
	return refusal.New(500, "", "%s", message)
}

// mayUpdate says whether a rule may get another provenance.
func mayUpdate(v profile.Version, stored, provenance string) *refusal.Refused {
	if stored == "" || stored == provenance {
		return nil
	}
	if v.RulePutMismatchIs409() {
		return refusal.New(409, "alerting.provenanceMismatch", "cannot update with provided provenance '%s', needs '%s'", provenance, stored)
	}
	return refusal.New(500, "", "cannot change provenance from '%s' to '%s'", stored, provenance)
}

// conflict refuses a rule whose title or uid is another's.
func conflict(v profile.Version, r *Rule) *refusal.Refused {
	const text = "rule title under the same organisation and folder should be unique"
	switch {
	case v.ConflictIs409():
		return refusal.New(409, "alerting.alert-rule.conflict", "Failed to save alert rule '%s' in organization %d due to conflict: rule UID under the same organisation should be unique", r.UID, r.Org)
	case v.ClientErrors():
		return refusal.New(400, "alerting.alert-rule.conflict",
			"[alerting.alert-rule.conflict] conflicting alert rule found [rule_uid:'%s', title:'%s', namespace_uid:'%s']: %s", r.UID, r.Title, r.Folder, text)
	default:
		return refusal.New(500, "", "failed to insert alert rules: a conflicting alert rule is found: %s", text)
	}
}

// takenTitle says whether another rule of the folder has the title. To be called with the lock.
func (s *Store) takenTitle(o *Org, r *Rule) bool {
	if !s.cfg.Version.UniqueTitles() {
		return false
	}
	uid, taken := o.titles[titleKey{r.Folder, r.Title}]
	return taken && uid != r.UID
}

// checkFolder refuses a rule in a folder that isn't there. To be called with the lock.
func (s *Store) checkFolder(o *Org, r *Rule) *refusal.Refused {
	if s.cfg.Version.ChecksFolder() && o.Folders[r.Folder] == nil {
		return refusal.New(400, "alerting.alert-rule.invalid", "invalid alert rule: folder does not exist")
	}
	return nil
}

func (s *Store) checkQuota(o *Org, more int) *refusal.Refused {
	if !s.cfg.SettingIsTrue("quota.enabled") {
		return nil
	}
	limit := Atoi(s.cfg.Setting("quota.org_alert_rule", "100"))
	if limit < 0 || len(o.Rules)+more <= limit {
		return nil
	}
	return refusal.New(403, "", "quota has been exceeded")
}

// titlesFit says whether every title is free once the group is as it is wanted.
func (s *Store) titlesFit(o *Org, g *Group, rules []*Rule, wanted map[string]*Rule) *refusal.Refused {
	if !s.cfg.Version.UniqueTitles() {
		return nil
	}
	own := map[string]string{}
	for _, r := range rules {
		if other, twice := own[r.Title]; twice && other != r.UID {
			return conflict(s.cfg.Version, r)
		}
		own[r.Title] = r.UID
		holder, taken := o.titles[titleKey{r.Folder, r.Title}]
		if !taken || holder == r.UID {
			continue
		}
		if s.cfg.Version.OldGroupOrder() {
			return conflict(s.cfg.Version, r)
		}
		if again := wanted[holder]; again != nil && again.Title != r.Title {
			continue
		}
		if g != nil && g.Rules[holder] != nil && wanted[holder] == nil {
			continue
		}
		return conflict(s.cfg.Version, r)
	}
	return nil
}
