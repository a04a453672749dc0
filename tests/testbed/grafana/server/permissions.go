package server

import "alertwright.testbed/grafana/rights"

// Permission is what a caller needs.
type Permission struct {
	// kind is "" where rights decide, else anyone, signedIn or super.
	kind string
	need rights.Need
	// before is what was needed before rights on rules and notifications counted for what is provisioned.
	before *rights.Need
}

// Needing is what an endpoint needs in rights.
func Needing(need rights.Need) Permission { return Permission{need: need} }

// changed is a need that was another one before 11.
func changed(before, need rights.Need) Permission { return Permission{need: need, before: &before} }

// What endpoints need. From 11 on it is what pkg/services/ngalert/api/authorization.go says, before what its 10.0 said.
var (
	// Anyone needs no account.
	Anyone = Permission{kind: "anyone"}
	// SignedIn is whoever has logged in, with any role or none; the endpoint asks for rights itself.
	SignedIn = Permission{kind: "signedIn"}
	// Viewer is whoever has logged in.
	Viewer = SignedIn
	// SuperAdmin is an administrator of the server.
	SuperAdmin = Permission{kind: "super"}

	Admin    = Needing(rights.One("orgs:write"))
	Accounts = Needing(rights.One("serviceaccounts:write"))

	ReadStates      = Needing(rights.One("alert.rules:read"))
	ReadFolderRules = changed(rights.One("alert.rules:read"), readsIn("{folder}"))
	ReadInstances   = Needing(rights.One("alert.instances:read"))
	TestRules       = ReadStates

	ReadFolders  = Needing(rights.One("folders:read"))
	ReadFolder   = Needing(rights.One("folders:read", "folders:uid:{uid}"))
	MakeFolders  = Needing(rights.One("folders:create"))
	WriteFolder  = Needing(rights.One("folders:write", "folders:uid:{uid}"))
	DeleteFolder = Needing(rights.One("folders:delete", "folders:uid:{uid}"))

	ReadSources   = Needing(rights.One("datasources:read"))
	MakeSources   = Needing(rights.One("datasources:create"))
	WriteSources  = Needing(rights.One("datasources:write"))
	DeleteSources = Needing(rights.One("datasources:delete"))
	AskSources    = Needing(rights.One("datasources:query"))

	ReadSilences   = Needing(rights.Ones("alert.instances:read", "alert.silences:read"))
	WriteSilences  = Needing(rights.All(readSilences, rights.Ones("alert.instances:create", "alert.instances:write", "alert.silences:create", "alert.silences:write")))
	ExpireSilences = Needing(rights.All(readSilences, rights.Ones("alert.instances:write", "alert.silences:write")))

	ReadConfig    = Needing(rights.One("alert.notifications:read"))
	EditConfig    = Needing(rights.One("alert.notifications:write"))
	ConfigHistory = Needing(rights.One("alert.notifications.config-history:read"))
	SystemStatus  = Needing(rights.One("alert.notifications.system-status:read"))
	ReadReceivers = Needing(rights.Ones("alert.notifications:read", "alert.notifications.receivers:read", "alert.notifications.receivers.secrets:read"))
	TestReceivers = Needing(rights.Ones("alert.notifications:write", "alert.notifications.receivers:write", "alert.notifications.receivers:test",
		"alert.notifications.receivers.test:create"))
)

var readSilences = rights.Ones("alert.instances:read", "alert.silences:read")

func readsIn(folder string) rights.Need {
	return rights.All(rights.One("alert.rules:read", "folders:uid:"+folder), rights.One("folders:read", "folders:uid:"+folder))
}

var (
	readProvisioned  = rights.One("alert.provisioning:read")
	writeProvisioned = rights.One("alert.provisioning:write")
)

// The provisioning API of rules.
var (
	ReadRules = changed(readProvisioned, rights.Any(readProvisioned, rights.One("alert.rules.provisioning:read"),
		rights.One("alert.provisioning.secrets:read"), rights.All(rights.One("alert.rules:read"), rights.One("folders:read"))))
	ReadGroup = changed(readProvisioned, rights.Any(readProvisioned, rights.One("alert.rules.provisioning:read"),
		rights.One("alert.provisioning.secrets:read"), readsIn("{folder}")))
	CreateRules = writesRules(rights.One("alert.rules:create"))
	UpdateRules = writesRules(rights.One("alert.rules:write"))
	DeleteRules = writesRules(rights.One("alert.rules:delete"))
	PutGroup    = writesRules(readsIn("{folder}"), rights.Any(rights.One("alert.rules:write", inFolder), rights.One("alert.rules:create", inFolder),
		rights.One("alert.rules:delete", inFolder)))
	DeleteGroup = writesRules(rights.One("alert.rules:delete", inFolder), readsIn("{folder}"))
)

const inFolder = "folders:uid:{folder}"

func writesRules(fine ...rights.Need) Permission {
	return changed(writeProvisioned, rights.Any(writeProvisioned, rights.One("alert.rules.provisioning:write"),
		rights.All(append(fine, rights.One(rights.SetProvenance))...)))
}

// ReadNotify is what reads contact points, policies, templates or timings need: besides the general rights those of their kind.
func ReadNotify(kind string) Permission {
	return changed(readProvisioned, rights.Ones("alert.provisioning:read", "alert.notifications.provisioning:read", "alert.provisioning.secrets:read",
		"alert.notifications:read", "alert.notifications."+kind+":read"))
}

// WriteNotify is what writes to them need; the action is that of their kind: create, write or delete.
func WriteNotify(kind, action string) Permission {
	return changed(writeProvisioned, rights.Any(writeProvisioned, rights.One("alert.notifications.provisioning:write"),
		rights.All(rights.Ones("alert.notifications:write", "alert.notifications."+kind+":"+action), rights.One(rights.SetProvenance))))
}
