/** Losses as the server packs them: log10 in base64 of uint16, -6..4 to 0..65534, 65535 for no finite number. */
const LOWEST = -6;
const HIGHEST = 4;

export function bytes(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Decades of loss, NaN where it is not finite. */
export function decades(text) {
  const packed = new Uint16Array(bytes(text).buffer);
  return Float32Array.from(packed, (value) => (value === 65535 ? NaN : LOWEST + ((HIGHEST - LOWEST) * value) / 65534));
}

const VIRIDIS = [[68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142], [31, 158, 137], [53, 183, 121], [110, 206, 88], [181, 222, 43], [253, 231, 37]];

/** The colour [r, g, b] of a share 0..1 of the scale. */
export function colour(share) {
  const at = Math.max(0, Math.min(1, share)) * (VIRIDIS.length - 1);
  const low = Math.min(Math.floor(at), VIRIDIS.length - 2);
  return VIRIDIS[low].map((value, i) => value + (VIRIDIS[low + 1][i] - value) * (at - low));
}
