package setting

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"strings"
	"time"
)

// Unlimited is the value of a limit that limits nothing.
const Unlimited = -1

const day = 24 * time.Hour

// How the house is kept.
var (
	ExpungeDelay = span(Setting{
		Name: "expunge.delay", Category: Advanced, Group: "Compute",
		Doc: "How many seconds a destroyed virtual machine is kept and can be recovered before it is expunged.",
	}, time.Second, day, 0)
	ExpungeInterval = span(Setting{
		Name: "expunge.interval", Category: Advanced, Group: "Compute",
		Doc: "How many seconds pass between two looks for destroyed virtual machines whose time has come.",
	}, time.Second, 5*time.Second, time.Second)
	NetworkGCInterval = span(Setting{
		Name: "network.gc.interval", Category: Advanced, Group: "Network",
		Doc: "How many seconds pass between two looks for networks in which no virtual machine runs.",
	}, time.Second, 10*time.Minute, time.Second)
	NetworkGCWait = span(Setting{
		Name: "network.gc.wait", Category: Advanced, Group: "Network",
		Doc: "For how many seconds no virtual machine has run in a network before its virtual router is removed.",
	}, time.Second, 10*time.Minute, 0)
	RouterStatsInterval = span(Setting{
		Name: "router.stats.interval", Category: Advanced, Group: "Network",
		Doc: "How many seconds pass between two looks at how virtual routers do and how many bytes went by their addresses.",
	}, time.Second, 5*time.Minute, time.Second)
	AccountCleanupInterval = span(Setting{
		Name: "account.cleanup.interval", Category: Advanced, Group: "Management Server",
		Doc: "How many seconds pass between two tries to free what the deletion of accounts and domains has left.",
	}, time.Second, day, time.Second)
	SessionTimeout = span(Setting{
		Name: "session.timeout", Category: Advanced, Group: "Management Server",
		Doc: "How many minutes a session lives without being used.",
	}, time.Minute, 30*time.Minute, time.Minute)
	JobExpire = span(Setting{
		Name: "job.expire.minutes", Category: Advanced, Group: "Management Server",
		Doc: "How many minutes the outcome of a job that has ended can still be asked for.",
	}, time.Minute, day, time.Minute)
	EventPurgeDelay = span(Setting{
		Name: "event.purge.delay", Category: Advanced, Group: "Management Server",
		Doc: "How many days events are kept; 0 keeps them forever.",
	}, day, 15*day, 0)
	AuditRetention = span(Setting{
		Name: "audit.log.retention", Category: Advanced, Group: "Management Server",
		Doc: "How many days the records of the audit log are kept; 0 keeps them forever.",
	}, day, 365*day, 0)
	EventPurgeInterval = span(Setting{
		Name: "event.purge.interval", Category: Advanced, Group: "Management Server",
		Doc: "How many seconds pass between two removals of old events.",
	}, time.Second, day, time.Second)
	AlertPurgeDelay = span(Setting{
		Name: "alert.purge.delay", Category: Advanced, Group: "Management Server",
		Doc: "How many days alerts are kept after their cause has gone; 0 keeps them forever.",
	}, day, 0, 0)
	AlertPurgeInterval = span(Setting{
		Name: "alert.purge.interval", Category: Advanced, Group: "Management Server",
		Doc: "How many seconds pass between two removals of old alerts.",
	}, time.Second, day, time.Second)
	CapacityCheckPeriod = span(Setting{
		Name: "capacity.check.period", Category: Alerts, Group: "Management Server",
		Doc: "How many seconds pass between two looks at how full hosts, storage and address ranges are.",
	}, time.Second, 300*time.Second, time.Second)
	ExtractURLExpiry = span(Setting{
		Name: "extract.url.expiration.interval", Category: Advanced, Group: "Storage",
		Doc: "For how many seconds a template, an ISO or a volume can be downloaded by the address that extractTemplate and its kin give.",
	}, time.Second, 4*time.Hour, time.Second)
	ExtractURLCleanup = span(Setting{
		Name: "extract.url.cleanup.interval", Category: Advanced, Group: "Storage",
		Doc: "How many seconds pass between two removals of what could be downloaded and whose time is over.",
	}, time.Second, 2*time.Hour, time.Second)
	ExtractionDisabled = flag(Setting{
		Name: "disable.extraction", Category: Advanced, Group: "Storage",
		Doc: "Whether only root admins may download templates, ISOs and volumes.",
	}, false)
	UploadTimeout = span(Setting{
		Name: "upload.operation.timeout", Category: Advanced, Group: "Storage",
		Doc: "For how many minutes an upload may be awaited, and then stand still, before it is abandoned. " +
			"The address to send it to is good as long.",
	}, time.Minute, 10*time.Minute, time.Minute)
	UploadInterval = span(Setting{
		Name: "upload.monitoring.interval", Category: Advanced, Group: "Storage",
		Doc: "How many seconds pass between two looks for uploads that are to be abandoned, and for what is left of those that have ended.",
	}, time.Second, time.Minute, time.Second)
	StorageStatsInterval = span(Setting{
		Name: "storage.stats.interval", Category: Storage, Group: "Storage",
		Doc: "How many milliseconds pass between two looks at how large image stores are.",
	}, time.Millisecond, time.Minute, 5*time.Second)
	VMStatsInterval = span(Setting{
		Name: "vm.stats.interval", Category: Advanced, Group: "Compute",
		Doc: "How many milliseconds pass between two looks at what virtual machines use; 0 for never. What a machine uses now is shown until " +
			"three looks have failed.",
	}, time.Millisecond, time.Minute, 0)
	HostStatsInterval = span(Setting{
		Name: "host.stats.interval", Category: Advanced, Group: "Management Server",
		Doc: "How many milliseconds pass between two looks at how busy hosts are; 0 for never. It is shown until three looks have failed.",
	}, time.Millisecond, time.Minute, 0)
	PingInterval = span(Setting{
		Name: "ping.interval", Category: Advanced, Group: "Management Server",
		Doc: "How many seconds pass between two looks at whether hosts answer. One that does not is in Alert, and Down after ping.timeout.",
	}, time.Second, 10*time.Second, time.Second)
	PingTimeout = decimal(Setting{
		Name: "ping.timeout", Category: Advanced, Group: "Management Server",
		Doc: "For how many times ping.interval a host does not answer before it is Down. Until then it is in Alert.",
	}, 2.5, 1, 1000)
	RecountInterval = span(Setting{
		Name: "resourcecount.check.interval", Category: Advanced, Group: "Management Server",
		Doc: "How many seconds pass between two times at which all accounts' resources are counted anew, as updateResourceCount does; 0 for never.",
	}, time.Second, 0, 0)
	JSONContentType = choice(Setting{
		Name: "json.content.type", Category: Advanced, Group: "Management Server",
		Doc: "What JSON answers say that they are.",
	}, "application/json; charset=UTF-8", "application/json", "text/javascript; charset=UTF-8", "text/javascript")
	DefaultPageSize = whole(Setting{
		Name: "default.page.size", Category: Advanced, Group: "Management Server",
		Doc: "How many items a list shows at most; a larger pagesize is refused. -1 sets no limit.",
	}, 500, -1, 100_000)
)

// Who may do what.
var (
	LoginAttempts = whole(Setting{
		Name: "incorrect.login.attempts.allowed", Category: Advanced, Group: "Management Server",
		Doc: "After how many wrong passwords a user is locked out for a while. 0 sets no limit.",
	}, 5, 0, 1000)
	LoginLock = span(Setting{
		Name: "incorrect.login.lockout.time", Category: Advanced, Group: "Management Server",
		Doc: "How many seconds a user is locked out for after too many wrong passwords; each further time takes twice as long, up to " +
			"incorrect.login.lockout.longest.",
	}, time.Second, time.Minute, time.Second)
	LongestLock = span(Setting{
		Name: "incorrect.login.lockout.longest", Category: Advanced, Group: "Management Server",
		Doc: "How many seconds a user is locked out for at most, however often the password was wrong.",
	}, time.Second, time.Hour, time.Second)
	AddressFailures = whole(Setting{
		Name: "incorrect.login.attempts.per.address", Category: Advanced, Group: "Management Server",
		Doc: "How many failed logins one address may have in a minute at a server, and how many wrong signatures. 0 sets no limit.",
	}, 20, 0, 1_000_000)
	KeyAccess = flag(Setting{
		Name: "api.key.access", Category: Advanced, Group: "Management Server", Scopes: []Scope{OfDomain},
		Doc: "Whether requests may be signed with API keys, by users for whom, and for whose account, nothing else is said.",
	}, true)
	TwoFactorEnabled = flag(Setting{
		Name: "enable.user.2fa", Category: Advanced, Group: "Management Server", Scopes: []Scope{OfDomain},
		Doc: "Whether users may have a second factor, which they then give at every sign-in with a password.",
	}, false)
	TwoFactorMandated = flag(Setting{
		Name: "mandate.user.2fa", Category: Advanced, Group: "Management Server", Scopes: []Scope{OfDomain},
		Doc: "Whether all users must have a second factor, where enable.user.2fa lets them: who has none sets it up at the next sign-in.",
	}, false)
	TwoFactorProvider = choice(Setting{
		Name: "user.2fa.default.provider", Category: Advanced, Group: "Management Server", Scopes: []Scope{OfDomain},
		Doc: "What gives the second factors of users who name no provider.",
	}, "totp")
	TwoFactorIssuer = text(Setting{
		Name: "user.2fa.issuer", Category: Advanced, Group: "Management Server", Scopes: []Scope{OfDomain},
		Doc: "The name under which authenticator apps show the second factor.",
	}, "Virga", issuer)
	ThrottlingEnabled = flag(Setting{
		Name: "api.throttling.enabled", Category: Advanced, Group: "Management Server",
		Doc: "Whether the API requests of accounts are counted and limited. Root admins are exempt.",
	}, false)
	ThrottlingInterval = span(Setting{
		Name: "api.throttling.interval", Category: Advanced, Group: "Management Server",
		Doc: "The seconds over which the API requests of an account are counted; then the count begins anew.",
	}, time.Second, time.Second, time.Second)
	ThrottlingMax = whole(Setting{
		Name: "api.throttling.max", Category: Advanced, Group: "Management Server",
		Doc: "How many API requests an account may send in one api.throttling.interval, to all servers together.",
	}, 25, 1, 1_000_000_000)
	ThrottlingCache = whole(Setting{
		Name: "api.throttling.cachesize", Category: Advanced, Group: "Management Server",
		Doc: "How many accounts a server counts at the same time. Of more, some are counted anew before their interval is over.",
	}, 50_000, 1, 10_000_000)
	ProxyVerify = flag(Setting{
		Name: "proxy.header.verify", Category: Advanced, Group: "Management Server",
		Doc: "Whether X-Forwarded-For, in requests from the proxies in proxy.cidr, says whose address failed logins are counted for.",
	}, false)
	ProxyCIDR = text(Setting{
		Name: "proxy.cidr", Category: Advanced, Group: "Management Server",
		Doc: "The networks of the proxies whose X-Forwarded-For is believed, with commas between them: 10.0.0.0/24,2001:db8::/64.",
	}, "", networks)
	UsersViewDestroyed = flag(Setting{
		Name: "allow.user.view.destroyed.vm", Category: Advanced, Group: "Compute", Scopes: []Scope{OfAccount, OfDomain},
		Doc: "Whether ordinary users see their destroyed virtual machines.",
	}, false)
	UsersExpungeRecover = flag(Setting{
		Name: "allow.user.expunge.recover.vm", Category: Advanced, Group: "Compute", Scopes: []Scope{OfAccount, OfDomain},
		Doc: "Whether ordinary users may expunge and recover their destroyed virtual machines.",
	}, false)
)

// How projects come about, and their members.
var (
	UsersCreateProjects = flag(Setting{
		Name: "allow.user.create.projects", Category: ProjectDefaults, Group: "Management Server",
		Doc: "Whether ordinary users may create projects; admins may always.",
	}, true)
	InvitesRequired = flag(Setting{
		Name: "project.invite.required", Category: ProjectDefaults, Group: "Management Server",
		Doc: "Whether accounts and users become members of a project only when they accept an invitation, and not as soon as they are added.",
	}, false)
	InviteTimeout = span(Setting{
		Name: "project.invite.timeout", Category: ProjectDefaults, Group: "Management Server",
		Doc: "How many seconds an invitation to a project can be accepted after it was made.",
	}, time.Second, day, time.Second)
)

// The limits that a new account begins with.
var (
	MaxVMs       = limit("user.vms", "virtual machines", 20)
	MaxCPUs      = limit("cpus", "CPU cores", 40)
	MaxMemory    = limit("memory", "MB of memory", 40960)
	MaxVolumes   = limit("volumes", "volumes", 20)
	MaxPrimary   = limit("primary.storage", "GB of primary storage", 200)
	MaxSecondary = limit("secondary.storage", "GB of secondary storage", 400)
	MaxNetworks  = limit("networks", "networks", 20)
	MaxPublicIPs = limit("public.ips", "public IP addresses", 20)
	MaxTemplates = limit("templates", "templates and ISOs", 20)
	MaxSnapshots = limit("snapshots", "snapshots", 20)
	MaxProjects  = limit("projects", "projects", 10)
	MaxVPCs      = limit("vpcs", "VPCs", 20)

	MaxProjectVMs       = projectLimit("user.vms", "virtual machines", 20)
	MaxProjectCPUs      = projectLimit("cpus", "CPU cores", 40)
	MaxProjectMemory    = projectLimit("memory", "MB of memory", 40960)
	MaxProjectVolumes   = projectLimit("volumes", "volumes", 20)
	MaxProjectPrimary   = projectLimit("primary.storage", "GB of primary storage", 200)
	MaxProjectSecondary = projectLimit("secondary.storage", "GB of secondary storage", 400)
	MaxProjectNetworks  = projectLimit("networks", "networks", 20)
	MaxProjectPublicIPs = projectLimit("public.ips", "public IP addresses", 20)
	MaxProjectTemplates = projectLimit("templates", "templates and ISOs", 20)
	MaxProjectSnapshots = projectLimit("snapshots", "snapshots", 20)
	MaxProjectVPCs      = projectLimit("vpcs", "VPCs", 20)

	MaxDomainVMs       = domainLimit("user.vms", "virtual machines", 40)
	MaxDomainCPUs      = domainLimit("cpus", "CPU cores", 80)
	MaxDomainMemory    = domainLimit("memory", "MB of memory", 81920)
	MaxDomainVolumes   = domainLimit("volumes", "volumes", 40)
	MaxDomainPrimary   = domainLimit("primary.storage", "GB of primary storage", 400)
	MaxDomainSecondary = domainLimit("secondary.storage", "GB of secondary storage", 800)
	MaxDomainNetworks  = domainLimit("networks", "networks", 40)
	MaxDomainPublicIPs = domainLimit("public.ips", "public IP addresses", 40)
	MaxDomainTemplates = domainLimit("templates", "templates and ISOs", 40)
	MaxDomainSnapshots = domainLimit("snapshots", "snapshots", 40)
	MaxDomainProjects  = domainLimit("projects", "projects", 50)
	MaxDomainVPCs      = domainLimit("vpcs", "VPCs", 40)
)

// How full the cloud may become.
var (
	CPUDisableThreshold     = threshold("cluster.cpu.allocated.capacity.disablethreshold", 0.85, stops("CPU", "cluster"), OfCluster, OfZone)
	MemoryDisableThreshold  = threshold("cluster.memory.allocated.capacity.disablethreshold", 0.85, stops("memory", "cluster"), OfCluster, OfZone)
	StorageDisableThreshold = threshold("pool.storage.allocated.capacity.disablethreshold", 0.85, stops("space", "pool"), OfPool, OfZone)

	CPUNotifyThreshold      = threshold("cluster.cpu.allocated.capacity.notificationthreshold", 0.75, warns("a cluster's CPU"), OfCluster)
	MemoryNotifyThreshold   = threshold("cluster.memory.allocated.capacity.notificationthreshold", 0.75, warns("a cluster's memory"), OfCluster)
	StorageNotifyThreshold  = threshold("cluster.storage.allocated.capacity.notificationthreshold", 0.75, warns("a cluster's storage"), OfCluster)
	PublicIPNotifyThreshold = threshold("zone.virtualnetwork.publicip.capacity.notificationthreshold", 0.75, warns("a zone's public addresses"))

	UsedStorageNotifyThreshold = threshold("cluster.storage.capacity.notificationthreshold", 0.75, warns("a cluster's real storage"),
		OfCluster)
	LocalStorageNotifyThreshold = threshold("cluster.localStorage.capacity.notificationthreshold", 0.75, warns("a cluster's local storage"),
		OfCluster)
	PodIPNotifyThreshold     = threshold("pod.privateip.capacity.notificationthreshold", 0.75, warns("a pod's management addresses"))
	SecondaryNotifyThreshold = threshold("zone.secstorage.capacity.notificationthreshold", 0.75, warns("a zone's image stores"))
	VLANNotifyThreshold      = threshold("zone.vlan.capacity.notificationthreshold", 0.75, warns("a zone's VLANs"))
	SharedIPNotifyThreshold  = threshold("zone.directnetwork.publicip.capacity.notificationthreshold", 0.75,
		warns("the addresses of a zone's shared networks"))

	CPUOvercommit     = factor("cpu.overprovisioning.factor", 1, "CPU of a cluster's hosts", "Compute", OfCluster)
	MemoryOvercommit  = factor("mem.overprovisioning.factor", 1, "memory of a cluster's hosts", "Compute", OfCluster)
	StorageOvercommit = factor("storage.overprovisioning.factor", 2, "space of a storage pool", "Storage", OfPool, OfZone)
)

// What is made, and where.
var (
	AllocationAlgorithm = choice(Setting{
		Name: "vm.allocation.algorithm", Category: Advanced, Group: "Compute",
		Doc: "The order in which hosts are tried for a virtual machine.",
	}, "random", "firstfit", "userdispersing", "firstfitleastconsumed")
	DispersionWeight = decimal(Setting{
		Name: "vm.user.dispersion.weight", Category: Advanced, Group: "Compute",
		Doc: "How much, from 0 to 1, it counts under the algorithm userdispersing that a host has few machines of the account; the rest counts how " +
			"empty the host is.",
	}, 1, 0, 1)
	SortAscending = flag(Setting{
		Name: "sortkey.algorithm", Category: Advanced, Group: "Management Server",
		Doc: "Whether zones, service and disk offerings are listed with the lowest sort key first, or with the highest.",
	}, true)
	CheckPodCIDRs = flag(Setting{
		Name: "check.pod.cidrs", Category: Advanced, Group: "Infrastructure",
		Doc: "Whether a pod is refused whose subnet is, in part, another pod's of its zone.",
	}, true)
	Hypervisors = text(Setting{
		Name: "hypervisor.list", Category: Advanced, Group: "Infrastructure",
		Doc: "The hypervisors that new clusters can have, with commas between them.",
	}, "Simulator,KVM,XenServer,VMware,Hyperv,LXC,Ovm,Ovm3,BareMetal", listed)
	NetworkRate = whole(Setting{
		Name: "network.throttling.rate", Category: Network, Group: "Network",
		Doc: "How many Mbit/s the networks have of a new network offering that doesn't say it.",
	}, 200, 1, 1_000_000)
	GuestDomainSuffix = text(Setting{
		Name: "guest.domain.suffix", Category: Network, Group: "Network", Scopes: []Scope{OfZone},
		Doc: "The DNS domain of guest networks that name none, and whose account and domain name none.",
	}, "cloud.internal", hostDomain)
	GuestCIDRLimit = whole(Setting{
		Name: "network.guest.cidr.limit", Category: Network, Group: "Network",
		Doc: "The shortest prefix that a guest network may have: 22 allows networks of 1022 addresses.",
	}, 22, 8, 30)
	MachineNetworkRate = whole(Setting{
		Name: "vm.network.throttling.rate", Category: Network, Group: "Network", Scopes: []Scope{OfZone},
		Doc: "How many Mbit/s the first network card of a virtual machine carries whose service offering doesn't say it; 0 sets no limit. Machines " +
			"go by it from their next start on.",
	}, 200, 0, 1_000_000)
	SubdomainNetworkAccess = flag(Setting{
		Name: "allow.subdomain.network.access", Category: Advanced, Group: "Network",
		Doc: "Whether a shared network for a domain is for the domains below it, too, where its creator doesn't say.",
	}, true)
	PublicTemplates = flag(Setting{
		Name: "allow.public.user.templates", Category: Advanced, Group: "Storage",
		Doc: "Whether users may make their templates public.",
	}, true)
	CustomDiskMin = whole(Setting{
		Name: "custom.diskoffering.size.min", Category: Advanced, Group: "Storage",
		Doc: "The least size, in GB, of a disk whose size the user chooses.",
	}, 1, 1, 65536)
	CustomDiskMax = whole(Setting{
		Name: "custom.diskoffering.size.max", Category: Advanced, Group: "Storage",
		Doc: "The greatest size, in GB, of a disk whose size the user chooses.",
	}, 1024, 1, 65536)
	MaxVolumeSize = whole(Setting{
		Name: "storage.max.volume.size", Category: Storage, Group: "Storage",
		Doc: "The greatest size, in GB, that any volume may have.",
	}, 2000, 1, 65536)
	MaxVolumeUpload = whole(Setting{
		Name: "storage.max.volume.upload.size", Category: Storage, Group: "Storage",
		Doc: "The greatest size, in GB, of what is uploaded for a volume.",
	}, 500, 1, 65536)
	MaxVMSnapshots = whole(Setting{
		Name: "vmsnapshot.max", Category: Advanced, Group: "Compute",
		Doc: "How many VM snapshots a virtual machine may have.",
	}, 10, 0, 1000)
	MaxImageSize = whole(Setting{
		Name: "max.template.iso.size", Category: Advanced, Group: "Storage",
		Doc: "The greatest size, in GB, of a template or ISO that is fetched, and of a disk made from it.",
	}, 50, 1, 65536)
	MostUserData = whole(Setting{
		Name: "vm.userdata.max.length", Category: Advanced, Group: "Compute",
		Doc: "How many characters the user data of a virtual machine may have, in Base64. What is too long for a URL is sent by POST.",
	}, 32768, 0, 1048576)
	InstanceName = text(Setting{
		Name: "instance.name", Category: Advanced, Group: "Compute",
		Doc: "The last part of the names that new virtual machines have on their hosts.",
	}, "VM", label)
	InstanceNameIsName = flag(Setting{
		Name: "vm.instancename.flag", Category: Advanced, Group: "Compute",
		Doc: "Whether the names that new virtual machines have on their hosts end in the name that users gave them.",
	}, false)
)

func limit(name, what string, fallback int64) Key[int64] {
	return whole(Setting{
		Name: "max.account." + name, Category: AccountDefaults, Group: "Management Server",
		Doc: "How many " + what + " an account may have that has no limit of its own. -1 sets no limit.",
	}, fallback, Unlimited, math.MaxInt64)
}

func projectLimit(name, what string, fallback int64) Key[int64] {
	return whole(Setting{
		Name: "max.project." + name, Category: ProjectDefaults, Group: "Management Server",
		Doc: "How many " + what + " a project may have that has no limit of its own. -1 sets no limit.",
	}, fallback, Unlimited, math.MaxInt64)
}

func domainLimit(name, what string, fallback int64) Key[int64] {
	return whole(Setting{
		Name: "max.domain." + name, Category: DomainDefaults, Group: "Management Server",
		Doc: "How many " + what + " the accounts of a domain, and of those below, may have together that has no limit of its own. -1 sets no limit.",
	}, fallback, Unlimited, math.MaxInt64)
}

func threshold(name string, fallback float64, doc string, scopes ...Scope) Key[float64] {
	return decimal(Setting{Name: name, Category: Alerts, Group: "Infrastructure", Doc: doc, Scopes: scopes}, fallback, 0, 1)
}

func stops(what, where string) string {
	return fmt.Sprintf("The part of a %s's %s, from 0 to 1, that may be given away; beyond it nothing new is placed there.", where, what)
}

func warns(what string) string {
	return "The part of " + what + ", from 0 to 1, beyond which operators are alerted."
}

func factor(name string, fallback float64, what, group string, scopes ...Scope) Key[float64] {
	return decimal(Setting{
		Name: name, Category: Advanced, Group: group, Scopes: scopes, Doc: "How many times over the " + what + " is given away.",
	}, fallback, 1, 100)
}

var (
	labels  = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
	noLabel = "letters, digits and hyphens, at most 63, with no hyphen at either end"
)

func label(text string) error {
	if labels.MatchString(text) {
		return nil
	}
	return fmt.Errorf("%s", noLabel)
}

// Networks reads networks with commas between them.
func Networks(text string) (out []netip.Prefix, err error) {
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		p, err := netip.ParsePrefix(part)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func listed(text string) error {
	if strings.Trim(text, ", ") == "" {
		return errors.New("names with commas between them, KVM,Simulator for instance")
	}
	return nil
}

func issuer(text string) error {
	if text == "" || len(text) > 64 || strings.ContainsAny(text, ":/?&=#%") {
		return errors.New("at most 64 characters, none of them one of :/?&=#%")
	}
	return nil
}

func networks(text string) error {
	if _, err := Networks(text); err != nil {
		return errors.New("networks, 10.0.0.0/24 for instance, with commas between them")
	}
	return nil
}

func hostDomain(text string) error {
	if len(text) > 190 {
		return errors.New("at most 190 characters long")
	}
	for part := range strings.SplitSeq(text, ".") {
		if label(part) != nil {
			return fmt.Errorf("a DNS domain, cloud.internal for instance: parts of %s, with dots between them", noLabel)
		}
	}
	return nil
}
