// Package admin is the operators' room: the console's pages and a JSON API with the same verbs at the same addresses.
//
// Pages are for people with a role (idp.Role), signed in as everybody is: by the session's cookie, with a form's proof for what acts, and
// a recent sign-in. JSON is for machines whose client has the scope exeunt.admin, by bearer token; it takes no cookies, because a page of
// another site could send those. A machine may all that an admin may, but for giving roles and powers: those outlive it, so people give
// them.
//
// It rests on package operate for what is done, and asks in the same transaction, each time, whether whoever asks still may. It refuses to
// act without a reason, and to reach more than one person without asking twice.
package admin
