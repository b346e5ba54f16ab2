package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/virga-cloud/virga/api"
)

// The exit codes. They are stable: scripts rely on them.
const (
	exitOK          = 0
	exitRefused     = 1 // the server refused
	exitUsage       = 2 // the command line was wrong, and nothing was sent
	exitUnreachable = 3 // no server, no cloud configured, or one that doesn't accept the keys
	exitJobFailed   = 4 // the job was accepted and failed
	exitInterrupted = 5 // it was interrupted; a job that was started goes on
)

// failure is an error that knows its exit code.
type failure struct {
	code int
	text string
}

func (f *failure) Error() string { return f.text }

func usagef(format string, args ...any) error {
	return &failure{exitUsage, fmt.Sprintf(format, args...)}
}

func unreachablef(format string, args ...any) error {
	return &failure{exitUnreachable, fmt.Sprintf(format, args...)}
}

// exitCode judges an error.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	if f, ok := errors.AsType[*failure](err); ok {
		return f.code
	}
	if errors.Is(err, context.Canceled) {
		return exitInterrupted
	}
	if remote, ok := errors.AsType[*api.RemoteError](err); ok {
		if remote.HTTPStatus == http.StatusUnauthorized {
			return exitUnreachable
		}
		return exitRefused
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		return exitUnreachable
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return exitUnreachable
	}
	return exitRefused
}

// explain says an error to a user of the command line.
func explain(err error, endpoint string) string {
	if remote, ok := errors.AsType[*api.RemoteError](err); ok {
		return remote.Text
	}
	if failed, ok := errors.AsType[*url.Error](err); ok && endpoint != "" && !errors.Is(err, context.Canceled) {
		return fmt.Sprintf("%s does not answer: %v", endpoint, failed.Err)
	}
	if errors.Is(err, context.Canceled) {
		return "interrupted"
	}
	return err.Error()
}
