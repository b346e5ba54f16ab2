package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"time"

	"github.com/peterh/liner"
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
		Getenv: os.Getenv, Dir: dir, UID: os.Getuid(), Now: time.Now, Houses: houses,
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		StdinTerminal: term.IsTerminal(stdin), StdoutTerminal: isTerminal(os.Stdout), StderrTerminal: isTerminal(os.Stderr),
		Shell: shell, Interrupts: interrupts, Version: version, Examine: examine,
	}
	if e.StdinTerminal {
		e.Lines = lines
		e.ReadSecret = func() (string, error) {
			text, err := term.ReadPassword(stdin)
			return string(text), err
		}
	}
	return e
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// interrupts ends a context when the user presses Ctrl-C.
func interrupts(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, os.Interrupt)
}

// lines reads lines from the terminal. It is the editor's only while a line is typed: what runs in between finds it as it was.
func lines(in cli.LinesIn) (read func(string) (string, error), end func(), err error) {
	plain, err := liner.TerminalMode()
	if err != nil {
		return nil, nil, err
	}
	editor := liner.NewLiner()
	editing, err := liner.TerminalMode()
	if err != nil {
		return nil, nil, errors.Join(err, editor.Close())
	}
	editor.SetCtrlCAborts(true)
	editor.SetMultiLineMode(true)
	prompt := ""
	editor.SetWordCompleter(func(line string, cursor int) (head string, words []string, tail string) {
		typed := string([]rune(line)[:cursor])
		from, found := in.Complete(typed)
		head, tail = typed[:from], string([]rune(line)[cursor:])
		switch len(found) {
		case 0:
			return head, nil, tail
		case 1:
			return head, []string{found[0].Value}, tail
		}
		common := cli.Common(found, typed[from:])
		if common == typed[from:] {
			explain(found, len([]rune(prompt+line)))
		}
		return head, []string{common}, tail // the editor draws the line again
	})
	if f, err := os.Open(in.History); err == nil {
		_, _ = editor.ReadHistory(f) // what can't be read is forgotten
		_ = f.Close()
	}
	read = func(ask string) (string, error) {
		prompt = ask
		if err := editing.ApplyMode(); err != nil {
			return "", err
		}
		text, err := editor.Prompt(prompt)
		if back := plain.ApplyMode(); err == nil {
			err = back
		}
		if errors.Is(err, liner.ErrPromptAborted) {
			err = cli.ErrInterrupted
		}
		if strings.TrimSpace(text) != "" && !cli.Confidential(text) {
			editor.AppendHistory(text)
		}
		return text, err
	}
	return read, func() {
		_ = editor.Close()
		keep(in.History, editor)
	}, nil
}

// explain shows, below the line that is being typed, what may stand in it. The editor then draws the line anew: from as many lines above
// the end as the line takes, so these are left empty.
func explain(found []cli.Candidate, typed int) {
	columns, rows, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil || columns < 1 {
		columns, rows = 80, 24
	}
	fmt.Print("\n" + cli.Listing(found, columns, rows) + strings.Repeat("\n", typed/columns))
}

// keep writes what was typed for the next time; without it that begins with nothing.
func keep(file string, editor *liner.State) {
	var typed bytes.Buffer
	if _, err := editor.WriteHistory(&typed); err == nil {
		_ = cli.WriteFile(file, typed.Bytes())
	}
}

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
