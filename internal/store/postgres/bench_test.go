package postgres

import (
	"context"
	"sync"
	"testing"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/storetest"
	"exeunt.dev/ledger"
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

// BenchmarkRefresh64 is what a refresh exchange asks of the store, from 64 callers.
func BenchmarkRefresh64(b *testing.B) {
	s := open(b, server.Database(b))
	families := family(b, s, storetest.Sessions(b, s, 1)[0], 64)
	b.ResetTimer()
	var wg sync.WaitGroup
	for i := range families {
		wg.Go(func() {
			f := families[i]
			for n := 0; n < b.N/len(families)+1; n++ {
				err := s.Update(context.Background(), func(tx idp.Tx) error {
					if _, err := tx.Client(f.Client); err != nil {
						return err
					}
					if _, err := tx.Mint(); err != nil {
						return err
					}
					if err := tx.LockHandle(f.Handle, idp.Exclusive); err != nil {
						return err
					}
					c, err := tx.ChainByHandle(f.Handle)
					if err != nil {
						return err
					}
					if err := idp.Live(tx, c.Names()...); err != nil {
						return err
					}
					was := c.Family.Cur
					c.Family.Generation++
					c.Family.Cur, c.Family.Prev = idp.HashOf(ledger.NewName().String()), was
					_, err = tx.RotateFamily(c.Family, was)
					return err
				})
				if err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
