package host

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// JoinIn says which host to add, and where.
type JoinIn struct {
	ID          uid.Host // that it goes by already; "" for a new one
	Address     string   // that others reach it at; "" for the URL's, or one of the pod
	Zone        uid.Zone
	Pod         uid.Pod
	Cluster     uid.Cluster
	ClusterName string // of the pod; it is made where it is not there
	Hypervisor  string
	URL         string // http://name, or http://name/what/more
	Tags        []string
	State       ResourceState // Enabled or Disabled; "" is Enabled
}

// joining is the state of adding a host.
type joining struct {
	Host   uid.Host      `json:"host"`
	Made   uid.Cluster   `json:"made,omitempty"` // the cluster that was made for it
	State  ResourceState `json:"state"`          // to be in the end
	Report report        `json:"report,omitzero"`
	Local  int64         `json:"local,omitempty"` // bytes of its own storage
	User   uid.User      `json:"user"`

	in *JoinIn // for Accept only
}

// Join adds a host: the driver is told of it, it is asked what it has, and then it is there. It returns when that is so, or when
// nothing of it is left.
func (s *Service) Join(ctx context.Context, in JoinIn) (uid.Host, error) {
	id, job, err := s.BeginJoin(ctx, in)
	if err != nil {
		return "", err
	}
	return id, s.end(ctx, job)
}

// BeginJoin is Join for who does not wait.
func (s *Service) BeginJoin(ctx context.Context, in JoinIn) (uid.Host, op.ID, error) {
	id := cmp.Or(in.ID, uid.New[uid.Host]())
	caller := auth.From(ctx)
	job, _, err := s.add.Start(ctx, op.Request{
		Thing: op.On("host", id), Caller: caller, Command: "addHost", SubjectKind: "Host", SubjectID: string(id), Fresh: true,
	}, joining{Host: id, User: caller.User, in: &in})
	return id, job, err
}

// end waits for an operation that a command answers with the outcome of.
func (s *Service) end(ctx context.Context, job op.ID) error {
	r, err := s.engine.Wait(ctx, job)
	switch {
	case err != nil:
		return err
	case r.State == op.Stuck:
		return fault.Unavailablef("it is neither done nor undone: job %s is stuck", job).WithDetail("in step %s: %s", r.StepName, r.FaultText)
	case r.State != op.Done:
		return r.Err()
	}
	return nil
}

func (s *Service) addPlan() *op.Plan[joining] {
	return op.New[joining]("host.add").
		Accept(s.beginJoin, s.neverWas).
		Do("enroll", s.enroll, s.forgetNew).
		Tx("finish", s.joined, nil)
}

func (s *Service) beginJoin(ctx context.Context, tx db.Tx, _ *op.Request, j *joining) error {
	in := *j.in
	h := Host{
		ID: j.Host, Zone: in.Zone, Pod: in.Pod, Type: "Routing", URL: in.URL, State: Connecting, ResourceState: Creating, Tags: Tags(in.Tags),
		Created: tx.Now,
	}
	if j.State = in.State; j.State == "" {
		j.State = Enabled
	}
	if j.State != Enabled && j.State != Disabled {
		return fault.Invalidf("allocationstate is %q; want %s or %s", in.State, Enabled, Disabled)
	}
	var err error
	if h.Hypervisor, err = zone.Hypervisor(in.Hypervisor); err != nil {
		return err
	}
	if _, err := s.drivers.Find(h.Hypervisor); err != nil {
		return fault.Invalidf("this cloud has no driver for %s hosts; it has: %s", h.Hypervisor, strings.Join(s.drivers.Names(), ", "))
	}
	if h.Name, h.IPAddress, err = fromURL(in.URL); err != nil {
		return err
	}
	h.IPAddress = cmp.Or(in.Address, h.IPAddress)
	pod, err := zone.LockPod(ctx, tx, in.Pod) // so that two hosts at a time take two addresses
	if err != nil {
		return err
	}
	if pod.Zone != in.Zone {
		return fault.Invalidf("pod %q is not in the zone with id %s", pod.Name, in.Zone)
	}
	if h.Cluster, err = s.clusterFor(ctx, tx, j, pod, h.Hypervisor); err != nil {
		return err
	}
	if err := h.settle(ctx, tx, pod); err != nil {
		return err
	}
	if err := insertHost(ctx, tx, h); db.IsUnique(err) {
		return fault.Conflictf("a host called %q, or with the address %s, is there already", h.Name, h.IPAddress)
	} else if err != nil {
		return err
	}
	return nil
}

// fromURL gives a host's name, and its address if the URL has one for a name. What stands behind the name in the URL is part of
// it: the simulated hosts of CloudStack's users are http://sim/c0/h0, http://sim/c0/h1 and so on.
func fromURL(text string) (name, address string, err error) {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil {
		return "", "", fault.Invalidf("url %q does not name a host; want http://name, without user and password", text)
	}
	name = strings.Join(append([]string{u.Hostname()}, strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' })...), ".")
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil {
		address = ip.String()
	}
	return name, address, nil
}

// clusterFor gives the cluster that the host is to be in, and makes one of a name that is not there.
func (s *Service) clusterFor(ctx context.Context, tx db.Tx, j *joining, pod zone.Pod, hypervisor string) (uid.Cluster, error) {
	var c zone.Cluster
	var err error
	switch {
	case j.in.Cluster != "" && j.in.ClusterName != "":
		return "", fault.Invalidf("clusterid and clustername were both given; use one of them")
	case j.in.Cluster != "":
		c, err = zone.LockCluster(ctx, tx, j.in.Cluster)
	case j.in.ClusterName != "":
		c, err = zone.ClusterNamed(ctx, tx, pod.ID, j.in.ClusterName)
		if err == nil && c.ID == "" {
			if s.clusters == nil {
				return "", fault.NotFoundf("there is no cluster %q in pod %q", j.in.ClusterName, pod.Name)
			}
			c, err = s.clusters.AddCluster(ctx, tx, zone.Cluster{Zone: pod.Zone, Pod: pod.ID, Name: j.in.ClusterName, Hypervisor: hypervisor})
			j.Made = c.ID
		}
	default:
		return "", fault.Invalidf("say in which cluster: clusterid, or clustername for one that may have to be made")
	}
	switch {
	case err != nil:
		return "", err
	case c.Pod != pod.ID:
		return "", fault.Invalidf("cluster %q is not in pod %q", c.Name, pod.Name)
	case c.Hypervisor != hypervisor:
		return "", fault.Invalidf("cluster %q is for %s hosts, not for %s", c.Name, c.Hypervisor, hypervisor)
	case c.Managed != zone.Managed:
		return "", fault.Conflictf("cluster %q is %s; hosts are added to managed ones", c.Name, c.Managed)
	}
	return c.ID, nil
}

// settle gives the host an address of its pod's range, unless its URL has told another one.
func (h *Host) settle(ctx context.Context, tx db.Tx, pod zone.Pod) error {
	if h.IPAddress != "" {
		if n, ok := pod.Address(h.IPAddress); ok {
			h.PodIP = n
		}
		return nil
	}
	taken, err := podIPs(ctx, tx, pod.ID)
	if err != nil {
		return err
	}
	first, last := pod.Range()
	for n := first; n <= last; n++ {
		if !taken[n] {
			h.PodIP, h.IPAddress = n, zone.AddressText(n)
			return nil
		}
	}
	return fault.Fullf("pod %q has no free address left: its hosts have all of %s to %s", pod.Name, pod.StartIP, pod.EndIP)
}

// neverWas removes what Accept has made. The request may be repeated under its idempotency key: it made nothing.
func (s *Service) neverWas(ctx context.Context, tx db.Tx, j *joining) error {
	if err := deleteHost(ctx, tx, j.Host); err != nil {
		return err
	}
	if j.Made != "" {
		n, err := countIn(ctx, tx, zone.Place{Cluster: j.Made})
		if err != nil {
			return err
		}
		if n == 0 {
			if err := zone.TakeBackCluster(ctx, tx, j.Made); err != nil {
				return err
			}
		}
	}
	return once.Release(ctx, tx, j.User, string(j.Host))
}

// enroll tells the driver of the host and asks the host what it has. A host that does not answer is not worth waiting for: who
// adds it wants to know now.
func (s *Service) enroll(ctx context.Context, j *joining) error {
	h, driver, err := s.driven(ctx, j.Host)
	if err != nil {
		return err
	}
	if one, ok := driver.(hypervisor.Enroller); ok {
		if err := one.Enroll(ctx, h.ID, hypervisor.Capacity{Zone: h.Zone, Pod: h.Pod, Cluster: h.Cluster}); err != nil {
			return err
		}
	}
	r, err := driver.Probe(ctx, h.ID)
	if err != nil {
		return err
	}
	j.Report = reported(r)
	j.Local, err = s.localBytes(ctx, driver, h)
	return err
}

// localBytes asks a host how much storage of its own it has; 0 where none is to be used.
func (s *Service) localBytes(ctx context.Context, driver hypervisor.Driver, h Host) (int64, error) {
	z, err := zone.Find(ctx, s.db.Read(), h.Zone)
	if err != nil || !z.LocalStorage || s.local == nil {
		return 0, err
	}
	storer, ok := driver.(hypervisor.Storer)
	if !ok {
		return 0, nil
	}
	p, err := storer.Pool(ctx, h.ID, hypervisor.PoolRef{URL: h.localURL()})
	return p.Bytes, err
}

// localURL is where a host keeps disks of its own.
func (h Host) localURL() string { return "file:///var/lib/virga/local/" + string(h.ID) }

func (s *Service) forgetNew(ctx context.Context, j *joining) error {
	h, err := Find(ctx, s.db.Read(), j.Host)
	if err != nil {
		return err
	}
	return s.forget(ctx, h)
}

// forget makes the driver forget a host. A driver that is away is worth another try.
func (s *Service) forget(ctx context.Context, h Host) error {
	driver, err := s.drivers.Find(h.Hypervisor)
	if err != nil {
		return op.Retry(err)
	}
	one, ok := driver.(hypervisor.Enroller)
	if !ok {
		return nil
	}
	if err = one.Forget(ctx, h.ID); fault.Is(err, fault.Unavailable) {
		return op.Retry(err)
	}
	return err
}

func (s *Service) joined(ctx context.Context, tx db.Tx, j *joining) error {
	h, err := lock(ctx, tx, j.Host)
	if err != nil {
		return err
	}
	c, err := zone.FindCluster(ctx, tx, h.Cluster)
	if err != nil {
		return err
	}
	h.learn(j.Report, c.CPUOvercommit, c.MemoryOvercommit)
	h.State, h.ResourceState, h.LastSeen = Up, j.State, tx.Now
	if err := saveHost(ctx, tx, h); err != nil {
		return err
	}
	if j.Local > 0 {
		if err := s.local.AddLocal(ctx, tx, h, h.localURL(), j.Local); err != nil {
			return err
		}
	}
	return written(ctx, tx, event.HostAdd, "added", h, j.User)
}

// driven gives a host and its driver.
func (s *Service) driven(ctx context.Context, id uid.Host) (Host, hypervisor.Driver, error) {
	h, err := Find(ctx, s.db.Read(), id)
	if err != nil {
		return Host{}, nil, err
	}
	driver, err := s.drivers.Find(h.Hypervisor)
	return h, driver, err
}

// written records what was done to a host, and by whom ("": the caller).
func written(ctx context.Context, tx db.Tx, kind event.Kind, did string, h Host, by uid.User) error {
	_, err := event.Write(ctx, tx, event.Event{
		Type: kind, Description: fmt.Sprintf("%s host %s (%s)", did, h.Name, h.ID), ResourceID: string(h.ID), User: by,
	})
	return err
}
