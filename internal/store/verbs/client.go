package verbs

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"exeunt.dev/internal/idp"
)

const (
	clientColumns   = `id, version, epoch, secret, registration, created_at, data, old_secret, old_secret_until`
	sqlClient       = `SELECT ` + clientColumns + ` FROM client WHERE id = ?`
	sqlClients      = `SELECT ` + clientColumns + ` FROM client WHERE id > ? ORDER BY id LIMIT CAST(? AS BIGINT)`
	sqlInsertClient = `INSERT INTO client (` + clientColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
	sqlUpdateClient = `UPDATE client SET version = ?, secret = ?, registration = ?, data = ?, old_secret = ?, old_secret_until = ? WHERE id = ?`
	sqlSwapClient   = `UPDATE client SET version = ?, epoch = ? WHERE id = ? AND epoch IS NOT DISTINCT FROM ?`
)

// ClientVersion reads what tells a copy of a client from its row.
const ClientVersion = `SELECT version FROM client WHERE id = ?`

// maxCached bounds the cache: clients can register themselves.
const maxCached = 4096

// ClientCache keeps decoded clients. A copy is used only if its version is the row's, as read in the transaction that asks.
type ClientCache struct {
	mu sync.RWMutex
	m  map[idp.ClientID]cachedClient
}

type cachedClient struct {
	version int64
	client  idp.Client
}

// NewClientCache makes an empty one.
func NewClientCache() *ClientCache { return &ClientCache{m: map[idp.ClientID]cachedClient{}} }

func (k *ClientCache) get(id idp.ClientID, version int64) (idp.Client, bool) {
	c, v, ok := k.Copy(id)
	if !ok || v != version {
		return idp.Client{}, false
	}
	return c, true
}

// awaited says whether a browser that signs out waits for a client; known: the copy is of this version.
func (k *ClientCache) awaited(id idp.ClientID, version int64) (awaited, known bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	kept, ok := k.m[id]
	return kept.client.AwaitLogout, ok && kept.version == version
}

// Copy is what is kept of a client and the version that its row must have for that to be so. Whoever goes by it asks the
// row ([ClientVersion]) before anything comes of it.
func (k *ClientCache) Copy(id idp.ClientID) (c idp.Client, version int64, ok bool) {
	k.mu.RLock()
	kept, ok := k.m[id]
	k.mu.RUnlock()
	if !ok {
		return idp.Client{}, 0, false
	}
	return cloneClient(kept.client), kept.version, true
}

func (k *ClientCache) put(version int64, c idp.Client) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.m) >= maxCached {
		clear(k.m)
	}
	k.m[c.ID] = cachedClient{version, cloneClient(c)}
}

// cloneClient keeps callers that change a list out of the cache.
func cloneClient(c idp.Client) idp.Client {
	c.RedirectURIs = slices.Clone(c.RedirectURIs)
	c.PostLogoutURIs = slices.Clone(c.PostLogoutURIs)
	c.LogoutURIs = slices.Clone(c.LogoutURIs)
	c.GrantTypes = slices.Clone(c.GrantTypes)
	c.Scopes = slices.Clone(c.Scopes)
	c.Audiences = slices.Clone(c.Audiences)
	return c
}

func readClient(r Row) (c idp.Client, version int64) {
	id := idp.ClientID(r.Text())
	version = r.Int()
	disabled := r.Name().IsZero()
	secret, registration, created := r.Hash(), r.Hash(), r.Time()
	if json.Unmarshal([]byte(r.Text()), &c) != nil {
		r.Bad()
	}
	c.ID, c.Disabled, c.Secret, c.Registration, c.CreatedAt = id, disabled, secret, registration, created
	c.OldSecret, c.OldSecretUntil = r.Hash(), r.Time()
	return c, version
}

// Client reads an app.
func (v *View) Client(id idp.ClientID) (c idp.Client, err error) {
	if !storable(string(id)) {
		return idp.Client{}, idp.ErrNotFound
	}
	var version int64
	if err := v.find(ClientVersion, func(r Row) { version = r.Int() }, id); err != nil {
		return idp.Client{}, err
	}
	if c, ok := v.Cache.get(id, version); ok {
		return c, nil
	}
	if err := v.find(sqlClient, func(r Row) { c, version = readClient(r) }, id); err != nil {
		return idp.Client{}, err
	}
	v.Cache.put(version, c)
	return c, nil
}

// Questions for as many apps as one names; NULL is nobody's id.
var (
	clientsNamed     = ` FROM client WHERE id IN (?` + strings.Repeat(", ?", clientsAtOnce-1) + `)`
	sqlVersionsNamed = `SELECT id, version` + clientsNamed
	sqlClientsNamed  = `SELECT ` + clientColumns + clientsNamed
)

const clientsAtOnce = 32

// ClientsNamed reads those apps that there are.
func (v *View) ClientsNamed(ids []idp.ClientID) (out []idp.Client, err error) {
	for some := range slices.Chunk(ids, clientsAtOnce) {
		var ask, unknown [clientsAtOnce]any
		for i, id := range some {
			if storable(string(id)) {
				ask[i] = id
			}
		}
		n := 0
		if err := v.E.Each(sqlVersionsNamed, func(r Row) {
			id := idp.ClientID(r.Text())
			if c, ok := v.Cache.get(id, r.Int()); ok {
				out = append(out, c)
			} else {
				unknown[n] = id
				n++
			}
		}, ask[:]...); err != nil {
			return nil, err
		}
		if n == 0 {
			continue
		}
		if err := v.E.Each(sqlClientsNamed, func(r Row) {
			c, version := readClient(r)
			v.Cache.put(version, c)
			out = append(out, c)
		}, unknown[:]...); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Clients lists apps by id.
func (v *View) Clients(p idp.Page) (out []idp.Client, err error) {
	err = v.E.Each(sqlClients, func(r Row) {
		c, _ := readClient(r)
		out = append(out, c)
	}, p.After, limitOf(p))
	return out, err
}

// InsertClient writes a new app.
func (t *Tx) InsertClient(c idp.Client, epoch idp.Name) error {
	data, err := clientData(c)
	if err != nil {
		return err
	}
	return t.add(sqlInsertClient, c.ID, newVersion(), epoch, c.Secret, c.Registration, c.CreatedAt, data, c.OldSecret, c.OldSecretUntil)
}

// UpdateClient writes all but the epoch.
func (t *Tx) UpdateClient(c idp.Client) error {
	data, err := clientData(c)
	if err != nil {
		return err
	}
	return t.must(sqlUpdateClient, newVersion(), c.Secret, c.Registration, data, c.OldSecret, c.OldSecretUntil, c.ID)
}

// SwapClientEpoch replaces a client's epoch by compare.
func (t *Tx) SwapClientEpoch(id idp.ClientID, old, next idp.Name) (bool, error) {
	return t.swap(sqlSwapClient, newVersion(), next, id, old)
}

func clientData(c idp.Client) (string, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("client: %w", errors.Join(ErrProgram, err))
	}
	return string(b), nil
}

// newVersion is random and not a count: a count would come again after a rollback, with other data.
func newVersion() int64 {
	var b [8]byte
	rand.Read(b[:])
	return int64(binary.LittleEndian.Uint64(b[:]))
}
