/** What an app says of itself. */
export interface ExeuntOptions {
  /** The server, for example "https://id.example.com". */
  issuer: string;
  /** The app's client id: a client of kind browser. */
  clientId: string;
  /** APIs that get tokens, by their audience; `fetch` sends tokens to these origins and to no other. */
  apis?: string[];
  /** Default "openid". */
  scope?: string;
  /** Where sign-ins come back to; registered. Default: this page, without query. */
  redirectUri?: string;
  /** Where sign-outs come back to; registered as post-logout redirect URI. Default: this page, without query. */
  signedOutUri?: string;
  /** Whether `start` asks the server quietly if somebody was signed in in this browser before. Default true. */
  resume?: boolean;
  /** What a sign-out empties beside memory and elements marked data-exeunt. "origin" (default): all storages, databases, caches and visible
   *  cookies of this origin. "own": only what this module wrote, for origins that keep no copy of a token or of anybody's data. */
  wipe?: "origin" | "own";
  /** With wipe "origin": names of storage keys, databases, caches and cookies that stay. Default: none. */
  keep?: string[];
}

/** What went wrong at sign-in. */
export declare class SignInError extends Error {
  /** An error code of OAuth 2.0 or OpenID Connect, for example "access_denied". */
  readonly code: string;
}

/** One app's tie to the server in this page. Dispatches "change" when somebody has signed in or out, in whichever tab. */
export declare class Exeunt extends EventTarget {
  constructor(options: ExeuntOptions);
  /** Whether this page holds tokens. */
  readonly signedIn: boolean;
  /** Claims of the ID token; null: nobody is signed in. */
  readonly claims: Record<string, unknown> | null;
  /** Call once per page. Resolves to whether somebody is signed in; rejects with SignInError if a sign-in failed. */
  start(): Promise<boolean>;
  /** Leaves for the sign-in; never resolves. `to`: the page of this origin to come back to. */
  signIn(options?: { quiet?: boolean; to?: string; hint?: string }): Promise<never>;
  /** Empties every tab and leaves for the server, which ends the session. `everywhere`: all of the person's sessions; if that was not to be had, `state=only-here` comes back. */
  signOut(options?: { everywhere?: boolean }): Promise<void>;
  /** fetch with the access token, for the APIs named in `apis`. Follows no redirect. */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /** Renews the tokens, once for all tabs. */
  renew(used?: string): Promise<boolean>;
  /** Asks the server whether the session still lives. */
  check(): Promise<boolean>;
  /** Keeps a login/logout link true. Texts: data-in, data-out. */
  link(element: HTMLElement): void;
}
