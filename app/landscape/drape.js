/** A path as it lies on the drawn surface: over the two triangles of each grid cell, as the mesh has them. */
const PIECES = 8; // of a path's segment, for the surface is not straight between two steps

/** Points [x, y, height] of a path given by its steps' coordinates, every eighth one a step; `heights` (n, n) are what is drawn. */
export function draped(ticks, heights, coordinates) {
  const points = [];
  coordinates.forEach((to, step) => {
    const from = coordinates[Math.max(0, step - 1)];
    for (let piece = step ? 1 : PIECES; piece <= PIECES; piece += 1) {
      const share = piece / PIECES;
      const [x, y] = [0, 1].map((axis) => from[axis] + share * (to[axis] - from[axis]));
      points.push([x, y, heightAt(ticks, heights, x, y)]);
    }
  });
  return points;
}

/** The index among a draped path's points of a step. */
export function pointOf(step) {
  return PIECES * step;
}

function heightAt([u, v], heights, x, y) {
  const [i, a] = cellOf(u, x);
  const [j, b] = cellOf(v, y);
  const [near, across, along, far] = [heights[i][j], heights[i][j + 1], heights[i + 1][j], heights[i + 1][j + 1]];
  if ([near, across, along, far].includes(null)) return null;
  if (a + b <= 1) return near + a * (along - near) + b * (across - near);
  return far + (1 - a) * (across - far) + (1 - b) * (along - far);
}

/** The cell along an axis, and how far into it a value lies, 0 to 1. */
function cellOf(ticks, value) {
  const width = ticks[1] - ticks[0];
  const cell = Math.max(0, Math.min(ticks.length - 2, Math.floor((value - ticks[0]) / width)));
  return [cell, (value - ticks[cell]) / width];
}
