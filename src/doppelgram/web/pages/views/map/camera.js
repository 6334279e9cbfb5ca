// What part of the map is seen, and the ways to change it: mouse, wheel, fingers, keys.

export class Camera {
  constructor(map) {
    Object.assign(this, { map, x: map.width / 2, y: map.height / 2, zoom: 0, width: 1, height: 1, ratio: 1 });
  }

  /** Pixels that a step of the map takes. */
  get scale() {
    return Math.min(this.width / (this.map.width * 1.08 + 1), this.height / (this.map.height * 1.08 + 1)) * 2 ** this.zoom;
  }

  /** The rectangle of places that is seen. */
  get box() {
    const x = this.width / 2 / this.scale, y = this.height / 2 / this.scale;
    return { left: this.x - x, right: this.x + x, top: this.y - y, bottom: this.y + y };
  }

  place(px, py) {
    return [this.x + (px - this.width / 2) / this.scale, this.y + (py - this.height / 2) / this.scale];
  }

  pixel(x, y) {
    return [(x - this.x) * this.scale + this.width / 2, (y - this.y) * this.scale + this.height / 2];
  }

  /** Move by pixels. */
  pan(dx, dy) {
    this.x = Math.min(this.map.width, Math.max(0, this.x - dx / this.scale));
    this.y = Math.min(this.map.height, Math.max(0, this.y - dy / this.scale));
  }

  /** Zoom in by powers of two; the place under a pixel stays there. */
  zoomBy(steps, px = this.width / 2, py = this.height / 2) {
    const [x, y] = this.place(px, py);
    this.zoom = Math.min(18, Math.max(-1, this.zoom + steps));
    const [nx, ny] = this.place(px, py);
    this.x += x - nx;
    this.y += y - ny;
  }

  whole() {
    Object.assign(this, { x: this.map.width / 2, y: this.map.height / 2, zoom: 0 });
  }
}

/** Listen on the stage. `on` holds: moved(), hover(x, y), open(x, y), lasso(path, done), lassoing(), key(event). */
export function steer(stage, camera, on) {
  const fingers = new Map();
  let path = null, travelled = 0;
  const at = (event) => {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  stage.addEventListener("pointerdown", (event) => {
    if (event.button || event.target.closest("button")) return;
    stage.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, at(event));
    travelled = 0;
    path = fingers.size === 1 && (event.shiftKey || on.lassoing()) ? [at(event)] : null;
  });
  stage.addEventListener("pointermove", (event) => {
    const now = at(event), before = fingers.get(event.pointerId);
    if (!before) {
      on.hover(...now);
      return;
    }
    travelled += Math.hypot(now[0] - before[0], now[1] - before[1]);
    fingers.set(event.pointerId, now);
    if (path) {
      path.push(now);
      on.lasso(path, false);
      return;
    }
    if (fingers.size === 2) {
      const other = [...fingers].find(([id]) => id !== event.pointerId)[1];
      const far = (one) => Math.hypot(one[0] - other[0], one[1] - other[1]) || 1;
      camera.zoomBy(Math.log2(far(now) / far(before)), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    }
    camera.pan((now[0] - before[0]) / fingers.size, (now[1] - before[1]) / fingers.size);
    on.moved();
  });
  const up = (event) => {
    if (!fingers.delete(event.pointerId)) return;
    if (path && event.type === "pointerup" && path.length > 2) on.lasso(path, true);
    else if (event.type === "pointerup" && travelled < 5 && !fingers.size) on.open(...at(event));
    if (path) on.lasso(null, false);
    path = null;
  };
  stage.addEventListener("pointerup", up);
  stage.addEventListener("pointercancel", up);
  stage.addEventListener("pointerleave", () => { if (!fingers.size) on.hover(-1, -1); });
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    camera.zoomBy(-event.deltaY * (event.deltaMode ? 0.05 : 0.002), ...at(event));
    on.moved();
  }, { passive: false });
  const keys = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== stage) return;
    if (keys[event.key]) camera.pan(...keys[event.key]);
    else if (event.key === "+" || event.key === "=") camera.zoomBy(0.5);
    else if (event.key === "-") camera.zoomBy(-0.5);
    else if (event.key === "Home" || event.key === "0") camera.whole();
    else if (event.key === "Enter") {
      on.open(camera.width / 2, camera.height / 2, 60);
      return;
    } else return;
    event.preventDefault();
    on.moved();
    on.hover(camera.width / 2, camera.height / 2, 60);
  });
}
