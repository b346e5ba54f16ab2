package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/virga-cloud/virga/internal/bus"
	"github.com/virga-cloud/virga/internal/filelock"
	"github.com/virga-cloud/virga/uid"
)

// state is what an agent knows of itself after it was introduced.
type state struct {
	Host uid.Host
	Name string
	CA   string // PEM
}

// folder is where an agent keeps things, and nobody else may look.
type folder struct {
	path string
	lock *filelock.Lock
}

// open takes a folder, which is made where it is not there.
func open(path string) (*folder, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("make the agent's folder: %w", err)
	}
	if err := os.Chmod(path, 0o711); err != nil { //nolint:gosec // below it are the machines', which run as another user
		return nil, fmt.Errorf("keep others out of the agent's folder: %w", err)
	}
	lock, err := filelock.Take(filepath.Join(path, "agent.lock"))
	if errors.Is(err, filelock.ErrHeld) {
		return nil, fmt.Errorf("another agent runs on the folder %s: stop that one first, or choose another folder with --data", path)
	}
	if err != nil {
		return nil, fmt.Errorf("open the agent's folder: %w", err)
	}
	return &folder{path, lock}, nil
}

func (f *folder) close() { _ = f.lock.Close() }

func (f *folder) at(name string) string { return filepath.Join(f.path, name) }

// key gives the agent's key, which is made where there is none.
func (f *folder) key() (bus.Key, error) {
	file := f.at("agent.key")
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		k, err := bus.NewKey()
		if err != nil {
			return bus.Key{}, err
		}
		seed, err := k.Seed()
		if err != nil {
			return bus.Key{}, err
		}
		return k, write(file, []byte(seed))
	} else if err != nil {
		return bus.Key{}, fmt.Errorf("read the agent's key: %w", err)
	}
	k, err := bus.ParseKey(string(text))
	if err != nil {
		return bus.Key{}, fmt.Errorf("read the agent's key in %s: %w", file, err)
	}
	return k, nil
}

// load gives what the agent knows of itself; its host is "" before it was introduced.
func (f *folder) load() (s state, err error) {
	text, err := os.ReadFile(f.at("agent.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return state{}, nil
	} else if err != nil {
		return state{}, fmt.Errorf("read what the agent knows of itself: %w", err)
	}
	if err := json.Unmarshal(text, &s); err != nil || s.Host == "" || s.CA == "" {
		return state{}, fmt.Errorf("%s is damaged: %w", f.at("agent.json"), err)
	}
	return s, nil
}

func (f *folder) save(s state) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return write(f.at("agent.json"), text)
}

// write writes a file in one step, and so that it is there after a power cut.
func write(path string, text []byte) error {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// Introduced tells whether the agent of a folder has been made known to a cloud.
func Introduced(dir string) bool {
	s, err := (&folder{path: dir}).load()
	return err == nil && s.Host != ""
}
