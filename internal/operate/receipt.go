package operate

import (
	"strconv"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/receipt"
)

// Receipt is one as operators see it: the sheet, and who did it to whom.
type Receipt struct {
	receipt.Sheet
	Actor    idp.Actor     `json:"actor"`
	Reason   string        `json:"reason,omitempty"`
	Subject  idp.AccountID `json:"sub,omitempty"`
	ClientID idp.ClientID  `json:"client_id,omitempty"`
}

// ShowReceipt makes the operators' view of a receipt.
func ShowReceipt(v idp.View, r *idp.Receipt, now idp.Time) (Receipt, error) {
	sheet, err := receipt.Read(v, r, now, true)
	return Receipt{sheet, r.Actor, r.Reason, r.Account, r.Client}, err
}

// ReceiptPage is a receipt with its deliveries, a page of them.
type ReceiptPage struct {
	Receipt
	Deliveries []Delivery `json:"deliveries"`
	Next       string     `json:"next,omitempty"` // to be given as after
}

// ReadReceipt reads the page of a receipt.
func ReadReceipt(v idp.View, row *idp.Receipt, now idp.Time, p idp.Page) (out ReceiptPage, err error) {
	if out.Receipt, err = ShowReceipt(v, row, now); err != nil {
		return out, err
	}
	rows, err := v.DeliveriesOf(row.Number, p)
	out.Deliveries = []Delivery{}
	for i := range rows {
		out.Deliveries = append(out.Deliveries, ShowDelivery(&rows[i]))
	}
	if len(rows) == p.Limit {
		out.Next = rows[len(rows)-1].ID().String()
	}
	return out, err
}

// Line is a receipt in a list: its row, without what it reached, which takes several questions.
type Line struct {
	Number   uint64        `json:"number"`
	Cause    idp.CauseKind `json:"cause"`
	At       time.Time     `json:"ended_at"`
	Actor    idp.Actor     `json:"actor"`
	Reason   string        `json:"reason,omitempty"`
	Subject  idp.AccountID `json:"sub,omitempty"`
	ClientID idp.ClientID  `json:"client_id,omitempty"`
	Working  bool          `json:"working"`
	Owed     idp.Counted   `json:"deliveries_owed"`
	Dead     idp.Counted   `json:"deliveries_dead"` // that nobody attempts any more
}

// Lines lists receipts, the newest first.
func Lines(v idp.View, f idp.ReceiptFilter, before uint64, limit int) ([]Line, error) {
	rows, err := v.FindReceipts(f, before, limit)
	out := []Line{}
	for _, r := range rows {
		out = append(out, Line{r.Number, r.Cause, r.At.Time(), r.Actor, r.Reason, r.Account, r.Client, r.ToldAt == 0, r.Owed, r.Dead})
	}
	return out, err
}

// Owing reads whether a list of receipts is narrowed to those that owe; "" is all.
func Owing(text string) (bool, error) {
	switch text {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	}
	return false, idp.Invalid("owed", "owed is true or false.")
}

// Before reads a receipt's number to list those before; "" is all.
func Before(text string) (uint64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || n == 0 {
		return 0, idp.Invalid("after", "That page does not exist.")
	}
	return n, nil
}
