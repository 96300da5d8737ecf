package idp

// Live returns nil if none of the names is in the ledger, else [ErrEnded]. It is the question that every guard asks, asked
// of the primary.
func Live(r LedgerReader, names ...Name) error {
	over, err := r.Ended(names...)
	if err != nil {
		return err
	}
	if len(over) > 0 {
		return ErrEnded
	}
	return nil
}
