package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
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
		Getenv: os.Getenv, Dir: dir, Now: time.Now, Houses: houses,
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
	editor.SetTabCompletionStyle(liner.TabPrints)
	editor.SetWordCompleter(func(line string, cursor int) (head string, words []string, tail string) {
		typed := []rune(line)[:cursor]
		from, found := in.Complete(string(typed))
		for _, c := range found {
			words = append(words, c.Value)
		}
		return string(typed)[:from], words, string([]rune(line)[cursor:])
	})
	if f, err := os.Open(in.History); err == nil {
		_, _ = editor.ReadHistory(f) // what can't be read is forgotten
		_ = f.Close()
	}
	read = func(prompt string) (string, error) {
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
		if strings.TrimSpace(text) != "" {
			editor.AppendHistory(text)
		}
		return text, err
	}
	return read, func() {
		_ = editor.Close()
		keep(in.History, editor)
	}, nil
}

// keep writes what was typed for the next time; without it that begins with nothing.
func keep(file string, editor *liner.State) {
	if os.MkdirAll(filepath.Dir(file), 0o700) != nil {
		return
	}
	if f, err := os.Create(file); err == nil {
		_, _ = editor.WriteHistory(f)
		_ = f.Close()
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
