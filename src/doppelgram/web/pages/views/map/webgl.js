// Points by WebGL2: columns are uploaded once, a frame sends no more than which positions are drawn.

const VERTEX = `#version 300 es
in float x; in float y; in float group; in float shown;
uniform vec2 middle; uniform vec2 scale; uniform float size; uniform sampler2D palette;
out vec3 colour;
void main() {
  gl_Position = vec4((x - middle.x) * scale.x, (middle.y - y) * scale.y, shown > 0.0 ? 0.0 : 2.0, 1.0);
  gl_PointSize = size;
  colour = texelFetch(palette, ivec2(int(group), 0), 0).rgb;
}`;
const FRAGMENT = `#version 300 es
precision highp float;
in vec3 colour; uniform float size; out vec4 seen;
void main() {
  if (size > 4.0 && length(gl_PointCoord - 0.5) > 0.5) discard;
  seen = vec4(colour, 1.0);
}`;

/** Draws on a canvas; null where WebGL2 is not there. */
export function webgl(canvas, points) {
  const gl = canvas.getContext("webgl2", { antialias: false, depth: false, alpha: true, preserveDrawingBuffer: true });
  if (!gl) return null;
  const program = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) return null;
  gl.useProgram(program);
  const uniform = Object.fromEntries(["middle", "scale", "size", "palette"].map((name) => [name, gl.getUniformLocation(program, name)]));
  const column = (name, kind, content, often = false) => {
    const buffer = gl.createBuffer();
    const place = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, content, often ? gl.DYNAMIC_DRAW : gl.STATIC_DRAW);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, 1, kind, false, 0, 0);
    return (changed) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.bufferSubData(gl.ARRAY_BUFFER, 0, changed);
    };
  };
  column("x", gl.UNSIGNED_SHORT, points.x);
  column("y", gl.UNSIGNED_SHORT, points.y);
  const setGroups = column("group", gl.UNSIGNED_BYTE, new Uint8Array(points.count), true);
  const setShown = column("shown", gl.UNSIGNED_BYTE, points.shown, true);
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  return {
    setGroups,
    setShown,
    setPalette(colours) {
      const texels = new Uint8Array(colours.flatMap((colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)).concat(255)));
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, colours.length, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, texels);
    },
    /** Draw some positions; what is there is kept unless it is cleared. */
    draw(camera, positions, size, clear) {
      gl.viewport(0, 0, canvas.width, canvas.height);
      if (clear) gl.clear(gl.COLOR_BUFFER_BIT);
      gl.uniform2f(uniform.middle, camera.x, camera.y);
      gl.uniform2f(uniform.scale, (2 * camera.scale) / camera.width, (2 * camera.scale) / camera.height);
      gl.uniform1f(uniform.size, size * camera.ratio);
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, positions, gl.STREAM_DRAW);
      gl.drawElements(gl.POINTS, positions.length, gl.UNSIGNED_INT, 0);
    },
    release: () => gl.getExtension("WEBGL_lose_context")?.loseContext(),
  };
}

/** The same on a plain canvas, slower. */
export function flat(canvas, points) {
  const context = canvas.getContext("2d");
  let groups = new Uint8Array(points.count), palette = ["#000000"];
  return {
    setGroups: (changed) => { groups = changed; },
    setShown: () => {},
    setPalette: (colours) => { palette = colours; },
    draw(camera, positions, size, clear) {
      if (clear) context.clearRect(0, 0, canvas.width, canvas.height);
      const side = size * camera.ratio, scale = camera.scale * camera.ratio;
      palette.forEach((colour, group) => {
        context.fillStyle = colour;
        for (const at of positions) {
          if (groups[at] !== group || !points.shown[at]) continue;
          context.fillRect((points.x[at] - camera.x) * scale + (canvas.width - side) / 2, (points.y[at] - camera.y) * scale + (canvas.height - side) / 2, side, side);
        }
      });
    },
    release: () => {},
  };
}
