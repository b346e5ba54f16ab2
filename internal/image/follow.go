package image

import (
	"context"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// lookEvery is how often a host that fetches an image is asked how far it is.
const lookEvery = 2 * time.Second

// follow notes how much of an image has come to its zone, for those who list it, until it is stopped. That a host can't tell, or a note can't be
// written, keeps no image from coming.
func (s *Service) follow(ctx context.Context, by hypervisor.Imager, on uid.Host, ref hypervisor.ImageRef, z uid.Zone) (stop func()) {
	follower, can := by.(hypervisor.Follower)
	if !can {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		noted := hypervisor.Fetched{}
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			come, err := follower.Fetching(ctx, on, ref)
			if fault.Is(err, fault.Conflict) { // it has an older agent
				return
			}
			if err != nil || come == noted || come == (hypervisor.Fetched{}) {
				continue
			}
			err = s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error { return setCome(ctx, tx, ref.Template, z, come) })
			if err == nil {
				noted = come
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}
