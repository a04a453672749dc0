package profile

// Folders, search, the server itself, rights, /apis.

// NestedFolders: folders in folders without a toggle (11.0).
func (v Version) NestedFolders() bool { return v.AtLeast(11, 0, 0) }

// NestedFoldersToggle: the toggle nestedFolders is told of in the settings; it went away with 12.2.
func (v Version) NestedFoldersToggle() bool { return !v.AtLeast(12, 2, 0) }

// NamespaceInSettings: /api/frontend/settings names the namespace for /apis.
// Unconfirmed: the release.
func (v Version) NamespaceInSettings() bool { return v.AtLeast(11, 0, 0) }

// OrgInFolders: a folder has orgId (10.4).
func (v Version) OrgInFolders() bool { return v.AtLeast(10, 4, 0) }

// TakenFolderIs412: a new folder's uid that is taken is 412 version-mismatch (recorded on 10.0), later 409.
// Unconfirmed: the release that changed it.
func (v Version) TakenFolderIs412() bool { return !v.AtLeast(11, 0, 0) }

// GeneralFolderName: a folder can't be named General (10).
// Unconfirmed: the release that ended it.
func (v Version) GeneralFolderName() bool { return !v.AtLeast(11, 0, 0) }

// FolderMessageIDs: refusals of folders have message ids (11).
// Unconfirmed: the release.
func (v Version) FolderMessageIDs() bool { return v.AtLeast(11, 0, 0) }

// FolderDepth is how many folders may be one in another: 8 at first, then 4 below the uppermost (pkg/services/folder/model.go).
// Unconfirmed: the release that changed it; played: 10.1.
func (v Version) FolderDepth() int {
	if v.AtLeast(10, 1, 0) {
		return 5
	}
	return 9
}

// TitlesUniqueInOrg: two folders of one title clash wherever they are, a fault of early nested folders (#80408, #85567: up to 10.4).
func (v Version) TitlesUniqueInOrg() bool { return !v.AtLeast(11, 0, 0) }

// CountsByPlural: the counts of a folder's content are named as /apis names the kinds (12; toFolderLegacyCounts).
func (v Version) CountsByPlural() bool { return v.AtLeast(12, 0, 0) }

// CountsLibrary: the counts have library panels (10.1).
func (v Version) CountsLibrary() bool { return v.AtLeast(10, 1, 0) }

// FolderPathInNames: the clash of two folders' names is told of "the current location" (12; pkg/api/apierrors/folder.go).
// Unconfirmed: the release.
func (v Version) FolderPathInNames() bool { return v.AtLeast(12, 0, 0) }

// SearchIndex: /api/search answers from an index that lags behind (12 and 13; pkg/storage/unified/search).
// Unconfirmed: whether 12 already does for folders; played: from 13.0, where folders are in unified storage.
func (v Version) SearchIndex() bool { return v.AtLeast(13, 0, 0) }

// HitDescription: a hit of the search has the folder's description (client 25-12-02).
// Unconfirmed: whether it was 12.3 or 12.4.
func (v Version) HitDescription() bool { return v.AtLeast(12, 4, 0) }

// HealthEnterprise: the health has enterpriseCommit (11).
func (v Version) HealthEnterprise() bool { return v.AtLeast(11, 0, 0) }

// HealthAPIServer: the health has apiserver (client 26-04-14).
func (v Version) HealthAPIServer() bool { return v.AtLeast(13, 0, 0) }

// SourcesByID: data sources are reached by their numbers too; 13.0 ended it.
func (v Version) SourcesByID() bool { return !v.AtLeast(13, 0, 0) }

// SourceUIDs: a new data source's uid has to be [A-Za-z0-9_-]{1,40} (12.0).
func (v Version) SourceUIDs() bool { return v.AtLeast(12, 0, 0) }

// FineReads: /api/v1/provisioning is read with the rights on rules and notifications too, so by viewers (authorization.go).
// Unconfirmed: the release; 10.0 asks for alert.provisioning:read (recorded), the provider's issue 2046 is of 11.
func (v Version) FineReads() bool { return v.AtLeast(11, 0, 0) }

// StatusRight: the Alertmanager's status needs a right of its own (13.0).
func (v Version) StatusRight() bool { return v.AtLeast(13, 0, 0) }

// NotificationKinds lists the versions of notifications.alerting.grafana.app: with a toggle from 11.2, on from 11.5, v1beta1 from 13.0.
func (v Version) NotificationKinds(toggle bool) []string {
	switch {
	case v.AtLeast(13, 0, 0):
		return []string{"v1beta1", "v0alpha1"}
	case v.AtLeast(11, 5, 0), toggle && v.AtLeast(11, 2, 0):
		return []string{"v0alpha1"}
	}
	return nil
}

// RuleKinds lists the versions of rules.alerting.grafana.app: with a toggle from 12.0, on from 13.0, v1beta1 from 13.3 (what's new
// of 2026-10-22).
func (v Version) RuleKinds(toggle bool) []string {
	switch {
	case v.AtLeast(13, 3, 0):
		return []string{"v1beta1", "v0alpha1"}
	case v.AtLeast(13, 0, 0), toggle && v.AtLeast(12, 0, 0):
		return []string{"v0alpha1"}
	}
	return nil
}

// NamedTrees: several routing trees, with a toggle from 12.4, without from 13.2 (#126160).
func (v Version) NamedTrees(toggle bool) bool {
	return v.AtLeast(13, 2, 0) || toggle && v.AtLeast(12, 4, 0)
}

// ReceiverTestKind: receivers are tested by a subresource of /apis.
// Unconfirmed: that v0alpha1 of 12.4 has it.
func (v Version) ReceiverTestKind() bool { return v.AtLeast(12, 4, 0) }
