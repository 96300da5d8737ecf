package verbs

import "exeunt.dev/internal/idp"

const (
	mailColumns = `id, account, kind, sealed, created_at, until, due, attempts, error`

	sqlMails      = `SELECT count(*), min(created_at) FROM mail`
	sqlInsertMail = `INSERT INTO mail (` + mailColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
	sqlDueMails   = `SELECT ` + mailColumns + ` FROM mail WHERE due <= ? ORDER BY due LIMIT CAST(? AS BIGINT)`
	sqlLeaseMail  = `UPDATE mail SET due = ?, attempts = attempts + 1 WHERE id = ?`
	sqlDelayMail  = `UPDATE mail SET due = ?, error = ? WHERE id = ? AND attempts = ?`
	sqlDropMail   = `DELETE FROM mail WHERE id = ?`

	sqlTally      = `INSERT INTO tally (key, hour, count) VALUES (?, ?, 1) ON CONFLICT (key, hour) DO UPDATE SET count = tally.count + 1`
	sqlTallied    = `SELECT count FROM tally WHERE key = ? AND hour = ?`
	sqlSweepTally = `DELETE FROM tally WHERE (key, hour) IN (SELECT key, hour FROM tally WHERE hour <= ? ORDER BY hour LIMIT CAST(? AS BIGINT))`
)

// Mails counts what waits.
func (v *View) Mails() (waiting int64, oldest idp.Time, err error) {
	err = v.find(sqlMails, func(r Row) { waiting, oldest = r.Int(), idp.Time(r.IntOr0()) })
	return waiting, oldest, err
}

// InsertMail writes a letter.
func (t *Tx) InsertMail(m idp.Mail) error {
	return t.add(sqlInsertMail, m.ID, m.Account, m.Kind, m.Sealed, m.CreatedAt, m.Until, m.Due, m.Attempts, m.Error)
}

// LeaseMails takes what is due.
func (t *Tx) LeaseMails(now, until idp.Time, limit int) (out []idp.Mail, err error) {
	if err := t.E.Each(sqlDueMails+t.SkipLocked, func(r Row) {
		out = append(out, idp.Mail{ID: r.Name(), Account: idp.AccountID(r.Text()), Kind: r.Text(), Sealed: r.Bytes(), CreatedAt: r.Time(), Until: r.Time(),
			Due: r.Time(), Attempts: int(r.Int()), Error: r.Text()})
	}, now, limit); err != nil {
		return nil, err
	}
	for i := range out {
		out[i].Attempts++
		out[i].Due = until
		if err := t.must(sqlLeaseMail, until, out[i].ID); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// DelayMail writes when a leased letter is due again.
func (t *Tx) DelayMail(m idp.Mail) (bool, error) {
	return t.swap(sqlDelayMail, m.Due, m.Error, m.ID, m.Attempts)
}

// DropMail deletes a letter.
func (t *Tx) DropMail(id idp.Name) error {
	_, err := t.write(sqlDropMail, id)
	return err
}

const hour = idp.Time(3600 * 1000)

// Tally counts.
func (t *Tx) Tally(key idp.Hash, now idp.Time) (n int64, err error) {
	if _, err := t.write(sqlTally, key, now/hour); err != nil {
		return 0, err
	}
	err = t.find(sqlTallied, func(r Row) { n = r.Int() }, key, now/hour)
	return n, err
}
