package postgres

import (
	"context"
	"sync"
	"testing"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/storetest"
)

// BenchmarkDoorEnd64 ends sessions from 64 callers at two nodes: durable ends a second at the door.
func BenchmarkDoorEnd64(b *testing.B) {
	address := server.Database(b)
	nodes := []*Store{open(b, address), open(b, address)}
	work := make(chan idp.Name, b.N)
	for _, n := range storetest.Sessions(b, nodes[0], b.N) {
		work <- n
	}
	close(work)
	b.ResetTimer()
	var wg sync.WaitGroup
	for i := range 64 {
		d := door.New(nodes[i%2], nil)
		wg.Go(func() {
			for n := range work {
				if _, err := d.End(context.Background(), idp.EndSession(n), idp.Cause{Kind: idp.CauseSignOut}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ends/s")
}
