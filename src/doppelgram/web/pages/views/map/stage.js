// The picture of the map: points, photographs when near, the lasso, and frames that keep their time.
import { sampled } from "./points.js";
import { flat, webgl } from "./webgl.js";

const START = 60_000, LEAST = 15_000;

/** Draws what the camera sees. While it moves, only as many points as a frame has time for; at rest, all of them. */
export class Stage {
  constructor(element, points, camera, pictures, fixed) {
    Object.assign(this, { element, points, camera, pictures, fixed });
    const [canvas, over] = element.querySelectorAll("canvas");
    Object.assign(this, { canvas, over, context: over.getContext("2d"), path: null, marked: -1, chosen: new Set() });
    this.renderer = webgl(canvas, points);
    element.dataset.drawn = this.renderer ? "webgl2" : "2d";
    if (!this.renderer) {
      // A canvas that was asked for WebGL gives nothing else any more.
      this.canvas = canvas.cloneNode();
      canvas.replaceWith(this.canvas);
      this.renderer = flat(this.canvas, points);
    }
    this.budget = fixed || START;
    this.watcher = new ResizeObserver(() => this.fit());
    this.watcher.observe(element);
  }

  fit() {
    const ratio = Math.min(2, devicePixelRatio || 1), width = this.element.clientWidth, height = this.element.clientHeight;
    if (!width || !height) return;
    Object.assign(this.camera, { width, height, ratio });
    for (const each of [this.canvas, this.over]) Object.assign(each, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    this.redraw();
  }

  /** Begin anew at the next frame. */
  redraw() {
    this.offset = 0;
    this.frame ||= requestAnimationFrame((now) => this.next(now));
  }

  /** Only what lies over the points. */
  again() {
    this.overlay ||= requestAnimationFrame(() => { this.overlay = 0; this.above(); });
  }

  next(now) {
    this.frame = 0;
    const { points, camera } = this;
    if (!this.offset) {
      this.runs = points.runs(camera.box);
      this.seen = 0;
      for (let run = 0; run < this.runs.length; run += 2) this.seen += this.runs[run + 1] - this.runs[run];
      if (!this.fixed && this.last && now - this.last < 200) this.keepTime(now - this.last);
      this.stride = Math.max(1, Math.ceil(this.seen / this.budget));
      this.size = Math.min(11, Math.max(2, Math.sqrt((camera.width * camera.height) / Math.max(1, this.seen)) * 0.4));
    }
    this.last = now;
    this.renderer.draw(camera, sampled(this.runs, this.stride, this.offset), this.size, !this.offset);
    if (!this.offset) this.above();
    this.offset += 1;
    this.element.dataset.resting = String(this.offset >= this.stride);
    if (this.offset < this.stride) this.frame = requestAnimationFrame((then) => this.next(then));
  }

  /** More points to a frame where there is time, fewer where there is not. */
  keepTime(spent) {
    if (spent > 34) this.budget = Math.max(LEAST, this.budget * 0.8);
    else if (spent < 20) this.budget = Math.min(1_000_000, this.budget * 1.1);
  }

  above() {
    const { context, camera } = this;
    context.setTransform(camera.ratio, 0, 0, camera.ratio, 0, 0);
    context.clearRect(0, 0, camera.width, camera.height);
    this.element.dataset.photographs = String(this.pictures.draw(context, camera));
    const ink = getComputedStyle(this.element).color;
    context.strokeStyle = ink;
    context.lineWidth = 2;
    if (this.chosen.size && this.chosen.size <= 20_000) {
      context.beginPath();
      for (const at of this.chosen) {
        const [x, y] = camera.pixel(this.points.x[at], this.points.y[at]);
        context.moveTo(x + 5, y);
        context.arc(x, y, 5, 0, 7);
      }
      context.stroke();
    }
    if (this.marked >= 0) {
      const [x, y] = camera.pixel(this.points.x[this.marked], this.points.y[this.marked]);
      context.beginPath();
      context.arc(x, y, 9, 0, 7);
      context.stroke();
    }
    if (this.path) {
      context.beginPath();
      this.path.forEach(([x, y]) => context.lineTo(x, y));
      context.closePath();
      context.stroke();
    }
  }

  /** What is seen as a PNG. */
  async picture() {
    const page = Object.assign(document.createElement("canvas"), { width: this.canvas.width, height: this.canvas.height });
    const context = page.getContext("2d");
    context.fillStyle = getComputedStyle(document.body).backgroundColor;
    context.fillRect(0, 0, page.width, page.height);
    context.drawImage(this.canvas, 0, 0);
    context.drawImage(this.over, 0, 0);
    return new Promise((done) => page.toBlob(done, "image/png"));
  }

  close() {
    cancelAnimationFrame(this.frame);
    cancelAnimationFrame(this.overlay);
    this.watcher.disconnect();
    this.renderer.release();
  }
}
