package web

import (
	"time"

	"exeunt.dev/internal/idp"
)

// Sessions is the page of where a person is signed in.
type Sessions struct {
	Header
	Flash, Error Words
	Receipt      string // address of the receipt of what Flash tells
	List         SessionList
	Again        bool   // acts on other sessions ask for a new sign-in first
	Review       bool   // after a recovery: nobody has said yet which older ways in are the person's
	Nonce        string // of the button for all
}

func (Sessions) template() string  { return "sessions" }
func (p Sessions) header() *Header { return &p.Header }

// SessionList is the part of the page that is kept up to date while it is open.
type SessionList struct {
	CSRF    string
	Rows    []SessionLine
	Key     string // of this page; "" for the first
	More    string // the key of the next page
	Further bool   // this is not the first page
	Alone   bool   // there is no other
	Tag     string // what it says, in short
}

// SessionLine is one session in the list.
type SessionLine struct {
	Ref, Agent, IP, Place string
	Current, Stay         bool
	First, Last           time.Time
	How                   Words // they signed in; nil: unknown
	Apps                  []string
}

// Apps is the page of what apps may do.
type Apps struct {
	Header
	Flash, Error Words
	Receipt      string
	Rows         []AppLine
	Again        bool
	Nonce        string
}

func (Apps) template() string  { return "apps" }
func (p Apps) header() *Header { return &p.Header }

// AppLine is one app.
type AppLine struct {
	ID, Name, URI string
	Allows        Words
	Since         time.Time
	Offline       bool
	Ours          bool // belongs to this site: nobody was asked
}

// Activity is the page of what happened.
type Activity struct {
	Header
	Error   Words
	Rows    []ActivityLine
	More    string
	Further bool
}

func (Activity) template() string  { return "activity" }
func (p Activity) header() *Header { return &p.Header }

// ActivityLine is one thing that happened.
type ActivityLine struct {
	What, By  Words
	Agent, IP string
	App       string
	Name      string // of what it is about, such as a passkey's
	Left      string // how many more of these there were
	How       Words
	At        time.Time
	Receipt   string // address
	Bad       bool   // worth a second look
}

// Password changes the password.
type Password struct {
	Header
	Username string
	First    bool // there is none yet
	Error    Words
}

func (Password) template() string  { return "password" }
func (p Password) header() *Header { return &p.Header }

// Close says what closing the account means, and does it.
type Close struct {
	Header
	Username, Nonce string
	Error           Words
	Again           bool
}

func (Close) template() string  { return "close" }
func (p Close) header() *Header { return &p.Header }

// Allows says what scopes allow, to follow "may" or "to".
func Allows(scopes []string) []Words {
	var out []Words
	for _, scope := range scopes {
		switch scope {
		case "openid":
			out = append(out, "know that you are you")
		case "profile":
			out = append(out, "see your name and username")
		case "email":
			out = append(out, "see your mail address")
		case "offline_access":
			out = append(out, "act for you while you are away, also after you sign out here")
		case idp.ScopeSignOut:
			out = append(out, "see where you are signed in and sign you out")
		default:
			out = append(out, Say("use “%s”", scope))
		}
	}
	return out
}

// Methods says how somebody signed in (amr values, RFC 8176), and through which providers, if that is known.
func Methods(amr []string, through ...string) Words {
	out := methods(amr, through)
	if len(out) == 0 {
		return nil
	}
	return List(out...)
}

func methods(amr, through []string) []Words {
	var out []Words
	for _, m := range amr {
		switch m {
		case "pwd":
			out = append(out, "password")
		case "otp":
			out = append(out, "one-time code")
		case "hwk", "swk", "pop":
			out = append(out, "passkey")
		case "recovery":
			out = append(out, "recovery code")
		case "fed":
			for _, title := range through {
				out = append(out, Verbatim(title))
			}
			if through == nil {
				out = append(out, "another provider")
			}
		}
	}
	return out
}
