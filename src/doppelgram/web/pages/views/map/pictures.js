// Photographs in place of points when near: from sheets of small pictures, and thumbnails when there are few.
import { address, send, thumbnail } from "../../lib/api.js";

const MOST = 260, FEW = 40, SHEETS = 6, KEPT = 240;

export class Pictures {
  constructor(points, map, changed) {
    Object.assign(this, { points, map, changed });
    this.sheets = new Map();
    this.images = new Map();
    this.facts = new Map();
    this.asked = new Set();
  }

  /** Who stands at some positions; asked for once. */
  async about(positions) {
    const missing = positions.filter((at) => !this.facts.has(at));
    for (let first = 0; first < missing.length; first += 5000) {
      const part = missing.slice(first, first + 5000);
      const found = await send("POST", "/map/images", { map: this.map.stamp, at: part });
      for (const one of found) this.facts.set(one.at, one);
    }
    return positions.map((at) => this.facts.get(at)).filter(Boolean);
  }

  /** Draw them; false where there are too many to be told apart. */
  draw(context, camera) {
    const margin = 60 / camera.scale, box = camera.box;
    const seen = this.points.within({ left: box.left - margin, right: box.right + margin, top: box.top - margin, bottom: box.bottom + margin }, MOST);
    if (!seen?.length) return 0;
    const side = Math.max(28, Math.min(120, Math.sqrt((camera.width * camera.height) / seen.length) * 0.55));
    const sharp = seen.length <= FEW;
    if (sharp) this.sharpen(seen);
    let drawn = 0;
    for (const at of seen) {
      const [px, py] = camera.pixel(this.points.x[at], this.points.y[at]);
      const left = px - side / 2, top = py - side / 2;
      const own = sharp ? this.images.get(at) : null;
      if (own?.complete && own.naturalWidth) {
        const fit = side / Math.max(own.naturalWidth, own.naturalHeight), width = own.naturalWidth * fit, height = own.naturalHeight * fit;
        context.drawImage(own, px - width / 2, py - height / 2, width, height);
        drawn += 1;
        continue;
      }
      const sheet = this.sheet(Math.floor(at / this.map.sheet));
      if (!sheet) continue;
      const place = at % this.map.sheet, from = this.map.side;
      context.drawImage(sheet, (place % 32) * from, Math.floor(place / 32) * from, from, from, left, top, side, side);
      drawn += 1;
    }
    return drawn;
  }

  sheet(number) {
    const known = this.sheets.get(number);
    if (known) {
      this.sheets.delete(number);
      this.sheets.set(number, known); // the last used stands last
      return known.complete && known.naturalWidth ? known : null;
    }
    this.sheets.set(number, this.load(address(`/api/map/atlas/${number}`, { map: this.map.stamp })));
    if (this.sheets.size > SHEETS) this.sheets.delete(this.sheets.keys().next().value);
    return null;
  }

  sharpen(seen) {
    const missing = seen.filter((at) => !this.images.has(at) && !this.asked.has(at));
    if (!missing.length) return;
    for (const at of missing) this.asked.add(at);
    this.about(missing).then((found) => {
      for (const one of found) this.images.set(one.at, this.load(thumbnail(one.id)));
      while (this.images.size > KEPT) {
        const oldest = this.images.keys().next().value;
        this.images.delete(oldest);
        this.asked.delete(oldest);
      }
    }).catch(() => { for (const at of missing) this.asked.delete(at); });
  }

  load(source) {
    const image = new Image();
    image.addEventListener("load", this.changed);
    image.src = source;
    return image;
  }
}
