package admin

import (
	"net/http"
	"net/netip"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/keys"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/token"
	"exeunt.dev/internal/web"
)

// Admin is the room.
type Admin struct {
	Store    idp.Store
	Door     *door.Door
	Browser  *browser.Browser
	Pages    *web.Pages
	Tokens   *token.Issuer
	Ring     *keys.Ring
	Looker   *operate.Looker
	Wake     func()                                           // deliveries, revocations and letters may be due
	Tell     func(tx idp.Tx, e idp.Event, now idp.Time) error // writes to a person what was done; nil: nobody does
	Networks []netip.Prefix                                   // that are not public, in which apps may be called
}

// Mount adds the room's paths.
func (a *Admin) Mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /admin", look(a, a.overview, overviewPage))
	mux.HandleFunc("GET /admin/{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/admin", http.StatusSeeOther) })
	mux.HandleFunc("GET /admin/people", look(a, a.people, peoplePage))
	mux.HandleFunc("GET /admin/people/{sub}", look(a, a.person, personPage))
	mux.HandleFunc("GET /admin/people/{sub}/sessions", look(a, a.sessions, sessionsPage))
	mux.HandleFunc("GET /admin/people/{sub}/sessions/{id}", look(a, a.session, sessionPage))
	mux.HandleFunc("GET /admin/apps", look(a, a.apps, appsPage))
	mux.HandleFunc("GET /admin/apps/{id}", look(a, a.app, appPage))
	mux.HandleFunc("GET /admin/deliveries", look(a, a.deliveries, deliveriesPage))
	mux.HandleFunc("GET /admin/deliveries/{id}", look(a, a.delivery, deliveryPage))
	mux.HandleFunc("GET /admin/revocations", look(a, a.revocations, revocationsPage))
	mux.HandleFunc("GET /admin/revocations/{id}", look(a, a.revocation, revocationPage))
	mux.HandleFunc("GET /admin/receipts", look(a, a.receipts, receiptsPage))
	mux.HandleFunc("GET /admin/receipts/{number}", look(a, a.receipt, receiptPage))
	mux.HandleFunc("GET /admin/receipts/export", a.exportReceipts)
	mux.HandleFunc("GET /admin/keys", look(a, a.keys, keysPage))
	mux.HandleFunc("GET /admin/events", look(a, a.events, eventsPage))
	mux.HandleFunc("GET /admin/events/export", a.exportEvents)
	mux.HandleFunc("GET /admin/operators", look(a, a.operators, operatorsPage))
	a.mountActs(mux)
	mux.HandleFunc("/admin/", a.nothing)
}

func (a *Admin) mountActs(mux *http.ServeMux) {
	on := func(pattern string, what act) { mux.HandleFunc(pattern, a.act(what)) }
	on("POST /admin/people/{sub}/end", ending(idp.DutyEnd, "ended", idp.EventOperator, operate.SignOut, false))
	on("POST /admin/people/{sub}/lock", lockPerson())
	on("POST /admin/people/{sub}/unlock", opening(idp.DutyUnlock, "unlocked", operate.Unlock))
	on("POST /admin/people/{sub}/disable", ending(idp.DutyPeople, "disabled", idp.EventDisabled, operate.Disable, true))
	on("POST /admin/people/{sub}/enable", opening(idp.DutyPeople, "enabled", operate.Enable))
	on("POST /admin/people/{sub}/delete", deletePerson())
	on("DELETE /admin/people/{sub}", deletePerson())
	on("POST /admin/people/{sub}/sessions/{id}/end", endSession())
	on("DELETE /admin/people/{sub}/sessions/{id}", endSession())

	on("POST /admin/apps", a.register())
	on("POST /admin/apps/{id}", a.change())
	on("POST /admin/apps/{id}/secret", a.rotateSecret())
	on("POST /admin/apps/{id}/secret/end-old", endOldSecret())
	on("POST /admin/apps/{id}/end", endApp())
	on("POST /admin/apps/{id}/disable", disableApp())
	on("POST /admin/apps/{id}/enable", enableApp())
	on("POST /admin/apps/{id}/delete", deleteApp())
	on("DELETE /admin/apps/{id}", deleteApp())

	on("POST /admin/deliveries/resend", a.resendMany())
	on("POST /admin/deliveries/{id}/resend", resend())
	on("POST /admin/deliveries/{id}/give-up", giveUp())

	on("POST /admin/revocations/{id}/resend", askAgain())
	on("POST /admin/revocations/{id}/give-up", forgo())

	on("POST /admin/keys/rotate", a.rotateKeys())
	on("POST /admin/keys/{kid}/kill", a.killKey())
	on("DELETE /admin/keys/{kid}", a.killKey())

	on("POST /admin/operators", giveRole())
	on("POST /admin/operators/{sub}/remove", takeRole())
	on("DELETE /admin/operators/{sub}", takeRole())
}

// pageSize of lists for programs; people see fewer rows at once.
const (
	pageSize = 100
	rowsSeen = 25
)
