package verbs

import (
	"fmt"
	"slices"

	"exeunt.dev/internal/idp"
)

// Tx is idp.Tx without its locks, Head, Mint and SetLifeCap. Its Buffer is never nil.
type Tx struct {
	View
	W Writer

	// SkipLocked stands behind a SELECT whose rows are to be locked, without those that others hold.
	SkipLocked string
}

// NewTx makes a transaction's verbs.
func NewTx(w Writer, clients *ClientCache, b *Buffer) Tx {
	return Tx{View: View{E: w, Cache: clients, Buffer: b}, W: w}
}

// write runs a statement and says how many rows it changed.
func (t *Tx) write(sql string, args ...any) (int64, error) {
	return t.W.Write(sql, args...)
}

// swap is write for an update by compare: it says whether a row was there to be changed.
func (t *Tx) swap(sql string, args ...any) (bool, error) {
	n, err := t.write(sql, args...)
	return n > 0, err
}

// must is for an update of a row that has to be there.
func (t *Tx) must(sql string, args ...any) error {
	return t.W.Later(true, sql, args...)
}

// add is for an insert.
func (t *Tx) add(sql string, args ...any) error {
	return t.W.Later(false, sql, args...)
}

// HoldSession finds a session whose lock is held, and learns whether it has ended: who locks one asks that next.
func (t *Tx) HoldSession(n idp.Name) error {
	var over bool
	if err := t.find(sqlHoldSession, func(r Row) { over = r.Bool() }, n); err != nil {
		return err
	}
	if !over {
		t.Buffer.learn([]idp.Name{n}, nil)
	}
	return nil
}

// Append buffers endings and their receipt. See idp.LedgerWriter.
func (t *Tx) Append(r idp.Receipt, endings []idp.Ending) error {
	if _, taken := t.Buffer.byRequest[r.Request]; taken {
		return fmt.Errorf("request: %w", idp.ErrConflict)
	}
	names := make([]idp.Name, 0, len(endings))
	for _, e := range endings {
		if e.Name.IsZero() {
			return fmt.Errorf("%w: the zero name cannot end", ErrProgram)
		}
		names = append(names, e.Name)
	}
	over, err := t.Ended(names...)
	if err != nil {
		return err
	}
	fresh := make([]idp.Ending, 0, len(endings))
	for i, e := range endings {
		if slices.Contains(over, e.Name) || slices.Contains(names[:i], e.Name) {
			continue
		}
		e.Receipt = r.ID
		fresh = append(fresh, e)
	}
	if len(fresh) == 0 {
		return nil
	}
	if n, ok := r.ID.Ended(); !ok || !slices.ContainsFunc(fresh, func(e idp.Ending) bool { return e.Name == n }) {
		return fmt.Errorf("%w: a receipt's id holds a name that it ends", ErrProgram)
	}
	t.Buffer.add(r, fresh)
	return nil
}

const sqlSwapRealm = `UPDATE realm SET epoch = ?2 WHERE epoch = ?1`

// SwapRealmEpoch replaces the realm's epoch by compare.
func (t *Tx) SwapRealmEpoch(old, next idp.Name) (bool, error) {
	if next.IsZero() {
		return false, fmt.Errorf("%w: a realm has an epoch", ErrProgram)
	}
	return t.swap(sqlSwapRealm, old, next)
}

// MaxLifeCap in seconds, a year, keeps every until far from idp's "forever".
const MaxLifeCap = 366 * 24 * 3600

// CheckLifeCap refuses what no token may live.
func CheckLifeCap(seconds int64) error {
	if seconds < 1 || seconds > MaxLifeCap {
		return fmt.Errorf("%w: life cap of %d s", ErrProgram, seconds)
	}
	return nil
}

// MintAge is how old the counter row's time may be when a token is minted under it.
const MintAge = idp.Time(1000)
