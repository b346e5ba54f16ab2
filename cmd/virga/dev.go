package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloud"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor/node"
	"github.com/virga-cloud/virga/internal/hypervisor/sim"
	"github.com/virga-cloud/virga/internal/secret"
)

// dev is a whole cloud on this machine.
type dev struct {
	common
	Data            string `help:"Folder for the data, or 'memory' for a cloud that vanishes when it stops." default:"virga-data" placeholder:"DIR"`
	Hosts           string `help:"How many hosts to simulate; or 'kvm', and this machine is the host, and runs real machines." default:"4" placeholder:"N|kvm"`
	Outside         string `help:"With --hosts kvm: this machine's address in the public network that it makes for the cloud, with the network's size." default:"192.168.231.1/24" placeholder:"ADDRESS/BITS"`
	Basic           bool   `help:"Add a zone of basic networking with security groups, Sandbox-simulator-basic."`
	Fast            bool   `help:"Simulated hosts do everything at once (default)." xor:"pace"`
	Realistic       bool   `help:"Simulated hosts take as long as real ones." xor:"pace"`
	NoSeed          bool   `help:"Begin as a new cloud does: with the offerings, and without a zone or hosts."`
	Name            string `help:"The server's name, its own among those that share a PostgreSQL database." default:"dev" placeholder:"NAME"`
	CredentialsFile string `help:"Write where the API is and how to sign in, as JSON, once it answers. Default: credentials.json in the data folder." type:"path" placeholder:"PATH"`
}

// The administrator of a sandbox; CloudStack's own development servers have the same.
const (
	devUser     = "admin"
	devPassword = "password"
)

// realistic is how long real hosts take, roughly.
var realistic = sim.Options{Boot: 3 * time.Second, Stop: 2 * time.Second, Reboot: 4 * time.Second, Copy: 2 * time.Second}

// maxHosts is the largest sandbox that was ever tried.
const maxHosts = 100_000

// AfterApply is kong's hook to judge the flags.
func (d *dev) AfterApply() error {
	if d.Hosts == hostsKVM {
		if err := d.checkKVM(); err != nil {
			return err
		}
	} else if n, err := strconv.Atoi(d.Hosts); err != nil || n < 0 || n > maxHosts {
		return fmt.Errorf("--hosts %s: want a number from 0 to %d, or %s", d.Hosts, maxHosts, hostsKVM)
	}
	if d.Name == "" {
		return errors.New("--name: want a name, dev for instance")
	}
	return errors.Join(checkData(d.Data), d.check())
}

// Run serves the sandbox until it is told to stop.
func (d *dev) Run(ctx context.Context) error {
	if d.Hosts == hostsKVM {
		if err := node.Suitable(ctx); err != nil {
			return err
		}
	}
	// Scripts wait for the file: one that an earlier run left would send them to where nobody answers, with keys that nobody knows.
	if err := d.forget(); err != nil {
		return err
	}
	dir, remove, err := d.folder()
	if err != nil {
		return err
	}
	defer remove()
	var doors doors
	defer func() { doors.close() }()
	in := d.sandbox(ctx, dir)
	in.Opened = func() (err error) {
		// Not before the folder is ours: another process may have it, and have said there how to sign in.
		if d.CredentialsFile == "" && d.Data != "memory" {
			d.CredentialsFile = filepath.Join(dir, "credentials.json")
			if err := d.forget(); err != nil {
				return err
			}
		}
		doors, err = d.open(ctx)
		return err
	}
	box, err := cloud.OpenSandbox(ctx, in)
	if err != nil {
		return err
	}
	defer box.Close()
	if d.Hosts == hostsKVM {
		return d.serveKVM(ctx, box, doors, dir)
	}
	_, hosts, err := box.Cloud().Hosts.List(ctx, host.Filter{Limit: 1}) // an earlier run may have made more than this one was asked for
	if err != nil {
		return fmt.Errorf("count the hosts: %w", err)
	}
	return d.serve(ctx, box, doors, dir, func(url string) error {
		go debug.FreeOSMemory() // what it took to begin; a laptop has other uses for it
		of := fmt.Sprintf("%d simulated hosts", hosts)
		if hosts == 0 {
			of = "no hosts yet"
		}
		return d.ready(url, box.Admin().Keys, of)
	})
}

// sandbox says what the flags ask for.
func (d *dev) sandbox(ctx context.Context, dir string) cloud.SandboxIn {
	pace := sim.Options{}
	if d.Realistic {
		pace = realistic
	}
	hash := sync.OnceValues(func() (string, error) {
		return auth.NewHasher(auth.StrongCost()).Hash(ctx, secret.New(devPassword))
	})
	if _, err := os.Stat(filepath.Join(dir, cloud.DatabaseFile)); err != nil {
		go func() { _, _ = hash() }() // a new cloud: its tables and offerings are made meanwhile
	}
	in := cloud.SandboxIn{
		Config: d.config(dir, d.Name, filepath.Join(dir, "world.db"), pace),
		Admin:  account.BootstrapIn{Username: devUser, Password: secret.New(devPassword), Hash: hash, Keys: true},
	}
	if n, err := strconv.Atoi(d.Hosts); err != nil { // this machine is the host
		in.World, in.Agents.Listen = "", cmp.Or(in.Agents.Listen, "127.0.0.1:0")
	} else if !d.NoSeed {
		in.Seed = &cloud.SeedIn{Hosts: n, Pods: min(2, n), Basic: d.Basic}
	}
	return in
}

// forget removes the credentials of an earlier run.
func (d *dev) forget() error {
	if d.CredentialsFile == "" {
		return nil
	}
	if err := os.Remove(d.CredentialsFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the credentials of an earlier run: %w", err)
	}
	return nil
}

func (d *dev) folder() (dir string, remove func(), err error) {
	if d.Data == "memory" {
		return cloud.TempDir()
	}
	if err := os.MkdirAll(d.Data, 0o700); err != nil {
		return "", nil, fmt.Errorf("make the data folder: %w", err)
	}
	return d.Data, func() {}, nil
}

// credentials is what scripts need to use the sandbox.
type credentials struct {
	Endpoint  string `json:"endpoint"`
	UI        string `json:"ui"`
	Username  string `json:"username"`
	Password  string `json:"password"`
	APIKey    string `json:"apikey"`
	SecretKey string `json:"secretkey"`
}

// ready says how to use the cloud; of is what it has for hosts.
func (d *dev) ready(url string, keys account.Keys, of string) error {
	c := credentials{
		Endpoint: url + "/client/api", UI: url + "/", Username: devUser, Password: devPassword, APIKey: keys.APIKey, SecretKey: keys.Secret.Reveal(),
	}
	if d.CredentialsFile != "" {
		if err := writeCredentials(d.CredentialsFile, c); err != nil {
			return err
		}
	}
	fmt.Printf(`Virga %s: a cloud on this machine, %s

  API         %s
  reference   %s/docs/
  user        %s, password %s
  API key     %s
  secret key  %s

Things to try:
  %s list zones
  curl -c /tmp/virga.cookies -d 'command=login&username=%s&password=%s&response=json' %s
  curl -b /tmp/virga.cookies '%s?command=listHosts&response=json'
  open %s/docs/ in a browser

`, version, of, c.Endpoint, url, c.Username, c.Password, c.APIKey, c.SecretKey, os.Args[0], c.Username, c.Password, c.Endpoint, c.Endpoint, url)
	if !loopback(d.Listen) {
		fmt.Fprintf(os.Stderr, "WARNING: everybody who can reach %s can be the administrator of this cloud: its password is %q, as "+
			"that of every sandbox. Use 'virga server' for anything but trying things out.\n", d.Listen, devPassword)
	}
	return nil
}

// writeCredentials writes the file in one step, so that who waits for it never reads half of it.
func writeCredentials(path string, c credentials) error {
	text, err := json.MarshalIndent(c, "", "  ") //nolint:gosec // it is what the file is for; its mode keeps others out
	if err != nil {
		return err
	}
	temp := path + ".new"
	if err := os.WriteFile(temp, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("write the credentials: %w", err)
	}
	return os.Rename(temp, path)
}
