package store

// SaveFolder puts a folder in place. To be called with the lock.
func (s *Store) SaveFolder(o *Org, f *Folder) {
	o.Folders[f.UID] = f
	o.RuleGen++
	var change Change
	change.Put(FolderRecord(f), f)
	s.Journal.Commit(&change)
}

// RemoveFolder removes a folder with everything in it: folders and rules. To be called with the lock.
func (s *Store) RemoveFolder(o *Org, uid string) {
	var change Change
	all := o.Below(uid)
	for key, g := range o.Groups {
		if !all[key.Folder] {
			continue
		}
		for _, r := range g.Rules {
			o.RemoveRule(r)
			change.Remove(RuleRecord(r))
		}
		s.DropGroup(&change, o, g)
	}
	for uid := range all {
		change.Remove(FolderRecord(o.Folders[uid]))
		delete(o.Folders, uid)
	}
	o.RuleGen++
	s.Journal.Commit(&change)
}
