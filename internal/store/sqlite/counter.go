package sqlite

import (
	"fmt"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
)

const (
	sqlCounter      = `SELECT ` + verbs.CounterColumns + ` FROM counter`
	sqlCounterWrite = `UPDATE counter SET number = ?, time = ?, life_cap = ?, old_cap = ?, old_cap_until = ?, max_cap = ?`
)

func readCounter(c *conn) (n verbs.Counter, err error) {
	found, err := c.one(sqlCounter, func(r verbs.Row) { n = verbs.ReadCounter(r) })
	if err == nil && !found {
		err = fmt.Errorf("%w: the counter row is missing", idp.ErrUnavailable)
	}
	if err == nil {
		err = n.Alive()
	}
	return n, err
}
