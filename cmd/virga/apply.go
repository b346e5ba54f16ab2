package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/cli"
	"github.com/virga-cloud/virga/internal/datacenter"
)

// pollInterval is the pause between two looks at a job.
const pollInterval = 20 * time.Millisecond

// apply brings a cloud into the shape that a file describes.
type apply struct {
	File            string `short:"f" help:"The data centre: YAML, or JSON as CloudStack's Marvin has it; - for standard input." required:"" placeholder:"FILE"`
	DryRun          bool   `help:"Say what would be changed, and change nothing."`
	Quiet           bool   `short:"q" help:"Don't name what is already as the file has it."`
	Endpoint        string `help:"The API's URL. Default: that of the command line's profile; with keys, http://127.0.0.1:8080/client/api." placeholder:"URL"`
	APIKey          string `name:"apikey" help:"A root admin's API key." env:"VIRGA_APIKEY" placeholder:"KEY"`
	SecretKey       string `name:"secretkey" help:"Its secret key; better in the environment, where others don't see it." env:"VIRGA_SECRETKEY" placeholder:"KEY"`
	CredentialsFile string `help:"The file that 'virga dev --credentials-file' wrote, in the place of the three above." type:"existingfile" placeholder:"PATH"`
}

// Run applies the file.
func (a *apply) Run(ctx context.Context) error {
	in := io.Reader(os.Stdin)
	if a.File != "-" {
		f, err := os.Open(a.File)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }() // it was only read
		in = f
	}
	f, err := datacenter.Read(in)
	if err != nil {
		return fmt.Errorf("%s: %w", a.File, err)
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	counts := map[datacenter.Verb]int{}
	err = datacenter.Apply(ctx, client, f, datacenter.Options{
		DryRun: a.DryRun,
		Note:   func(text string) { fmt.Println("note  ", text) },
		Report: func(c datacenter.Change) {
			counts[c.Verb]++
			if c.Verb != datacenter.Same || !a.Quiet {
				fmt.Println(c)
			}
		},
	})
	would := ""
	if a.DryRun {
		would = "dry run, nothing was changed: "
	}
	fmt.Printf("%s%d created, %d changed, %d the same, %d that differ and can't be changed\n",
		would, counts[datacenter.Created], counts[datacenter.Changed], counts[datacenter.Same], counts[datacenter.Differs])
	return err
}

// client makes the client that signs what is sent.
func (a *apply) client() (*api.Client, error) {
	switch {
	case a.CredentialsFile == "" && a.Endpoint == "" && a.APIKey == "" && a.SecretKey == "":
		c, err := cli.Client(terminal())
		if err == nil {
			c.PollInterval = pollInterval
		}
		return c, err
	case a.Endpoint == "":
		a.Endpoint = "http://127.0.0.1:8080/client/api"
	}
	c := &api.Client{Endpoint: a.Endpoint, APIKey: a.APIKey, SecretKey: a.SecretKey, PollInterval: pollInterval}
	if a.CredentialsFile != "" {
		text, err := os.ReadFile(a.CredentialsFile)
		if err != nil {
			return nil, err
		}
		var file credentials
		if err := json.Unmarshal(text, &file); err != nil {
			return nil, fmt.Errorf("%s: %w", a.CredentialsFile, err)
		}
		c.Endpoint, c.APIKey, c.SecretKey = file.Endpoint, file.APIKey, file.SecretKey
	}
	if c.APIKey == "" || c.SecretKey == "" {
		return nil, errors.New("no keys to sign with: give --credentials-file, or VIRGA_APIKEY and VIRGA_SECRETKEY in the environment")
	}
	return c, nil
}
