package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Sender sends a command and gives what is inside the envelope; it waits for no job. [Client.Send] is one.
type Sender func(ctx context.Context, command string, params Params) (json.RawMessage, error)

// jobState is what this package has to know of queryAsyncJobResult's answer.
type jobState struct {
	Status int             `json:"jobstatus"`
	Result json.RawMessage `json:"jobresult"`
}

// Await waits until a job is done or the context ends, and gives the job's result; pause is asked how long to wait until the next look.
// A job that fails gives a *RemoteError with the HTTP status 200. [Run] and [Client.Call] wait by themselves.
func Await(ctx context.Context, send Sender, job string, pause func() time.Duration) (json.RawMessage, error) {
	for {
		inner, err := send(ctx, "queryAsyncJobResult", Params{"jobid": job})
		if err != nil {
			return nil, err
		}
		var state jobState
		if err := json.Unmarshal(inner, &state); err != nil {
			return nil, fmt.Errorf("job %s: %w", job, err)
		}
		switch state.Status {
		case 1:
			return state.Result, nil
		case 2:
			return nil, jobError(state.Result)
		}
		timer := time.NewTimer(pause())
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-timer.C:
		}
	}
}

// jobError is why a job has failed, as far as it says so.
func jobError(result json.RawMessage) *RemoteError {
	e := remoteError(http.StatusOK, result)
	if e.Code == 0 && e.Text == http.StatusText(http.StatusOK) {
		e.Text = "the job failed: " + string(result)
	}
	return e
}
