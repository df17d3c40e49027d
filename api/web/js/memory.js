/** What the browser keeps for the reader: small choices, never anything of a photo. A browser that keeps nothing is fine. */

/** Read a choice; null when there is none. */
export function read(name) {
  try {
    return localStorage.getItem(`facefleet.${name}`);
  } catch {
    return null;
  }
}

/** Keep a choice; null forgets it. */
export function write(name, value) {
  try {
    if (value === null) localStorage.removeItem(`facefleet.${name}`);
    else localStorage.setItem(`facefleet.${name}`, value);
  } catch {
    // a browser that keeps nothing asks again next time
  }
}
