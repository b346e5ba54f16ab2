package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/cloud"
	"github.com/virga-cloud/virga/internal/hypervisor/sim"
	"github.com/virga-cloud/virga/internal/secret"
)

// server is a management server.
type server struct {
	common
	Data     string `help:"Folder for what this server keeps." required:"" placeholder:"DIR"`
	Name     string `help:"This server's name, its own among those that share the database. Default: machine and port." placeholder:"NAME"`
	SimWorld string `help:"World of simulated hosts to drive; a file that servers on one machine can share." type:"path" placeholder:"FILE"`
}

// AfterApply is kong's hook to judge the flags.
func (s *server) AfterApply() error { return errors.Join(checkData(s.Data), s.check()) }

// Run serves until it is told to stop.
func (s *server) Run(ctx context.Context) error {
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	if s.Name == "" {
		machine, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("find this machine's name: %w (give one with --name)", err)
		}
		s.Name = machine + "/" + s.Listen
	}
	cl, err := cloud.Open(ctx, s.config(s.Data, s.Name, s.SimWorld, sim.Options{}))
	if err != nil {
		return err
	}
	defer cl.Close()
	doors, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer doors.close()
	password := rand.Text()
	admin, err := cl.Accounts.Bootstrap(ctx, account.BootstrapIn{Password: secret.New(password)})
	if err != nil {
		return fmt.Errorf("make the first administrator: %w", err)
	}
	if admin.Created { // said at once: whatever fails from here on, nobody can say it again
		_, err := fmt.Printf("This is a new cloud. Its first administrator is \"admin\" with the password\n\n    %s\n\nwhich is shown this "+
			"once and kept nowhere.\n\n", password)
		if err != nil {
			return fmt.Errorf("show the first password: %w", err)
		}
		if err := cl.SeedDefaults(ctx); err != nil {
			return fmt.Errorf("make the first offerings: %w", err)
		}
	}
	if err := cl.Start(ctx); err != nil {
		return err
	}
	return s.serve(ctx, cl, doors, s.Data, func(url string) error {
		fmt.Printf("Virga %s serves %s/client/api\n", version, url)
		return nil
	})
}
