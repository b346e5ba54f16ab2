package uid

// The kinds of things that have ids. A new kind is two lines here.
type (
	Domain         = ID[domainKind]
	Account        = ID[accountKind]
	User           = ID[userKind]
	Role           = ID[roleKind]
	RolePermission = ID[rolePermissionKind]
	Project        = ID[projectKind]

	ProjectInvitation     = ID[projectInvitationKind]
	ProjectRole           = ID[projectRoleKind]
	ProjectRolePermission = ID[projectRolePermissionKind]

	Zone            = ID[zoneKind]
	Pod             = ID[podKind]
	Cluster         = ID[clusterKind]
	Host            = ID[hostKind]
	Pool            = ID[poolKind]
	ServiceOffering = ID[serviceOfferingKind]
	DiskOffering    = ID[diskOfferingKind]
	NetworkOffering = ID[networkOfferingKind]
	VPCOffering     = ID[vpcOfferingKind]
	PhysicalNetwork = ID[physicalNetworkKind]
	Network         = ID[networkKind]
	NIC             = ID[nicKind]
	TrafficType     = ID[trafficTypeKind]
	NetworkProvider = ID[networkProviderKind]
	RouterElement   = ID[routerElementKind]
	IPRange         = ID[ipRangeKind]
	PublicIP        = ID[publicIPKind]
	SecurityGroup   = ID[securityGroupKind]
	VPC             = ID[vpcKind]
	ACL             = ID[aclKind]
	OSType          = ID[ostypeKind]
	OSCategory      = ID[oscategoryKind]
	Template        = ID[templateKind]
	ImageStore      = ID[imageStoreKind]
	SSHKeyPair      = ID[sshKeyPairKind]
	KeyPair         = ID[keyPairKind]
	Volume          = ID[volumeKind]
	VM              = ID[vmKind]
	InstanceGroup   = ID[instanceGroupKind]
	LDAPServer      = ID[ldapServerKind]
	Op              = ID[opKind]
	Event           = ID[eventKind]
	Alert           = ID[alertKind]
	Annotation      = ID[annotationKind]
	Server          = ID[serverKind]
	Session         = ID[sessionKind]
	OAuthProvider   = ID[oauthProviderKind]
	Router          = ID[routerKind]
	Rule            = ID[ruleKind]
	Snapshot        = ID[snapshotKind]
	VMSnapshot      = ID[vmSnapshotKind]
	Extraction      = ID[extractionKind]
	Upload          = ID[uploadKind]
	AgentToken      = ID[agentTokenKind]
	PortForward     = ID[portForwardKind]
	IPForward       = ID[ipForwardKind]
	FirewallRule    = ID[firewallRuleKind]
	EgressRule      = ID[egressRuleKind]
	LoadBalancer    = ID[loadBalancerKind]

	StickinessPolicy = ID[stickinessPolicyKind]

	SecurityGroupRule       = ID[securityGroupRuleKind]
	SecurityGroupEgressRule = ID[securityGroupEgressRuleKind]
)

type (
	portForwardKind      struct{}
	ipForwardKind        struct{}
	firewallRuleKind     struct{}
	egressRuleKind       struct{}
	loadBalancerKind     struct{}
	stickinessPolicyKind struct{}

	securityGroupRuleKind       struct{}
	securityGroupEgressRuleKind struct{}
)

type (
	domainKind         struct{}
	accountKind        struct{}
	userKind           struct{}
	roleKind           struct{}
	rolePermissionKind struct{}
	projectKind        struct{}

	projectInvitationKind     struct{}
	projectRoleKind           struct{}
	projectRolePermissionKind struct{}

	zoneKind            struct{}
	podKind             struct{}
	clusterKind         struct{}
	hostKind            struct{}
	poolKind            struct{}
	serviceOfferingKind struct{}
	diskOfferingKind    struct{}
	networkOfferingKind struct{}
	vpcOfferingKind     struct{}
	physicalNetworkKind struct{}
	networkKind         struct{}
	nicKind             struct{}
	trafficTypeKind     struct{}
	networkProviderKind struct{}
	routerElementKind   struct{}
	ipRangeKind         struct{}
	publicIPKind        struct{}
	securityGroupKind   struct{}
	vpcKind             struct{}
	aclKind             struct{}
	ostypeKind          struct{}
	oscategoryKind      struct{}
	templateKind        struct{}
	imageStoreKind      struct{}
	sshKeyPairKind      struct{}
	keyPairKind         struct{}
	volumeKind          struct{}
	vmKind              struct{}
	instanceGroupKind   struct{}
	ldapServerKind      struct{}
	opKind              struct{}
	eventKind           struct{}
	alertKind           struct{}
	annotationKind      struct{}
	serverKind          struct{}
	sessionKind         struct{}
	oauthProviderKind   struct{}
	routerKind          struct{}
	ruleKind            struct{}
	snapshotKind        struct{}
	vmSnapshotKind      struct{}
	agentTokenKind      struct{}
	extractionKind      struct{}
	uploadKind          struct{}
)

func (domainKind) kind() string                  { return "domain" }
func (accountKind) kind() string                 { return "account" }
func (userKind) kind() string                    { return "user" }
func (roleKind) kind() string                    { return "role" }
func (rolePermissionKind) kind() string          { return "role permission" }
func (projectKind) kind() string                 { return "project" }
func (zoneKind) kind() string                    { return "zone" }
func (podKind) kind() string                     { return "pod" }
func (clusterKind) kind() string                 { return "cluster" }
func (hostKind) kind() string                    { return "host" }
func (poolKind) kind() string                    { return "storage pool" }
func (serviceOfferingKind) kind() string         { return "service offering" }
func (diskOfferingKind) kind() string            { return "disk offering" }
func (networkOfferingKind) kind() string         { return "network offering" }
func (vpcOfferingKind) kind() string             { return "VPC offering" }
func (physicalNetworkKind) kind() string         { return "physical network" }
func (networkKind) kind() string                 { return "network" }
func (nicKind) kind() string                     { return "NIC" }
func (trafficTypeKind) kind() string             { return "traffic type" }
func (networkProviderKind) kind() string         { return "network service provider" }
func (routerElementKind) kind() string           { return "virtual router element" }
func (ipRangeKind) kind() string                 { return "VLAN IP range" }
func (publicIPKind) kind() string                { return "IP address" }
func (securityGroupRuleKind) kind() string       { return "rule of a security group" }
func (securityGroupEgressRuleKind) kind() string { return "egress rule of a security group" }
func (securityGroupKind) kind() string           { return "security group" }
func (vpcKind) kind() string                     { return "VPC" }
func (aclKind) kind() string                     { return "network ACL list" }
func (ostypeKind) kind() string                  { return "OS type" }
func (oscategoryKind) kind() string              { return "OS category" }
func (templateKind) kind() string                { return "template" }
func (imageStoreKind) kind() string              { return "image store" }
func (ldapServerKind) kind() string              { return "LDAP configuration" }
func (extractionKind) kind() string              { return "download" }
func (uploadKind) kind() string                  { return "upload" }
func (agentTokenKind) kind() string              { return "agent token" }
func (sshKeyPairKind) kind() string              { return "SSH key pair" }
func (keyPairKind) kind() string                 { return "API key pair" }
func (volumeKind) kind() string                  { return "volume" }
func (vmKind) kind() string                      { return "virtual machine" }
func (instanceGroupKind) kind() string           { return "instance group" }
func (opKind) kind() string                      { return "job" }
func (eventKind) kind() string                   { return "event" }
func (alertKind) kind() string                   { return "alert" }
func (annotationKind) kind() string              { return "annotation" }
func (serverKind) kind() string                  { return "management server" }
func (sessionKind) kind() string                 { return "session" }
func (oauthProviderKind) kind() string           { return "OAuth provider" }
func (routerKind) kind() string                  { return "virtual router" }
func (ruleKind) kind() string                    { return "rule" }
func (portForwardKind) kind() string             { return "port forwarding rule" }
func (ipForwardKind) kind() string               { return "IP forwarding rule" }
func (firewallRuleKind) kind() string            { return "firewall rule" }
func (egressRuleKind) kind() string              { return "egress firewall rule" }
func (loadBalancerKind) kind() string            { return "load balancer rule" }

func (stickinessPolicyKind) kind() string { return "stickiness policy" }
func (snapshotKind) kind() string         { return "snapshot" }
func (vmSnapshotKind) kind() string       { return "VM snapshot" }

func (projectInvitationKind) kind() string     { return "project invitation" }
func (projectRoleKind) kind() string           { return "project role" }
func (projectRolePermissionKind) kind() string { return "rule of a project role" }
