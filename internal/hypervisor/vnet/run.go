package vnet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/virga-cloud/virga/internal/fault"
)

// Run runs a program in the namespace to its end, without a shell, and gives what it wrote. A program that the machine does
// not have is fault.Unavailable.
func (s *Space) Run(ctx context.Context, input string, argv ...string) ([]byte, error) {
	var out, complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &complaint
	// Started on a thread in the namespace, it is in there; it can be waited for from anywhere.
	if err := s.Do(cmd.Start); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return nil, fault.Unavailablef("this host has no program %s: install it", argv[0])
		}
		return nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	if err := cmd.Wait(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, head(complaint.String()))
	}
	return out.Bytes(), nil
}

// Rules puts a set of rules in force in the namespace: all of it or, with an error, none.
func (s *Space) Rules(ctx context.Context, rules string) error {
	_, err := s.Run(ctx, rules, "nft", "-f", "-")
	return err
}

// head is the beginning of what a program complains of.
func head(text string) string {
	const most = 600
	if len(text) > most {
		text = text[:most] + " …"
	}
	return strings.TrimSpace(text)
}
