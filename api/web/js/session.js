/** Who the reader is to the server, and what it lets them do. */

import { get, send, signIn } from "./api.js";

let current = null;

/** Ask the server; a reader whom it does not know is nobody until they show a key. The view says what else is wrong. */
export async function loadSession() {
  use(await get("/v1/session").catch(() => null));
}

/** Show a key. */
export async function beginSession(key) {
  const answer = await signIn(key);
  use(await answer.json());
}

/** Be nobody again. */
export async function endSession() {
  await send("DELETE", "/v1/session");
  use(null);
}

/** Tell whether there is something to sign out of. */
export function isSignedIn() {
  return Boolean(current?.keys);
}

/** Controls that the server would refuse are not shown: they are marked with the scope that they need. */
function use(session) {
  current = session;
  const scopes = session?.scopes ?? [];
  for (const scope of ["index", "admin"]) document.documentElement.classList.toggle(`may-not-${scope}`, !scopes.includes(scope));
}
