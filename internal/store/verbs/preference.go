package verbs

import (
	"errors"

	"exeunt.dev/internal/idp"
)

const (
	sqlLanguage     = `SELECT language FROM preference WHERE account = ?`
	sqlPutLanguage  = `INSERT INTO preference (account, language) VALUES (?, ?) ON CONFLICT (account) DO UPDATE SET language = excluded.language`
	sqlDropLanguage = `DELETE FROM preference WHERE account = ?`
)

// Language reads the language that a person has chosen; "": none.
func (v *View) Language(a idp.AccountID) (lang string, err error) {
	err = v.find(sqlLanguage, func(r Row) { lang = r.Text() }, a)
	if errors.Is(err, idp.ErrNotFound) {
		return "", nil
	}
	return lang, err
}

// PutLanguage writes it; "" forgets it.
func (t *Tx) PutLanguage(a idp.AccountID, lang string) error {
	if lang == "" {
		_, err := t.write(sqlDropLanguage, a)
		return err
	}
	return t.add(sqlPutLanguage, a, lang)
}
