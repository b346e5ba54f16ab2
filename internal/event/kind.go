package event

import (
	"maps"
	"slices"
)

// Kind names what happened, in CloudStack's words ("VM.CREATE").
type Kind string

// The kinds this release writes. Names are stored and known to clients, hence never changed.
const (
	UserLogin       Kind = "USER.LOGIN"
	UserLogout      Kind = "USER.LOGOUT"
	UserCreate      Kind = "USER.CREATE"
	UserUpdate      Kind = "USER.UPDATE"
	UserDelete      Kind = "USER.DELETE"
	UserDisable     Kind = "USER.DISABLE"
	UserEnable      Kind = "USER.ENABLE"
	UserLock        Kind = "USER.LOCK"
	UserMove        Kind = "USER.MOVE"
	UserRegisterKey Kind = "REGISTER.USER.KEY"
	UserDeleteKey   Kind = "DELETE.USER.KEY"
	AccountCreate   Kind = "ACCOUNT.CREATE"
	AccountUpdate   Kind = "ACCOUNT.UPDATE"
	AccountDisable  Kind = "ACCOUNT.DISABLE" // and lock
	AccountEnable   Kind = "ACCOUNT.ENABLE"
	AccountDelete   Kind = "ACCOUNT.DELETE"
	AccountMarkZone Kind = "ACCOUNT.MARK.DEFAULT.ZONE"
	DomainCreate    Kind = "DOMAIN.CREATE"
	DomainUpdate    Kind = "DOMAIN.UPDATE"
	DomainDelete    Kind = "DOMAIN.DELETE"
	LimitUpdate     Kind = "RESOURCE.LIMIT.UPDATE"
	CountUpdate     Kind = "RESOURCE.COUNT.UPDATE" // ours

	RoleCreate           Kind = "ROLE.CREATE"
	RoleUpdate           Kind = "ROLE.UPDATE"
	RoleDelete           Kind = "ROLE.DELETE"
	RoleEnable           Kind = "ROLE.ENABLE"
	RoleDisable          Kind = "ROLE.DISABLE"
	RoleImport           Kind = "ROLE.IMPORT"
	RolePermissionCreate Kind = "ROLE.PERMISSION.CREATE"
	RolePermissionUpdate Kind = "ROLE.PERMISSION.UPDATE"
	RolePermissionDelete Kind = "ROLE.PERMISSION.DELETE"

	ProjectCreate               Kind = "PROJECT.CREATE"
	ProjectUpdate               Kind = "PROJECT.UPDATE"
	ProjectDelete               Kind = "PROJECT.DELETE"
	ProjectActivate             Kind = "PROJECT.ACTIVATE"
	ProjectSuspend              Kind = "PROJECT.SUSPEND"
	ProjectAccountAdd           Kind = "PROJECT.ACCOUNT.ADD" // and invite
	ProjectAccountRemove        Kind = "PROJECT.ACCOUNT.REMOVE"
	ProjectUserAdd              Kind = "PROJECT.USER.ADD" // and invite
	ProjectUserRemove           Kind = "PROJECT.USER.REMOVE"
	ProjectInvitationUpdate     Kind = "PROJECT.INVITATION.UPDATE"
	ProjectInvitationRemove     Kind = "PROJECT.INVITATION.REMOVE"
	ProjectRoleCreate           Kind = "PROJECT.ROLE.CREATE"
	ProjectRoleUpdate           Kind = "PROJECT.ROLE.UPDATE"
	ProjectRoleDelete           Kind = "PROJECT.ROLE.DELETE"
	ProjectRolePermissionCreate Kind = "PROJECT.ROLE.PERMISSION.CREATE"
	ProjectRolePermissionUpdate Kind = "PROJECT.ROLE.PERMISSION.UPDATE"
	ProjectRolePermissionDelete Kind = "PROJECT.ROLE.PERMISSION.DELETE"

	VMCreate  Kind = "VM.CREATE"
	VMStart   Kind = "VM.START"
	VMStop    Kind = "VM.STOP"
	VMReboot  Kind = "VM.REBOOT"
	VMUpdate  Kind = "VM.UPDATE"
	VMUpgrade Kind = "VM.UPGRADE"
	VMMigrate Kind = "VM.MIGRATE"
	VMRestore Kind = "VM.RESTORE"
	VMRecover Kind = "VM.RECOVER"
	VMDestroy Kind = "VM.DESTROY"
	VMExpunge Kind = "VM.EXPUNGE"

	VMResetPassword Kind = "VM.RESETPASSWORD"
	VMResetSSHKey   Kind = "VM.RESETSSHKEY"
	VMConsole       Kind = "VM.CONSOLE" // ours: somebody may look at the screen

	NetworkCreate  Kind = "NETWORK.CREATE"
	NetworkUpdate  Kind = "NETWORK.UPDATE"
	NetworkRestart Kind = "NETWORK.RESTART"
	NetworkDelete  Kind = "NETWORK.DELETE"

	RouterCreate  Kind = "ROUTER.CREATE"
	RouterStart   Kind = "ROUTER.START"
	RouterStop    Kind = "ROUTER.STOP"
	RouterReboot  Kind = "ROUTER.REBOOT"
	RouterDestroy Kind = "ROUTER.DESTROY"
	RouterHA      Kind = "ROUTER.HA"

	NetRuleAdd    Kind = "NET.RULEADD"
	NetRuleModify Kind = "NET.RULEMODIFY"
	NetRuleDelete Kind = "NET.RULEDELETE"
	StaticNATOn   Kind = "STATICNAT.ENABLE"
	StaticNATOff  Kind = "STATICNAT.DISABLE"

	FirewallOpen   Kind = "FIREWALL.OPEN"
	FirewallClose  Kind = "FIREWALL.CLOSE"
	FirewallUpdate Kind = "FIREWALL.UPDATE"
	EgressOpen     Kind = "FIREWALL.EGRESS.OPEN"
	EgressClose    Kind = "FIREWALL.EGRESS.CLOSE"
	EgressUpdate   Kind = "FIREWALL.EGRESS.UPDATE"

	LBCreate           Kind = "LB.CREATE"
	LBUpdate           Kind = "LB.UPDATE"
	LBDelete           Kind = "LB.DELETE"
	LBAssign           Kind = "LB.ASSIGN.TO.RULE"
	LBRemove           Kind = "LB.REMOVE.FROM.RULE"
	LBStickinessCreate Kind = "LB.STICKINESSPOLICY.CREATE"
	LBStickinessUpdate Kind = "LB.STICKINESSPOLICY.UPDATE"
	LBStickinessDelete Kind = "LB.STICKINESSPOLICY.DELETE"

	NetworkElementConfigure Kind = "NETWORK.ELEMENT.CONFIGURE"
	NetworkOfferingCreate   Kind = "NETWORK.OFFERING.CREATE"
	NetworkOfferingEdit     Kind = "NETWORK.OFFERING.EDIT"
	NetworkOfferingDelete   Kind = "NETWORK.OFFERING.DELETE"
	PhysicalNetworkCreate   Kind = "PHYSICAL.NETWORK.CREATE"
	PhysicalNetworkUpdate   Kind = "PHYSICAL.NETWORK.UPDATE"
	PhysicalNetworkDelete   Kind = "PHYSICAL.NETWORK.DELETE"
	TrafficTypeCreate       Kind = "TRAFFIC.TYPE.CREATE"
	ServiceProviderCreate   Kind = "SERVICE.PROVIDER.CREATE"
	ServiceProviderUpdate   Kind = "SERVICE.PROVIDER.UPDATE"
	VLANRangeCreate         Kind = "VLAN.IP.RANGE.CREATE"
	VLANRangeDelete         Kind = "VLAN.IP.RANGE.DELETE"
	IPAssign                Kind = "NET.IPASSIGN" //nolint:gosec // it is no password
	IPRelease               Kind = "NET.IPRELEASE"
	IPUpdate                Kind = "NET.IPUPDATE"

	VolumeCreate  Kind = "VOLUME.CREATE"
	VolumeAttach  Kind = "VOLUME.ATTACH"
	VolumeDetach  Kind = "VOLUME.DETACH"
	VolumeDelete  Kind = "VOLUME.DELETE"
	VolumeResize  Kind = "VOLUME.RESIZE"
	VolumeMigrate Kind = "VOLUME.MIGRATE"
	VolumeExtract Kind = "VOLUME.EXTRACT"
	VolumeUpload  Kind = "VOLUME.UPLOAD"

	SnapshotCreate Kind = "SNAPSHOT.CREATE"
	SnapshotDelete Kind = "SNAPSHOT.DELETE"
	SnapshotRevert Kind = "SNAPSHOT.REVERT"

	VMSnapshotCreate Kind = "VMSNAPSHOT.CREATE"
	VMSnapshotDelete Kind = "VMSNAPSHOT.DELETE"
	VMSnapshotRevert Kind = "VMSNAPSHOT.REVERTTO"

	ISOCreate  Kind = "ISO.CREATE"
	ISOExtract Kind = "ISO.EXTRACT"
	ISOUpload  Kind = "ISO.UPLOAD"
	ISODelete  Kind = "ISO.DELETE"
	ISOAttach  Kind = "ISO.ATTACH"
	ISODetach  Kind = "ISO.DETACH"

	TemplateCreate  Kind = "TEMPLATE.CREATE"
	TemplateExtract Kind = "TEMPLATE.EXTRACT"
	TemplateUpload  Kind = "TEMPLATE.UPLOAD"
	TemplateDelete  Kind = "TEMPLATE.DELETE"
	TemplateFetch   Kind = "TEMPLATE.DOWNLOAD.START"

	ImageStoreCreate Kind = "IMAGE.STORE.CREATE"

	RegionCreate Kind = "REGION.CREATE"
	RegionEdit   Kind = "REGION.EDIT"
	RegionDelete Kind = "REGION.DELETE"

	ZoneCreate    Kind = "ZONE.CREATE"
	ZoneEdit      Kind = "ZONE.EDIT"
	ZoneDelete    Kind = "ZONE.DELETE"
	PodCreate     Kind = "POD.CREATE"
	PodEdit       Kind = "POD.EDIT"
	PodDelete     Kind = "POD.DELETE"
	ClusterCreate Kind = "CLUSTER.CREATE"
	ClusterEdit   Kind = "CLUSTER.EDIT"
	ClusterDelete Kind = "CLUSTER.DELETE"
	PoolCreate    Kind = "STORAGE.POOL.CREATE"
	PoolDelete    Kind = "STORAGE.POOL.DELETE"

	ServiceOfferingCreate Kind = "SERVICE.OFFERING.CREATE"
	ServiceOfferingEdit   Kind = "SERVICE.OFFERING.EDIT"
	ServiceOfferingDelete Kind = "SERVICE.OFFERING.DELETE"
	DiskOfferingCreate    Kind = "DISK.OFFERING.CREATE"
	DiskOfferingEdit      Kind = "DISK.OFFERING.EDIT"
	DiskOfferingDelete    Kind = "DISK.OFFERING.DELETE"

	SecurityGroupCreate Kind = "SG.CREATE"
	SecurityGroupUpdate Kind = "SG.UPDATE"
	SecurityGroupDelete Kind = "SG.DELETE"

	SecurityGroupAuthIngress   Kind = "SG.AUTH.INGRESS"
	SecurityGroupAuthEgress    Kind = "SG.AUTH.EGRESS"
	SecurityGroupRevokeIngress Kind = "SG.REVOKE.INGRESS"
	SecurityGroupRevokeEgress  Kind = "SG.REVOKE.EGRESS"

	OAuthRegister Kind = "OAUTH.PROVIDER.REGISTER"
	OAuthUpdate   Kind = "OAUTH.PROVIDER.UPDATE"
	OAuthDelete   Kind = "OAUTH.PROVIDER.DELETE"

	SSHKeyPairRegister Kind = "REGISTER.SSH.KEYPAIR"
	SSHKeyPairCreate   Kind = "CREATE.SSH.KEYPAIR"
	SSHKeyPairDelete   Kind = "DELETE.SSH.KEYPAIR"

	TagsCreate Kind = "CREATE_TAGS"
	TagsDelete Kind = "DELETE_TAGS"

	DetailsCreate    Kind = "CREATE_RESOURCE_DETAILS"
	DetailsDelete    Kind = "DELETE_RESOURCE_DETAILS"
	AnnotationCreate Kind = "ANNOTATION.CREATE"
	AnnotationUpdate Kind = "ANNOTATION.UPDATE"
	AnnotationRemove Kind = "ANNOTATION.REMOVE"
	CertificateAdd   Kind = "UPLOAD.CUSTOM.CERTIFICATE"

	HostAdd               Kind = "HOST.ADD"
	HostEdit              Kind = "HOST.EDIT"
	HostDelete            Kind = "HOST.DELETE"
	HostUp                Kind = "HOST.UP"
	HostDown              Kind = "HOST.DOWN"
	HostReconnect         Kind = "HOST.RECONNECT"
	AgentTokenCreate      Kind = "AGENT.TOKEN.CREATE" //nolint:gosec // what has happened, no token
	AgentTokenDelete      Kind = "AGENT.TOKEN.DELETE" //nolint:gosec // the same
	AgentEnrol            Kind = "AGENT.ENROL"
	HostMaintenance       Kind = "MAINT.PREPARE"
	HostMaintenanceCancel Kind = "MAINT.CANCEL"

	LDAPServerAdd    Kind = "LDAP.SERVER.ADD"
	LDAPServerDelete Kind = "LDAP.SERVER.DELETE"
	LDAPLink         Kind = "LDAP.LINK"
	LDAPUnlink       Kind = "LDAP.UNLINK"

	APILimitReset Kind = "API.LIMIT.RESET"
	SettingChange Kind = "CONFIGURATION.VALUE.EDIT"
)

// resources says for each kind on what sort of thing it happens: the resource type that listEvents shows and filters by.
var resources = map[Kind]string{
	UserLogin: "User", UserLogout: "User", UserCreate: "User", UserRegisterKey: "User", UserDeleteKey: "User",
	RoleCreate: "Role", RoleUpdate: "Role", RoleDelete: "Role", RoleEnable: "Role", RoleDisable: "Role", RoleImport: "Role",
	ProjectCreate: "Project", ProjectUpdate: "Project", ProjectDelete: "Project", ProjectActivate: "Project", ProjectSuspend: "Project",
	ProjectAccountAdd: "Project", ProjectAccountRemove: "Project", ProjectUserAdd: "Project", ProjectUserRemove: "Project",
	ProjectInvitationUpdate: "Project", ProjectInvitationRemove: "Project", ProjectRoleCreate: "Project", ProjectRoleUpdate: "Project",
	ProjectRoleDelete: "Project", ProjectRolePermissionCreate: "Project", ProjectRolePermissionUpdate: "Project",
	ProjectRolePermissionDelete: "Project",
	RolePermissionCreate:        "Role", RolePermissionUpdate: "Role", RolePermissionDelete: "Role",
	UserUpdate: "User", UserDelete: "User", UserDisable: "User", UserEnable: "User", UserLock: "User", UserMove: "User",
	LimitUpdate: "ResourceLimit", CountUpdate: "ResourceLimit",
	AccountCreate: "Account", AccountUpdate: "Account", AccountDisable: "Account", AccountEnable: "Account", AccountDelete: "Account",
	AccountMarkZone: "Account", DomainCreate: "Domain", DomainUpdate: "Domain", DomainDelete: "Domain",
	VMCreate: "VirtualMachine", VMStart: "VirtualMachine", VMStop: "VirtualMachine", VMReboot: "VirtualMachine",
	VMUpdate: "VirtualMachine", VMUpgrade: "VirtualMachine", VMMigrate: "VirtualMachine", VMRestore: "VirtualMachine", VMRecover: "VirtualMachine",
	VMDestroy: "VirtualMachine", VMExpunge: "VirtualMachine", VMResetPassword: "VirtualMachine", VMResetSSHKey: "VirtualMachine",
	VMConsole:     "VirtualMachine",
	NetworkCreate: "Network", NetworkUpdate: "Network", NetworkRestart: "Network", NetworkDelete: "Network",
	RouterCreate: "VirtualRouter", RouterStart: "VirtualRouter", RouterStop: "VirtualRouter", RouterReboot: "VirtualRouter",
	RouterDestroy: "VirtualRouter", RouterHA: "VirtualRouter", NetRuleAdd: "Network", NetRuleModify: "Network", NetRuleDelete: "Network",
	StaticNATOn: "StaticNat", StaticNATOff: "StaticNat", FirewallOpen: "Network", FirewallClose: "Network",
	EgressOpen: "Network", EgressClose: "Network", FirewallUpdate: "Network", EgressUpdate: "Network", LBCreate: "LoadBalancer",
	LBUpdate: "LoadBalancer", LBDelete: "LoadBalancer", LBAssign: "LoadBalancer", LBRemove: "LoadBalancer",
	LBStickinessCreate: "LoadBalancer", LBStickinessUpdate: "LoadBalancer", LBStickinessDelete: "LoadBalancer",
	NetworkElementConfigure: "VirtualRouterElement",
	NetworkOfferingCreate:   "NetworkOffering", NetworkOfferingEdit: "NetworkOffering", NetworkOfferingDelete: "NetworkOffering",
	PhysicalNetworkCreate: "PhysicalNetwork", PhysicalNetworkUpdate: "PhysicalNetwork", PhysicalNetworkDelete: "PhysicalNetwork",
	TrafficTypeCreate: "PhysicalNetworkTrafficType", ServiceProviderCreate: "PhysicalNetworkServiceProvider",
	ServiceProviderUpdate: "PhysicalNetworkServiceProvider", VLANRangeCreate: "Vlan", VLANRangeDelete: "Vlan",
	IPAssign: "PublicIpAddress", IPRelease: "PublicIpAddress", IPUpdate: "PublicIpAddress",
	VolumeCreate: "Volume", VolumeAttach: "Volume", VolumeDetach: "Volume", VolumeDelete: "Volume",
	VMSnapshotCreate: "VmSnapshot", VMSnapshotDelete: "VmSnapshot", VMSnapshotRevert: "VmSnapshot",
	VolumeResize: "Volume", VolumeMigrate: "Volume", VolumeExtract: "Volume", VolumeUpload: "Volume",
	SnapshotCreate: "Snapshot", SnapshotDelete: "Snapshot", SnapshotRevert: "Snapshot",
	ISOCreate: "Iso", ISOExtract: "Iso", ISOUpload: "Iso", ISODelete: "Iso", ISOAttach: "Iso", ISODetach: "Iso",
	TemplateCreate: "Template", TemplateExtract: "Template", TemplateUpload: "Template",
	TemplateDelete: "Template", TemplateFetch: "Template", ImageStoreCreate: "ImageStore",
	RegionCreate: "Region", RegionEdit: "Region", RegionDelete: "Region",
	ZoneCreate: "Zone", ZoneEdit: "Zone", ZoneDelete: "Zone", PodCreate: "Pod", PodEdit: "Pod", PodDelete: "Pod",
	ClusterCreate: "Cluster", ClusterEdit: "Cluster", ClusterDelete: "Cluster", PoolCreate: "StoragePool", PoolDelete: "StoragePool",
	HostAdd: "Host", HostEdit: "Host", HostDelete: "Host",
	ServiceOfferingCreate: "ServiceOffering", ServiceOfferingEdit: "ServiceOffering", ServiceOfferingDelete: "ServiceOffering",
	DiskOfferingCreate: "DiskOffering", DiskOfferingEdit: "DiskOffering", DiskOfferingDelete: "DiskOffering",
	SecurityGroupCreate: "SecurityGroup", SecurityGroupUpdate: "SecurityGroup", SecurityGroupDelete: "SecurityGroup",
	SecurityGroupAuthIngress: "SecurityGroup", SecurityGroupAuthEgress: "SecurityGroup", SecurityGroupRevokeIngress: "SecurityGroup",
	SecurityGroupRevokeEgress: "SecurityGroup",
	TagsCreate:                "Tag", TagsDelete: "Tag", DetailsCreate: "ResourceDetail", DetailsDelete: "ResourceDetail",
	AnnotationCreate: "Annotation", AnnotationUpdate: "Annotation", AnnotationRemove: "Annotation", CertificateAdd: "Certificate",
	SSHKeyPairRegister: "SSHKeyPair", SSHKeyPairCreate: "SSHKeyPair", SSHKeyPairDelete: "SSHKeyPair",
	HostUp: "Host", HostDown: "Host", HostReconnect: "Host", HostMaintenance: "Host", HostMaintenanceCancel: "Host",
	OAuthRegister: "OauthProvider", OAuthUpdate: "OauthProvider", OAuthDelete: "OauthProvider",
	LDAPServerAdd: "Configuration", LDAPServerDelete: "Configuration", LDAPLink: "Domain", LDAPUnlink: "Domain",
	AgentTokenCreate: "AgentToken", AgentTokenDelete: "AgentToken", AgentEnrol: "Host",
	SettingChange: "Configuration", APILimitReset: "Account",
}

// Resource is the sort of thing that events of this kind happen to ("VirtualMachine"); "" for a kind that does not exist.
func (k Kind) Resource() string { return resources[k] }

// Level says how much an event matters.
type Level string

// The levels.
const (
	Info  Level = "INFO"
	Warn  Level = "WARN"
	Error Level = "ERROR"
)

// State says how far what the event tells of has come.
type State string

// The states. What is done at once is Completed; a job writes Scheduled, Started and Completed, tied together by Parent.
const (
	Created   State = "Created"
	Scheduled State = "Scheduled"
	Started   State = "Started"
	Completed State = "Completed"
)

// Kinds gives every kind, in the order of their names.
func Kinds() []Kind { return slices.Sorted(maps.Keys(resources)) }
