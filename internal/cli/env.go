package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"time"

	"github.com/virga-cloud/virga/internal/doctor"
)

// Env is what comes from outside: files, terminals, time and the environment.
type Env struct {
	Getenv func(string) string
	Dir    string // the working folder
	UID    int    // the user's: files of others are not trusted
	Now    func() time.Time
	HTTP   *http.Client // nil: http.DefaultClient
	// Patience is how long a server is waited for that is asked while somebody types; zero is a second.
	Patience time.Duration
	Houses   []House // what the binary does besides, for the help

	Version string // the program's
	// Examine looks at a server's database and folder, named as its flags name them; nil where the program knows no databases.
	Examine func(ctx context.Context, database, folder string) []doctor.Check

	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Which of them are terminals. Progress and colour are for terminals only.
	StdinTerminal, StdoutTerminal, StderrTerminal bool

	// ReadSecret reads a line from the terminal without showing it; nil where there is no terminal.
	ReadSecret func() (string, error)
	// Interrupts gives a context that ends when the user interrupts; nil where nobody can.
	Interrupts func(context.Context) (context.Context, context.CancelFunc)
	// Shell runs the right side of a pipe in the shell; nil where there are no shells.
	Shell func(ctx context.Context, line string, in io.Reader, out, errs io.Writer) error
	// Lines begins to read lines from a terminal, with history and completion, and gives what ends that; nil where there is none.
	Lines func(LinesIn) (read func(prompt string) (string, error), end func(), err error)

	in *bufio.Reader // Stdin, once a line was read from it
}

// House is a command of the binary's own.
type House struct{ Name, Doc string }

// LinesIn says how lines are read from a terminal.
type LinesIn struct {
	History string // the file that keeps what was typed
	// Complete gives what may stand at the end of what is typed so far.
	// The candidates take the place of what stands from there on.
	Complete func(line string) (from int, candidates []Candidate)
}

// config is a file of the user's configuration.
func (e *Env) config(name string) string {
	if dir := e.Getenv("XDG_CONFIG_HOME"); dir != "" {
		return filepath.Join(dir, "virga", name)
	}
	return filepath.Join(e.Getenv("HOME"), ".config", "virga", name)
}

// cache is a file that can be made again.
func (e *Env) cache(name string) string {
	if dir := e.Getenv("XDG_CACHE_HOME"); dir != "" {
		return filepath.Join(dir, "virga", name)
	}
	return filepath.Join(e.Getenv("HOME"), ".cache", "virga", name)
}

// lively tells whether progress may be shown.
func (e *Env) lively() bool { return e.StderrTerminal && e.Getenv("NO_COLOR") == "" }

// coloured tells whether the answer may have colours.
func (e *Env) coloured() bool { return e.StdoutTerminal && e.Getenv("NO_COLOR") == "" }

// line reads a line of standard input.
func (e *Env) line() (string, error) {
	if e.in == nil {
		e.in = bufio.NewReader(e.Stdin)
	}
	text, err := e.in.ReadString('\n')
	if text != "" && errors.Is(err, io.EOF) {
		err = nil
	}
	return trimLine(text), err
}

func trimLine(text string) string {
	for len(text) > 0 && (text[len(text)-1] == '\n' || text[len(text)-1] == '\r') {
		text = text[:len(text)-1]
	}
	return text
}
