/** What surfaces need of the browser's WebGL. */
/** "hardware", "software" (a processor draws: fewer pixels then), or null where there is no WebGL. */
export function webgl() {
  const canvas = document.createElement("canvas");
  const gl = canvas.getContext("webgl2") ?? canvas.getContext("webgl");
  if (!gl) return null;
  const names = gl.getExtension("WEBGL_debug_renderer_info");
  const renderer = names ? gl.getParameter(names.UNMASKED_RENDERER_WEBGL) : "";
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|software|basic render/i.test(renderer) ? "software" : "hardware";
}

/** Run `draw` with WebGL contexts that do not smooth edges, which in software costs as much again as all the rest. */
export async function withoutSmoothing(draw) {
  const { getContext } = HTMLCanvasElement.prototype;
  HTMLCanvasElement.prototype.getContext = function plain(type, options) {
    return getContext.call(this, type, type.includes("webgl") ? { ...options, antialias: false } : options);
  };
  try {
    return await draw();
  } finally {
    HTMLCanvasElement.prototype.getContext = getContext;
  }
}
