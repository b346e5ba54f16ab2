package crew

import (
	"context"
	"sync"
)

// Each does something for each of so many things, some of them at the same time, and comes back when all is done. Once ctx has ended
// no more are begun, and its error is given.
func Each(ctx context.Context, things, atOnce int, do func(i int)) error {
	next, all := make(chan int), sync.WaitGroup{}
	for range min(things, atOnce) {
		all.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := 0; i < things && ctx.Err() == nil; i++ {
		next <- i
	}
	close(next)
	all.Wait()
	return ctx.Err()
}
