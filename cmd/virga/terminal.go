package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"time"

	"golang.org/x/term"

	"github.com/virga-cloud/virga/internal/cli"
)

// terminal is what the command line gets from this process.
func terminal() cli.Env {
	dir, err := os.Getwd()
	if err != nil {
		dir = "." // a folder that is gone: nothing is found in it
	}
	stdin := int(os.Stdin.Fd())
	e := cli.Env{
		Getenv: os.Getenv, Dir: dir, Now: time.Now, Houses: houses,
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		StdinTerminal: term.IsTerminal(stdin), StdoutTerminal: isTerminal(os.Stdout), StderrTerminal: isTerminal(os.Stderr),
		Shell: shell,
	}
	if e.StdinTerminal {
		e.ReadSecret = func() (string, error) {
			text, err := term.ReadPassword(stdin)
			return string(text), err
		}
	}
	return e
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// shell runs a line in the user's shell.
func shell(ctx context.Context, line string, in io.Reader, out, errs io.Writer) error {
	program := os.Getenv("SHELL")
	if program == "" {
		program = "/bin/sh"
	}
	cmd := exec.CommandContext(ctx, program, "-c", line) //nolint:gosec // it is what the user has typed
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, errs
	return cmd.Run()
}
