package verbs

const (
	sqlSettings   = `SELECT key, value FROM setting`
	sqlPutSetting = `INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`
)

// Settings reads what nodes have agreed on.
func (v *View) Settings() (map[string]string, error) {
	out := map[string]string{}
	err := v.E.Each(sqlSettings, func(r Row) { key := r.Text(); out[key] = r.Text() })
	return out, err
}

// PutSetting writes one of them.
func (t *Tx) PutSetting(key, value string) error { return t.add(sqlPutSetting, key, value) }
