/** What stands on the three maps of the playground: paths, solutions, Z's grid, the replay buffer, basins, the arm. */
const PATH = { width: 2, halo: true };

/**
 * @param {Training} training whose scene, y, paths and basins are drawn
 * @param {object} shown the frame at which the timeline stands
 * @param {object} maps {y, x, z}: a `PlaneMap` each
 * @param {(name: string) => boolean} layer whether a layer is switched on
 */
export function drawMaps(training, shown, maps, layer) {
  const { scene, scale, basins } = training;
  maps.y.show(observations(training));
  maps.x.show({
    low: scene.box[0], high: scene.box[1], field: training.fieldX, scale,
    over: (pen) => {
      if (layer("basins") && basins) pen.cells(basins.X);
      if (layer("grid")) bentGrid(pen, shown.bent);
      lanes(pen, training.paths, shown.paths);
      pen.crosses(training.solutions);
    },
  });
  const [u, v] = shown.z.half;
  maps.z.show({
    low: [-u, -v], high: [u, v], field: shown.field, scale,
    over: (pen) => {
      if (layer("basins") && basins) pen.cells(basins.Z);
      if (layer("buffer") && shown.collected) buffer(pen, shown.collected);
      const own = shown.paths.Z.own.map((path) => path.map(([a, b = 0]) => [a, b]));
      for (const path of own.slice(1)) pen.line(path, "--z", { width: 1, alpha: 0.8 });
      pen.line(own[0], "--path-z", PATH);
      pen.dots(own[0], "--path-z", { radius: 2.2, rim: false });
      pen.dots([own[0][0]], "#fff", { radius: 4 });
    },
  });
}

/** Both descents in X, Z's through Θ. */
function lanes(pen, { X }, { Z }) {
  const lanes = [[X, "--path-x"], [Z, "--path-z"]].filter(([lane]) => lane);
  for (const [lane, colour] of lanes) {
    for (const path of lane.x.slice(1)) pen.line(path, colour, { width: 1, alpha: 0.7 });
    pen.line(lane.x[0], colour, PATH);
    pen.dots(lane.x[0], colour, { radius: 2.2, rim: false });
    pen.dots([lane.x[0][0]], "#fff", { radius: 4 });
  }
}

function bentGrid(pen, bent) {
  const last = bent.length - 1;
  for (let i = 0; i <= last; i += 1) {
    pen.line(bent[i], "#ffffff", { width: i * 2 === last ? 1.4 : 0.7, alpha: 0.75 });
    pen.line(bent.map((row) => row[i]), "#ffffff", { width: i * 2 === last ? 1.4 : 0.7, alpha: 0.75 });
  }
}

function buffer(pen, collected) {
  for (const path of collected) {
    pen.line(path, "#ffffff", { width: 0.8, alpha: 0.55 });
    pen.dots(path, "#ffffff", { radius: 1.5, alpha: 0.8, rim: false });
  }
}

/** The plane of observations: the image of X's grid, the y's, and where both descents ended. */
function observations({ scene, y, others, solutions }) {
  const { low, high } = around(scene.image.flat(), y);
  return {
    low, high,
    over: (pen) => {
      for (let i = 0; i < scene.image.length; i += 1) {
        pen.line(scene.image[i], "--soft", { width: 0.6, alpha: 0.5 });
        pen.line(scene.image.map((row) => row[i]), "--soft", { width: 0.6, alpha: 0.5 });
      }
      if (scene.arm) for (const solution of solutions) pen.line(arm(scene.arm, solution), "--ink", { width: 3 });
      pen.dots(others ?? [], "--accent", { radius: 3 });
      pen.crosses([y.slice(0, 2)]);
    },
  };
}

function arm([upper, fore], [shoulder, bend]) {
  const elbow = [upper * Math.cos(shoulder), upper * Math.sin(shoulder)];
  return [[0, 0], elbow, [elbow[0] + fore * Math.cos(shoulder + bend), elbow[1] + fore * Math.sin(shoulder + bend)]];
}

/** The square or oblong that holds all points and y, with a margin to click in. */
function around(points, y) {
  const low = [0, 1].map((i) => Math.min(y[i], ...points.map((point) => point[i] ?? y[i])));
  const high = [0, 1].map((i) => Math.max(y[i], ...points.map((point) => point[i] ?? y[i])));
  const margin = low.map((_, i) => Math.max(0.15 * (high[i] - low[i]), 1e-3));
  return { low: low.map((value, i) => value - margin[i]), high: high.map((value, i) => value + margin[i]) };
}
