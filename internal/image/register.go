package image

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// RegisterIn says what image to fetch, and for whom ("": the caller). Of the template its id, owner, type and times are filled in.
type RegisterIn struct {
	Template
	ISO   bool           // it is one, and no template
	Zones []uid.Zone     // none: every zone, also those to come
	Store uid.ImageStore // "": one of each zone's
	Owner account.For
}

// Register adds a template and starts fetching it into a store of each of its zones.
func (s *Service) Register(ctx context.Context, in RegisterIn) (Template, error) {
	t, err := s.complete(ctx, in, func(t Template) error { return checkURL(t.URL, t.Format) })
	if err != nil {
		return Template{}, err
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		places, err := s.enter(ctx, tx, in, &t, Waiting)
		if err != nil {
			return err
		}
		if err := once.Record(ctx, tx, string(t.ID), ""); err != nil {
			return err
		}
		for _, p := range places {
			if err := s.startFetch(once.Without(ctx), tx, t, p.Zone); err != nil {
				return err
			}
		}
		return nil
	})
	return t, err
}

// complete checks what is registered and fills in what it leaves out.
func (s *Service) complete(ctx context.Context, in RegisterIn, source func(Template) error) (Template, error) {
	t := in.Template
	t.Type = User
	if in.ISO {
		t.Format = ISO
	} else if err := s.checkKind(&t); err != nil {
		return Template{}, err
	}
	if err := source(t); err != nil {
		return Template{}, err
	}
	if err := CheckSum(t.Checksum); err != nil {
		return Template{}, err
	}
	return t, s.check(ctx, &t)
}

// enter adds what is registered, for its owner and in its zones, where it is in a state.
func (s *Service) enter(ctx context.Context, tx db.Tx, in RegisterIn, t *Template, as State) ([]Place, error) {
	owner, err := s.Accounts.Owner(ctx, tx, in.Owner)
	if err != nil {
		return nil, err
	}
	t.ID, t.Account, t.Domain, t.Created, t.CrossZones = uid.New[uid.Template](), owner.Account, owner.Domain, tx.Now, len(in.Zones) == 0
	places, err := s.places(ctx, tx, in, owner.Domain)
	if err != nil {
		return nil, err
	}
	for i := range places {
		places[i].State = as
	}
	return places, s.add(ctx, tx, *t, places)
}

// add writes a template's rows and the event, and counts it.
func (s *Service) add(ctx context.Context, tx db.Tx, t Template, places []Place) error {
	if err := s.insert(ctx, tx, t, places); err != nil {
		return err
	}
	_, err := event.Write(ctx, tx, t.event(event.TemplateCreate, fmt.Sprintf("registered %s %s (%s)", t.noun(), t.Name, t.ID)))
	return err
}

// insert writes a template's rows and counts it.
func (s *Service) insert(ctx context.Context, tx db.Tx, t Template, places []Place) error {
	find := findOSType
	if t.OSType == "" {
		find = func(ctx context.Context, q db.Tx, _ uid.OSType) (OSType, error) { return findAnyOS(ctx, q) }
	}
	system, err := find(ctx, tx, t.OSType)
	if err != nil {
		return err
	}
	t.OSType = system.ID
	if err := insert(ctx, tx, &templateRow{Template: t}); err != nil {
		return err
	}
	for i := range places {
		places[i].Template, places[i].Created = t.ID, tx.Now
	}
	if err := insertPlaces(ctx, tx, places); err != nil {
		return err
	}
	return account.Take(ctx, tx, t.Account, limit.Use{limit.Templates: 1})
}

func (t Template) event(kind event.Kind, text string) event.Event {
	e := event.Event{Type: kind, Description: text, Account: t.Account, Domain: t.Domain, ResourceID: string(t.ID)}
	if t.IsISO() {
		e.ResourceType = "Iso"
		if own, ok := ofISOs[kind]; ok {
			e.Type = own
		}
	}
	return e
}

// ofISOs are the kinds of events that ISOs have for themselves.
var ofISOs = map[event.Kind]event.Kind{event.TemplateCreate: event.ISOCreate, event.TemplateDelete: event.ISODelete}

// places are where the image is to be fetched to: a store of each zone that it is for. A zone needs hosts that can fetch it. Of a
// user's image every zone means those that the owner may use.
func (s *Service) places(ctx context.Context, tx db.Tx, in RegisterIn, owner uid.Domain) ([]Place, error) {
	zones := in.Zones
	if len(zones) == 0 {
		var err error
		if zones, err = zonesWithStores(ctx, tx); err != nil {
			return nil, err
		}
		if len(zones) == 0 {
			return nil, fault.Conflictf("no zone has an image store: add one with addSecondaryStorage or addImageStore first")
		}
	}
	var out []Place
	for _, id := range slices.Compact(slices.Sorted(slices.Values(zones))) {
		z, err := forImages(ctx, tx, id, owner)
		if len(in.Zones) == 0 && (fault.Is(err, fault.NotFound) || fault.Is(err, fault.Conflict)) {
			continue
		}
		if err != nil {
			return nil, err
		}
		store, err := storeFor(ctx, tx, id, in.Store)
		if err != nil {
			return nil, err
		}
		if store == "" {
			return nil, fault.Conflictf("zone %q has no such image store: add one with addSecondaryStorage or addImageStore first", z.Name)
		}
		fetches, err := s.fetcher(ctx, tx, id, in.Hypervisor)
		if err != nil {
			return nil, err
		}
		if fetches == "" && len(in.Zones) > 0 {
			return nil, fault.Invalidf("zone %q has no %s hosts, which would fetch the %s and run its machines", z.Name, in.Hypervisor, in.noun())
		}
		if fetches != "" {
			out = append(out, Place{Zone: id, Store: store, State: Waiting})
		}
	}
	if len(out) == 0 {
		return nil, fault.Invalidf("no zone has %s hosts, which would fetch the %s and run its machines", in.Hypervisor, in.noun())
	}
	return out, nil
}

// fetcher is the hypervisor whose hosts handle an image in a zone: its own or, of an ISO, which is for every one, the first that can;
// "" where the zone has no such hosts.
func (s *Service) fetcher(ctx context.Context, q db.Tx, z uid.Zone, own string) (string, error) {
	names, err := hypervisorsIn(ctx, q, z)
	if err != nil {
		return "", err
	}
	for _, name := range names {
		if own != "" && strings.EqualFold(own, name) {
			return own, nil
		}
		if driver, err := s.Hosts.Driver(name); err == nil && own == "" {
			if _, can := driver.(hypervisor.Imager); can {
				return name, nil
			}
		}
	}
	return "", nil
}

// forImages gives a zone that a domain's images are to be kept in. Those of root admins may be in zones of other domains, too, whose
// machines are made from them.
func forImages(ctx context.Context, tx db.Tx, id uid.Zone, owner uid.Domain) (zone.Zone, error) {
	if auth.From(ctx).IsRoot() {
		return zone.Kept(ctx, tx, id)
	}
	return zone.Usable(ctx, tx, id, owner)
}

// endings are, by format, how a template's URL may end, besides ".gz" and its kin after it.
var endings = map[string][]string{
	"QCOW2": {".qcow2", ".img"}, "RAW": {".raw", ".img"}, "VHD": {".vhd", ".vhdx"}, "OVA": {".ova"}, "VMDK": {".vmdk"},
	ISO: {".iso"},
}

// runs are the formats that a hypervisor's disks can be made from.
var runs = map[string][]string{"KVM": {"QCOW2", "RAW"}, "Simulator": {"QCOW2", "RAW", "VHD", "OVA", "VMDK"}}

// check fills in what a template or ISO leaves out, and refuses what the caller may not have.
func (s *Service) check(ctx context.Context, t *Template) error {
	t.DisplayText, t.Bits = cmp.Or(t.DisplayText, t.Name), cmp.Or(t.Bits, 64)
	if t.Details == nil {
		t.Details = map[string]string{}
	}
	caller := auth.From(ctx)
	switch {
	case t.Bits != 32 && t.Bits != 64:
		return fault.Invalidf("bits %d: want 32 or 64", t.Bits)
	case t.Featured && !caller.IsRoot():
		return fault.Deniedf("only root admins may feature a %s; leave out isfeatured", t.noun())
	case t.Public && !caller.IsRoot() && !setting.PublicTemplates.Of(s.Settings):
		return fault.Deniedf("only root admins may make templates public here (setting %s); leave out ispublic", setting.PublicTemplates.Name)
	}
	return nil
}

// checkKind refuses a template that no host could run.
func (s *Service) checkKind(t *Template) error {
	driver, err := s.Hosts.Driver(t.Hypervisor)
	if err != nil {
		return fault.Invalidf("hypervisor %q: %v", t.Hypervisor, err)
	}
	if _, can := driver.(hypervisor.Imager); !can {
		return fault.Invalidf("%s hosts can't fetch templates yet", t.Hypervisor)
	}
	for name := range runs {
		if strings.EqualFold(name, t.Hypervisor) {
			t.Hypervisor = name
		}
	}
	t.Bootable, t.Format = true, strings.ToUpper(t.Format)
	if !slices.Contains(runs[t.Hypervisor], t.Format) {
		return fault.Invalidf("format %q: %s machines are made from %s", t.Format, t.Hypervisor, strings.Join(runs[t.Hypervisor], ", "))
	}
	return nil
}

func checkURL(text, format string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return fault.Invalidf("url %q: want one like https://example.org/images/debian.qcow2", text)
	case u.User != nil:
		return fault.Invalidf("url has a user name in it, which others would see: want a URL that needs none")
	}
	path := strings.ToLower(u.Path)
	for _, packed := range []string{".gz", ".bz2", ".xz", ".zip"} {
		path = strings.TrimSuffix(path, packed)
	}
	for _, end := range endings[format] {
		if strings.HasSuffix(path, end) {
			return nil
		}
	}
	return fault.Invalidf("url %q is not of format %s: its path should end with %s, or that and .gz, .bz2, .xz or .zip", text, format,
		strings.Join(endings[format], " or "))
}

// CheckSum refuses what is no checksum: hex of a known length, with or without the algorithm's name before it.
func CheckSum(sum string) error {
	if sum == "" {
		return nil
	}
	hex := sum
	if name, rest, found := strings.Cut(sum, "}"); found && strings.HasPrefix(name, "{") {
		hex = rest
	}
	lengths := []int{32, 40, 56, 64, 96, 128} // MD5, SHA-1, SHA-224 to SHA-512
	if !slices.Contains(lengths, len(hex)) || strings.Trim(strings.ToLower(hex), "0123456789abcdef") != "" {
		return fault.Invalidf("checksum %q: want an MD5 or SHA sum in hex, with {MD5} or {SHA-256} before it if you like", sum)
	}
	return nil
}

// Create adds an image that hosts have without fetching it; its id and times are filled in. Its zone is Zone, or every one that
// there is.
func (s *Service) Create(ctx context.Context, t Template) (Template, error) {
	err := s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		t.ID, t.Created, t.CrossZones = uid.New[uid.Template](), tx.Now, t.CrossZones || t.Zone == ""
		if t.Details == nil {
			t.Details = map[string]string{}
		}
		if t.Bits == 0 {
			t.Bits = 64
		}
		zones := []uid.Zone{t.Zone}
		if t.Zone == "" {
			var err error
			if zones, err = allZones(ctx, tx); err != nil {
				return err
			}
		}
		state := Waiting
		if t.Ready {
			state = Ready
		}
		var places []Place
		for _, z := range zones {
			places = append(places, Place{Zone: z, State: state})
		}
		return s.add(ctx, tx, t, places)
	})
	return t, err
}

// AnyHost gives a host that does a hypervisor's work in a zone: "" where there is none of the kind, fault.Unavailable where none
// is up.
func (s *Service) AnyHost(ctx context.Context, z uid.Zone, name string) (uid.Host, error) {
	up, _, err := s.Hosts.List(ctx, host.Filter{Zone: z, Hypervisor: name, State: host.Up, Limit: 1})
	if err != nil {
		return "", err
	}
	if len(up) > 0 {
		return up[0].ID, nil
	}
	there, err := hasHypervisor(ctx, s.DB.Read(), z, name)
	if err == nil && there {
		err = op.Retry(fault.Unavailablef("no %s host of the zone is up", name))
	}
	return "", err
}
