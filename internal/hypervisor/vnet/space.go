package vnet

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// spaces is where network namespaces have their names, for us and for iproute2.
const spaces = "/run/netns"

// Space is a network namespace: one with a name, or the one that this process is in.
type Space struct {
	Name string // "" is the process's own
	fd   netns.NsHandle
	link *netlink.Handle
}

// Here is the network namespace of the calling thread.
func Here() (*Space, error) {
	fd, err := netns.Get()
	if err != nil {
		return nil, fmt.Errorf("the own network namespace: %w", err)
	}
	return open("", fd)
}

// MakeSpace gives the network namespace of a name, made where it is not there. Its loopback is up.
func MakeSpace(name string) (*Space, error) {
	s, err := FindSpace(name)
	if !errors.Is(err, os.ErrNotExist) {
		return s, err
	}
	made := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this, and with it its place in the new namespace
		fd, err := netns.NewNamed(name)
		if err == nil {
			_ = fd.Close()
		}
		made <- err
	}()
	if err := <-made; err != nil {
		_ = netns.DeleteNamed(name)
		return nil, fmt.Errorf("make network namespace %s: %w", name, err)
	}
	if s, err = FindSpace(name); err != nil {
		return nil, err
	}
	lo, err := s.link.LinkByName("lo")
	if err == nil {
		err = s.link.LinkSetUp(lo)
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("loopback of %s: %w", name, err)
	}
	return s, nil
}

// FindSpace gives the network namespace of a name. It is os.ErrNotExist when there is none.
func FindSpace(name string) (*Space, error) {
	fd, err := netns.GetFromPath(filepath.Join(spaces, name))
	if err != nil {
		return nil, fmt.Errorf("network namespace %s: %w", name, err)
	}
	s, err := open(name, fd)
	if err != nil { // the name without the namespace: the machine was restarted in the middle of making it
		_ = netns.DeleteNamed(name)
		return nil, fmt.Errorf("network namespace %s: %w", name, os.ErrNotExist)
	}
	return s, nil
}

// SpaceNames are the names of network namespaces that begin in some way.
func SpaceNames(prefix string) ([]string, error) {
	entries, err := os.ReadDir(spaces)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("list network namespaces: %w", err)
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// DropSpace takes a network namespace's name away; it is gone when the last process in it is. An absent one is nil.
func DropSpace(name string) error {
	err := netns.DeleteNamed(name)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove network namespace %s: %w", name, err)
	}
	return nil
}

func open(name string, fd netns.NsHandle) (*Space, error) {
	link, err := netlink.NewHandleAt(fd)
	if err != nil {
		_ = fd.Close()
		return nil, fmt.Errorf("network namespace %s: %w", name, err)
	}
	return &Space{Name: name, fd: fd, link: link}, nil
}

// Close lets go of the namespace, which stays.
func (s *Space) Close() {
	s.link.Close()
	_ = s.fd.Close()
}

// Link speaks netlink in the namespace.
func (s *Space) Link() *netlink.Handle { return s.link }

// Links are the links in the namespace.
func (s *Space) Links() ([]netlink.Link, error) { return whole(s.link.LinkList) }

// Addresses are the addresses of a link in the namespace, of both families.
func (s *Space) Addresses(l netlink.Link) ([]netlink.Addr, error) {
	return whole(func() ([]netlink.Addr, error) { return s.link.AddrList(l, netlink.FAMILY_ALL) })
}

// Choices are the rules of IPv4 that choose a routing table in the namespace.
func (s *Space) Choices() ([]netlink.Rule, error) {
	return whole(func() ([]netlink.Rule, error) { return s.link.RuleList(netlink.FAMILY_V4) })
}

// whole lists until nothing came or went meanwhile: what the kernel says otherwise may have holes.
func whole[T any](list func() ([]T, error)) ([]T, error) {
	const enough = 20
	all, err := list()
	for range enough {
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
		all, err = list()
	}
	return all, err
}

// Do calls f on a thread in the namespace. Programs that it starts, sockets that it opens and files of /proc/sys/net that it
// writes are the namespace's.
func (s *Space) Do(f func() error) error {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- fmt.Errorf("in network namespace %s: panic: %v", s.Name, p)
			}
		}()
		runtime.LockOSThread() // and never unlocked: a thread in another namespace is of no use to anybody else
		if err := netns.Set(s.fd); err != nil {
			done <- fmt.Errorf("enter network namespace %s: %w", s.Name, err)
			return
		}
		done <- f()
	}()
	return <-done
}

// Set writes settings of the kernel that a namespace has for itself: "net/ipv4/ip_forward=1", one each.
func (s *Space) Set(settings ...string) error {
	return s.Do(func() error {
		for _, setting := range settings {
			name, value, _ := strings.Cut(setting, "=")
			if err := os.WriteFile("/proc/sys/"+name, []byte(value), 0); err != nil {
				return fmt.Errorf("set %s: %w", setting, err)
			}
		}
		return nil
	})
}

// Processes are the ids of the processes in the namespace, by ascending number. This one is not among them: its first thread can't end,
// and stays in the namespace that it was taken to, if it was.
func (s *Space) Processes() ([]int, error) {
	var own unix.Stat_t
	if err := unix.Fstat(int(s.fd), &own); err != nil {
		return nil, fmt.Errorf("network namespace %s: %w", s.Name, err)
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var ids []int
	for _, e := range entries {
		id, err := strconv.Atoi(e.Name())
		if err != nil || id == os.Getpid() {
			continue
		}
		var theirs unix.Stat_t
		if unix.Stat("/proc/"+e.Name()+"/ns/net", &theirs) == nil && theirs.Ino == own.Ino && theirs.Dev == own.Dev {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}
