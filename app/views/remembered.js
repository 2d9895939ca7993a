/** What this browser remembers of a visitor, by key, for all its windows; where it keeps nothing it goes with the page. */

export function remembered(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // it is asked to keep nothing
  }
}
