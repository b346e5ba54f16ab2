package placement

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
)

// inText is how many hosts a refusal names one by one: enough to see what is wrong.
const inText = 20

// free is what hosts have of what a filter asks for, in units of that size: "88", "at most 88", "12 to 88".
func (l lost) free(unit int64) string {
	least, most := max(0, l.Least)/unit, l.Most/unit
	if least == most {
		return strconv.FormatInt(most, 10)
	}
	return fmt.Sprintf("%d to %d", least, most)
}

// Group is how many hosts are out of the question for the same reason.
type Group struct {
	Hosts  int
	Filter string
	Reason string
}

// explanation is why a machine finds no place: for an admin and for a user.
type explanation struct {
	considered, fit int
	groups          []Group
	sums            []string
	lookup          *look
}

// explain counts the hosts that come into question by why they are not kept.
func (l *look) explain(ctx context.Context, q db.Tx) (explanation, error) {
	e := explanation{lookup: l}
	counted, err := l.count(ctx, q)
	if err != nil {
		return e, err
	}
	for _, g := range counted {
		e.considered += g.Hosts
		if g.Dropped < 0 {
			e.fit = g.Hosts
			continue
		}
		f := l.filters[g.Dropped]
		e.groups = append(e.groups, Group{g.Hosts, f.name, f.why(g)})
		e.sums = append(e.sums, f.sum)
	}
	return e, nil
}

// taken adds the hosts that all filters keep and that none the less could not take the machine.
func (e *explanation) taken(hosts int) {
	if hosts == 0 {
		return
	}
	g := Group{hosts, "taken", "filled up by others at the same moment"}
	sum := "filled up at this moment"
	if len(e.lookup.Disks) > 1 {
		g, sum = Group{hosts, "storage", "not enough primary storage for all disks together"}, "without enough primary storage"
	}
	e.groups, e.sums = append(e.groups, g), append(e.sums, sum)
}

// counts is the reasons with how many hosts each has: "3 hosts: 2 not enough memory (need 4096 MB, 1024 free), 1 in maintenance".
func (e *explanation) counts() string {
	slices.SortStableFunc(e.groups, func(a, b Group) int { return b.Hosts - a.Hosts })
	var parts []string
	for _, g := range e.groups {
		parts = append(parts, fmt.Sprintf("%d %s", g.Hosts, g.Reason))
	}
	s := "s"
	if e.considered == 1 {
		s = ""
	}
	return fmt.Sprintf("%d host%s: %s", e.considered, s, strings.Join(parts, ", "))
}

// text says to users why there is no place, without numbers of hosts, which are not theirs to know.
func (e *explanation) text() string {
	w := e.lookup.Want
	text := fmt.Sprintf("no host has room for this machine (%d MHz, %d MB)", w.Need.CPU, w.Need.Memory)
	if e.considered == 0 {
		return text + ": there is no host where it may go"
	}
	sums := slices.Sorted(slices.Values(e.sums))
	return text + ": hosts are " + strings.Join(slices.Compact(sums), " or ")
}

// refuse says why no host would do. In a big cloud that takes a look at very many hosts, so that what was said serves for the next
// ones who want the same, for as long as the sums do.
func (s *Service) refuse(ctx context.Context, tx db.Tx, w Want) error {
	key := fmt.Sprint(w.Zone, w.Hypervisor, w.Need, w.HostTags, w.Disks, w.Made, w.Addresses, w.Cluster, w.Pod, w.Host, w.Avoid)
	if said := s.rooms.said(key, tx.Now); said != nil {
		return said
	}
	l, err := s.look(ctx, tx, w, true)
	if err != nil {
		return err
	}
	refusal, err := l.refusal(ctx, tx)
	if err != nil {
		return err
	}
	s.rooms.say(key, refusal, tx.Now)
	return refusal
}

func (l *look) refusal(ctx context.Context, tx db.Tx) (*fault.Error, error) {
	e, err := l.explain(ctx, tx)
	if err != nil {
		return nil, err
	}
	if e.considered == 0 {
		return fault.Fullf("%s", e.text()), nil
	}
	e.taken(e.fit)
	each, err := l.each(ctx, tx, inText)
	if err != nil {
		return nil, err
	}
	parts := []string{e.counts()}
	for _, h := range each {
		parts = append(parts, fmt.Sprintf("%s: %s", h.Name, l.filters[h.Dropped].why(h)))
	}
	if more := e.considered - e.fit - len(each); more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return fault.Fullf("%s", e.text()).WithDetail("%s", strings.Join(parts, "; ")), nil
}
