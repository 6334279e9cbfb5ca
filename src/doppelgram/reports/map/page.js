  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  const sheets = [...document.querySelectorAll("img.sheet")];
  const { x, y, label, part, predicted, wrong, classes, parts, near, far, names } = data;
  const count = x.length, canvas = $("map"), pen = canvas.getContext("2d"), card = $("card");
  const INK = "#1f2328", shown = parts.map(() => true);
  const hasTraining = parts.some((p) => p.faint) && parts.some((p) => !p.faint);
  const strong = (i) => !hasTraining || !parts[part[i]].faint;
  let width = 1, height = 1, ratio = 1, view = { scale: 1, left: 0, top: 0 }, fit = 1;
  let hovered = -1, held = -1, lit = -1, fixed = -1, asked = null, waiting = false, pictures = false, naming = true;

  // Shapes as paths around the origin; areas look alike at the same radius.
  const polygon = (n, radius, turn, inner = radius) => (r) => {
    const path = new Path2D(), steps = inner === radius ? n : 2 * n;
    for (let k = 0; k < steps; k++) {
      const reach = r * (steps > n && k % 2 ? inner : radius), angle = turn + (2 * Math.PI * k) / steps;
      path.lineTo(reach * Math.cos(angle), reach * Math.sin(angle));
    }
    path.closePath();
    return path;
  };
  const outline = (corners, turn) => (r) => {
    const path = new Path2D(), c = Math.cos(turn) * r, s = Math.sin(turn) * r;
    for (const [a, b] of corners) path.lineTo(a * c - b * s, a * s + b * c);
    path.closePath();
    return path;
  };
  const arms = [[-.4, -1.1], [.4, -1.1], [.4, -.4], [1.1, -.4], [1.1, .4], [.4, .4], [.4, 1.1], [-.4, 1.1], [-.4, .4],
    [-1.1, .4], [-1.1, -.4], [-.4, -.4]];
  const SHAPES = {
    circle: (r) => { const path = new Path2D(); path.arc(0, 0, r, 0, 7); return path; },
    square: polygon(4, 1.25, Math.PI / 4), diamond: polygon(4, 1.3, 0), triangle: polygon(3, 1.4, -Math.PI / 2),
    down: polygon(3, 1.4, Math.PI / 2), hexagon: polygon(6, 1.12, 0), star: polygon(5, 1.55, -Math.PI / 2, .68),
    plus: outline(arms, 0), cross: outline(arms, Math.PI / 4),
  };

  function glyph(kind, radius, bold, zoom) {
    const side = Math.ceil((radius * 3.4 + 2) * zoom), image = document.createElement("canvas");
    image.width = image.height = side;
    const p = image.getContext("2d");
    p.setTransform(zoom, 0, 0, zoom, side / 2, side / 2);
    const path = SHAPES[kind.shape](radius);
    p.fillStyle = kind.colour;
    p.globalAlpha = bold ? .95 : .3;
    p.fill(path);
    if (bold) { p.globalAlpha = 1; p.lineWidth = Math.max(.5, radius / 7); p.strokeStyle = "#fff"; p.stroke(path); }
    return image;
  }

  let glyphs = [], drawnFor = "";
  function prepare(radius) {
    const key = radius.toFixed(1) + "/" + ratio;
    if (key === drawnFor) return;
    drawnFor = key;
    glyphs = classes.map((kind) => [glyph(kind, radius * .75, false, ratio), glyph(kind, radius, true, ratio)]);
  }

  const sx = (i) => x[i] * view.scale + view.left, sy = (i) => y[i] * view.scale + view.top;
  const closeness = () => view.scale / fit;
  const markRadius = () => Math.min(11, Math.max(2.6, 9.5 / count ** .13) * Math.min(2.4, closeness() ** .35));
  const tileSide = () => Math.round(Math.min(data.side, 30 * Math.max(1, closeness() ** .4)));
  const isLit = (i) => (lit < 0 || label[i] === lit) && (!asked || asked.has(label[i]));
  const visible = (i) => shown[part[i]];

  function picture(p, i, left, top, side) {
    const each = data.columns * data.rows, sheet = sheets[Math.floor(i / each)];
    if (!sheet || !sheet.complete || !sheet.naturalWidth) return false;
    const place = i % each, s = data.side;
    p.drawImage(sheet, (place % data.columns) * s, Math.floor(place / data.columns) * s, s, s, left, top, side, side);
    return true;
  }

  function ring(i, radius, colour = INK, thick = 1.6) {
    pen.beginPath();
    pen.arc(sx(i), sy(i), radius, 0, 7);
    pen.lineWidth = thick + 2; pen.strokeStyle = "#fff"; pen.stroke();
    pen.lineWidth = thick; pen.strokeStyle = colour; pen.stroke();
  }

  function draw() {
    waiting = false;
    const radius = markRadius();
    prepare(radius);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const inside = [];
    for (let i = 0; i < count; i++) {
      const a = sx(i), b = sy(i);
      if (visible(i) && a > -40 && b > -40 && a < width + 40 && b < height + 40) inside.push(i);
    }
    const dim = lit >= 0 || asked;
    for (const pass of dim ? [0, 1] : [1]) {
      for (const bold of [0, 1]) {
        pen.globalAlpha = pass ? 1 : .12;
        for (const i of inside) {
          if (+strong(i) !== bold || (dim && +isLit(i) !== pass)) continue;
          const image = glyphs[label[i]][bold], side = image.width / ratio;
          pen.drawImage(image, sx(i) - side / 2, sy(i) - side / 2, side, side);
        }
      }
    }
    pen.globalAlpha = 1;
    if (pictures) drawPictures(inside);
    for (const i of inside) if (wrong[i] && isLit(i) && !pictures) ring(i, radius * 1.9);
    if (naming) drawNames(inside);
    const focus = held >= 0 ? held : hovered;
    if (focus >= 0) drawLines(focus, radius);
  }

  // Pictures lie side by side, never over one another: the misclassified first, then as the images come.
  function drawPictures(inside) {
    const side = tileSide(), cells = new Map(), half = side / 2;
    const order = [...inside.filter((i) => isLit(i) && wrong[i]), ...inside.filter((i) => isLit(i) && !wrong[i])];
    for (const i of order) {
      const a = sx(i), b = sy(i), cx = Math.floor(a / side), cy = Math.floor(b / side);
      let free = true;
      for (let u = cx - 1; free && u <= cx + 1; u++) for (let v = cy - 1; free && v <= cy + 1; v++) {
        const other = cells.get(u + ":" + v);
        free = other === undefined || Math.max(Math.abs(sx(other) - a), Math.abs(sy(other) - b)) >= side + 3;
      }
      if (!free) continue;
      cells.set(cx + ":" + cy, i);
      if (!picture(pen, i, a - half, b - half, side)) continue;
      pen.lineWidth = wrong[i] ? 2.5 : 1.5;
      pen.strokeStyle = wrong[i] ? INK : classes[label[i]].colour;
      pen.strokeRect(a - half, b - half, side, side);
      if (wrong[i]) { pen.lineWidth = 1; pen.strokeStyle = "#fff"; pen.strokeRect(a - half + 2, b - half + 2, side - 4, side - 4); }
    }
  }

  const size = new Array(classes.length).fill(0);
  for (let i = 0; i < count; i++) size[label[i]]++;
  const bySize = classes.map((_, c) => c).sort((a, b) => size[b] - size[a]);
  function drawNames() {
    const taken = [];
    pen.font = "600 12.5px system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
    pen.textAlign = "center"; pen.textBaseline = "middle"; pen.lineJoin = "round";
    const first = lit >= 0 ? [lit, ...bySize.filter((c) => c !== lit)] : bySize;
    for (const c of first) {
      const kind = classes[c];
      if (!kind.name || (asked && !asked.has(c)) || (lit >= 0 && c !== lit)) continue;
      const text = kind.name.length > 24 ? kind.name.slice(0, 23) + "…" : kind.name;
      const half = pen.measureText(text).width / 2 + 3, a = kind.x * view.scale + view.left, b = kind.y * view.scale + view.top;
      const away = Math.min(kind.reach * view.scale, height / 3) + 13, aside = away + half - 6;
      for (const [u, v] of [[0, -away], [0, away], [aside, 0], [-aside, 0], [0, 0], [0, -.6 * away], [0, .6 * away]]) {
        const box = [a + u - half, b + v - 8, a + u + half, b + v + 8];
        if (box[0] < 0 || box[1] < 0 || box[2] > width || box[3] > height) continue;
        if (taken.some((t) => t[0] < box[2] && box[0] < t[2] && t[1] < box[3] && box[1] < t[3])) continue;
        taken.push(box);
        pen.lineWidth = 4; pen.strokeStyle = "rgb(255 255 255 / 88%)"; pen.strokeText(text, a + u, b + v);
        pen.fillStyle = INK; pen.fillText(text, a + u, b + v);
        break;
      }
    }
  }

  function drawLines(i, radius) {
    pen.lineWidth = 1.3;
    for (const j of near[i]) {
      pen.strokeStyle = label[j] === label[i] ? "#1f2328aa" : INK;
      pen.setLineDash(label[j] === label[i] ? [] : [5, 4]);
      pen.beginPath(); pen.moveTo(sx(i), sy(i)); pen.lineTo(sx(j), sy(j)); pen.stroke();
    }
    pen.setLineDash([]);
    for (const j of [...near[i], i]) {
      const image = glyphs[label[j]][1], side = image.width / ratio * (j === i ? 1.5 : 1.15);
      pen.drawImage(image, sx(j) - side / 2, sy(j) - side / 2, side, side);
    }
    ring(i, radius * 2.3, "#0b57a4", 2.2);
  }

  function refresh() { if (!waiting) { waiting = true; requestAnimationFrame(draw); } }
