package vrouter

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/metadata"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
)

func (r *router) control() metadata.Control { return metadata.Control{Path: r.file("metadata.sock")} }

// tell brings the metadata server to what the document says. It is started where it does not answer, and else handed what is
// new: a new process would not have the passwords that wait in the old one.
func (r *router) tell(ctx context.Context, space *vnet.Space, s *sheet, wanted bool) error {
	c := r.control()
	_, err := c.Status(ctx)
	if !wanted {
		if err == nil {
			return c.Set(ctx, metadata.Document{})
		}
		return nil
	}
	if err != nil {
		if err := r.begin(ctx, space, c); err != nil {
			return fmt.Errorf("start the metadata server: %w", err)
		}
	}
	var doc metadata.Document
	for _, g := range s.segments {
		if !g.Serves.UserData {
			continue
		}
		one := metadata.Segment{Link: g.link}
		for _, p := range g.places() {
			one.Addresses = append(one.Addresses, p.own.Addr().String())
		}
		if g.six.IsValid() {
			one.Addresses = append(one.Addresses, g.six.Addr().String())
		}
		for _, guest := range g.Guests {
			seed, err := hypervisor.NoCloud(guest.Meta)
			if err != nil {
				return err
			}
			one.Guests = append(one.Guests, metadata.Guest{
				NIC: guest.NIC, MAC: guest.MAC, IP: guest.IP, IP6: guest.IP6,
				UserData: guest.UserData, Meta: guest.Meta, NoCloud: seed, Password: guest.Password.Reveal(),
			})
		}
		doc.Segments = append(doc.Segments, one)
	}
	if err := c.Set(ctx, doc); err != nil {
		return err
	}
	status, err := c.Status(ctx)
	if err == nil && len(status.Problems) > 0 {
		err = errors.New(strings.Join(status.Problems, "; "))
	}
	return err
}

// begin starts a metadata server in the router: in a session of its own, so that it does not end with this process, and as
// a user who may do nothing.
func (r *router) begin(ctx context.Context, space *vnet.Space, c metadata.Control) error {
	if len(r.Metadata) == 0 {
		return errors.New("none was said")
	}
	control, err := c.Listen()
	if err != nil {
		return err
	}
	defer control.Close()
	log, err := os.OpenFile(r.file("metadata.log"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.CommandContext(context.WithoutCancel(ctx), r.Metadata[0], r.Metadata[1:]...)
	cmd.Dir = "/"
	cmd.Env = []string{}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{control}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: &syscall.Credential{Uid: r.User, Gid: r.User}}
	if err := space.Do(cmd.Start); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }() // while this process is there, somebody takes note of its end
	return nil
}
