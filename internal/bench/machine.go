package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/remote"
)

// MachinesIn says what machines to make. Things are named by names or ids; where nothing is named the cloud's first will do.
type MachinesIn struct {
	Zone, Template, Offering string
	Networks                 string // ids, with commas between them
	Prefix                   string // what the names of the machines begin with: of this run alone, since machines are found by it
	Keep                     bool   // leave them
}

// MachinesUsed is what machines were made of.
type MachinesUsed struct {
	Zone     string `json:"zone"`
	Template string `json:"template"`
	Offering string `json:"offering"`
	Prefix   string `json:"prefix"`
}

// maker makes machines, and remembers what it has called them.
type maker struct {
	cloud  remote.Cloud
	in     MachinesIn
	params api.Params

	mu       sync.Mutex
	names    map[string]bool
	refusals map[string]string // why a machine could not be removed, by name
	unended  []string          // jobs that an interrupt kept from being waited for
}

// callTime is how long a call that changes something may take. An interrupt does not cut it off: nobody would know what it has done.
const callTime = time.Minute

// tidyTime is how long removing may take after an interrupt, and beyond that how long for each machine.
const (
	tidyTime        = time.Minute
	tidyTimeMachine = 2 * time.Second
)

func machines(ctx context.Context, in In, r *recorder) (err error) {
	m := &maker{cloud: in.Cloud, in: in.Machines, names: map[string]bool{}, refusals: map[string]string{}}
	if r.used, err = m.choose(ctx); err != nil {
		return err
	}
	defer func() {
		if !in.Machines.Keep {
			err = errors.Join(err, m.tidy(ctx, in))
		}
	}()
	for n := range in.WarmUp {
		if err := m.warmUp(ctx, in.Workload, n); err != nil {
			return fmt.Errorf("the first machine: %w", err)
		}
	}
	if in.Workload == Deploy {
		row := r.row("deploy")
		in.each(ctx, row, in.Duration, func(ctx context.Context, n int) {
			row.time(ctx, func() error {
				_, err := m.deploy(ctx, strconv.Itoa(n))
				return err
			})
		})
		return ctx.Err()
	}
	rows := map[string]*row{}
	for _, step := range steps {
		rows[step.name] = r.row(step.name)
	}
	began := in.Cloud.Now()
	in.each(ctx, nil, in.Duration, func(ctx context.Context, n int) {
		m.life(ctx, strconv.Itoa(n), func(step string, call func() error) bool { return rows[step].time(ctx, call) })
	})
	for _, one := range rows {
		one.took = in.Cloud.Now().Sub(began)
	}
	return ctx.Err()
}

// warmUp makes a machine that doesn't count.
func (m *maker) warmUp(ctx context.Context, workload string, n int) (err error) {
	name := "warm" + strconv.Itoa(n)
	if workload == Deploy {
		_, err = m.deploy(ctx, name)
		return err
	}
	m.life(ctx, name, func(_ string, call func() error) bool {
		if err == nil {
			err = call()
		}
		return err == nil
	})
	return err
}

// steps are a machine's life after its deployment.
var steps = []struct{ name, command string }{
	{"deploy", ""}, {"stop", "stopVirtualMachine"}, {"start", "startVirtualMachine"}, {"reboot", "rebootVirtualMachine"}, {"destroy", ""},
}

// life leads a machine through its life, up to the first step that fails.
func (m *maker) life(ctx context.Context, name string, measure func(step string, call func() error) bool) {
	var id string
	for _, step := range steps {
		ok := measure(step.name, func() (err error) {
			switch step.name {
			case "deploy":
				id, err = m.deploy(ctx, name)
			case "destroy":
				err = m.destroy(ctx, id)
			default:
				err = m.run(ctx, step.command, api.Params{"id": id})
			}
			return err
		})
		if !ok || ctx.Err() != nil {
			return
		}
	}
}

// deploy makes a machine and waits until it runs.
func (m *maker) deploy(ctx context.Context, name string) (id string, err error) {
	params := api.Params{"name": m.in.Prefix + name}
	maps.Copy(params, m.params)
	m.mu.Lock()
	m.names[params["name"]] = true
	m.mu.Unlock()
	s, err := m.start(ctx, "deployVirtualMachine", params)
	if err != nil {
		return "", err
	}
	if s.Job == "" {
		return s.ID, errors.New("the cloud has taken the deployment, but names no job")
	}
	return s.ID, m.wait(ctx, s.Job)
}

// wait waits for the end of a job. One that it could not wait for is remembered: what it works on can't be removed before it has ended.
func (m *maker) wait(ctx context.Context, job string) error {
	_, err := m.cloud.Wait(ctx, job)
	if ctx.Err() != nil {
		m.mu.Lock()
		m.unended = append(m.unended, job)
		m.mu.Unlock()
	}
	return err
}

// destroy removes a machine for good. Where the caller may not expunge, it is destroyed, and the cloud expunges it in its own time.
func (m *maker) destroy(ctx context.Context, id string) error {
	err := m.run(ctx, "destroyVirtualMachine", api.Params{"id": id, "expunge": "true"})
	if refused, ok := errors.AsType[*api.RemoteError](err); ok && strings.Contains(strings.ToLower(refused.Text), "expunge") {
		err = m.run(ctx, "destroyVirtualMachine", api.Params{"id": id})
	}
	return err
}

func (m *maker) run(ctx context.Context, command string, params api.Params) error {
	s, err := m.start(ctx, command, params)
	if err == nil && s.Job != "" {
		err = m.wait(ctx, s.Job)
	}
	return err
}

// start sends what changes something, to the end.
func (m *maker) start(ctx context.Context, command string, params api.Params) (remote.Started, error) {
	if err := ctx.Err(); err != nil {
		return remote.Started{}, err
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), callTime)
	defer stop()
	return m.cloud.Start(ctx, command, params)
}

// tidyRounds is how often what is left is looked for: a machine that somebody else was busy with the first time may be free the next time.
const tidyRounds = 2

// tidy removes the machines that are left, those whose deployment has failed as well. It works when the measurement was interrupted,
// too, and says which machines it leaves.
func (m *maker) tidy(ctx context.Context, in In) error {
	if ctx.Err() != nil && in.Note != nil {
		in.Note("interrupted: what was made is removed now; a second interrupt leaves it")
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), tidyTime+time.Duration(len(m.names))*tidyTimeMachine)
	defer stop()
	for _, job := range m.unended {
		if _, err := m.cloud.Wait(ctx, job); ctx.Err() != nil {
			return &LeftoverError{map[string]string{m.in.Prefix + "…": "job " + job + " has not ended: " + remote.Text(err)}}
		}
	}
	for range tidyRounds {
		left, err := m.left(ctx)
		if err != nil {
			return &LeftoverError{map[string]string{m.in.Prefix + "…": "what is called so can't be listed: " + remote.Text(err)}}
		}
		if len(left) == 0 {
			return nil
		}
		m.remove(ctx, left, max(1, in.Clients))
	}
	left, err := m.left(ctx)
	if err != nil || len(left) == 0 {
		return err
	}
	out := map[string]string{}
	for _, one := range left {
		out[one.Name] = cmp.Or(m.refusals[one.Name], "it is still "+one.State)
	}
	return &LeftoverError{out}
}

type machine struct{ ID, Name, State string }

// left are the machines that are there and were made here: no other has their names, however it is called.
func (m *maker) left(ctx context.Context) (out []machine, err error) {
	if len(m.names) == 0 {
		return nil, nil
	}
	found, err := remote.List[machine](ctx, m.cloud, "listVirtualMachines", api.Params{"keyword": m.in.Prefix})
	for _, one := range found {
		if m.names[one.Name] && one.State != "Destroyed" && one.State != "Expunging" {
			out = append(out, one)
		}
	}
	return out, err
}

func (m *maker) remove(ctx context.Context, left []machine, clients int) {
	queue := make(chan machine, len(left))
	for _, one := range left {
		queue <- one
	}
	close(queue)
	var busy sync.WaitGroup
	for range clients {
		busy.Go(func() {
			for one := range queue {
				if err := m.destroy(ctx, one.ID); err != nil {
					m.mu.Lock()
					m.refusals[one.Name] = short(remote.Text(err))
					m.mu.Unlock()
				}
			}
		})
	}
	busy.Wait()
}
