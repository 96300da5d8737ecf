package sqlite

import (
	"encoding/json"
	"math/rand/v2"
	"sync"

	"exeunt.dev/internal/idp"
)

// clientCache holds decoded rows by their version, which is read from the database every time: nothing in it is ever
// stale. Every write of a row gives it a new random version.
type clientCache struct {
	rows sync.Map // idp.ClientID → cachedClient
}

type cachedClient struct {
	version int64
	client  idp.Client
}

func (v *view) Client(id idp.ClientID) (idp.Client, error) {
	var version int64
	var disabled bool
	err := v.conn.row(`SELECT version, epoch IS NULL FROM client WHERE id = ?`, []any{string(id)}, &version, &disabled)
	if err != nil {
		return idp.Client{}, err
	}
	if row, ok := v.store.clients.rows.Load(id); ok && row.(cachedClient).version == version {
		c := row.(cachedClient).client
		c.Disabled = disabled
		return c, nil
	}
	c, err := scanClient(func(to ...any) error { return v.conn.row(clientColumns+`WHERE id = ?`, []any{string(id)}, to...) })
	if err == nil && v.tx == nil { // inside Update the row may yet be rolled back
		v.store.clients.rows.Store(id, cachedClient{version, c})
	}
	return c, err
}

const clientColumns = `SELECT data, secret, registration, epoch IS NULL, created_at FROM client `

func scanClient(scan func(...any) error) (idp.Client, error) {
	var c idp.Client
	var data string
	var secret, registration idp.Hash
	var disabled bool
	var created idp.Time
	if err := scan(&data, into(secret[:]), into(registration[:]), &disabled, &created); err != nil {
		return c, err
	}
	err := json.Unmarshal([]byte(data), &c)
	c.Secret, c.Registration, c.Disabled, c.CreatedAt = secret, registration, disabled, created
	return c, err
}

func (v *view) Clients(p idp.Page) ([]idp.Client, error) {
	var out []idp.Client
	err := v.conn.rows(clientColumns+`WHERE id > ? ORDER BY id LIMIT ?`, []any{p.After, p.Limit}, func(scan func(...any) error) error {
		c, err := scanClient(scan)
		out = append(out, c)
		return err
	})
	return out, err
}

func (t *tx) InsertClient(c idp.Client, epoch idp.Name) error {
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = t.write(`INSERT INTO client (id, version, data, secret, registration, epoch, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		string(c.ID), rand.Int64(), string(data), null(c.Secret), null(c.Registration), null(epoch), int64(c.CreatedAt))
	return err
}

func (t *tx) UpdateClient(c idp.Client) error {
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return t.one(t.write(`UPDATE client SET version = ?, data = ?, secret = ?, registration = ? WHERE id = ?`,
		rand.Int64(), string(data), null(c.Secret), null(c.Registration), string(c.ID)))
}

func (t *tx) SwapClientEpoch(id idp.ClientID, old, next idp.Name) (bool, error) {
	n, err := t.write(`UPDATE client SET epoch = ? WHERE id = ? AND epoch IS ?`, null(next), string(id), null(old))
	return n == 1, err
}
