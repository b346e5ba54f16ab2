package db

import (
	"context"
	"sync"
	"time"
)

// Follow keeps what a server knows of the database in memory up to date: it loads it, and goes on doing so every so often in the
// background, until the function that it gives is called. What goes wrong later is told to failed.
func Follow(ctx context.Context, every time.Duration, load func(context.Context) error, failed func(error)) (stop func(), err error) {
	if err := load(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if err := load(ctx); err != nil && ctx.Err() == nil {
					failed(err)
				}
			}
		}
	})
	return func() {
		cancel()
		running.Wait()
	}, nil
}
