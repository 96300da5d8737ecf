package admin

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"exeunt.dev/internal/audit"
	"exeunt.dev/internal/edge"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
)

func number(n uint64) string { return strconv.FormatUint(n, 10) }

// exportPage is how much is read at once: in a snapshot of its own, so that a slow reader holds nothing.
const exportPage = 200

// export writes lines of JSON, page by page. A line begins with a brace, so no spreadsheet takes what somebody has written for a
// formula. Whether the caller may is asked at each page.
func (a *Admin) export(w http.ResponseWriter, r *http.Request, name string, read func(c *call, v idp.View, after string) (lines []any, next string, err error)) {
	c, err := a.begin(w, r)
	after, begun := "", false
	for err == nil {
		var lines []any
		err = a.Store.View(r.Context(), func(v idp.View) (err error) {
			if err = a.may(v, &c.caller, idp.DutyRead); err == nil {
				lines, after, err = read(c, v, after)
			}
			return err
		})
		if err != nil {
			break
		}
		if !begun {
			begun = true
			h := w.Header()
			h.Set("Content-Type", "application/x-ndjson")
			h.Set("Content-Disposition", `attachment; filename="`+name+`.jsonl"`)
			h.Set("Cache-Control", "no-store")
		}
		out := json.NewEncoder(w)
		for _, l := range lines {
			if out.Encode(l) != nil {
				return // the reader has gone
			}
		}
		if after == "" {
			return
		}
	}
	if begun {
		edge.Note(r.Context(), "error", err.Error())
		panic(http.ErrAbortHandler) // what was sent is not all: the connection says so
	}
	a.fail(w, r, c, err)
}

func (a *Admin) exportReceipts(w http.ResponseWriter, r *http.Request) {
	a.export(w, r, "receipts", func(c *call, v idp.View, after string) (lines []any, next string, err error) {
		before, err := operate.Before(after)
		if err != nil {
			return nil, "", err
		}
		f, err := c.receiptFilter(v)
		if err != nil {
			return nil, "", err
		}
		rows, err := v.FindReceipts(f, before, exportPage)
		for i := range rows {
			one, err := operate.ShowReceipt(v, &rows[i].Receipt, c.now)
			if err != nil {
				return nil, "", err
			}
			lines = append(lines, one)
		}
		if len(rows) == exportPage {
			next = number(rows[len(rows)-1].Number)
		}
		return lines, next, err
	})
}

func (a *Admin) exportEvents(w http.ResponseWriter, r *http.Request) {
	a.export(w, r, "events", func(c *call, v idp.View, after string) (lines []any, next string, err error) {
		f, err := c.eventFilter(v)
		if err != nil {
			return nil, "", err
		}
		rows, err := v.Events(f, idp.Page{After: after, Limit: exportPage})
		for i := range rows {
			lines = append(lines, audit.Show(&rows[i]))
		}
		if len(rows) == exportPage {
			next = rows[len(rows)-1].ID.String()
		}
		return lines, next, err
	})
}

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
