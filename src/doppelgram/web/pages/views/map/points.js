// The points of a map: columns of one array of bytes, and which of them are where.
//
// They come in the order of a Z-curve, so that each cell of a grid is one run of positions, and every so-manieth
// position is an even sample of the map.

export class Points {
  /** Columns as `GET /api/map/points` describes them. */
  constructor(buffer, count) {
    this.count = count;
    this.time = new Uint32Array(buffer, 0, count);
    [this.x, this.y, this.label, this.author] = [0, 1, 2, 3].map((column) => new Uint16Array(buffer, count * (4 + 2 * column), count));
    this.flags = new Uint8Array(buffer, count * 12, count);
    this.shown = new Uint8Array(count).fill(1);
    this.level = Math.min(8, Math.max(0, Math.ceil(Math.log2(count / 32) / 2)));
    this.shift = 16 - this.level;
    const cells = 4 ** this.level;
    this.starts = new Uint32Array(cells + 1);
    for (let at = 0; at < count; at++) this.starts[spread(this.x[at] >> this.shift) + 2 * spread(this.y[at] >> this.shift) + 1] += 1;
    for (let cell = 0; cell < cells; cell++) this.starts[cell + 1] += this.starts[cell];
  }

  /** Runs [first, end, first, end, ...] of positions in the cells that a rectangle of places touches. */
  runs({ left, top, right, bottom }) {
    const last = 2 ** this.level - 1;
    const cell = (value) => Math.min(last, Math.max(0, Math.floor(value / 2 ** this.shift)));
    if (right < 0 || bottom < 0 || left > 65535 || top > 65535) return [];
    const [x0, x1, y0, y1] = [cell(left), cell(right), cell(top), cell(bottom)];
    if (x0 === 0 && y0 === 0 && x1 === last && y1 === last) return [0, this.count];
    const found = [];
    for (let y = y0; y <= y1; y++) {
      for (let x = x0; x <= x1; x++) {
        const at = spread(x) + 2 * spread(y);
        if (this.starts[at] < this.starts[at + 1]) found.push(this.starts[at], this.starts[at + 1]);
      }
    }
    return found;
  }

  /** Positions that are shown and lie in a rectangle of places; null if there are more than so many. */
  within(box, most = Infinity) {
    const found = [];
    const runs = this.runs(box);
    for (let run = 0; run < runs.length; run += 2) {
      for (let at = runs[run]; at < runs[run + 1]; at++) {
        const x = this.x[at], y = this.y[at];
        if (this.shown[at] && x >= box.left && x <= box.right && y >= box.top && y <= box.bottom) {
          if (found.length === most) return null;
          found.push(at);
        }
      }
    }
    return found;
  }

  /** The position nearest to a place, not farther than so much; -1 if there is none. */
  nearest(x, y, reach) {
    let best = -1, least = reach * reach;
    for (const at of this.within({ left: x - reach, right: x + reach, top: y - reach, bottom: y + reach })) {
      const distance = (this.x[at] - x) ** 2 + (this.y[at] - y) ** 2;
      if (distance <= least) [best, least] = [at, distance];
    }
    return best;
  }

  /** Positions inside a polygon of places [[x, y], ...]. */
  inside(polygon) {
    const xs = polygon.map(([x]) => x), ys = polygon.map(([, y]) => y);
    const box = { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
    return this.within(box).filter((at) => {
      const x = this.x[at], y = this.y[at];
      let odd = false;
      for (let one = 0, before = polygon.length - 1; one < polygon.length; before = one++) {
        const [ax, ay] = polygon[one], [bx, by] = polygon[before];
        if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
      }
      return odd;
    });
  }
}

/** Every so-manieth position of some runs, beginning with an offset. */
export function sampled(runs, stride, offset) {
  let size = 0;
  for (let run = 0; run < runs.length; run += 2) size += Math.ceil((runs[run + 1] - runs[run]) / stride);
  const found = new Uint32Array(size);
  let count = 0;
  for (let run = 0; run < runs.length; run += 2) {
    const first = runs[run];
    for (let at = first + ((((offset - first) % stride) + stride) % stride); at < runs[run + 1]; at += stride) found[count++] = at;
  }
  return found.subarray(0, count);
}

/** The eight bits of a number with a zero before each. */
function spread(value) {
  let bits = (value | (value << 4)) & 0x0f0f;
  bits = (bits | (bits << 2)) & 0x3333;
  return (bits | (bits << 1)) & 0x5555;
}
